"""The facts of a report, on a raid whose figures can be worked out on paper."""

import math
from dataclasses import replace

import pytest
from report_raid import SECOND, SEVEN, Round, at, header, raid, site_toml, truth_of

from opencram import messages as m
from opencram.report.facts import Facts, gather
from opencram.report.geometry import distance_to_polygon, ellipse_95, holds, middle
from opencram.report.words import counting_zones, missed_zones


@pytest.fixture(scope="module")
def facts() -> Facts:
    """The seven-round raid with its truth."""
    return gather(raid(), truth_of())


def test_projectiles_are_the_confirmed_tracks_of_projectile_classes(facts: Facts) -> None:
    assert [track.track_id for track in facts.projectiles] == [1, 2, 3, 4, 5, 6, 7]
    assert [track.class_name for track in facts.others] == ["aircraft"]
    assert facts.unconfirmed == 0


def test_a_track_that_stays_tentative_is_only_counted() -> None:
    messages = raid(SEVEN[:1])
    stray = next(message for message in messages if isinstance(message, m.Track))
    messages.append(m.Track(**{**_fields(stray), "track_id": 55, "status": "tentative"}))
    assert gather(messages).unconfirmed == 1


def test_times_of_a_track(facts: Facts) -> None:
    third = facts.projectiles[2]
    assert third.first_t_ns == at(9.0)
    assert third.confirmed_t_ns == at(10.0)
    assert third.estimates[0].t_ns == at(10.5)
    assert third.end_t_ns == at(32.5)  # by the truth


def test_each_track_finds_its_round(facts: Facts) -> None:
    assert [track.truth.number if track.truth else 0 for track in facts.projectiles] == [1, 2, 3, 4, 5, 6, 7]
    assert facts.unseen == ()


def test_rounds_are_matched_by_the_plots_where_the_truth_tells_their_origin() -> None:
    rounds = (Round(1, 0.0, 0.0, 6.0, 20.0), Round(2, 10.0, 0.0, 6.0, 20.0))  # too close to tell by place
    truth = truth_of(rounds)
    truth["origin"] = [1, 0, -1] * 400  # every first plot of a dwell, which track 1 takes, is of the second round
    found = {track.track_id: track.truth.number for track in gather(raid(rounds), truth).projectiles if track.truth}
    assert found == {1: 2, 2: 1}


def test_an_unseen_round_is_named() -> None:
    found = gather(raid(SEVEN[:6]), truth_of())
    assert [entry.number for entry in found.unseen] == [7]


def test_error_and_coverage_follow_from_the_estimate(facts: Facts) -> None:
    track = facts.projectiles[0]
    estimate = track.estimate_at(5.0)
    assert estimate is not None
    age_s = 26.0 - 5.0
    expected_m = 0.9 * abs(math.sin(2.1)) * (6.0 + 900.0 * math.exp(-age_s / 4.0))
    assert track.error_m(estimate) == pytest.approx(expected_m)
    assert track.held(estimate) is True  # 0.78 standard deviations along


def test_zones_know_when_they_were_warned_and_whether_a_round_came_down(facts: Facts) -> None:
    zones = {zone.id: zone for zone in facts.zones}
    hit = zones["z55"]  # 375..1125 m east and north: round 3 at (700, 520), down at 32.5 s
    assert hit.verdict == "hit"
    in_force = [alarm for alarm in hit.alarms if alarm.end == "all_clear"]  # the other was cancelled at 13.5 s
    assert hit.lead_s == pytest.approx(32.5 - (in_force[0].issued_t_ns - at(0.0)) / SECOND)
    assert hit.people == 400 + 50 * (5 * 9 + 5)
    assert hit.in_time is True
    assert zones["z56"].verdict == "not_hit"
    assert all(zone.alarms for zone in counting_zones(facts))


def test_people_are_counted_once_for_each_zone(facts: Facts) -> None:
    warned = [zone for zone in facts.zones if zone.alarms]
    assert facts.people_warned == sum(zone.people or 0 for zone in warned)
    assert len({zone.id for zone in warned}) == len(warned)


def test_a_hit_zone_without_a_warning_is_missed() -> None:
    quiet = [message for message in raid() if not isinstance(message, m.Warning)]
    missed = missed_zones(gather(quiet, truth_of()))
    assert {"z44", "z55", "z72"} <= {zone.id for zone in missed}


def test_a_warning_after_the_impact_does_not_count_as_one() -> None:
    late = [
        m.Warning(**{**_fields(message), "t_ns": message.t_ns + 120 * SECOND})
        if isinstance(message, m.Warning)
        else message
        for message in raid(SEVEN[2:3])
    ]
    assert "z55" in {zone.id for zone in missed_zones(gather(late, truth_of(SEVEN[2:3])))}


def test_an_alarm_withdrawn_before_the_impact_does_not_count_as_one() -> None:
    messages = raid(SEVEN[2:3])
    issued = next(x for x in messages if isinstance(x, m.Warning) and x.zone == "z55" and x.state == "issued")
    end = m.Warning(**{**_fields(issued), "state": "cancelled", "t_ns": at(30.0)})
    early = [x for x in messages if not (isinstance(x, m.Warning) and x.zone == "z55" and x.state == "all_clear")]
    found = gather([*early, end], truth_of(SEVEN[2:3]))
    assert [zone.id for zone in missed_zones(found)] == ["z55"]


def test_a_zone_outside_the_hazard_radius_is_not_hit() -> None:
    """Round 4 lands 380 m south: 5 m below the line between two blocks, and 50 m is the hazard radius."""
    zones = {zone.id: zone.verdict for zone in gather(raid(), truth_of()).zones}
    assert zones["z33"] == zones["z43"] == "hit"
    assert zones["z32"] == "not_hit"


