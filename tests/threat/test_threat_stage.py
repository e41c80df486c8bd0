"""The stage: what it lists, in which order, and that nothing that reaches it makes it fall over."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram import threat
from opencram.messages import Impact, ImpactComponent, Rejected, Threat, Tick
from opencram.threat.config import Place

T0 = 1_767_225_600_000_000_000


def square(kind, name, east, north, people=0, half=100.0):
    corners = (
        (east - half, north - half),
        (east + half, north - half),
        (east + half, north + half),
        (east - half, north + half),
    )
    return Place(kind=kind, id=name, people=people, polygon_m=corners)


CONFIG = threat.Config(
    places=(
        square("zone", "west", -300, 0, 500),
        square("asset", "tower", 3000, 0),
        square("zone", "east", 300, 0, 700),
        square("asset", "gate", 0, 0),
        square("zone", "also-west", -300, 0, 500),
        square("zone", "far", 20_000, 0, 500),
    )
)
STATE = threat.initial(CONFIG)


def component(east=0.0, north=0.0, probability=1.0, covariance=(1e4, 0.0, 1e4)):
    return ImpactComponent(
        class_name="rocket",
        probability=probability,
        east_m=east,
        north_m=north,
        covariance_m2=covariance,
        impact_time_s_std=0.5,
        time_covariance_m_s=(0.0, 0.0),
    )


def impact(*components, track_id=3, position=(0.0, 0.0, 0.0), covariance=(1e4, 0.0, 1e4), projectile=1.0, time_std=0.5):
    return Impact(
        t_ns=T0,
        track_id=track_id,
        position_enu_m=position,
        covariance_enu_m2=covariance,
        latitude_deg=33.3,
        longitude_deg=44.4,
        impact_t_ns=T0 + 20_000_000_000,
        impact_time_s_std=time_std,
        impact_velocity_enu_m_s=(0.0, 0.0, -200.0),
        projectile_probability=projectile,
        components=components,
        path_enu_m=(),
    )


def one_threat(message):
    _, out = threat.step(CONFIG, STATE, [message])
    assert len(out) == 1
    assert isinstance(out[0], Threat)
    return out[0]


def test_exactly_four_names():
    assert threat.__all__ == ["Config", "State", "initial", "step"]


def test_assets_in_config_order_then_zones_by_probability_then_name():
    found = one_threat(impact(component(east=-120.0), position=(-120.0, 0.0, 0.0)))
    assert [(place.kind, place.place) for place in found.places] == [
        ("asset", "tower"),
        ("asset", "gate"),
        ("zone", "also-west"),
        ("zone", "west"),
        ("zone", "east"),
    ]
    assert found.track_id == 3
    assert found.t_ns == T0
    assert found.impact_t_ns == T0 + 20_000_000_000
    assert found.hazard_radius_m == 50.0


def test_distance_is_from_the_mean_impact_and_nothing_inside():
    found = one_threat(impact(component(east=-150.0), position=(-150.0, 0.0, 0.0)))
    distances = {place.place: place.distance_m for place in found.places}
    assert distances["gate"] == pytest.approx(50.0)
    assert distances["west"] == pytest.approx(50.0)
    assert distances["tower"] == pytest.approx(3050.0)
    inside = one_threat(impact(component()))
    assert {place.place: place.distance_m for place in inside.places}["gate"] == 0.0


def test_probability_includes_that_it_is_a_projectile_and_clearance_does_not():
    sure = one_threat(impact(component(east=3000.0, covariance=(25.0, 0.0, 25.0)), position=(3000.0, 0.0, 0.0)))
    half = one_threat(
        impact(component(east=3000.0, covariance=(25.0, 0.0, 25.0)), position=(3000.0, 0.0, 0.0), projectile=0.5)
    )
    assert sure.places[0].probability == pytest.approx(1.0)
    assert half.places[0].probability == pytest.approx(0.5)
    assert sure.places[1].clearance_m == half.places[1].clearance_m > 2850.0


def test_expected_exposed_is_density_times_the_hazard_disc_inside_a_zone():
    config = threat.Config(places=(square("zone", "z", 0, 0, 1000, half=400.0),))
    _, out = threat.step(config, threat.initial(config), [impact(component(covariance=(4.0, 0.0, 4.0)))])
    assert out[0].expected_exposed == pytest.approx(1000 * math.pi * 50**2 / 800**2, rel=1e-6)


def test_other_messages_and_empty_batches_are_passed_over():
    assert threat.step(CONFIG, STATE, []) == (STATE, [])
    assert threat.step(CONFIG, STATE, [Tick(t_ns=T0)]) == (STATE, [])


def test_no_place_at_all():
    config = threat.Config(places=())
    _, out = threat.step(config, threat.initial(config), [impact(component())])
    assert out[0].places == ()
    assert out[0].expected_exposed == 0.0


def test_broken_components_fall_back_to_the_moments_of_the_impact():
    good = one_threat(impact(component()))
    for broken in (
        component(east=math.nan),
        component(probability=math.nan),
        component(covariance=(math.inf, 0.0, 1.0)),
    ):
        assert one_threat(impact(broken)).places == good.places
    assert one_threat(impact()).places == good.places
    one_of_two = one_threat(impact(component(probability=0.5), component(probability=0.5, east=math.nan)))
    assert one_of_two.places == good.places


def test_an_impact_without_any_place_is_rejected_with_the_reason():
    _, out = threat.step(CONFIG, STATE, [impact(position=(math.nan, 0.0, 0.0))])
    assert [type(message) for message in out] == [Rejected]
    assert out[0].code == "nan"
    assert "track 3" in out[0].reason


def test_reaching_the_limit_of_components_is_said():
    many = impact(*[component(east=float(k), probability=(k + 1) / 820) for k in range(40)])
    _, out = threat.step(CONFIG, STATE, [many])
    assert [message.code for message in out if isinstance(message, Rejected)] == ["limit"]
    assert isinstance(out[-1], Threat)


number = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-5000, 5000)
triple = st.tuples(number, number, number)


@settings(max_examples=150, deadline=None)
@given(
    components=st.lists(st.tuples(number, number, number, triple), max_size=4),
    position=triple,
    covariance=triple,
    projectile=number,
    time_std=number,
)
def test_any_numbers_give_a_threat_in_bounds_or_a_rejection(components, position, covariance, projectile, time_std):
    message = impact(
        *[component(e, n, p, c) for e, n, p, c in components],
        position=position,
        covariance=covariance,
        projectile=projectile,
        time_std=time_std,
    )
    before = msgspec.msgpack.encode(message)
    state, out = threat.step(CONFIG, STATE, [message, message])
    assert state is STATE
    assert msgspec.msgpack.encode(message) == before
    assert len(out) == 2
    assert out[0] == out[1]
    if isinstance(out[0], Threat):
        assert math.isfinite(out[0].impact_time_s_std)
        assert 0.0 <= out[0].expected_exposed <= 2200.0
        for place in out[0].places:
            assert 0.0 <= place.probability <= 1.0
            assert math.isfinite(place.distance_m)
            assert math.isfinite(place.clearance_m)
            assert place.distance_m >= 0.0
            assert place.clearance_m >= 0.0
