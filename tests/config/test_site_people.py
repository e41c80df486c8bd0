"""Districts, channels, habits of zones and KML in a site file."""

import math
from pathlib import Path

import pytest

from opencram.config.people import features_of_kml
from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError

SITE = (Path(__file__).parents[2] / "examples/seven-rockets/site.toml").read_text()
HEAD = SITE[: SITE.index("[[zone]]")]
ZONE = SITE[SITE.index("[[zone]]") : SITE.index("[[zone]]", SITE.index("[[zone]]") + 1)]
KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark id="k1"><name>Old town</name>
<ExtendedData><Data name="population"><value>700</value></Data><Data name="shelter_time_s"><value>12.5</value></Data>
</ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>
44.39,33.30,0 44.40,33.30,0 44.40,33.31,0 44.39,33.30,0</coordinates></LinearRing></outerBoundaryIs></Polygon>
</Placemark></Document></kml>"""


def test_a_zone_says_how_its_people_live():
    extra = 'parent = "old"\nwarning_probability = 0.1\nalarm_channel = "app"\noutdoor_share = 0.4\n'
    extra += "shelter_distance_m = 40\nelderly_share = 0.2\n"
    extra += f"presence = {[0.5] * 24}\n\n"
    tail = '[[district]]\nid = "old"\nparent = "city"\n[[district]]\nid = "city"\nname = "City"\n'
    tail += '[[alarm_channel]]\nid = "horn"\nlatency_s = 2.5\n[warning]\n'
    tail += 'alarm_channel = "horn"\nmissed_casualty_min = 20000\n'
    site = parse_site(HEAD + ZONE.rstrip() + "\n" + extra + tail, "site.toml")
    zone = site.zones[0]
    assert (zone.parent, zone.alarm_channel, zone.warning_probability) == ("old", "app", 0.1)
    assert zone.presence == (0.5,) * 24
    assert zone.outdoor_share == (0.4,)
    assert (zone.shelter_distance_m, zone.elderly_share) == (40.0, 0.2)
    assert [each.id for each in site.districts] == ["old", "city"]
    assert {each.id: each.latency_s for each in site.alarm_channels}["horn"] == 2.5
    assert site.warnings.missed_casualty_min == 20_000.0


@pytest.mark.parametrize(
    ("zone_keys", "tail", "place"),
    [
        ('parent = "nowhere"', "", "$.zone[0].parent"),
        ('alarm_channel = "drum"', "", "$.zone[0].alarm_channel"),
        ("presence = [1.0, 2.0]", "", "$.zone[0].presence"),
        ("children_share = 0.7\nelderly_share = 0.7", "", "$.zone[0].elderly_share"),
        ("", '[[district]]\nid = "x"\nparent = "y"\n[[district]]\nid = "y"\nparent = "x"\n', "$.district[0].parent"),
        ("", '[[district]]\nid = "z00"\n', "$.district[0].id"),
    ],
)
def test_what_leads_nowhere_is_a_fault(zone_keys, tail, place):
    with pytest.raises(ConfigError) as caught:
        parse_site(HEAD + ZONE.rstrip() + "\n" + zone_keys + "\n\n" + tail, "site.toml")
    assert place in {fault.place for fault in caught.value.faults}


def test_zones_from_kml(tmp_path):
    (tmp_path / "town.kml").write_text(KML)
    (tmp_path / "site.toml").write_text(HEAD + '[zones]\nfile = "town.kml"\n')
    site = load_site(tmp_path / "site.toml")
    assert [(z.id, z.name, z.population, z.shelter_time_s) for z in site.zones] == [("k1", "Old town", 700, 12.5)]
    assert site.zones[0].polygon[0] == pytest.approx((math.radians(44.39), math.radians(33.30)))
    assert parse_site(site.text, "elsewhere.toml").zones == site.zones  # a recording needs no file beside it


def test_a_placemark_of_several_polygons_is_a_fault_and_no_part_of_it_is_lost_in_silence(tmp_path):
    ring = "<Polygon>" + KML.partition("<Polygon>")[2].partition("</Polygon>")[0] + "</Polygon>"
    (tmp_path / "town.kml").write_text(KML.replace(ring, f"<MultiGeometry>{ring}{ring}</MultiGeometry>"))
    (tmp_path / "site.toml").write_text(HEAD + '[zones]\nfile = "town.kml"\n')
    with pytest.raises(ConfigError, match="MultiPolygon"):
        load_site(tmp_path / "site.toml")
    (tmp_path / "town.kml").write_text(KML.replace(ring, f"<MultiGeometry>{ring}</MultiGeometry>"))
    assert len(load_site(tmp_path / "site.toml").zones) == 1


@pytest.mark.parametrize("text", ["", "<kml", '<!DOCTYPE x [<!ENTITY a "b">]><kml/>'])
def test_what_is_no_kml_is_said(text):
    with pytest.raises(ValueError, match=r"."):
        features_of_kml(text)
