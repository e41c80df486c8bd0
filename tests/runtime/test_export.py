"""Exports, read back by programs that are not ours where there are any: nothing missing, nothing moved."""

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import pytest

from opencram.cli import main
from opencram.messages import Impact, Plot, Track, Warning
from opencram.recording import contents, read_inputs, read_outputs

RAID = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"
KML, GX = "{http://www.opengis.net/kml/2.2}", "{http://www.google.com/kml/ext/2.2}"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    path, plots = folder / "raid.opencram", folder / "plots.ndjson"
    plots.write_text("".join((RAID / "plots.ndjson").read_text().splitlines(keepends=True)[:2500]))
    main(["process", str(RAID / "site.toml"), "--plots", str(plots), "--recording", str(path), "--no-live", "--json"])
    return path


def exported(recording: Path, tmp_path: Path, name: str, *more: str) -> Path:
    path = tmp_path / name
    assert main(["export", str(recording), "--out", str(path), *more]) == 0
    return path


def outputs(recording: Path, kind: type) -> list:
    return [m for m in read_outputs(recording) if isinstance(m, kind)]


def test_mcap_is_read_by_its_own_reader(recording: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("mcap.reader")
    with exported(recording, tmp_path, "a.mcap").open("rb") as file:
        found = list(reader.make_reader(file, validate_crcs=True).iter_messages(log_time_order=False))
    assert len(found) == contents(recording).records
    tracks = [json.loads(m.data) for _, channel, m in found if channel.topic == "/out/track"]
    ours = outputs(recording, Track)
    assert [(t["track_id"], tuple(t["position_enu_m"])) for t in tracks] == [
        (t.track_id, t.position_enu_m) for t in ours
    ]
    schema = next(schema for schema, channel, _ in found if channel.topic == "/out/impact")
    assert "impact_t_ns" in schema.data.decode()


def test_parquet_is_read_by_duckdb(recording: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    whole = exported(recording, tmp_path, "all.parquet")
    assert duckdb.sql(f"SELECT count(*) FROM '{whole}'").fetchall()[0][0] == contents(recording).records
    query = f"SELECT max(CAST(message->>'track_id' AS INT)) FROM '{whole}' WHERE kind = 'track'"
    assert duckdb.sql(query).fetchall()[0][0] == max(t.track_id for t in outputs(recording, Track))
    flat = exported(recording, tmp_path, "plots.parquet", "--table", "plot")
    rows = duckdb.sql(f"SELECT epoch_ns(time), range_m FROM '{flat}'").fetchall()
    assert rows == [(p.t_ns, p.range_m) for p in read_inputs(recording) if isinstance(p, Plot)]


@pytest.mark.parametrize("kind", ["plot", "track", "impact", "warning", "decision", "engagement", "rejected", "health"])
def test_csv_and_parquet_hold_the_same_rows(recording: Path, tmp_path: Path, kind: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with exported(recording, tmp_path, "a.csv", "--table", kind).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = parquet.read_table(exported(recording, tmp_path, "a.parquet", "--table", kind))
    assert len(rows) == table.num_rows
    assert list(rows[0]) == table.column_names if rows else True
    for name in table.column_names:
        for text, value in zip((row[name] for row in rows), table.column(name).to_pylist(), strict=True):
            if isinstance(value, float):
                assert float(text) == value
            elif isinstance(value, str | int | None):
                assert text == ("" if value is None else str(value))


def test_geojson_has_every_confirmed_track_impact_and_alarm(recording: Path, tmp_path: Path) -> None:
    found = json.loads(exported(recording, tmp_path, "a.geojson").read_text())
    kinds = [feature["properties"]["kind"] for feature in found["features"]]
    confirmed = {t.track_id for t in outputs(recording, Track) if t.status == "confirmed"}
    assert kinds.count("track") == len(confirmed)
    assert kinds.count("impact") == len({i.track_id for i in outputs(recording, Impact)} & confirmed)
    assert kinds.count("alarm") == len({w.alarm_id for w in outputs(recording, Warning)})
    line = next(f for f in found["features"] if f["geometry"]["type"] == "LineString")
    assert len(line["geometry"]["coordinates"]) == len(line["properties"]["times"])
    longitude, latitude, height = line["geometry"]["coordinates"][0]
    assert abs(latitude) < 90.0
    assert abs(longitude) < 180.0
    assert height > -500.0


def test_kml_has_a_time_for_every_place_and_closed_rings(recording: Path, tmp_path: Path) -> None:
    root = ET.parse(exported(recording, tmp_path, "a.kml")).getroot()
    tracks = root.findall(f".//{GX}Track")
    assert tracks
    for track in tracks:
        times = [when.text for when in track.findall(f"{KML}when")]
        assert len(times) == len(track.findall(f"{GX}coord")) > 0
        assert times == sorted(times)
    rings = [ring.text.split() for ring in root.findall(f".//{KML}LinearRing/{KML}coordinates")]
    assert rings
    assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in rings)
    for span in root.findall(f".//{KML}TimeSpan"):
        begin, end = (datetime.fromisoformat(span.find(f"{KML}{name}").text) for name in ("begin", "end"))
        assert begin <= end


def test_czml_packets_are_within_the_clock(recording: Path, tmp_path: Path) -> None:
    head, *packets = json.loads(exported(recording, tmp_path, "a.czml").read_text())
    assert (head["id"], head["version"]) == ("document", "1.0")
    begin, end = head["clock"]["interval"].split("/")
    assert len({packet["id"] for packet in packets}) == len(packets)
    for packet in packets:
        first, last = packet["availability"].split("/")
        assert begin <= first <= last
        assert first <= end
        if "position" in packet:
            samples = packet["position"]["cartographicDegrees"]
            assert len(samples) % 4 == 0
            assert samples[::4] == sorted(samples[::4])


def test_events_are_those_of_process(recording: Path, tmp_path: Path) -> None:
    lines = exported(recording, tmp_path, "a.ndjson").read_text().splitlines()
    assert sum('"type":"track"' in line for line in lines) == len(outputs(recording, Track))


def test_faults_are_told(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (
        (["--out", str(tmp_path / "a.xlsx")], "must end with one of"),
        (["--out", str(tmp_path / "a.kml"), "--table", "plot"], "only .csv and .parquet"),
        (["--out", str(tmp_path / "no" / "a.kml")], "there is no folder"),
    ):
        assert main(["export", str(recording), *arguments]) != 0
        assert word in capsys.readouterr().err


def test_help_needs_none_of_the_libraries() -> None:
    code = "import sys; from opencram.cli import main\ntry: main(['export', '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'pyarrow', 'mcap', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
