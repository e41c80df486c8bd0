"""What the terrain hides from the radars: beside a line walked metre by metre, and as the browser draws it."""

import dataclasses
import math
import urllib.error
import urllib.request
from typing import Any

import display_raid as raid
import display_server
import numpy as np
import pytest
from display_browser import needs_browser, replayed
from test_display_map import run_flow

from opencram.config.model import Sensor, Site
from opencram.display.coverage import ABOVE_M, coverage
from opencram.earth.geodesy import Frame, enu_from_geodetic

Cells = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def hidden(found: dict[str, Any]) -> Cells:
    """The cells (height, row, column) that are hidden."""
    size = max(max(runs, default=0) for runs in found["hidden"]) + 1
    made = np.zeros((len(found["above"]), size, size), dtype=np.bool_)
    for layer, runs in zip(made, found["hidden"], strict=True):
        for row, first, after in zip(*(runs[k::3] for k in range(3)), strict=True):
            layer[row, first:after] = True
    return made


def place_of(site: Site, sensor: Sensor) -> list[float]:
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    return enu_from_geodetic(frame, sensor.latitude_rad, sensor.longitude_rad, sensor.height_m).tolist()


def clearance_m(site: Site, place: list[float], east: float, north: float, above_m: float) -> float:
    """How far above the ground the line from a radar to a target passes at the lowest, 50 m from its mast and on."""
    terrain = site.terrain
    assert terrain is not None

    def bend(e: Any, n: Any) -> Any:
        return (e**2 + n**2) / (2.0 * 6.371e6)

    known = float(terrain.at(east, north))
    ground = known if math.isfinite(known) else site.ground_height_m
    up = ground + above_m - site.height_m - bend(east, north)
    far = math.hypot(east - place[0], north - place[1])
    part = np.arange(50.0, far, 10.0) / far
    e, n, u = (a + part * (b - a) for a, b in zip(place, (east, north, up), strict=True))
    return float(np.nanmin(u + site.height_m + bend(e, n) - terrain.at(e, n), initial=math.inf))


def test_without_terrain_nothing_is_hidden() -> None:
    assert coverage(raid.site()) is None


@pytest.mark.parametrize("seed", range(4))
def test_what_is_hidden_is_what_a_line_walked_over_the_ground_says(seed: int) -> None:
    """Of 400 places for each height at most 2 % differ, and none where the line clears or cuts the ground by 40 m."""
    site = display_server.hilly(seed)
    found = coverage(site)
    assert found is not None
    cells, draws = hidden(found), np.random.default_rng(seed)
    radars = [(sensor, place_of(site, sensor)) for sensor in site.sensors]
    for layer, above_m in zip(cells, found["above"], strict=True):
        wrong = 0
        for _ in range(400):
            row, column = draws.integers(0, layer.shape[0], 2)
            east = found["west"] + (column + 0.5) * found["step"]
            north = found["south"] + (row + 0.5) * found["step"]
            far_m = [math.dist(place[:2], (east, north)) for _, place in radars]
            near = [place for (sensor, place), far in zip(radars, far_m, strict=True) if far < sensor.range_m_max]
            if not near or any(
                abs(far - sensor.range_m_max) < 2e3 for (sensor, _), far in zip(radars, far_m, strict=True)
            ):
                continue  # at the very edge of a range the height of the target decides
            best = max(clearance_m(site, place, east, north, above_m) for place in near)
            if layer[row, column] != (best < 0.0):
                wrong += 1
                assert abs(best) < 40.0, (above_m, east, north, best)
        assert wrong <= 8, above_m


def test_the_higher_it_flies_and_the_more_radars_there_are_the_less_is_hidden() -> None:
    site = display_server.hilly(1)
    found = coverage(site)
    assert found is not None
    areas = [layer.sum() for layer in hidden(found)]
    assert found["above"] == list(ABOVE_M)
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 4 * areas[-1]
    first = site.sensors[0]
    second = dataclasses.replace(first, id="second", longitude_rad=first.longitude_rad + 0.0007, height_m=900.0)
    both = coverage(dataclasses.replace(site, sensors=(first, second)))
    assert both is not None
    assert sum(layer.sum() for layer in hidden(both)) * both["step"] ** 2 < 0.7 * sum(areas) * found["step"] ** 2


def test_it_travels_in_little_and_is_made_in_little_time() -> None:
    found = coverage(display_server.hilly(2))
    assert found is not None
    assert sum(len(runs) for runs in found["hidden"]) < 40_000


@needs_browser
def test_the_screen_hatches_what_is_hidden_and_says_what_that_means() -> None:
    with replayed("hills") as address:
        run_flow("coverage", address)


@needs_browser
def test_without_terrain_the_screen_says_so() -> None:
    with replayed("replay") as address:
        run_flow("coverageFlat", address)


def test_the_server_tells_it_to_those_who_may_look() -> None:
    hub = display_server.hub_of(display_server.recorded(), site=display_server.hilly(1), people=display_server.PEOPLE)
    with display_server.serving(hub) as running:
        address = f"http://{running.address}/coverage"
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(address)
        refused.value.close()
        request = urllib.request.Request(address, headers={"authorization": "Bearer " + "b" * 32})
        with urllib.request.urlopen(request) as answer:
            assert b'"hidden"' in answer.read()