def test_a_round_shot_down_justifies_its_alarm() -> None:
    truth = truth_of()
    truth["rounds"][0] |= {"impact_enu_m": None, "impact_time": None, "intercepted": True}
    truth["rounds"][0] |= {"intercept_time": "2026-01-01T00:00:30.000000Z", "unengaged_impact_enu_m": [60.0, -40.0]}
    truth["rounds"][1] |= {"impact_enu_m": [5000.0, 5000.0, 0.0]}
    found = gather(raid(), truth)
    first = found.projectiles[0]
    assert first.shot_down
    assert first.end_t_ns == at(30.0)
    assert first.final is not None
    assert first.error_m(first.final) is not None  # judged by where it would have come down
    assert next(zone for zone in found.zones if zone.id == "z44").verdict == "shot_down"


def test_sensors_and_rejections(facts: Facts) -> None:
    north, south = facts.sensors
    assert (north.id, south.id) == ("north", "south")
    assert north.used * 3 == north.plots * 2
    assert south.longest_gap_s == pytest.approx(1.5)
    assert sum(north.per_second) == north.plots
    assert [(entry.code, entry.count) for entry in facts.rejections] == [("unknown_sensor", 2), ("range", 1)]


def test_an_early_end_of_input_leaves_facts() -> None:
    messages = raid()
    for cut in range(0, len(messages), 97):
        gather(messages[:cut], truth_of())
        gather(messages[cut:], truth_of())  # and without a header


def test_what_is_not_finite_is_passed_over() -> None:
    messages = raid(SEVEN[:2])
    broken: list[m.Message] = []
    for message in messages:
        broken.append(message)
        match message:
            case m.Track():
                broken.append(m.Track(**{**_fields(message), "position_enu_m": (math.nan, 0.0, math.inf)}))
            case m.Impact():
                broken.append(m.Impact(**{**_fields(message), "covariance_enu_m2": (math.inf, 0.0, math.nan)}))
            case m.Decision():
                broken.append(m.Decision(**{**_fields(message), "probability": math.nan}))
            case m.Warning():
                broken.append(m.Warning(**{**_fields(message), "probability": math.nan}))
    assert gather(broken) == gather(messages)


def test_a_site_that_cannot_be_read_is_said_and_not_raised() -> None:
    found = gather(raid(site="[site]\nname = 3\n"))
    assert found.plan.problem
    assert found.projectiles
    assert {zone.people for zone in found.zones} == {None}


def test_repeated_decisions_keep_the_first_time_and_the_last_word() -> None:
    messages = raid(SEVEN[6:])
    decision = next(message for message in messages if isinstance(message, m.Decision))
    for step in range(1, 5):
        messages.append(m.Decision(**{**_fields(decision), "t_ns": decision.t_ns + step, "reason": f"word {step}"}))
    kept = gather(messages).projectiles[0].decisions
    assert [entry.reason for entry in kept] == [decision.reason, "word 4"]


@pytest.mark.parametrize(
    "truth", [{}, {"rounds": None}, {"rounds": ["x", {}, {"impact_enu_m": "abc"}], "origin": "no"}]
)
def test_a_strange_truth_is_survived(truth: dict[str, object]) -> None:
    assert len(gather(raid(), truth).projectiles) == 7


def test_ellipse_of_a_known_covariance() -> None:
    """Axes 30 and 10 m, turned by 30 degrees: 95 % ellipse of 30·√5.991 and 10·√5.991."""
    cos, sin = math.cos(math.radians(30.0)), math.sin(math.radians(30.0))
    covariance = (900 * cos**2 + 100 * sin**2, 800 * cos * sin, 900 * sin**2 + 100 * cos**2)
    ellipse = ellipse_95(5.0, -7.0, covariance)
    assert ellipse is not None
    assert ellipse.major_m == pytest.approx(30.0 * math.sqrt(5.991464547))
    assert ellipse.minor_m == pytest.approx(10.0 * math.sqrt(5.991464547))
    assert math.degrees(ellipse.turn_rad) == pytest.approx(30.0)
    for share, inside in ((0.99, True), (1.01, False)):
        tip = 5.0 + share * ellipse.major_m * cos, -7.0 + share * ellipse.major_m * sin
        assert holds(ellipse, tip) is inside
    assert ellipse_95(0.0, 0.0, (1.0, 5.0, 1.0)) is None  # no covariance at all


def test_distance_and_middle_of_a_polygon() -> None:
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    assert distance_to_polygon((5.0, 5.0), square) == 0.0
    assert distance_to_polygon((13.0, 14.0), square) == pytest.approx(5.0)
    assert distance_to_polygon((5.0, 5.0), ()) == math.inf
    assert middle(square) == pytest.approx((5.0, 5.0))


def test_a_log_with_a_header_alone() -> None:
    found = gather([header(site_toml())])
    assert found.projectiles == ()
    assert found.plan.zones[0].name == "Block 00"
    assert len(found.plan.zones) == 81
    east, north = found.plan.zones[0].polygon[0]
    assert (east, north) == pytest.approx((-3375.0, -3375.0), abs=25.0)


def test_the_raid_is_the_same_each_time() -> None:
    assert gather(raid(), truth_of()) == gather(raid(), truth_of())


def test_rounds_of_the_fixture_can_be_changed() -> None:
    moved = replace(SEVEN[0], east_m=2000.0)
    track = gather(raid((moved,)), truth_of((moved,))).projectiles[0]
    assert not track.engaged


def _fields(message: m.Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in message.__struct_fields__}
