"""Each format gives the air that its message was made from; each refuses what contradicts itself, by line."""

import csv
import math
from datetime import UTC, datetime
from pathlib import Path

import met_messages as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.earth.gas import KNOT_M_S, wind_direction
from opencram.earth.met.metb3 import LINE_TOPS_M, ballistic_lines
from opencram.earth.met.metcm import ZONE_TOPS_M
from opencram.earth.met.read import TEXT_FORMATS, detected, read_sounding
from opencram.earth.met.sounding import Sounding
from opencram.earth.met.summary import summary
from opencram.earth.profile import profile_of
from opencram.errors import ConfigError

METB3 = "METB33 333444 071265 004995\n00210 5011957\n012206 012958\n022307 013 959\n99999\n"
MADE = {
    "metcm": made.metcm(),
    "igra2": made.igra(),
    "wyoming": made.wyoming(),
    "csv": made.csv(),
    "temp": made.temp(),
}


def faults(text, **options):
    with pytest.raises(ConfigError) as error:
        read_sounding(text, "met.txt", **options)
    return error.value.faults


def read_or_faults(text, **options):
    try:
        return read_sounding(text, "met.txt", **options)
    except ConfigError as error:
        return error.faults


@pytest.mark.parametrize("form", MADE)
def test_each_format_gives_the_air_it_was_made_from(form):
    """Density within 0.3 %, wind within a knot and five degrees: what the coarsest of the formats can say."""
    assert detected(MADE[form]) == form
    sounding = read_sounding(MADE[form], "met.txt", latitude_deg=made.LATITUDE_DEG)
    assert len(sounding.air) >= 10
    heights = np.linspace(sounding.bottom_m + 1.0, 15_500.0, 60)
    profile = profile_of(sounding, made.LATITUDE)
    pressure = made.pressures_pa([40.0, *heights.tolist()])[1:]
    density = np.array(pressure) / (287.053 * np.array([made.temperature_k(h) for h in heights]))
    density_read = profile.air_at(heights).density_kg_m3
    blurred = (heights > 9_000.0) & (heights < 13_000.0)  # the tropopause lies between two levels
    assert density_read[~blurred] == pytest.approx(density[~blurred], rel=0.003)
    assert density_read[blurred] == pytest.approx(density[blurred], rel=0.02)
    east, north = profile.wind_at(heights)
    for k, height in enumerate(heights):
        from_deg, speed = made.wind(height)
        read_deg, read_m_s = wind_direction(float(east[k]), float(north[k]))
        assert read_m_s == pytest.approx(speed, abs=1.0 * KNOT_M_S + 0.15)
        assert abs(math.remainder(read_deg - from_deg, 360.0)) < 4.0
    assert made.rises([level.height_m for level in sounding.air])
    assert made.rises([level.height_m for level in sounding.wind])


@pytest.mark.parametrize("form", MADE)
def test_what_was_read_can_be_looked_through(form):
    sounding = read_sounding(MADE[form], "met.txt", latitude_deg=33.3)
    lines = summary(sounding, 33.3)
    assert sounding.format in lines[0]
    assert len(lines) > 8
    assert "hPa" in lines[2]
    assert "of ISA" in lines[2]


@pytest.mark.parametrize("form", MADE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_message_is_read_or_refused_with_a_place(form, data):
    """One character changed, lost or doubled anywhere: never another exception than the one with faults in it."""
    text = MADE[form]
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "9", "-", "/", " ", "\n", "x", text[at] * 2]))
    read = read_or_faults(text[:at] + put + text[at + 1 :])
    if isinstance(read, Sounding):
        assert all(math.isfinite(level.pressure_pa) for level in read.air)
        assert made.rises([level.height_m for level in read.air])
    else:
        assert read
        assert all(fault.place and fault.limit and fault.remedy for fault in read)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*TEXT_FORMATS, None]), st.text(max_size=400))
def test_any_text_at_all_is_read_or_refused(form, text):
    read = read_or_faults(text, form=form)
    assert isinstance(read, Sounding) or read


def test_a_file_that_is_no_weather_is_told_what_is():
    [fault] = faults("hello\nworld\n")
    assert "metcm" in fault.limit


# ---- METCM -----------------------------------------------------------------------------------------------


