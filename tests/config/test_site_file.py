"""Site files: what they say arrives in SI and radians; every fault is told at once, with place and remedy."""

import hashlib
import json
import math
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.config.model import Policy, Warnings
from opencram.config.site import load_site, parse_site, site_notes
from opencram.errors import ConfigError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SEVEN = (EXAMPLES / "seven-rockets" / "site.toml").read_text()

SMALL = """
[site]
name = "Camp"
latitude_deg = 12.65
longitude_deg = -7.95
height_m = 340.0

[[sensor]]
id = "mast"
latitude_deg = 12.6505
longitude_deg = -7.9504
range_std_m = 12
azimuth_std_mrad = 3.0
elevation_std_mrad = 2.0
range_max_m = 20000.0
period_s = 0.5

[[zone]]
id = "camp"
population = 900
shelter_time_s = 10.0
polygon = [[-7.96, 12.64], [-7.94, 12.64], [-7.94, 12.66], [-7.96, 12.66], [-7.96, 12.64]]
"""


def faults(text, path="site.toml"):
    with pytest.raises(ConfigError) as caught:
        parse_site(text, path)
    return caught.value.faults


def test_values_go_in_as_degrees_and_come_out_as_radians():
    site = load_site(EXAMPLES / "seven-rockets" / "site.toml")
    raw = tomllib.loads(SEVEN)
    assert (site.name, len(site.sensors), len(site.assets), len(site.zones), len(site.effectors)) == (
        "Compound in a green zone",
        2,
        1,
        81,
        1,
    )
    assert math.degrees(site.latitude_rad) == pytest.approx(33.3, abs=1e-12)
    assert site.weather is not None
    assert (site.weather.wind_east_m_s, site.weather.wind_north_m_s) == (2.0, -1.0)
    for sensor, table in zip(site.sensors, raw["sensor"], strict=True):
        assert sensor.id == table["id"]
        assert math.degrees(sensor.longitude_rad) == pytest.approx(table["longitude_deg"], abs=1e-12)
        assert sensor.azimuth_rad_std == pytest.approx(table["azimuth_std_mrad"] / 1000)
        assert (sensor.range_m_std, sensor.range_m_max, sensor.period_s, sensor.clutter_per_scan) == (
            table["range_std_m"],
            table["range_max_m"],
            table["period_s"],
            table["clutter_per_scan"],
        )
    for zone, table in zip(site.zones, raw["zone"], strict=True):
        assert (zone.id, zone.name, zone.population, zone.shelter_time_s) == (
            table["id"],
            table["name"],
            table["population"],
            table["shelter_time_s"],
        )
        for point, (lon_deg, lat_deg) in zip(zone.polygon, table["polygon"], strict=True):
            assert point == pytest.approx((math.radians(lon_deg), math.radians(lat_deg)), abs=1e-15)
    assert site.effectors[0].magazine_rounds == 1500
    assert site.policy == Policy(protect="site", mode="automatic")
    assert site.sha256 == hashlib.sha256(SEVEN.encode()).hexdigest()
    assert parse_site(site.text, "recording") == site
    assert site_notes(site) == []


def test_what_is_left_out_has_its_default_and_a_closed_ring_is_opened():
    site = parse_site(SMALL, "site.toml")
    assert site.weather is None
    assert site.ground_height_m == 340.0
    assert (site.sensors[0].height_m, site.sensors[0].detection_probability, site.sensors[0].clutter_per_scan) == (
        340.0,
        0.9,
        0.0,
    )
    assert site.zones[0].name == "camp"
    assert len(site.zones[0].polygon) == 4
    assert (site.policy, site.warnings) == (Policy(), Warnings())
    site = parse_site(SMALL + "[warning]\nprobability = 0.2\ndwell_s = 60\n", "site.toml")
    assert site.warnings == Warnings(probability=0.2, dwell_s=60.0)
    for raid in ("mortars", "ripple-24"):
        assert load_site(EXAMPLES / raid / "site.toml").sensors


