"""Geodetic, earth-centred and local coordinates: there and back, known points, tilted horizons."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opencram.earth.geodesy import (
    SEMI_MAJOR_M,
    SEMI_MINOR_M,
    Frame,
    ecef_from_enu,
    ecef_from_geodetic,
    enu_from_ecef,
    enu_from_geodetic,
    enu_from_local,
    geodetic_from_ecef,
    geodetic_from_enu,
)

latitudes = st.floats(-math.pi / 2.0, math.pi / 2.0)
longitudes = st.floats(-math.pi, math.pi)
heights = st.floats(-10_000.0, 1_000_000.0)
frames = st.builds(Frame, st.floats(-1.5, 1.5), longitudes, st.floats(-400.0, 5000.0))
offsets = st.tuples(*[st.floats(-60_000.0, 60_000.0)] * 2, st.floats(-2000.0, 30_000.0))

BAGHDAD = Frame(math.radians(33.3), math.radians(44.4), 35.0)


# ---- geodetic and back ----------------------------------------------------------------------------


@given(latitudes, longitudes, heights)
@example(math.pi / 2.0, 0.0, 0.0)
@example(-math.pi / 2.0, 1.0, 1_000_000.0)
@example(math.pi / 2.0 - 1e-9, 3.0, -10_000.0)
@example(0.0, math.pi, -10_000.0)
@example(0.0, -math.pi, 1_000_000.0)
@example(math.pi / 4.0, math.nextafter(math.pi, 0.0), 1_000_000.0)
def test_geodetic_there_and_back_is_the_same_place(latitude_rad, longitude_rad, height_m):
    place = ecef_from_geodetic(latitude_rad, longitude_rad, height_m)
    latitude, longitude, height = geodetic_from_ecef(place)
    assert float(height) == pytest.approx(height_m, abs=1e-6)
    assert abs(float(latitude) - latitude_rad) * SEMI_MAJOR_M < 1e-6
    again = ecef_from_geodetic(latitude, longitude, height)
    assert np.linalg.norm(again - place) < 1e-6


def test_every_height_and_latitude_on_a_fine_grid():
    latitude, height = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 721), np.linspace(-10e3, 1000e3, 102))
    found = geodetic_from_ecef(ecef_from_geodetic(latitude, 0.3, height))
    assert np.abs(found[0] - latitude).max() * SEMI_MAJOR_M < 1e-6
    assert np.abs(found[2] - height).max() < 1e-6


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "height_m", "ecef_m"),
    [
        (0.0, 0.0, 0.0, (SEMI_MAJOR_M, 0.0, 0.0)),
        (0.0, 90.0, 100.0, (0.0, SEMI_MAJOR_M + 100.0, 0.0)),
        (0.0, 180.0, 0.0, (-SEMI_MAJOR_M, 0.0, 0.0)),
        (90.0, 0.0, 0.0, (0.0, 0.0, 6_356_752.314245)),
        (-90.0, 0.0, 1000.0, (0.0, 0.0, -6_357_752.314245)),
        # By hand, with N = a / √(1 − e² sin² φ): at 45° N is 6 388 838.290 m.
        (45.0, 0.0, 0.0, (4_517_590.87885, 0.0, 4_487_348.40887)),
    ],
)
def test_known_points(latitude_deg, longitude_deg, height_m, ecef_m):
    place = ecef_from_geodetic(math.radians(latitude_deg), math.radians(longitude_deg), height_m)
    assert place == pytest.approx(np.array(ecef_m), abs=1e-4)
    latitude, longitude, height = geodetic_from_ecef(ecef_m)
    assert math.degrees(float(latitude)) == pytest.approx(latitude_deg, abs=1e-9)
    assert float(height) == pytest.approx(height_m, abs=1e-4)
    if abs(latitude_deg) < 90.0:
        assert math.degrees(float(longitude)) == pytest.approx(longitude_deg, abs=1e-9)


def test_the_axes_are_those_of_the_ellipsoid():
    assert abs(SEMI_MINOR_M - 6_356_752.314245) < 1e-6  # NGA.STND.0036, table 3.5


# ---- local frames ---------------------------------------------------------------------------------


@given(frames)
def test_a_frame_is_a_right_handed_rotation(frame):
    rotation = frame.ecef_from_enu
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-15)
    assert np.linalg.det(rotation) == pytest.approx(1.0, abs=1e-14)


@given(frames, offsets)
def test_local_there_and_back_is_the_same_place(frame, offset):
    assert enu_from_ecef(frame, ecef_from_enu(frame, offset)) == pytest.approx(np.array(offset), abs=1e-8)
    latitude, longitude, height = geodetic_from_enu(frame, offset)
    assert enu_from_geodetic(frame, latitude, longitude, height) == pytest.approx(np.array(offset), abs=1e-6)


@given(frames)
def test_small_steps_go_where_their_names_say(frame):
    latitude, longitude, height = geodetic_from_enu(frame, 10.0 * np.eye(3))
    assert math.remainder(float(longitude[0]) - frame.longitude_rad, 2.0 * math.pi) > 0.0
    assert float(latitude[1]) > frame.latitude_rad
    assert height - frame.height_m == pytest.approx(np.array([0.0, 0.0, 10.0]), abs=1e-4)


def test_up_is_not_altitude():
    """30 km out, a point on the horizontal plane is 71 m above the surface that the origin lies on."""
    _, _, heights_m = geodetic_from_enu(BAGHDAD, [[30_000.0, 0.0, 0.0], [0.0, 30_000.0, 0.0]])
    assert heights_m - BAGHDAD.height_m == pytest.approx(np.array([70.5, 70.7]), abs=0.3)


def test_horizons_30_km_apart_are_tilted():
    """By 30 km over the earth's radius, 4.7 mrad, about the axis across the line between them."""
    for place, axis in (([30_000.0, 0.0, 0.0], 0), ([0.0, 30_000.0, 0.0], 1)):
        latitude, longitude, _ = geodetic_from_enu(BAGHDAD, place)
        away = Frame(float(latitude), float(longitude), 35.0)
        rotation = enu_from_local(BAGHDAD, away)
        assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-15)
        up = rotation @ [0.0, 0.0, 1.0]
        assert math.acos(up[2]) == pytest.approx(4.7e-3, abs=0.03e-3)
        assert up[axis] == pytest.approx(4.7e-3, abs=0.03e-3)  # leans away from the site
        assert abs(up[1 - axis]) < 0.03e-3


@given(frames, frames, st.tuples(*[st.floats(-1e3, 1e3)] * 3))
def test_turning_a_vector_through_another_horizon_and_back_leaves_it(one, other, vector):
    there = enu_from_local(one, other) @ vector
    assert enu_from_local(other, one) @ there == pytest.approx(np.array(vector), abs=1e-10)
    assert one.ecef_from_enu @ there == pytest.approx(other.ecef_from_enu @ np.array(vector), abs=1e-10)


def test_batches_lead_and_components_end():
    places = np.arange(24.0).reshape(2, 4, 3) * 1000.0
    turned = ecef_from_enu(BAGHDAD, places)
    assert turned.shape == places.shape
    latitude, longitude, height = geodetic_from_enu(BAGHDAD, places)
    assert latitude.shape == longitude.shape == height.shape == (2, 4)
    assert enu_from_geodetic(BAGHDAD, latitude, longitude, height) == pytest.approx(places, abs=1e-6)
