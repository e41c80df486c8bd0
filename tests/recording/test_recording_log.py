"""The log: what is written is read, byte for byte; what is acknowledged survives; what is not ours is refused."""

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencram.errors import OpenElsewhereError, RecordingError
from opencram.messages import (
    SCHEMA_VERSION,
    Association,
    Decision,
    Header,
    Hypothesis,
    Message,
    Operator,
    Plot,
    Rejected,
    Tick,
    Track,
)
from opencram.recording import (
    Writer,
    contents,
    read,
    read_header,
    read_inputs,
    read_outputs,
    read_records,
    truth_path,
    write_truth,
)

HEADER = Header(
    t_ns=1_767_225_600_000_000_000,
    schema_version=SCHEMA_VERSION,
    program_version="0.1.0",
    commit="",
    site_name="Example",
    site_sha256="00",
    site_toml='[site]\nname = "Example"\n',
    source="process",
)


def plot(number: int, **more: object) -> Plot:
    fields = {"range_m": 1000.1 + number, "azimuth_rad": 0.1, "elevation_rad": 0.2, **more}
    return Plot(t_ns=HEADER.t_ns + number * 100, plot_id=number, sensor="north", **fields)  # type: ignore[arg-type]


def track() -> Track:
    shell = Hypothesis(class_name="shell", curve="G7", probability=0.6, mean=(0.1,) * 10, covariance=tuple([1e-3] * 55))
    return Track(
        t_ns=HEADER.t_ns + 5,
        track_id=1,
        status="confirmed",
        position_enu_m=(1.0, 2.0, 3.0),
        velocity_enu_m_s=(-1.0, 0.1 + 0.2, 3.0),
        position_m_std=12.5,
        classes=(("shell", 0.6), ("bird", 0.4)),
        plots=3,
        first_t_ns=HEADER.t_ns,
        updated_t_ns=HEADER.t_ns + 5,
        hypotheses=(shell,),
    )


INPUTS: list[Message] = [
    plot(1),
    plot(2, range_rate_m_s=-200.5, snr_db=12.0, line=7),
    plot(3, range_m=-math.inf),
    Rejected(t_ns=HEADER.t_ns, reason="not JSON", code="not_json", line=4),
    Operator(t_ns=HEADER.t_ns + 1, operator="duty", action="veto", track_id=3),
    Tick(t_ns=HEADER.t_ns + 300),
]
OUTPUTS: list[Message] = [
    Association(t_ns=HEADER.t_ns, sensor="north", plot_ids=(1, 2), track_ids=(1, 0)),
    track(),
    Decision(
        t_ns=HEADER.t_ns, track_id=1, action="ignore", asset=None, probability=0.0, effector=None, code="x", reason="é"
    ),
]


def write(path: Path, *, batch_records: int = 5000) -> Path:
    with Writer(path, HEADER, batch_records=batch_records) as writer:
        writer.append(INPUTS[:4], direction="in", raw_lines={3: b'{"type": "pl\xff'})
        writer.append(OUTPUTS[:1], direction="out")
        writer.append(INPUTS[4:], direction="in")
        writer.append(OUTPUTS[1:], direction="out")
    return path


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.opencram")
    assert list(read(path)) == [HEADER, *INPUTS[:4], OUTPUTS[0], *INPUTS[4:], *OUTPUTS[1:]]
    assert list(read_inputs(path)) == INPUTS
    assert list(read_outputs(path)) == OUTPUTS
    assert read_header(path) == HEADER