def test_five_faults_are_answered_all_five():
    text = (
        SEVEN.replace("range_max_m = 20000.0", "range_max_m = -1", 1)
        .replace("latitude_deg = 33.28106541", 'latitude_deg = "33.28"', 1)
        .replace("population = 400\n", "", 1)
        .replace('mode = "automatic"', 'mode = "auto"')
        .replace("range_min_m = 300.0", "range_min_m = 3000.0")
    )
    found = faults(text)
    assert [str(fault) for fault in found] == [
        "$.sensor[0].range_max_m = -1: must be > 0; give the radar's instrumented range in metres",
        '$.sensor[1].latitude_deg = "33.28": must be a number; write it without quotation marks',
        "$.zone[0].population = missing: is required; give the number of people in the zone",
        "$.effector[0].range_min_m = 3000.0: must be < range_max_m (2000); exchange the two, or mend one",
        '$.policy.mode = "auto": must be one of "hold", "consent", "veto", "automatic"; write "automatic"?',
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("latitude_deg = 12.65\n", "latitude_deg = 91\n", "$.site.latitude_deg", ">= -90 and <= 90"),
        ("latitude_deg = 12.65\n", "latitude_deg = nan\n", "$.site.latitude_deg", "finite"),
        ("longitude_deg = -7.95\n", "longitude_deg = -inf\n", "$.site.longitude_deg", "finite"),
        ("height_m = 340.0", "height_m = true", "$.site.height_m", "must be a number"),
        ("height_m = 340.0", "height_m = 34000", "$.site.height_m", "<= 9000"),
        ('name = "Camp"', 'name = ""', "$.site.name", "not be empty"),
        ('name = "Camp"', "name = 3", "$.site.name", "must be a string"),
        ("range_std_m = 12", "range_std_m = 0", "$.sensor[0].range_std_m", "> 0"),
        ("range_std_m = 12", "range_sdt_m = 12", "$.sensor[0].range_std_m", "did you mean range_std_m?"),
        ("range_std_m = 12", "range_std = 12", "$.sensor[0].range_std_m", "did you mean range_std_m?"),
        ("period_s = 0.5", "period_s = -0.5", "$.sensor[0].period_s", "> 0"),
        ("period_s = 0.5", "period_s = 0.5\nout_of_order_s = 2.5", "$.sensor[0].out_of_order_s", "<= 2"),
        ("period_s = 0.5", "period_s = 0.5\nout_of_order_s = -0.1", "$.sensor[0].out_of_order_s", ">= 0"),
        ("period_s = 0.5", "period_s = 0.5\nout_of_order_s = true", "$.sensor[0].out_of_order_s", "a number"),
        ("period_s = 0.5", "period_s = 0.5\nout_of_order = 0.5", "$.sensor[0].out_of_order", "out_of_order_s"),
        ("period_s = 0.5", "period_s = 0.5\ndetection_probability = 1.5", "$.sensor[0].detection_probability", "<= 1"),
        ("period_s = 0.5", "period_s = 0.5\ndetecton_probability = 1", "$.sensor[0].detecton_probability", "did you"),
        ('id = "mast"', "id = 4", "$.sensor[0].id", "must be a string"),
        ("[[sensor]]", "[sensor]", "$.sensor", "[[sensor]]"),
        ("[[sensor]]", "[[radars]]", "$.sensor", "at least one sensor"),
        ("latitude_deg = 12.6505", "latitude_deg = -7.9504", "$.sensor[0].latitude_deg, longitude_deg", "200 km"),
        ("population = 900", "population = 9.5", "$.zone[0].population", "whole number"),
        ("population = 900", "population = -9", "$.zone[0].population", ">= 0"),
        ("shelter_time_s = 10.0", "shelter_time_s = inf", "$.zone[0].shelter_time_s", "finite"),
        (
            "[[-7.96, 12.64], [-7.94, 12.64],",
            "[[12.64, -7.96], [12.64, 95],",
            "$.zone[0].polygon[1]",
            "[longitude, lat",
        ),
        ("[-7.94, 12.64],", "[-7.94],", "$.zone[0].polygon[1]", "[longitude, latitude]"),
        ("[-7.94, 12.64],", '["a", 12.64],', "$.zone[0].polygon[1]", "finite numbers"),
        ("[-7.94, 12.64],", "[nan, 12.64],", "$.zone[0].polygon[1]", "finite numbers"),
        ("[-7.94, 12.64], [-7.94, 12.66],", "[-7.94, 12.66], [-7.94, 12.64],", "$.zone[0].polygon", "cross itself"),
        ("[-7.94, 12.66], [-7.96, 12.66],", "[-7.95, 12.64],", "$.zone[0].polygon", "enclose an area"),
        ("[-7.94, 12.66], [-7.96, 12.66],", "", "$.zone[0].polygon", "3 distinct"),
        ("[-7.96, 12.64], [-7.94, 12.64]", "[-19.96, 12.64], [-19.9, 12.64]", "$.zone[0].polygon", "200 km"),
        ("\n[[zone]]", '\n[terrain]\nfile = "dem.tif"\n[[zone]]', "$.terrain.geoid_height_m", "is needed"),
        ("\n[[zone]]", '\n[weather]\nfile = "met.txt"\n[[zone]]', "$.weather.file", "cannot be read"),
        ("\n[[zone]]", "\n[warning]\nprobability = 0\n[[zone]]", "$.warning.probability", "> 0"),
        ("\n[[zone]]", "\n[policy]\nprotect = 'all'\n[[zone]]", "$.policy.protect", '"site", "people"'),
        (
            "\n[[zone]]",
            "\n[policy]\nplanner = 'best'\n[[zone]]",
            "$.policy.planner",
            '"search", "first_come", "nearest"',
        ),
        ("\n[[zone]]", "\n[polcy]\nmode = 'hold'\n[[zone]]", "$.polcy", "did you mean policy?"),
        ("\n[[zone]]", "\n[zones]\nfile = 'absent.geojson'\n[[zone]]", "$.zones.file", "relative to the site file"),
    ],
)
def test_each_fault_is_told_once_with_its_place(old, new, place, words):
    assert old in SMALL
    [fault] = faults(SMALL.replace(old, new, 1))
    assert fault.place == place
    assert words in str(fault)


