"""The truth of a simulation, in a file of its own: no program that reads the log meets it by accident."""

from pathlib import Path
from typing import Any

import msgspec

from opencram.errors import RecordingError
from opencram.recording.schema import SUFFIX


def truth_path(recording_path: str | Path) -> Path:
    """Return where the truth of a recording stands: `raid.truth.json` beside `raid.opencram`."""
    path = Path(recording_path)
    stem = path.name.removesuffix(SUFFIX)
    return path.with_name(f"{stem}.truth.json")


def write_truth(recording_path: str | Path, truth: Any) -> Path:
    """Write `truth` (anything msgspec can turn into JSON) beside the recording; return where."""
    path = truth_path(recording_path)
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error}; give a folder that exists and is writable") from error
    return path
