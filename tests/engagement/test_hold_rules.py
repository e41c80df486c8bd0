"""Hold rules: each keeps the shots that it names from being planned, says why, and leaves the others alone."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from engagement_raids import GUN, SITE, T0, S, Shell, raid, track_of
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.engagement import Config, initial, step
from opencram.engagement.ground import GroundDanger
from opencram.engagement.ground import Zone as GroundZone
from opencram.engagement.holds import (
    AircraftCorridor,
    FriendlyTracks,
    HoldRule,
    MinimumAltitude,
    NoFireSector,
    NoFireTimes,
    inside_polygon,
    outside_hours,
)
from opencram.engagement.words import LANGUAGES
from opencram.messages import Decision, Engagement, Message, Track

FREE = replace(SITE, closed_loop=True)
SHELL = Shell(1, (60.0, -40.0), 33.2)  # comes from the east, down the line north = -40 m


def helicopter(t_s: float, north_m: float = 0.0, east_m: float = 600.0, speed_m_s: float = 0.0) -> Track:
    """A helicopter east of the gun, 150 m up."""
    shown = track_of(Shell(7, (0.0, 0.0), 60.0), t_s)
    return msgspec.structs.replace(
        shown,
        position_enu_m=(east_m, north_m + speed_m_s * t_s, 150.0),
        velocity_enu_m_s=(0.0, speed_m_s, 0.0),
        classes=(("aircraft", 0.97), ("rocket", 0.03)),
        position_m_std=5.0,
    )


def fly(config: Config, *, friend: bool = False, **where: float) -> list[Message]:
    state, made = initial(config), list[Message]()
    for k, batch in enumerate(raid([SHELL], end_s=40.0)):
        seen: list[Message] = [helicopter(k / 10, **where)] if friend and k % 5 == 0 else []
        state, out = step(config, state, [*seen, *batch])
        made += out
    return made


def fired(made: list[Message]) -> list[Engagement]:
    return [m for m in made if isinstance(m, Engagement) and m.state == "fired"]


def codes(made: list[Message]) -> list[str]:
    return [m.code for m in made if isinstance(m, Decision) and m.track_id == 1]


EAST = NoFireSector(id="hospital", azimuth_rad_from=math.radians(45), azimuth_rad_to=math.radians(135))
WEST = NoFireSector(id="school", azimuth_rad_from=math.radians(225), azimuth_rad_to=math.radians(315))
NIGHT = NoFireTimes(id="prayer", begin_s=86_000.0, end_s=60.0)
DAY = NoFireTimes(id="noon", begin_s=43_200.0, end_s=46_800.0)
CORRIDOR = AircraftCorridor(
    id="H1", polygon_m=((400.0, -800.0), (500.0, -800.0), (500.0, 800.0), (400.0, 800.0)), up_m_from=0.0, up_m_to=900.0
)
HIGH_CORRIDOR = replace(CORRIDOR, id="H2", up_m_from=2500.0, up_m_to=3000.0)
LOW = MinimumAltitude(id="roofs", height_m=2000.0)


@pytest.mark.parametrize(
    ("rule", "code"),
    [(EAST, "no_fire_sector"), (NIGHT, "no_fire_time"), (CORRIDOR, "aircraft_corridor"), (LOW, "minimum_altitude")],
)
def test_a_rule_that_covers_every_shot_holds_the_round_and_names_itself(rule: HoldRule, code: str) -> None:
    assert fired(fly(FREE))
    made = fly(replace(FREE, rules=(rule,)))
    assert not fired(made)
    assert code in codes(made)
    held = next(m for m in made if isinstance(m, Decision) and m.code == code)
    assert held.action == "hold"
    assert rule.id in held.reason
    assert [language for language, _ in held.reasons] == ["fr", "ar"]
    assert all(rule.id in sentence for _, sentence in held.reasons)
    assert (("rule", rule.id)) in held.values


@pytest.mark.parametrize("rule", [WEST, DAY, HIGH_CORRIDOR, replace(EAST, effector="gun-9")])
def test_a_rule_about_another_place_or_time_changes_nothing(rule: HoldRule) -> None:
    assert fly(replace(FREE, rules=(rule,))) == fly(FREE)


def test_a_friend_in_the_line_of_fire_holds_until_it_has_passed() -> None:
    rule = FriendlyTracks(id="friends", distance_m=400.0)
    config = replace(FREE, rules=(rule,))
    hovering = fly(config, friend=True)
    assert not fired(hovering)
    held = next(m for m in hovering if isinstance(m, Decision) and m.code == "friendly_track")
    assert held.reason.startswith("held: ")
    assert "friendly track 7 within 400 m of the line of fire of gun-1 until 00:" in held.reason
    far = fly(config, friend=True, north_m=3000.0)
    assert codes(far) == codes(fly(FREE))
    passing = fly(config, friend=True, north_m=-1450.0, speed_m_s=70.0)  # over the line at 20.7 s, clear 6 s later
    shots = fired(passing)  # the plan waits for the gap; nothing is held for good
    assert shots
    assert min(shot.fire_t_ns for shot in shots) > min(shot.fire_t_ns for shot in fired(fly(FREE)))


def test_a_friend_that_nobody_sees_any_more_is_forgotten() -> None:
    config = replace(FREE, rules=(FriendlyTracks(id="friends", distance_m=400.0),))
    state, made = initial(config), list[Message]()
    for k, batch in enumerate(raid([SHELL], end_s=40.0)):
        state, out = step(config, state, [helicopter(8.0), *batch] if k == 80 else batch)
        made += out
        assert len(state.friends) == (80 <= k <= 180)
    assert fired(made)


@given(
    begin_s=st.floats(0.0, 86_399.0),
    length_s=st.floats(1.0, 86_398.0),
    at_s=st.floats(0.0, 86_399.0),
    takes_s=st.floats(0.0, 20.0),
)
def test_hours_of_the_day(begin_s: float, length_s: float, at_s: float, takes_s: float) -> None:
    begin, end = np.array([T0 + round(at_s * S)]), np.array([T0 + round((at_s + takes_s) * S)])
    free = bool(outside_hours(begin, end, begin_s, (begin_s + length_s) % 86_400.0)[0])
    moments = np.linspace(at_s, at_s + takes_s, 400)
    inside = np.mod(moments - begin_s, 86_400.0) < length_s
    if free != bool(~inside.any()):  # they may differ only for a touch of less than a step
        edge = np.abs(
            np.mod(np.array([moments[0], moments[-1]]) - np.array([[begin_s], [begin_s + length_s]]), 86_400.0)
        )
        assert min(edge.min(), (86_400.0 - edge).min()) <= takes_s / 399 + 1e-6


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=20))
def test_points_in_a_box(points: list[tuple[float, float]]) -> None:
    box = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    clear = [p for p in points if min(abs(abs(x) - 1.0) for x in p) > 1e-9]
    if clear:
        inside = inside_polygon(np.array(clear), box)
        assert inside.tolist() == [max(abs(x), abs(y)) < 1.0 for x, y in clear]


azimuths = st.floats(0.0, 2.0 * math.pi)


@settings(max_examples=40, deadline=None)
@given(begin=azimuths, end=azimuths, low=st.floats(30.0, 900.0), east=st.floats(-300.0, 1500.0))
def test_no_masked_shot_is_ever_fired(begin: float, end: float, low: float, east: float) -> None:
    """Sector, altitude and friend: what is fired obeys each of them, checked from the engagement alone."""
    rules: tuple[HoldRule, ...] = (
        NoFireSector(id="s", azimuth_rad_from=begin, azimuth_rad_to=end),
        MinimumAltitude(id="m", height_m=low),
        FriendlyTracks(id="f", distance_m=300.0),
    )
    made = fly(replace(FREE, rules=rules), friend=True, east_m=east)
    for shot in fired(made):
        x, y, z = (a - b for a, b in zip(shot.intercept_enu_m, GUN.position_enu_m, strict=True))
        turn = (math.atan2(x, y) - begin) % (2.0 * math.pi)
        assert turn >= (end - begin) % (2.0 * math.pi) - 1e-3
        assert shot.intercept_enu_m[2] >= low - 1.0
        line, to = np.array([x, y, z]), np.array([east, 0.0, 150.0]) - np.array(GUN.position_enu_m)
        line = line / np.linalg.norm(line) * GUN.range_m_max
        along = np.clip(to @ line / (line @ line), 0.0, 1.0)
        assert np.linalg.norm(to - along * line) >= 299.0


def test_every_decision_speaks_three_languages() -> None:
    made = [m for m in fly(FREE) + fly(replace(FREE, rules=(EAST,))) if isinstance(m, Decision)]
    for decision in made:
        assert [language for language, _ in decision.reasons] == list(LANGUAGES[1:])
        french, arabic = (sentence for _, sentence in decision.reasons)
        assert french
        assert any("\u0600" <= letter <= "\u06ff" for letter in arabic)
        assert "{" not in french + arabic


def test_each_rule_about_friends_heeds_its_own_classes() -> None:
    """A drone near the line of fire: a rule about aircraft lets the shot pass, one about drones does not."""
    aircraft = FriendlyTracks(id="aircraft", distance_m=3000.0, classes=("aircraft",))
    drones = FriendlyTracks(id="drones", distance_m=100.0, classes=("drone",))
    shown = helicopter(8.0)
    drone = msgspec.structs.replace(shown, classes=(("drone", 0.9), ("aircraft", 0.1)))
    for rules, held in (((aircraft,), False), ((aircraft, replace(drones, distance_m=400.0)), True)):
        state, made = initial(replace(FREE, rules=rules)), list[Message]()
        for k, batch in enumerate(raid([SHELL], end_s=40.0)):
            seen = [msgspec.structs.replace(drone, t_ns=T0 + k * S // 10)] if k % 5 == 0 else []
            state, out = step(replace(FREE, rules=rules), state, [*seen, *batch])
            made += out
        assert bool(fired(made)) != held
        assert ("friendly_track" in codes(made)) == held


TOWN = GroundZone.of(((-1500.0, -1500.0), (2500.0, -1500.0), (2500.0, 1500.0), (-1500.0, 1500.0)), 240_000.0)
STREETS = GroundDanger(
    id="streets", zones=(TOWN,), latitude_rad=0.58, height_m=35.0, ground_height_m=0.0, asset_people=1.0
)


def test_a_shot_whose_failed_rounds_endanger_more_than_it_saves_is_held() -> None:
    """Duds, debris and rounds that do not destroy themselves: in a full town, in an empty one, by day and by night."""
    made = fly(replace(FREE, ground=STREETS))
    assert not fired(made)
    held = next(m for m in made if isinstance(m, Decision) and m.code == "ground_danger")
    numbers = dict(held.values)
    assert float(numbers["danger"]) > float(numbers["averted"])
    assert fired(fly(replace(FREE, ground=replace(STREETS, asset_people=1e6))))
    by_night = replace(TOWN, presence=tuple(0.0 if hour < 6 else 1.0 for hour in range(24)))
    assert fired(fly(replace(FREE, ground=replace(STREETS, zones=(by_night,)))))  # the raid comes at midnight
    assert not fired(fly(replace(FREE, ground=replace(STREETS, zones=(by_night,), hours_ahead_of_utc=8.0))))
