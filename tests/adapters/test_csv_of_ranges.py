"""CSV files as test ranges write them: each is read as it was meant, or refused with what to do about it."""

import math

import pytest

from opencram.adapters.columns import load_column_map
from opencram.adapters.gate import SensorLimits
from opencram.adapters.plots_csv import CsvPlotReader
from opencram.errors import ConfigError
from opencram.messages import Plot, Rejected

SENSORS = {name: SensorLimits(range_m_max=20_000.0) for name in ("north", "mast")}
DAY = 1_767_225_600_000_000_000  # 2026-01-01
S = 1_000_000_000
MAP = '[csv]\ndelimiter = ";"\nsensor = "north"\ndate = "2026-01-01"\n{more}\n[time]\ncolumn = "T"\nunit = "s_of_day"\n'
MAP += '[range_m]\ncolumn = "R"\n[azimuth_deg]\ncolumn = "Az"\nunit = "{unit}"\n[elevation_deg]\ncolumn = "El"\n'
ROWS = [f"{k};{5000 + k};100;45" for k in range(1, 8)]


@pytest.fixture
def read(tmp_path):
    def found(text, more="", unit="deg", changed=()):
        toml = MAP.format(more=more, unit=unit)
        for old, new in changed:
            toml = toml.replace(old, new)
        path = tmp_path / "map.toml"
        path.write_text(toml, encoding="utf-8")
        data = text if isinstance(text, bytes) else text.encode()
        reader = CsvPlotReader(SENSORS, load_column_map(path))
        out = [m for chunk in reader.read(data.splitlines(keepends=True)) for m in chunk]
        return [m for m in out if isinstance(m, Plot)], [m for m in out if isinstance(m, Rejected)]

    return found


def lines(*rows, header="T;R;Az;El"):
    return "\n".join([header, *rows])


@pytest.mark.parametrize(
    ("unit", "circle"),
    [("mil", 6400), ("mil_6300", 6300), ("mil_6000", 6000), ("gon", 400), ("mrad", 2000 * math.pi), ("deg", 360)],
)
def test_every_kind_of_mil_is_told_by_its_name(read, unit, circle):
    [plot, *_], bad = read(lines(*(f"{k};{5000 + k};{circle / 8};45" for k in range(1, 8))), unit=unit)
    assert plot.azimuth_rad == pytest.approx(math.pi / 4)
    assert plot.elevation_rad == pytest.approx(math.pi / 4)
    assert not bad


