"""A recording comes out the same when it is run again, and a changed one is told where it changed."""

import sqlite3
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from opencram.config.scenario import load_scenario
from opencram.config.site import load_site, parse_site
from opencram.messages import Plot, Track
from opencram.recording import Writer, contents, decode, encode, read, read_records, truth_of, write_truth
from opencram.runtime import process
from opencram.runtime.header import header
from opencram.runtime.replay import replay
from opencram.runtime.simulate import Raid
from opencram.runtime.sinks import RecordingSink, drive
from opencram.runtime.source import look_ahead, opened, read_plots

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LINES = 150  # of the mortar raid: two rounds under track


def record(folder: Path, name: str, lines: int = LINES) -> Path:
    plots_path, recording_path = folder / f"{name}.ndjson", folder / f"{name}.opencram"
    text = (EXAMPLES / "mortars" / "plots.ndjson").read_bytes().splitlines(keepends=True)
    plots_path.write_bytes(
        b"".join(text[: lines // 2]) + b'{"type": "plot", "ti\n' + b"".join(text[lines // 2 : lines])
    )
    site = load_site(EXAMPLES / "mortars" / "site.toml")
    with opened(str(plots_path), None) as source:  # type: ignore[arg-type]
        given = look_ahead(read_plots(site, source))
        writer = Writer(recording_path, header(site, given.first_t_ns, "process"))
        drive(process.batches(site, given.messages), [RecordingSink(writer, source.raw_line)])
    return recording_path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("replay"), "raid")


def test_processed_again_is_the_same_file(recording: Path, tmp_path: Path) -> None:
    again = record(tmp_path, "raid")
    assert again.read_bytes() == recording.read_bytes()


def test_replayed_is_the_same_messages(recording: Path) -> None:
    result = replay(recording)
    assert result.identical, str(result.difference)
    assert result.outputs > 50
    assert result.inputs > LINES


def test_the_bad_line_is_kept_as_it_was_read(recording: Path) -> None:
    (bad,) = [record for record in read_records(recording) if record.kind == "rejected"]
    assert bad.raw == b'{"type": "plot", "ti'
    assert bad.direction == "in"


def test_scans_that_overtook_one_another_are_replayed_as_they_came(tmp_path: Path) -> None:
    """Pairs of scans, exchanged: with the key of the site file all are used, and the recording is one of that order."""
    text = (EXAMPLES / "mortars" / "plots.ndjson").read_bytes().splitlines(keepends=True)[:LINES]
    scans = [list(scan) for _, scan in groupby(text, key=lambda line: line.split(b'"time":')[1][:30])]
    for at in range(1, len(scans) - 1, 3):
        scans[at], scans[at + 1] = scans[at + 1], scans[at]
    plots_path = tmp_path / "shuffled.ndjson"
    plots_path.write_bytes(b"".join(line for scan in scans for line in scan))
    site_text = (EXAMPLES / "mortars" / "site.toml").read_text()
    refused = {}
    for own_s in (0.0, 1.0):
        site = parse_site(site_text.replace("[[sensor]]", f"[[sensor]]\nout_of_order_s = {own_s}"), "site.toml")
        path = tmp_path / f"{own_s}.opencram"
        with opened(str(plots_path), None) as source:  # type: ignore[arg-type]
            given = look_ahead(read_plots(site, source))
            writer = Writer(path, header(site, given.first_t_ns, "process"))
            drive(process.batches(site, given.messages), [RecordingSink(writer, source.raw_line)])
        result = replay(path)
        assert result.identical, str(result.difference)
        plots = [m for m in read(path) if isinstance(m, Plot)]
        refused[own_s] = LINES - len(plots)
        assert sum(record.kind == "rejected" for record in read_records(path)) == refused[own_s]
    assert refused[0.0] > LINES // 5
    assert refused[1.0] == 0
    assert [m.line for m in plots] == list(range(1, LINES + 1))


def altered(recording: Path, path: Path, sql: str, *values: object) -> Path:
    """A copy of the recording, changed, and its seal taken off: it is whole, but not what was recorded."""
    path.write_bytes(recording.read_bytes())
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql, values)
        connection.execute("UPDATE segment SET sha256 = NULL")
    connection.close()
    return path


