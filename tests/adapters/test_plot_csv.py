"""CSV plots: the same plots as NDJSON, other names and units through a column map, every fault told."""

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.columns import load_column_map
from opencram.adapters.plots import PlotReader, SensorLimits
from opencram.adapters.plots_csv import CsvPlotReader
from opencram.adapters.readers import plot_reader
from opencram.adapters.stations import Station
from opencram.earth.geodesy import ecef_from_enu
from opencram.errors import ConfigError
from opencram.messages import Plot, Rejected

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SENSORS = {"north": SensorLimits(range_m_max=20_000.0), "mast": SensorLimits(range_m_max=20_000.0)}
HEADER = b"time,sensor,range_m,azimuth_deg,elevation_deg,snr_db\n"
NAMES = ("type", "time", "sensor", "range_m", "azimuth_deg", "elevation_deg")


def read(data, columns=None):
    reader = CsvPlotReader(SENSORS, columns) if columns else CsvPlotReader(SENSORS)
    return [message for chunk in reader.read(data.splitlines(keepends=True)) for message in chunk]


def row(k, **changed):
    values = {
        "time": f"2026-01-01T00:00:0{k}Z",
        "sensor": "north",
        "range": 5000 + k,
        "azimuth": 90,
        "elevation": 45,
        "snr": "",
    }
    return ",".join(str(v) for v in (values | changed).values()).encode() + b"\n"


def column_map(tmp_path, text):
    path = tmp_path / "columns.toml"
    path.write_text(text)
    return load_column_map(path)


def test_the_same_raid_in_csv_gives_the_same_plots():
    lines = (EXAMPLES / "mortars" / "plots.ndjson").read_bytes().splitlines(keepends=True)
    table = [",".join(NAMES)] + [",".join(str(json.loads(each)[name]) for name in NAMES) for each in lines]
    as_json = [m for chunk in PlotReader(SENSORS).read(lines) for m in chunk]
    as_csv = read("\r\n".join(table).encode())
    assert len(as_csv) == len(as_json) == 458
    for a, b in zip(as_csv, as_json, strict=True):
        assert (a.plot_id, a.t_ns, a.range_m, a.azimuth_rad, a.elevation_rad) == (
            b.plot_id,
            b.t_ns,
            b.range_m,
            b.azimuth_rad,
            b.elevation_rad,
        )
        assert a.line == b.line + 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row(2, range="nan"), "nan"),
        (row(2, range="-inf"), "infinite"),
        (row(2, range="-5"), "range"),
        (row(2, range="5_000"), "field"),
        (row(2, range=""), "field"),
        (row(2, range="far"), "field"),
        (row(2, sensor="west"), "unknown_sensor"),
        (row(2, time="noon"), "time"),
        (row(2, time=""), "field"),
        (row(1, range=5001), "duplicate"),
        (b"1,2,3\n", "field"),
        (b'"x,1,2\n', "not_csv"),
        (b"\xff\n", "not_utf8"),
        (b"y" * 70_000 + b"\n", "too_long"),
    ],
)
def test_each_fault_is_told_and_leaves_no_trace(bad, code):
    good = [row(k) for k in range(1, 8)]
    messages = read(HEADER + good[0] + bad + b"".join(good[1:]))
    assert [m.code for m in messages if isinstance(m, Rejected)] == [code]
    assert [m.range_m for m in messages if isinstance(m, Plot)] == [5000 + k for k in range(1, 8)]


def test_quoted_values_and_a_cut_last_line():
    messages = read(HEADER + b'"2026-01-01T00:00:01Z","north","5000.5",90,45,"12.5"\n2026-01-01T00:00:02Z,nor')
    [cut, plot] = messages  # what is rejected before the first time is settled is told first
    assert cut.code == "truncated"
    assert (plot.range_m, plot.snr_db) == (5000.5, 12.5)


def test_other_names_and_units(tmp_path):
    columns = column_map(
        tmp_path,
        """
        [csv]
        delimiter = ";"
        date = "2026-01-01"
        sensor = "north"
        [time]
        column = "UTC"
        unit = "s_of_day"
        [range_m]
        column = "Rng"
        unit = "ft"
        scale = 1000.0
        [azimuth_deg]
        column = "Az"
        unit = "mil"
        [elevation_deg]
        column = "El"
        unit = "mrad"
        """,
    )
    messages = read(b"UTC;Rng;Az;El\n86399.5;10;1600;500\n86399.9;10.1;3200;500\n0.3;10.2;0;500\n", columns)
    assert messages[0].t_ns == 1_767_225_600_000_000_000 + 86_399_500_000_000
    assert messages[2].t_ns - messages[1].t_ns == 400_000_000
    assert messages[0].range_m == pytest.approx(3048.0)
    assert messages[0].azimuth_rad == pytest.approx(math.pi / 2)
    assert messages[0].elevation_rad == pytest.approx(0.5)