def test_decimal_commas_are_read_when_the_map_says_so_and_refused_with_the_remedy_when_not(read):
    text = lines(*(f"{k},5;{5000 + k},25;100,125;45" for k in range(1, 8)))
    [plot, *_], bad = read(text, more='decimal = ","')
    assert (plot.t_ns, plot.range_m) == (DAY + S + S // 2, 5001.25)
    assert not bad
    plots, bad = read(text)
    assert not plots
    assert all('decimal = ","' in each.reason for each in bad)
    plots, bad = read(lines(*ROWS, "8;1.234,5;100;45"), more='decimal = ","')
    assert len(plots) == 7
    assert "thousands" in bad[0].reason


def test_columns_set_apart_by_blanks_after_lines_of_remarks_in_another_encoding(read):
    text = "# Gerät 3, Schießplatz\n   T      R     Az   El[°]\n"
    text += "\n".join(f"   {k:4}   {5000.5 + k:9}\t 90   45" for k in range(1, 8))
    changed = [('";"', '"whitespace"'), ('"El"', '"El[°]"')]
    plots, bad = read(text.encode("latin-1"), more='encoding = "latin-1"', changed=changed)
    assert [each.range_m for each in plots] == [5000.5 + k for k in range(1, 8)]
    assert [each.line for each in bad] == [1]
    plots, bad = read(text.encode("latin-1"), changed=changed)
    assert not plots
    assert "encoding" in bad[0].reason
    plots, bad = read(text.encode("utf-16"))
    assert not plots
    assert all("UTF-8" in each.reason for each in bad[1:])


def test_a_line_of_units_below_the_header_costs_that_line(read):
    plots, bad = read(lines("[s];[m];[deg];[deg]", *ROWS))
    assert (len(plots), [each.line for each in bad]) == (7, [2])


def test_a_file_without_a_header_and_one_that_has_a_name_twice(read):
    plots, bad = read("\n".join(ROWS), more='header = ["T", "R", "Az", "El"]')
    assert (len(plots), bad) == (7, [])
    twice = lines(*(f"{k};0;{5000 + k};100;45" for k in range(1, 8)), header="T;R;R;Az;El")
    plots, bad = read(twice)
    assert not plots
    assert "'R' 2 times" in bad[0].reason
    assert "header under [csv]" in bad[0].reason
    plots, bad = read(twice, more='header = ["T", "no", "R", "Az", "El"]')
    assert (len(plots), [each.line for each in bad]) == (7, [1])
    plots, bad = read(lines(*ROWS), more='header = ["T", "R"]')
    assert not plots
    assert {each.code for each in bad} == {"header"}


def test_a_wrong_delimiter_shows_what_the_line_looks_like(read):
    _, bad = read(lines(*ROWS).replace(";", "\t"))
    assert "'T\\tR\\tAz\\tEl', 1 value between ';'" in bad[0].reason
    assert "delimiter" in bad[0].reason


def test_what_stands_for_no_value(read):
    more = 'missing = ["---", "-9999"]'
    changed = [("[range_m]", '[range_rate_m_s]\ncolumn = "D"\n[range_m]')]
    rows = [f"{row};---" for row in ROWS] + ["8;-9999;100;45;3"]
    plots, bad = read(lines(*rows, header="T;R;Az;El;D"), more=more, changed=changed)
    assert {each.range_rate_m_s for each in plots} == {None}
    assert (len(plots), [each.reason for each in bad]) == (7, ["range_m is missing"])


@pytest.mark.parametrize(
    ("unit", "first", "then"),
    [
        ("s_of_day", "86399.5", "0.25"),
        ("s_of_day", "86399.5", "86400.25"),
        ("hms", "23:59:59.5", "00:00:00.25"),
        ("hms", "23:59:59.5", "24:00:00.25"),
        ("day_hms", "001:23:59:59.5", "002:00:00:00.25"),
        ("epoch_s", "1767311999.5", "1767312000.25"),
        ("rfc3339", "2026-01-01T23:59:59.5Z", "2026-01-02T01:00:00.25+01:00"),
    ],
)
def test_midnight_in_the_middle_of_a_raid(read, unit, first, then):
    rows = [f"{first};{5000 + k};100;45" for k in range(5)] + [f"{then};{6000 + k};100;45" for k in range(5)]
    plots, bad = read(lines(*rows), changed=[('unit = "s_of_day"', f'unit = "{unit}"')])
    assert not bad
    assert plots[0].t_ns == DAY + 86_399_500_000_000
    assert plots[-1].t_ns == DAY + 86_400_250_000_000


@pytest.mark.parametrize(("unit", "text"), [("hms", "1:61:00"), ("hms", "001:10:00:00"), ("day_hms", "10:00:00")])
def test_a_clock_that_no_clock_shows_is_refused(read, unit, text):
    plots, bad = read(lines(f"{text};5000;100;45"), changed=[("s_of_day", unit)])
    assert not plots
    assert bad[0].code == "time"


def test_local_times_and_bearings_from_grid_north_are_shifted(read):
    changed = [('unit = "s_of_day"', 'unit = "s_of_day"\noffset_s = -7200'), ('"Az"', '"Az"\noffset = -1.5')]
    [plot, *_], bad = read(lines(*(f"{7200 + k};{5000 + k};1;45" for k in range(1, 8))), changed=changed)
    assert plot.t_ns == DAY + S
    assert math.degrees(plot.azimuth_rad) == pytest.approx(359.5)
    assert not bad


def test_rows_in_any_order_over_midnight_are_sorted_and_those_of_one_radar_after_another(read):
    times = [86_398 + k for k in range(10)]
    rows = [f"{t % 86_400};{5000 + k};100;45" for k, t in enumerate(times)]
    want = [(DAY + t * S, 5000 + k) for k, t in enumerate(times)]
    for shuffled in (rows[::-1], rows[5:] + rows[:5], rows[3::-1] + rows[4:]):
        plots, bad = read(lines(*shuffled, "x;1;1;1"), more="sort = true")
        assert [(each.t_ns, each.range_m) for each in plots] == want
        assert [each.line for each in bad] == [12]
    with_names = [f"{row};{name}" for name in ("north", "mast") for row in rows]
    changed = [('sensor = "north"\n', "")]
    plots, bad = read(lines(*with_names, header="T;R;Az;El;sensor"), more="sort = true", changed=changed)
    assert (len(plots), bad) == (20, [])
    plots, bad = read(lines(*with_names, header="T;R;Az;El;sensor"), changed=changed)
    assert {each.code for each in bad} == {"late"}


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ('decimal = "."\ndelimiter2 = 1', "$.csv.delimiter2"),
        ('decimal = ";"', "$.csv.decimal"),
        ('encoding = "utf-16"', "$.csv.encoding"),
        ('encoding = "rot13"', "$.csv.encoding"),
        ('header = "T"', "$.csv.header"),
        ("missing = [1]", "$.csv.missing"),
        ('sort = "yes"', "$.csv.sort"),
    ],
)
def test_a_wrong_form_is_told(read, more, place):
    with pytest.raises(ConfigError) as caught:
        read("", more=more)
    assert [fault.place for fault in caught.value.faults] == [place]