def test_the_two_tables_of_zones_are_the_published_ones():
    with (Path(__file__).parent.parent / "reference" / "metcm_zones.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["zone"] != "0"]
    for column, table in (("us_metcm_top_m", "US"), ("alt_variant_top_m", "alternative")):
        assert [int(row[column]) for row in rows if row[column]] == list(ZONE_TOPS_M[table])
    assert [int(row["metb3_line_top_m"]) for row in rows if row["metb3_line_top_m"]] == list(LINE_TOPS_M)


@pytest.mark.parametrize("table", ["US", "alternative"])
@pytest.mark.parametrize("zones", [8, 12, 20, 26])
def test_the_pressures_tell_which_table_a_message_means(table, zones):
    sounding = read_sounding(made.metcm(table, zones), "met.txt")
    assert any(f"the {table} table" in note for note in sounding.notes)
    edges = (0.0, *ZONE_TOPS_M[table])
    assert sounding.top_m == 40.0 + (edges[zones - 2] + edges[zones - 1]) / 2.0


def test_up_to_zone_5_both_tables_agree():
    assert any("both tables" in note for note in read_sounding(made.metcm("US", 6), "met.txt").notes)


@pytest.mark.parametrize("zone", [2, 7, 12, 20])
@pytest.mark.parametrize("change_mb", [-20, 20])
def test_a_slipped_digit_of_pressure_is_found(zone, change_mb):
    lines = made.metcm_lines("US", 22)
    lines[zone] = lines[zone][:-4] + f"{int(lines[zone][-4:]) + change_mb:04d}"
    [fault] = faults("\n".join(["METCM3 333444 071265 004008", *lines]))
    assert fault.place == f"line {zone + 2}"
    assert "mb" in fault.limit


def test_a_slipped_digit_of_temperature_is_found_though_not_its_line():
    lines = made.metcm_lines("US", 22)
    lines[9] = lines[9].replace(" 2", " 3", 1)  # a hundred kelvins more
    [fault] = faults("\n".join(["METCM3 333444 071265 004008", *lines]))
    assert "K" in fault.value or "digit is wrong" in fault.remedy


@pytest.mark.parametrize(
    ("octant", "place", "latitude_deg", "longitude_deg"),
    [(0, "333444", 33.3, -44.4), (1, "333205", 33.3, -120.5), (1, "333905", 33.3, -90.5), (2, "333444", 33.3, 144.4),
     (3, "333444", 33.3, 44.4), (5, "333444", -33.3, -44.4), (6, "333444", -33.3, -144.4), (7, "333999", -33.3, 99.9),
     (8, "333444", -33.3, 44.4), (9, "ABCDEF", None, None)],
)  # fmt: skip
def test_octants_and_their_longitudes(octant, place, latitude_deg, longitude_deg):
    sounding = read_sounding(made.metcm(head=f"METCM{octant} {place} 071265 004008"), "met.txt", latitude_deg=33.3)
    assert (sounding.latitude_deg, sounding.longitude_deg) == (latitude_deg, longitude_deg)


def test_units_are_ten_mils_knots_tenths_of_kelvins_and_millibars():
    text = "METCM3 333444 071265 004008\n00160020 29501008\n01320010 29440995\n"
    sounding = read_sounding(text, "met.txt")
    first, second = sounding.wind
    assert (first.east_m_s, first.north_m_s) == pytest.approx((-20.0 * KNOT_M_S, 0.0), abs=1e-9)  # from the east
    assert (second.east_m_s, second.north_m_s) == pytest.approx((0.0, 10.0 * KNOT_M_S), abs=1e-9)  # from the south
    assert sounding.air[0].pressure_pa == pytest.approx(100_800.0)
    assert sounding.air[0].virtual_temperature_k == 295.0
    assert [level.height_m for level in sounding.air] == [40.0, 140.0]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("METCM3", "METCM4", 1, "octant"),
        ("METCM3 333444", "METCM3 999444", 1, "latitude"),
        ("071265", "431265", 1, "day"),
        ("004008", "004908", 2, "the introduction says 908 mb"),
        ("01", "02", None, ""),
    ],
)
def test_faults_of_a_message_name_their_line(old, new, line, words):
    text = made.metcm()
    if line is None:
        head, *rows = text.split("\n")
        rows[1] = new + rows[1][2:]
        text, line, words = "\n".join([head, *rows]), 3, "must be zone 01"
    else:
        text = text.replace(old, new, 1)
    found = faults(text)
    assert found[0].place == f"line {line}"
    assert words in str(found[0])


def test_winds_of_300_m_s_are_refused():
    lines = made.metcm_lines("US", 10)
    lines[4] = lines[4][:5] + "583" + lines[4][8:]
    [fault] = faults("\n".join(["METCM3 333444 071265 004008", *lines]))
    assert fault.place == "line 6"
    assert "300 m/s" in fault.value
    text = made.csv().replace("4.080", "300.000", 1)
    [fault] = faults(text)
    assert "300.0 m/s" in fault.value


def test_a_torn_message_is_told_where():
    text = made.metcm()[: made.metcm().index("\n20") + 9]
    [fault] = faults(text)
    assert "16 digits" in fault.limit


# ---- METB3 -----------------------------------------------------------------------------------------------


