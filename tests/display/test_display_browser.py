"""The display in a browser: real flows, driven by Playwright through Debian's chromium (display/test/flows.mjs)."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import display_screens
import pytest
from display_browser import needs_browser, replayed, run_flow

pytestmark = needs_browser


@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    with replayed("replay") as address:
        yield address


@pytest.mark.parametrize(
    "flow", ["raid", "seek", "languages", "axe", "magnified", "publicPage", "keyboard", "sounds", "health"]
)
def test_replay(replay: str, flow: str) -> None:
    run_flow(flow, replay)


@pytest.mark.slow
def test_the_public_page_works_on_a_bad_line(replay: str) -> None:
    run_flow("badLine", replay)


def test_ten_screens_answer_who_must_act_now_in_banner_and_first_row() -> None:
    asked = [
        {"what": screen.what, "moment": display_screens.moment_s(k), "banner": screen.banner, "row": screen.row}
        for k, screen in enumerate(display_screens.SCREENS)
    ]
    with replayed("screens") as address:
        run_flow("screens", address, SCREENS=json.dumps(asked))
        salvo = next(each["moment"] for each in asked if "salvo" in str(each["what"]))
        run_flow("grey", address, MOMENT=str(salvo))


def test_a_round_that_was_killed_counts_down_no_more() -> None:
    with replayed("killed") as address:
        run_flow("killed", address)


def test_a_radar_is_as_well_as_the_worst_that_is_said_of_it() -> None:
    with replayed("erring") as address:
        run_flow("erring", address)


def test_a_wrong_token_is_told() -> None:
    with replayed("tokens") as address:
        run_flow("token", address)


def test_the_four_modes_never_look_alike() -> None:
    with ExitStack() as served:
        modes = ("simulation", "exercise", "test", "actual")
        addresses = {mode: served.enter_context(replayed("replay", mode)) for mode in modes}
        run_flow("modes", addresses["simulation"], MODES=json.dumps(addresses))
