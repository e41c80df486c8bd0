"""Districts inherit the alarms of their zones; costs, ways to shelter, growth and expiry of an alarm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram import warning
from opencram.messages import PlaceThreat, Threat, Tick, Track
from opencram.warning.config import District, Zone
from opencram.warning.costs import threshold_of
from opencram.warning.districts import above
from opencram.warning.shelter import usual_shelter_times_s, walking_times_s

S = 1_000_000_000
T0 = 1_767_225_600 * S
CONFIG = warning.Config(
    zones=(
        Zone(id="a", parent="north"),
        Zone(id="b", parent="north"),
        Zone(id="c", parent="south"),
        Zone(id="d"),
    ),
    districts=(District(id="north", parent="city"), District(id="south", parent="city"), District(id="city")),
)
ENDS = ("cancelled", "all_clear", "expired")


def threat(t_s, track_id=1, left_s=11.0, **probabilities):
    return Threat(
        t_ns=T0 + round(t_s * S),
        track_id=track_id,
        impact_t_ns=T0 + round((t_s + left_s) * S),
        impact_time_s_std=0.1,
        hazard_radius_m=50.0,
        places=tuple(
            PlaceThreat(kind="zone", place=zone, probability=p, distance_m=0.0, clearance_m=0.0, people=100)
            for zone, p in probabilities.items()
        ),
        expected_exposed=0.0,
    )


def landed(t_s, track_id=1):
    return Track(
        t_ns=T0 + round(t_s * S),
        track_id=track_id,
        status="dropped",
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        position_m_std=1.0,
        classes=(),
        plots=1,
        first_t_ns=T0,
        updated_t_ns=T0,
        reason="impact",
    )


def tick(t_s):
    return Tick(t_ns=T0 + round(t_s * S))


def play(*messages):
    state, said = warning.initial(CONFIG), []
    for message in messages:
        state, out = warning.step(CONFIG, state, [message])
        said += out
    return said, state


def test_a_district_and_the_city_are_in_alarm_while_a_zone_is():
    said, _ = play(threat(0, a=0.9), *[tick(k) for k in range(1, 11)], landed(11), *[tick(k) for k in range(12, 640)])
    stories = {zone: [each.state for each in said if each.zone == zone] for zone in ("a", "north", "city", "south")}
    assert stories["a"][0] == stories["north"][0] == stories["city"][0] == "issued"
    assert stories["a"][-1] == stories["north"][-1] == stories["city"][-1] == "all_clear"
    assert stories["south"] == []
    assert len({each.alarm_id for each in said}) == 3


def test_a_district_grows_and_shrinks_with_its_zones_and_names_them():
    said, _ = play(threat(0, a=0.9), threat(1, 2, b=0.9), threat(2, 2, b=0.0), *[tick(3 + 0.5 * k) for k in range(6)])
    north = [(each.state, each.change, each.zones) for each in said if each.zone == "north"]
    assert north == [("issued", "", ("a",)), ("updated", "grown", ("a", "b")), ("updated", "shrunk", ("a",))]


def test_a_zone_without_a_district_and_a_loop_of_districts():
    said, _ = play(threat(0, d=0.9))
    assert [each.zone for each in said] == ["d"]
    loop = warning.Config(
        zones=(Zone(id="z", parent="x"),), districts=(District(id="x", parent="y"), District(id="y", parent="x"))
    )
    assert above(loop) == {"z": ("x", "y")}


CHANCE = st.sampled_from([0.0, 0.02, 0.2, 0.9])


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0.1, 400.0), CHANCE, CHANCE, CHANCE), max_size=12))
def test_a_district_is_in_alarm_exactly_while_one_of_its_zones_is(points):
    state, live, t_s = warning.initial(CONFIG), {}, 0.0
    for track_id, later_s, a, b, c in points:
        for message in (threat(t_s, track_id, a=a, b=b, c=c), tick(t_s + 2.0), landed(t_s + 3.0, track_id)):
            state, out = warning.step(CONFIG, state, [message])
            for each in out:
                assert (each.zone in live) == (each.state != "issued")
                if each.state in ENDS:
                    del live[each.zone]
                else:
                    assert each.expires_t_ns > each.t_ns
                    live[each.zone] = each.zones
            zones = set(live) & set("abcd")
            assert ("north" in live) == bool(zones & set("ab"))
            assert ("south" in live) == ("c" in zones)
            assert ("city" in live) == bool(zones & set("abc"))
            if "city" in live:
                assert set(live["city"]) == zones & set("abc")
        t_s += 3.0 + later_s


def test_an_alarm_that_nobody_watched_to_its_end_has_expired_and_is_not_all_clear():
    said, state = play(threat(0, a=0.9), tick(5000.0))
    assert [each.state for each in said if each.zone == "a"] == ["issued", "expired"]
    assert [each.state for each in said if each.zone == "city"] == ["issued", "expired"]
    assert state.alarms == {}
    assert "nobody" in said[-2].reason


def test_an_update_says_whether_the_danger_has_grown():
    said, _ = play(threat(0, a=0.2), threat(1.5, left_s=9.5, a=0.95), threat(3.0, left_s=8.0, a=0.2))
    assert [each.change for each in said if each.zone == "a"] == ["", "grown", "shrunk"]


def test_the_threshold_is_where_warning_and_not_warning_cost_the_same():
    p = threshold_of(0.02, 20_000.0, 6.0)
    assert (1.0 - p) * 6.0 == pytest.approx(p * 0.02 * 20_000.0)
    assert threshold_of(1.0, 1e9, 1.0) == 0.002
    assert threshold_of(0.0, 1.0, 1.0) == 0.5


def test_walking_takes_the_old_longer_and_ways_are_spread():
    young, old = walking_times_s(50.0, 1.4, 0.0, 0.0), walking_times_s(50.0, 1.4, 0.0, 1.0)
    assert len(young) == len(old) == len(usual_shelter_times_s(15.0)) == 10
    assert np.mean(young) == pytest.approx(3.0 + 50.0 / 1.4, rel=0.03)
    assert np.mean(old) == pytest.approx(3.0 + 50.0 / (0.6 * 1.4), rel=0.03)
    mixed = walking_times_s(50.0, 1.4, 0.2, 0.2)
    assert list(mixed) == sorted(mixed)
    assert np.mean(young) < np.mean(mixed) < np.mean(old)