def test_a_ballistic_message_is_read_and_warned_about_and_flown_through_by_nothing():
    sounding = read_sounding(METB3, "met.txt")
    assert (sounding.format, sounding.air, sounding.wind) == ("METB3", (), ())
    assert "no flight uses it" in sounding.notes[0]
    assert len(sounding.notes) == 4
    lines = ballistic_lines(METB3, "met.txt")
    assert [(x.top_m, x.from_mils) for x in lines] == [(0.0, 2100.0), (200.0, 2200.0), (500.0, 2300.0)]
    assert lines[0].temperature_share == 1.011
    assert lines[0].density_share == 0.957


# ---- the other texts -------------------------------------------------------------------------------------


def test_a_sounding_that_ends_at_3_km_says_what_stands_in_above():
    sounding = read_sounding(made.csv((40.0, 500.0, 1500.0, 3000.0)), "met.txt")
    assert any("air ends at 3000 m" in note and "standard atmosphere" in note for note in sounding.notes)
    assert any("wind ends at 3000 m" in note and "last value" in note for note in sounding.notes)


def test_descending_heights_are_refused_by_line():
    head, rows = made.csv().split("\n")[:3], made.csv().strip().split("\n")[3:]
    found = faults("\n".join([*head, *reversed(rows)]))
    assert found[0].place == "line 5"
    assert any("rise" in fault.limit for fault in found)
    assert any("ground up" in fault.remedy for fault in found)


def test_missing_levels_are_told():
    sounding = read_sounding(made.csv((40.0, 500.0, 9000.0)), "met.txt")
    assert any("no level of air from 500 to 9000 m" in note for note in sounding.notes)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("height_m", "height", "write height_m"),
        ("temperature_c", "temperature", "temperature_c or temperature_k"),
        ("pressure_hpa", "pressure_inhg", "is not a known column"),
        ("wind_speed_m_s", "wind_speed", "wind_speed_m_s or wind_speed_kt"),
        ("wind_speed_m_s", "gusts", "half a wind"),
        ("height_m,", "height_m,height_ft,", "given already"),
    ],
)
def test_columns_must_say_their_unit(old, new, words):
    assert words in " ".join(str(fault) for fault in faults(made.csv().replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("height_m", "height_ft", "thick there"),  # metres under a heading of feet
        ("temperature_c", "temperature_k", "must lie from 160 to 340 K"),
        ("pressure_hpa", "pressure_pa", "the standard atmosphere has"),
    ],
)
def test_wrong_units_contradict_the_weight_of_the_air(old, new, words):
    assert words in " ".join(str(fault) for fault in faults(made.csv().replace(old, new, 1)))


def test_mixed_units_in_one_column_are_found():
    lines = made.csv().split("\n")
    cells = lines[6].split(",")
    lines[6] = ",".join([cells[0], cells[1], f"{float(cells[2]) + 273.15:.2f}", *cells[3:]])
    assert any(fault.place in ("line 7", "line 8") for fault in faults("\n".join(lines)))
    cells = made.csv().split("\n")[7].split(",")
    lines = made.csv().split("\n")
    lines[7] = ",".join([f"{float(cells[0]) / 0.3048:.0f}", *cells[1:]])  # one height in feet
    assert any(fault.place in ("line 8", "line 9") for fault in faults("\n".join(lines)))


def test_humidity_makes_air_lighter():
    dry = read_sounding("height_m,pressure_hpa,temperature_c\n0,1010,30\n1500,851,22\n", "x")
    head = "height_m,pressure_hpa,temperature_c,dew_point_c\n"
    moist = read_sounding(head + "0,1010,30,25\n1500,851,22,\n", "x")
    assert moist.air[0].virtual_temperature_k - dry.air[0].virtual_temperature_k == pytest.approx(3.6, abs=0.1)
    percent = "height_m,pressure_hpa,temperature_c,humidity_percent\n0,1010,30,74.6\n1500,851,22,0\n"
    assert read_sounding(percent, "x").air[0].virtual_temperature_k == pytest.approx(
        moist.air[0].virtual_temperature_k, abs=0.1
    )


def test_a_temperature_without_any_pressure_is_refused():
    [fault] = faults("height_m,temperature_c\n0,15\n1000,8\n")
    assert "pressure" in fault.remedy


def test_one_pressure_at_the_ground_is_enough():
    sounding = read_sounding("height_m,pressure_hpa,temperature_k\n0,1013.25,288.15\n5000,,255.676\n", "x")
    assert sounding.air[1].pressure_pa == pytest.approx(54_048.0, rel=1e-3)


