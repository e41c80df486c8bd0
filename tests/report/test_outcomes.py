"""What became of each round: as the truth has it, in every language, counted once."""

import math
from dataclasses import replace
from typing import Any

import pytest
from report_raid import raid, site_toml, truth_of

from opencram.config.site import parse_site
from opencram.earth.geodesy import Frame
from opencram.engagement.ground import Failures
from opencram.report.after_action import render
from opencram.report.catalogue import CATALOGUES
from opencram.report.outcomes import (
    PIECE_RADIUS_M,
    ROUND_RADIUS_M,
    SAID,
    SHELL_RADIUS_M,
    corners_m,
    is_inside,
    is_told,
    ledger,
)

SITE = parse_site(site_toml(), "site")
FATES = ("impact", "impact", "detonation", "break_up", "dud", "flying")


def truth(**more: Any) -> dict[str, Any]:
    """Return the truth of six rounds: inside, outside, and what else may become of one."""
    frame = Frame(SITE.latitude_rad, SITE.longitude_rad, SITE.height_m)
    zone = corners_m(SITE, frame, SITE.zones[0].polygon)
    middle = [sum(x for x, _ in zone) / len(zone), sum(y for _, y in zone) / len(zone), 0.0]
    asset = corners_m(SITE, frame, SITE.assets[0].polygon)
    inside = [sum(x for x, _ in asset) / len(asset), sum(y for _, y in asset) / len(asset), 0.0]
    places = (inside, middle, None, None, middle, None)
    rounds = [
        {
            "name": f"round {k}",
            "fate": fate,
            "impact_enu_m": place,
            "impact_time": None,
            "unengaged_impact_enu_m": place or middle,
            "intercepted": fate in ("detonation", "break_up", "dud"),
            "debris": [{"impact_enu_m": middle}, {"impact_enu_m": inside}] if fate == "break_up" else [],
        }
        for k, (fate, place) in enumerate(zip(FATES, places, strict=True))
    ]
    shots = [
        {"engagement": 1, "round": 2, "killed": True},
        {"engagement": 2, "round": 3, "killed": False},
        {"engagement": 3, "round": 3, "killed": True},
    ]
    shell = {"engagement": 1, "kind": "shell", "impact_enu_m": middle}
    return {"rounds": rounds, "engagements": shots, "own_debris": [shell], **more}


def test_each_round_is_said_to_have_become_one_thing() -> None:
    book = ledger(SITE, truth(), {1: 120, 2: 120, 3: 60})
    said = ["hit inside", "hit outside", "burst in the air", "intercepted", "dud", "still flying"]
    assert [each.said for each in book.outcomes] == said
    assert sum(book.count(said) for said in SAID) == len(FATES)
    assert book.outcomes[0].within == SITE.assets[0].id
    assert [(each.shots, each.rounds) for each in book.outcomes] == [(0, 0), (0, 0), (1, 120), (2, 180), (0, 0), (0, 0)]
    assert (book.engagements, book.kills, book.rounds_spent) == (3, 2, 300)


def test_people_are_those_within_the_radius_by_the_density_of_the_zone() -> None:
    book = ledger(SITE, truth())
    frame = Frame(SITE.latitude_rad, SITE.longitude_rad, SITE.height_m)
    zone = SITE.zones[0]
    (x0, y0), (x1, y1) = corners_m(SITE, frame, zone.polygon)[0], corners_m(SITE, frame, zone.polygon)[2]
    density = zone.population / abs((x1 - x0) * (y1 - y0))
    assert book.outcomes[1].people == pytest.approx(density * math.pi * ROUND_RADIUS_M**2, rel=0.01)
    under = density * math.pi * (PIECE_RADIUS_M**2 + SHELL_RADIUS_M**2)
    asset_middle = book.fallen[1].place
    inside_too = any(is_inside(asset_middle, corners_m(SITE, frame, each.polygon)) for each in SITE.zones)
    if not inside_too:
        assert book.people_under_debris == pytest.approx(under, rel=0.01)
    assert (book.debris_inside, book.debris_outside) == (1, 2)


def test_people_are_those_who_are_there_at_that_hour() -> None:
    by_night = tuple(0.2 if hour < 6 else 1.0 for hour in range(24))
    site = replace(SITE, zones=tuple(replace(zone, presence=by_night) for zone in SITE.zones))
    noon, night = truth(), truth()
    noon["rounds"][0]["impact_time"], night["rounds"][0]["impact_time"] = "2026-01-01T12:00:00Z", "2026-01-01T03:00:00Z"
    assert ledger(site, noon).people_under_rounds == ledger(SITE, noon).people_under_rounds > 0.0
    assert ledger(site, night).people_under_rounds == pytest.approx(0.2 * ledger(SITE, noon).people_under_rounds)


def test_the_radii_are_those_by_which_decisions_weigh_the_ground() -> None:
    believed = Failures()
    assert (believed.debris_radius_m, believed.shell_radius_m) == (PIECE_RADIUS_M, SHELL_RADIUS_M)
    assert SITE.warnings.hazard_radius_m == ROUND_RADIUS_M


def test_a_truth_without_engagements_says_nothing_of_outcomes() -> None:
    assert not is_told(truth_of())
    assert not is_told({})
    assert is_told(truth())
    assert 'class="fell"' not in render(raid(), truth_of())


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=lambda say: say.language)
def test_the_report_tells_outcomes_costs_and_where_things_fell(say: Any) -> None:
    page = render(raid(), truth(), say=say)
    assert page.count('class="fell"') == 1
    for said in ("hit inside", "hit outside", "burst in the air", "intercepted", "dud", "still flying"):
        assert say(f"became.{said}") in page
    assert say("became.title") in page
