"""What all tests share.  Being here also puts this folder on the path, so that tests can `import scoring`."""

import gc
import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import scoring
import truth
from opencram.cli import main

pytest_plugins = ["warming"]

OPENCRAM = Path(sys.executable).with_name("opencram")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Processed:
    """What `opencram process` made of one of the example raids."""

    name: str
    events_path: Path
    recording_path: Path

    @cached_property
    def events(self) -> list[truth.Event]:
        """Every event, in order."""
        return truth.read_ndjson(self.events_path)

    @cached_property
    def score(self) -> scoring.Score:
        """The events against the truth."""
        site_path, plots_path, truth_path = truth.raid_paths(self.name)
        site = tomllib.loads(site_path.read_text())
        rounds = truth.read_rounds(site, truth.read_ndjson(plots_path), json.loads(truth_path.read_text()))
        return scoring.score(site, rounds, self.events)


@pytest.fixture(scope="session")
def opencram() -> Run:
    """Run the command as a person types it, in this process; `code` is the exit code that is expected."""

    def run(*arguments: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        command = [str(each) for each in arguments]
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        thresholds = gc.get_threshold()
        try:
            with redirect_stdout(out), redirect_stderr(err):
                found = main(command)
        except SystemExit as end:  # of the parser of arguments
            found = int(end.code or 0)
        finally:  # a run makes them seldom, for the life of its process
            gc.set_threshold(*thresholds)
            gc.unfreeze()
        said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
        return _as_expected(subprocess.CompletedProcess(["opencram", *command], found, *said), code)

    return run


@pytest.fixture(scope="session")
def opencram_alone() -> Run:
    """The same in a process of its own, for what is asked of the process."""

    def run(*arguments: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        command = [str(OPENCRAM), *map(str, arguments)]
        return _as_expected(subprocess.run(command, capture_output=True, text=True, check=False, timeout=300), code)

    return run


def _as_expected(done: "subprocess.CompletedProcess[str]", code: int) -> "subprocess.CompletedProcess[str]":
    assert done.returncode == code, f"{' '.join(done.args)} ended with {done.returncode}\n{done.stderr[-4000:]}"
    return done


@pytest.fixture(scope="session")
def processed(opencram: Run, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Processed]:
    """Return what the program made of an example raid; each raid is processed once for all tests."""
    known: dict[str, Processed] = {}

    def process(name: str) -> Processed:
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            site_path, plots_path, _ = truth.raid_paths(name)
            result = Processed(name, folder / "events.ndjson", folder / "raid.opencram")
            outputs = ("--events", result.events_path, "--recording", result.recording_path)
            opencram("process", site_path, "--plots", plots_path, *outputs)
            known[name] = result
        return known[name]

    return process