def test_of_many_soundings_the_last_or_the_one_that_is_asked_for():
    text = made.igra(date="2026 03 13 12") + made.igra(date="2026 03 14 00") + made.igra(date="2026 03 14 12")
    assert read_sounding(text, "x").time == "2026-03-14 12 h UTC"
    asked = read_sounding(text, "x", time=datetime(2026, 3, 13, 22, tzinfo=UTC))
    assert asked.time == "2026-03-14 00 h UTC"
    assert any("3 soundings" in note for note in asked.notes)


def test_a_cut_archive_file_is_told():
    text = made.igra()
    assert "the header says 13" in str(faults(text[: text.rindex("30 -9999")])[0])


def test_wyoming_in_metres_a_second():
    text = made.wyoming(unit=" m/s")
    usual, other = read_sounding(made.wyoming(), "x"), read_sounding(text, "x")
    assert other.wind[3].east_m_s == pytest.approx(usual.wind[3].east_m_s / KNOT_M_S)
    assert "must be in knot" in str(faults(made.wyoming(unit=" km/h"))[0])


def test_wyoming_saved_as_html():
    text = "<HTML><H2>" + made.wyoming().replace("Nowhere Observations", "Nowhere Observations", 1)
    text = text.replace("2026\n", "2026</H2>\n<PRE>", 1).replace(
        "\nStation information", "</PRE><H3>Station information"
    )
    assert read_sounding(text, "x").air == read_sounding(made.wyoming(), "x").air


def test_parts_of_two_stations_are_refused():
    text = made.temp().replace("TTBB 64128 40650", "TTBB 64128 40651")
    assert "keep the parts of one sounding" in str(faults(text)[0])


def test_heights_of_a_cold_winter_get_their_thousands():
    """700 hPa at 2650 m, 500 hPa at 5100 m, 250 hPa at 9700 m: none is near its usual height."""
    text = "TTAA 14121 22113 99020 40160 18005 00138 40160 18005 85270 32960 19010 70650 38960 20015 " \
        "50503 48960 21020 40651 53960 21020 30832 55960 21025 25948 55960 21025="  # fmt: skip
    heights = {round(a.pressure_pa / 100.0): a.height_m for a in read_sounding(text, "x", latitude_deg=68.0).air}
    assert heights[700] == pytest.approx(2650.0, abs=20.0)
    assert heights[500] == pytest.approx(5030.0, abs=30.0)
    assert heights[250] == pytest.approx(9480.0, abs=40.0)


def standard_levels(last, upper):
    head = f"TTAA 6412{last} 40650 99008 23800 25008 00078 23000 25010 92751 18800 26010 "
    text = (
        head
        + "85480 14000 26515 70110 05400 27020 50584 11300 28030 40755 22100 28540 30960 36100 29050 "
        + upper
        + " 88999 77999 41414 12345="
    )
    sounding = read_sounding(text, "x", latitude_deg=33.3)
    hpa = [round(level.pressure_pa / 100.0) for level in sounding.air]
    return hpa, len(sounding.wind)


@pytest.mark.parametrize(
    ("last", "upper", "winds"),
    [
        ("1", "25081 46900 29560 20230 47500 30065 15420 47500 30570 10690 47500 31070", 12),
        ("1", "25081 46900 29560 20230 47500 30065 15420 47500 30570 10690 47500", 11),
        ("2", "25081 46900 29560 20230 47500 30065 15420 47500 10690 47500", 10),
        ("2", "25081 46900 29560 20230 47500 15420 47500 10690 47500", 9),
        ("3", "25081 46900 20230 47500 15420 47500 10690 47500", 8),
    ],
)
def test_above_the_last_level_with_a_wind_there_are_no_groups_of_wind(last, upper, winds):
    """The figure after the hour says up to where; 2 is for 250 and 200 hPa, 1 for 150 and 100."""
    hpa, count = standard_levels(last, upper)
    assert hpa == [1008, 1000, 925, 850, 700, 500, 400, 300, 250, 200, 150, 100]
    assert count == winds


def test_a_level_of_greatest_wind_with_and_without_its_shear():
    for shear in ("", " 40812"):
        text = made.temp().replace("77999", f"77220 28095{shear}", 1)
        sounding = read_sounding(text, "x", latitude_deg=33.3)
        fastest = max(sounding.wind, key=lambda level: math.hypot(level.east_m_s, level.north_m_s))
        assert math.hypot(fastest.east_m_s, fastest.north_m_s) == pytest.approx(95.0 * KNOT_M_S)
        assert fastest.height_m == pytest.approx(made.height_of(22_000.0), abs=60.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("TTAA 64121 40650", "TTAA 6X121 40650", "YYGGI IIiii"),
        ("92", "93", "no standard level"),
        ("21212 00", "21212 01", "must be a level"),
        ("90012", "70012", "9tuuu"),
    ],
)
def test_faults_of_a_report_are_told(old, new, words):
    assert words in str(faults(made.temp().replace(old, new, 1))[0])