def test_a_changed_output_is_found_and_named(recording: Path, tmp_path: Path) -> None:
    tracks = [record for record in read_records(recording, direction="out") if record.kind == "track"]
    record = tracks[len(tracks) // 2]
    track = decode(record.payload)
    assert isinstance(track, Track)
    nudged = msgspec.structs.replace(track, position_m_std=track.position_m_std * (1.0 + 2e-16))
    changed = encode(nudged)
    assert changed != record.payload
    path = altered(
        recording, tmp_path / "a.opencram", "UPDATE record SET payload = ? WHERE seq = ?", changed, record.seq
    )
    difference = replay(path).difference
    assert difference is not None
    assert difference.seq == record.seq
    assert f"record {record.seq}, track.position_m_std: recorded" in str(difference)


def test_a_changed_plot_changes_what_comes_out(recording: Path, tmp_path: Path) -> None:
    plots = [record for record in read_records(recording, direction="in") if record.kind == "plot"]
    record = plots[LINES // 2]
    plot = decode(record.payload)
    assert isinstance(plot, Plot)
    moved = encode(msgspec.structs.replace(plot, sensor="elsewhere"))
    path = altered(recording, tmp_path / "a.opencram", "UPDATE record SET payload = ? WHERE seq = ?", moved, record.seq)
    result = replay(path)
    assert result.difference is not None
    assert result.difference.seq > record.seq


def test_missing_and_added_outputs_are_found(recording: Path, tmp_path: Path) -> None:
    outputs = [record.seq for record in read_records(recording, direction="out")]
    seq = outputs[len(outputs) // 2]
    path = altered(recording, tmp_path / "a.opencram", "DELETE FROM record WHERE seq = ?", seq)
    assert replay(path).difference is not None
    sql = "INSERT INTO record SELECT seq + 1000000, t_ns, kind, direction, payload, raw FROM record WHERE seq = ?"
    path = altered(recording, tmp_path / "b.opencram", sql, outputs[-1])
    difference = replay(path).difference
    assert difference is not None
    assert difference.replayed is None


def test_a_recording_that_was_cut_off_replays_as_far_as_it_goes(recording: Path, tmp_path: Path) -> None:
    outputs = [record.seq for record in read_records(recording, direction="out")]
    cut = outputs[len(outputs) // 2]
    path = altered(recording, tmp_path / "a.opencram", "DELETE FROM record WHERE seq > ?", cut)
    result = replay(path)
    assert not result.sealed
    assert result.identical, str(result.difference)
    assert result.outputs == len(outputs) // 2 + 1


def test_a_simulation_in_closed_loop_replays_and_leaves_its_truth_beside(tmp_path: Path) -> None:
    scenario = load_scenario(EXAMPLES / "seven-rockets" / "scenario.toml")
    raid = Raid(scenario)
    path = tmp_path / "raid.opencram"
    head = header(scenario.site, scenario.start_t_ns, "simulation", scenario_sha256=scenario.sha256, seed=scenario.seed)
    drive(raid.batches(), [RecordingSink(Writer(path, head))])
    write_truth(path, raid.truth())
    result = replay(path)
    assert result.identical, str(result.difference)
    kinds = {kind for _, kind, _ in contents(path).kinds}
    assert {"plot", "tick", "track", "impact", "threat", "warning", "decision", "engagement"} <= kinds
    truth = truth_of(path, head)
    assert truth is not None
    assert truth["plots"] == sum(isinstance(message, Plot) for message in read(path))
    assert truth_of(path, msgspec.structs.replace(head, seed=head.seed + 1)) is None
    processed = msgspec.structs.replace(head, source="process", scenario_sha256="", seed=0)
    assert truth_of(path, processed) is None
    write_truth(path, {"rounds": []})
    assert truth_of(path, processed) == {"rounds": []}
    assert truth_of(path, head) is None
