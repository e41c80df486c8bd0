"""The map in a browser, looked at pixel by pixel (display/test/map.mjs)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import display_browser
import display_raid as raid
import display_server
import display_tiles
import pytest
from display_browser import CHROMIUM, needs_browser, replayed

from opencram.display.frames import COLUMNS, Encoder

pytestmark = needs_browser


def run_flow(name: str, address: str, given: object = None) -> str:
    """Run a flow to its end; fail with what it says."""
    return display_browser.run_flow(name, address, json.dumps(given), script="map.mjs")


@pytest.fixture(scope="module")
def with_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("town") / "town.pmtiles"
    display_tiles.write_town(path, 44.4, 33.3)
    with replayed("replay", "simulation", str(path)) as address:
        yield address


def test_the_base_map_of_the_site_is_drawn(with_town: str) -> None:
    run_flow("basemap", with_town)


@pytest.mark.parametrize(("theme", "app6"), [("dark", False), ("light", False), ("dark", True)])
def test_more_urgent_is_brighter_and_larger_in_grey(with_town: str, theme: str, app6: bool) -> None:
    """Contrast to the ground, and the sum of it over a symbol, without any colour."""
    picture = display_server.recorded().at(raid.t_ns(14.0))
    table = Encoder(raid.site()).columns(picture, raid.t_ns(14.0))
    rows = [dict(zip(COLUMNS, column.tolist(), strict=True)) for column in table.T]
    tracks = [{"id": row["id"], "east": row["east"], "north": row["north"]} for row in rows]
    said = run_flow("grey", with_town, {"tracks": tracks, "theme": theme, "app6": app6})
    light = {found["id"]: found for found in json.loads(said.splitlines()[0])}
    acting = [light[row["id"]] for row in rows if row["acts"]]
    others = [light[row["id"]] for row in rows if not row["acts"] and row["status"] < 3.0]
    assert acting, "no track acts"
    assert others, "every track acts"
    assert min(one["most"] for one in acting) > 1.3 * max(one["most"] for one in others)
    assert min(one["all"] for one in acting) > 1.5 * max(one["all"] for one in others)


def alone(*command: str) -> list[str]:
    """A command in a network namespace of its own."""
    return ["unshare", "--map-root-user", "--net", *command]


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(alone("true"), capture_output=True, check=False).returncode != 0,
    reason="no network namespaces here",
)
def test_screen_and_public_page_need_no_network_but_loopback(tmp_path: Path) -> None:
    display_tiles.write_town(tmp_path / "town.pmtiles", 44.4, 33.3)
    script = Path(display_server.__file__).with_name("display_alone.py")
    done = subprocess.run(
        alone(sys.executable, str(script), str(tmp_path / "town.pmtiles")),
        capture_output=True, text=True, timeout=500, env={**os.environ, "CHROMIUM": CHROMIUM}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert [line for line in done.stdout.splitlines() if line.startswith("ok")] == [
        "ok basemap", "ok seek", "ok publicPage",
    ]  # fmt: skip