def test_ids_are_unique_within_their_kind():
    text = SMALL + SMALL[SMALL.index("[[zone]]") :] + SMALL[SMALL.index("[[zone]]") :].replace("zone", "asset")
    [fault] = [f for f in faults(text) if "unique" in f.limit]
    assert fault.place == "$.zone[1].id"
    assert "$.zone[0]" in fault.limit


def test_coordinates_the_other_way_round_are_recognised():
    swapped = "[[12.64, -7.96], [12.64, -7.94], [12.66, -7.94], [12.66, -7.96]]"
    [fault] = faults(SMALL[: SMALL.index("polygon")] + f"polygon = {swapped}\n")
    assert "other way round" in fault.remedy


def test_a_wrong_site_is_blamed_itself_not_all_that_stands_around_it():
    [fault] = faults(SEVEN.replace("latitude_deg = 33.3\n", "latitude_deg = 43.3\n"))
    assert fault.place.startswith("$.site.latitude_deg")


def test_fields_of_ones_own_are_notes_not_faults():
    text = SMALL.replace("period_s = 0.5", 'period_s = 0.5\nrange_min_m = 300.0\nmodel = "X"\n"owner name" = 1')
    site = parse_site(text + "[contact]\nphone = '1'\n", "site.toml")
    notes = "\n".join(site_notes(site))
    for place in ("$.sensor[0].range_min_m", "$.sensor[0].model", '$.sensor[0]."owner name"', "$.contact"):
        assert f"{place}: not a key" in notes
    assert "no asset" in notes


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"[site]\nname = \n", "line 2, column 8", "not TOML"),
        (b"[site\n", "line 1, column 6", "not TOML"),
        (b"x = [1,\n", "line 2, column 1", "not TOML"),
        (b"[site]\nname = 'a'\nname = 'b'\n", "line 3, column 11", "not TOML"),
        (b'[site]\nname = "\xff"\n', "line 2, column 9", "UTF-8"),
        (b"x = " + b"[" * 100_000, "$", "deeply"),
        (b"x = " + b"9" * 10_000, None, "not TOML"),
        (None, "$", "cannot be read"),
    ],
)
def test_what_is_no_site_file_at_all(tmp_path, data, place, words):
    path = tmp_path / "site.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    [fault] = caught.value.faults
    assert place is None or fault.place == place
    assert words in str(fault)
    assert caught.value.exit_code == 2


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load_site(path) == parse_site(SMALL, path)


