"""The truth of a simulation, in a file of its own: no program that reads the log meets it by accident."""

from pathlib import Path
from typing import Any

import msgspec

from opencram.errors import RecordingError
from opencram.messages import Header
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


def truth_of(recording_path: str | Path, header: Header) -> dict[str, Any] | None:
    """Return the truth that stands beside a recording, or None where there is none, or it is that of another run.

    A simulation's truth names its scenario and seed.  A scoring file for recorded plots names neither, and is taken
    at the word of whoever put it there.
    """
    path = truth_path(recording_path)
    if not path.is_file():
        return None
    truth = load_truth(path)
    scenario, seed = truth.get("scenario_sha256", ""), truth.get("seed", header.seed)
    return truth if (scenario, seed) == (header.scenario_sha256, header.seed) else None


def load_truth(path: str | Path) -> dict[str, Any]:
    """Return a truth or scoring file."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise RecordingError(f"cannot read truth from {path}: {error.strerror}; give a scoring file") from error
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path} is no truth file: {error}; give a JSON object with rounds") from error