def test_nan_survives(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.opencram", HEADER) as writer:
        writer.append([plot(1, range_m=math.nan)], direction="in")
    (message,) = read_inputs(tmp_path / "a.opencram")
    assert isinstance(message, Plot)
    assert math.isnan(message.range_m)


def test_the_raw_line_stands_beside_the_message_it_gave(tmp_path: Path) -> None:
    records = list(read_records(write(tmp_path / "a.opencram")))
    assert [(r.kind, r.raw) for r in records if r.raw is not None] == [("rejected", b'{"type": "pl\xff')]
    assert [r.seq for r in records] == list(range(1, len(records) + 1))


def test_contents(tmp_path: Path) -> None:
    held = contents(write(tmp_path / "a.opencram"))
    assert held.sealed
    assert held.records == 1 + len(INPUTS) + len(OUTPUTS)
    assert ("in", "plot", 3) in held.kinds
    assert ("out", "track", 1) in held.kinds


@pytest.mark.parametrize("batch_records", [1, 3, 5000])
def test_same_messages_give_the_same_file_however_they_were_batched(tmp_path: Path, batch_records: int) -> None:
    one = write(tmp_path / "a.opencram")
    two = write(tmp_path / "b.opencram", batch_records=batch_records)
    assert one.read_bytes() == two.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.opencram", "b.opencram"]  # no -wal, no -shm


def test_an_exception_still_seals_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.opencram"

    def interrupted() -> None:
        with Writer(path, HEADER) as writer:
            writer.append(INPUTS, direction="in")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert contents(path).sealed
    assert list(read_inputs(path)) == INPUTS


KILLED_WRITER = """
import sys
from tests_recording_shared import HEADER, plot
from opencram.recording import Writer
writer = Writer(sys.argv[1], HEADER, batch_records=50)
number = 0
while True:
    number += 1
    writer.append([plot(number)], direction="in")
    print(writer.acknowledged, flush=True)
"""


def test_kill_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "a.opencram"
    source = KILLED_WRITER.replace("tests_recording_shared", Path(__file__).stem)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", source, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = 0
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged > 500:
                break
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")[:-1]  # a last line cut by the kill was not said
    acknowledged = int(rest[-1]) if rest else acknowledged
    assert not contents(path).sealed
    messages = list(read(path))
    assert len(messages) >= acknowledged
    assert messages[1:] == [plot(number) for number in range(1, len(messages))]


def test_a_reader_that_stays_leaves_a_whole_recording_in_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencram.recording.writer.READERS_TRIES_MAX", 3)
    path = tmp_path / "open.opencram"
    writer = Writer(path, HEADER)
    writer.append([plot(k) for k in range(5000)], direction="in")
    writer.commit()
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    reader.execute("SELECT 1 FROM record").fetchone()
    with pytest.raises(OpenElsewhereError, match=r"open.opencram-wal beside it is part of it"):
        writer.close()
    assert contents(path).sealed
    assert sum(1 for _ in read(path)) == 5001  # the seal holds
    reader.close()
    Writer(path, None).close()  # gone on with, and folded
    assert not path.with_name("open.opencram-wal").exists()
    assert contents(path).sealed


def test_the_write_ahead_log_is_folded_beside_the_commits_and_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "long.opencram"
    writer = Writer(path, HEADER, folds_beside=True)
    sizes = []
    for batch in range(120):
        writer.append([plot(k) for k in range(batch * 1000, batch * 1000 + 1000)], direction="in")
        writer.commit()
        writer.fold_some()
        sizes.append(path.with_name("long.opencram-wal").stat().st_size)
    assert sizes[-1] == sizes[len(sizes) // 2] < 12_000_000  # written anew from its beginning
    assert path.stat().st_size > 10_000_000
    writer.close()
    assert sum(1 for _ in read(path)) == 120_001


def test_torn_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.opencram"
    with Writer(path, HEADER) as writer:
        writer.append([plot(n) for n in range(5000)], direction="in")
    whole = path.read_bytes()
    for size in (len(whole) // 2, len(whole) - 5000, 50, 0):
        path.write_bytes(whole[:size])
        with pytest.raises(RecordingError, match=r"torn|not a recording"):
            list(read(path))


def test_changed_file_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.opencram")
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM record WHERE seq = 4")
    connection.close()
    with pytest.raises(RecordingError, match="changed since it was sealed"):
        list(read(path))


def test_damaged_record_names_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.opencram")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE record SET payload = x'c1ff' WHERE seq = 4")
    connection.close()
    with pytest.raises(RecordingError, match="record 4 cannot be read"):
        list(read(path))


def test_foreign_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.opencram"
    with pytest.raises(RecordingError, match="no such recording"):
        list(read(path))
    path.write_text("hello, this is a text file\n" * 100)
    with pytest.raises(RecordingError, match="not a recording"):
        list(read(path))
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE record (x)")
    connection.close()
    with pytest.raises(RecordingError, match="not a recording"):
        list(read(path))


def test_other_versions_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.opencram"
    future = Header(**{**{f: getattr(HEADER, f) for f in HEADER.__struct_fields__}, "schema_version": 99})
    Writer(path, future).close()
    with pytest.raises(RecordingError, match=f"schema version 99, this program reads {SCHEMA_VERSION}"):
        list(read(path))
    with sqlite3.connect(write(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(RecordingError, match="format 7"):
        read_header(path)


def test_a_recording_is_replaced_but_nothing_else_is(tmp_path: Path) -> None:
    path = write(write(tmp_path / "a.opencram"))
    assert list(read_inputs(path)) == INPUTS
    other = tmp_path / "thesis.opencram"
    other.write_text("ten years of work")
    with pytest.raises(RecordingError, match="exists and is not a recording"):
        Writer(other, HEADER)
    assert other.read_text() == "ten years of work"
    with pytest.raises(RecordingError, match="cannot write recording"):
        Writer(tmp_path / "missing" / "a.opencram", HEADER)


def test_truth_stands_beside_the_recording(tmp_path: Path) -> None:
    assert truth_path("x/raid.opencram") == Path("x/raid.truth.json")
    path = write_truth(tmp_path / "raid.opencram", {"rounds": [HEADER]})
    assert path == tmp_path / "raid.truth.json"
    assert '"site_name": "Example"' in path.read_text()