def geojson(tmp_path, *features):
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return SMALL + '[zones]\nfile = "zones.geojson"\n'


def feature(identity, west=-7.99, **changed):
    ring = [[west, 12.64], [west + 0.01, 12.64], [west + 0.01, 12.65], [west, 12.64]]
    properties = {"id": identity, "name": 'Straße "7" 😀\x7f', "population": 12, "shelter_time_s": 20} | changed
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_zones_may_stand_in_a_geojson_file_and_a_recording_needs_it_no_more(tmp_path):
    text = geojson(tmp_path, feature("a"), feature("b", population=5.0))
    (tmp_path / "site.toml").write_text(text)
    site = load_site(tmp_path / "site.toml")
    assert [zone.id for zone in site.zones] == ["camp", "a", "b"]
    assert site.zones[1].name == 'Straße "7" 😀\x7f'
    assert (len(site.zones[1].polygon), site.zones[2].population) == (3, 5)
    assert site.text.startswith(text)
    assert site.sha256 == hashlib.sha256(site.text.encode()).hexdigest()
    (tmp_path / "zones.geojson").unlink()
    assert parse_site(site.text, "/nowhere/recording") == site


def test_faults_in_the_zones_file_are_told_with_the_others(tmp_path):
    line = feature("c")
    line["geometry"]["type"] = "LineString"
    text = geojson(tmp_path, feature("a", population=None), feature("camp"), line, feature("d", name={"en": "x"}))
    found = faults(text.replace("range_std_m = 12", "range_std_m = -12"), tmp_path / "site.toml")
    assert [fault.place for fault in found] == [
        "$.sensor[0].range_std_m",
        "zones.geojson: $.features[2].geometry",
        "zones.geojson: $.features[0].population",
        "zones.geojson: $.features[1].id",
        "zones.geojson: $.features[3].name",
    ]
    (tmp_path / "zones.geojson").write_text("{")
    assert "not JSON" in faults(text, tmp_path / "site.toml")[0].limit
    (tmp_path / "zones.geojson").write_text("[]")
    assert "FeatureCollection" in faults(text, tmp_path / "site.toml")[0].limit


def test_a_site_on_the_180th_meridian_has_its_polygons_in_one_piece():
    text = SMALL.replace("-7.95", "179.999").replace("-7.9504", "179.999").replace("-7.96", "179.99")
    site = parse_site(text.replace("-7.94", "-179.99"), "site.toml")
    east = [math.degrees(lon) for lon, _ in site.zones[0].polygon]
    assert east == pytest.approx([179.99, 180.01, 180.01, 179.99])


def test_a_coast_line_of_thousands_of_points_is_quick():
    points = [
        [-7.95 + 0.02 * math.cos(2 * math.pi * k / 5000), 12.65 + 0.02 * math.sin(2 * math.pi * k / 5000)]
        for k in range(5000)
    ]
    text = SMALL[: SMALL.index("polygon")] + f"polygon = {points}\n"
    assert len(parse_site(text, "site.toml").zones[0].polygon) == 5000


def test_reading_a_site_file_imports_nothing_heavy():
    code = "import sys, opencram.config.site; print([m for m in ('numba', 'numpy', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


VALUES = st.sampled_from(["nan", "-inf", "0", "-1", "true", '""', '"x"', "[]", "[[1]]", "{}", "1e999", "1979-05-27"])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_told_or_taken_but_never_raises_otherwise(data):
    lines = SMALL.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.sampled_from([k for k, each in enumerate(lines) if " = " in each]))
        lines[at] = lines[at].split(" = ")[0] + " = " + data.draw(VALUES)
    found = []
    try:
        site = parse_site("\n".join(lines), "site.toml")
    except ConfigError as error:
        found = error.faults
    else:
        assert math.isfinite(site.latitude_rad + site.sensors[0].range_m_std)
    assert all(f.place and f.limit and f.remedy and f.value for f in found)
