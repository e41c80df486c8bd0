"""What all tests share.  Being here also puts this folder on the path, so that tests can `import scoring`."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import scoring
import truth

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
    """Run the command as a person does; `code` is the exit code that is expected."""

    def run(*arguments: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        command = [str(OPENCRAM), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, f"{' '.join(command)} ended with {done.returncode}\n{done.stderr[-4000:]}"
        return done

    return run


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