@pytest.mark.parametrize(("unit", "text"), [("epoch_s", "1767225607.300000123"), ("epoch_ms", "1767225607300.000123")])
def test_epoch_times_are_exact(tmp_path, unit, text):
    columns = column_map(tmp_path, f'[time]\nunit = "{unit}"\n')
    [plot] = read(HEADER + row(1, time=text), columns)
    assert plot.t_ns == 1_767_225_607_300_000_123


def test_a_foreign_header_is_told_on_every_line():
    messages = read(b"a,b,c\n1,2,3\n")
    assert [m.code for m in messages] == ["header", "header"]
    assert "'range_m'" in messages[0].reason


def test_a_wrong_column_map_has_all_its_faults_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        column_map(
            tmp_path,
            '[csv]\ndelimiter = "ab"\n[time]\nunit = "s_of_day"\n[range_m]\nunit = "mile"\nscale = 0\n'
            'colum = "x"\n[rnge]\n',
        )
    places = {fault.place for fault in caught.value.faults}
    assert places == {"$.csv.delimiter", "$.csv.date", "$.range_m.unit", "$.range_m.scale", "$.range_m.colum", "$.rnge"}
    with pytest.raises(ConfigError):
        load_column_map(tmp_path / "absent.toml")


def test_the_name_of_the_file_chooses_the_reader():
    assert isinstance(plot_reader("a/b.CSV", SENSORS), CsvPlotReader)
    assert isinstance(plot_reader("-", SENSORS), PlotReader)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_random_bytes_never_raise(lines):
    for data in (b"\n".join(lines), HEADER + b"\n".join(lines)):
        assert all(isinstance(m, Plot | Rejected) for m in read(data))


ECEF_MAP = '[csv]\nsensor = "north"\n[ecef]\nx = "X"\ny = "Y"\nz = "Z"\nunit = "km"\n'


def test_a_position_about_the_centre_of_the_earth_becomes_range_and_angles(tmp_path):
    station = Station(
        id="north", latitude_rad=0.6, longitude_rad=0.8, height_m=100.0, range_m_std=10.0, azimuth_rad_std=1e-3,
        elevation_rad_std=1e-3, range_m_max=20_000.0, period_s=0.1,
    )  # fmt: skip
    x, y, z = ecef_from_enu(station.frame, [3000.0, -4000.0, 1200.0]) / 1000.0
    columns = column_map(tmp_path, ECEF_MAP)
    reader = CsvPlotReader(SENSORS, columns, stations=(station,))
    text = f"time,X,Y,Z\n2026-01-01T00:00:00Z,{x:.9f},{y:.9f},{z:.9f}\n2026-01-01T00:00:01Z,1e9,0,0\n"
    text += f"2026-01-01T00:00:02Z,,{y},{z}\n"
    out = [m for chunk in reader.read(text.encode().splitlines(keepends=True)) for m in chunk]
    plot, *bad = sorted(out, key=lambda m: m.line or 0)
    assert plot.range_m == pytest.approx(math.hypot(3000.0, 4000.0, 1200.0), abs=1e-3)
    assert plot.azimuth_rad == pytest.approx(math.atan2(3000.0, -4000.0), abs=1e-6)
    assert plot.elevation_rad == pytest.approx(math.atan2(1200.0, 5000.0), abs=1e-6)
    assert [m.code for m in bad] == ["field", "field"]
    assert "about the earth" in bad[0].reason


def test_without_the_place_of_the_sensor_a_position_is_refused_and_not_guessed(tmp_path):
    found = read(b"time,X,Y,Z\n2026-01-01T00:00:00Z,3000,3000,4000\n", column_map(tmp_path, ECEF_MAP))
    assert [type(m) for m in found] == [Rejected]
    assert "place of the sensor" in found[0].reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ECEF_MAP + '[range_m]\ncolumn = "R"\n', "must not stand beside [ecef]"),
        (ECEF_MAP.replace('"Y"', '"X"'), "three columns"),
        (ECEF_MAP.replace('"km"', '"mi"'), "must be one of m, km, ft"),
    ],
)
def test_a_wrong_map_of_positions_is_told(tmp_path, text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        column_map(tmp_path, text)
