"""The same plots give the same bytes: processed again, from standard input, and replayed from the recording."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

import truth

OPENCRAM = Path(sys.executable).with_name("opencram")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Processed(Protocol):
    """What `conftest.py` makes of a raid."""

    events_path: Path
    recording_path: Path


@pytest.fixture(scope="module")
def mortars(processed: Callable[[str], Processed]) -> Processed:
    return processed("mortars")


def test_processed_twice(opencram_alone: Run, mortars: Processed, tmp_path: Path) -> None:
    site_path, plots_path, _ = truth.raid_paths("mortars")
    outputs = ("--events", tmp_path / "events.ndjson", "--recording", tmp_path / "raid.opencram")
    opencram_alone("process", site_path, "--plots", plots_path, *outputs)
    assert (tmp_path / "events.ndjson").read_bytes() == mortars.events_path.read_bytes()
    assert (tmp_path / "raid.opencram").read_bytes() == mortars.recording_path.read_bytes()


def test_from_standard_input_to_standard_output(mortars: Processed) -> None:
    site_path, plots_path, _ = truth.raid_paths("mortars")
    command = [str(OPENCRAM), "process", str(site_path), "--plots", "-", "--events", "-"]
    done = subprocess.run(command, input=plots_path.read_bytes(), capture_output=True, check=True, timeout=300)
    assert done.stdout == mortars.events_path.read_bytes()


def test_replayed_from_the_recording(opencram_alone: Run, mortars: Processed, tmp_path: Path) -> None:
    opencram_alone("replay", mortars.recording_path, "--events", tmp_path / "events.ndjson")
    assert (tmp_path / "events.ndjson").read_bytes() == mortars.events_path.read_bytes()


def test_without_the_compiler_the_answers_are_the_same(mortars: Processed, tmp_path: Path) -> None:
    """Numba off: the same code as plain Python, on the first seconds of the raid, to a millimetre."""
    site_path, plots_path, _ = truth.raid_paths("mortars")
    first = tmp_path / "first.ndjson"
    first.write_bytes(b"".join(plots_path.read_bytes().splitlines(keepends=True)[:60]))
    answers = []
    for off in ("0", "1"):
        command = [str(OPENCRAM), "process", str(site_path), "--plots", str(first), "--events", "-"]
        environment = os.environ | {"NUMBA_DISABLE_JIT": off}
        done = subprocess.run(command, capture_output=True, check=True, timeout=300, env=environment)
        answers.append([json.loads(line) for line in done.stdout.splitlines()])
    compiled, plain = answers
    assert {event["type"] for event in compiled} >= {"track", "impact", "decision"}
    assert [event["type"] for event in compiled] == [event["type"] for event in plain]
    for one, other in zip(compiled, plain, strict=True):
        if one["type"] in ("track", "impact"):
            assert one["position_enu_m"] == pytest.approx(other["position_enu_m"], abs=1e-3)
