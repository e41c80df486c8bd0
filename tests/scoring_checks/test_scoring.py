"""The yardstick itself: events made from the truth score full marks, and each damage to them is seen."""

import copy
import json
import math
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scoring
import truth

Events = list[dict[str, Any]]


def rfc3339(t_ns: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_ns // 1000)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@cache
def raid(name: str) -> tuple[dict[str, Any], list[truth.Round]]:
    site_path, plots_path, truth_path = truth.raid_paths(name)
    site = tomllib.loads(site_path.read_text())
    return site, truth.read_rounds(site, truth.read_ndjson(plots_path), json.loads(truth_path.read_text()))


def perfect_events(name: str, *, impact_error_m: float = 10.0) -> Events:
    """What a nearly perfect system would say: track 101 is round 0 and so on."""
    site, rounds = raid(name)
    events: Events = []
    for flown in rounds:
        number = 101 + flown.index
        start_t_ns = flown.plot_t_ns[3]
        common = {"track": number}
        for k in range(int((flown.plot_t_ns[-1] - start_t_ns) / 0.5e9) + 1):
            t_ns = start_t_ns + k * 500_000_000
            position = flown.position_enu_m(t_ns)
            assert position is not None
            time = rfc3339(t_ns)
            events.append(
                {"type": "track", "time": time, **common, "status": "confirmed", "plots": 4 + k}
                | {"position_enu_m": (position + 5.0).tolist(), "velocity_enu_m_s": [0.0, 0.0, 0.0]}
                | {"classes": {"rocket": 0.6, "mortar": 0.3, "aircraft": 0.1}}
            )
            place = [flown.impact_enu_m[0] + impact_error_m, flown.impact_enu_m[1], flown.impact_enu_m[2]]
            events.append(
                {"type": "impact", "time": time, **common, "position_enu_m": place}
                | {"covariance_enu_m2": [[100.0, 0.0], [0.0, 100.0]]}
                | {"impact_time": rfc3339(flown.impact_t_ns + 100_000_000), "impact_time_std_s": 0.1}
            )
        engage = any(truth.inside(flown.impact_lonlat_deg, place["polygon"]) for place in site["asset"])
        events.append(
            {"type": "decision", "time": rfc3339(start_t_ns), **common, "action": "engage" if engage else "ignore"}
            | {"asset": None, "probability": 0.5, "reason": "it lands there"}
        )
        for zone in site["zone"]:
            if truth.inside(flown.impact_lonlat_deg, zone["polygon"]):
                events.append(warning(zone["id"], "issued", flown.impact_t_ns - 12_000_000_000, [number]))
    return sorted(events, key=lambda event: event["time"])


def warning(zone: str, state: str, t_ns: int, tracks: list[int]) -> dict[str, Any]:
    return {"type": "warning", "time": rfc3339(t_ns), "zone": zone, "state": state, "tracks": tracks}


def scored(name: str, events: Events) -> scoring.Score:
    return scoring.score(*raid(name), copy.deepcopy(events))


@pytest.mark.parametrize(("name", "count"), [("seven-rockets", 7), ("mortars", 3), ("ripple-24", 24)])
def test_a_perfect_system_has_full_marks(name: str, count: int) -> None:
    result = scored(name, perfect_events(name))
    assert [flown.track for flown in result.rounds] == [101 + k for k in range(count)]
    assert all(flown.to_the_end and flown.swaps == 0 and not flown.other_tracks for flown in result.rounds)
    assert (result.false_tracks, result.undecided_tracks, result.duplicates) == ((), (), ())
    assert result.zones_warned_in_vain == ()
    assert result.errors_m(8.0) == pytest.approx([10.0] * count)
    assert result.errors_m(None) == pytest.approx([10.0] * count)
    for flown in result.rounds:
        assert flown.confirm_s is not None
        assert 0.0 <= flown.confirm_s < 3.0
        assert flown.impact_gap_s == pytest.approx(0.5, abs=0.1)
        before = flown.impact_before
        assert before is not None
        assert before.inside_95
        assert before.time_inside_95
        assert before.chi2 == pytest.approx(1.0)
        assert before.time_error_s == pytest.approx(0.1)
        assert before.std_m == pytest.approx(math.sqrt(200.0))


def test_the_rounds_of_the_report_hit_what_it_says() -> None:
    result = scored("seven-rockets", perfect_events("seven-rockets"))
    assert [flown.hit_assets for flown in result.rounds] == [("compound",)] * 2 + [()] * 5
    assert all(len(flown.hit_zones) == 1 for flown in result.rounds)
    assert [flown.actions for flown in result.rounds] == [("engage",)] * 2 + [("ignore",)] * 5
    for flown in result.rounds:
        assert flown.warned_s[flown.hit_zones[0]] == pytest.approx(12.0, abs=3.0)  # rounds in one zone share an alarm
        assert flown.zones_in_alarm[:1] == flown.hit_zones or flown.index < 2


def test_an_ellipse_that_is_too_small_is_seen() -> None:
    result = scored("mortars", perfect_events("mortars", impact_error_m=25.0))
    assert not any(flown.impact_before.inside_95 for flown in result.rounds if flown.impact_before)
    assert scoring.coverage(result, "inside_95").startswith("3 s 0/3")
    inside = scored("mortars", perfect_events("mortars", impact_error_m=24.0))  # 24² / 10² = 5.76 < 5.991
    assert scoring.coverage(inside, "inside_95").startswith("3 s 3/3")


def test_prediction_errors_use_what_was_known_at_the_time() -> None:
    events = perfect_events("mortars")
    _, rounds = raid("mortars")
    at_t_ns = rounds[0].plot_t_ns[0] + 8_000_000_000
    for event in events:
        if event["type"] == "impact" and event["track"] == 101 and truth.parse_t_ns(event["time"]) > at_t_ns:
            event["position_enu_m"][0] += 1000.0
    result = scored("mortars", events)
    assert result.errors_m(8.0)[0] == pytest.approx(10.0)
    assert result.errors_m(10.0)[0] == pytest.approx(1010.0)


def test_a_round_without_a_track_is_infinitely_wrong() -> None:
    result = scored("mortars", [event for event in perfect_events("mortars") if event.get("track") != 102])
    assert result.rounds[1].track is None
    assert result.errors_m(8.0)[1] == math.inf
    assert not result.rounds[1].to_the_end


def exchange(events: Events, from_s: float) -> None:
    """Let tracks 101 and 102 change rounds for good."""
    start = truth.parse_t_ns(events[0]["time"]) + from_s * 1e9
    for event in events:
        if event.get("track") in (101, 102) and truth.parse_t_ns(event["time"]) > start:
            event["track"] = 203 - event["track"]


def lose_the_end(events: Events, _: float) -> None:
    """End track 101 two seconds early."""
    last = max(event["time"] for event in events if event.get("track") == 101 and event["type"] == "track")
    limit = truth.parse_t_ns(last) - 2e9
    events[:] = [e for e in events if e.get("track") != 101 or truth.parse_t_ns(e["time"]) <= limit]


@pytest.mark.parametrize(
    ("damage", "swaps", "lost"), [(exchange, 2, 2), (lose_the_end, 0, 1)], ids=["exchange", "lose_the_end"]
)
def test_identity_and_end_of_a_track(damage: Callable[[Events, float], None], swaps: int, lost: int) -> None:
    events = perfect_events("ripple-24")
    damage(events, 20.0)
    result = scored("ripple-24", events)
    assert sum(flown.swaps for flown in result.rounds) == swaps
    assert sum(not flown.to_the_end for flown in result.rounds) == lost


def test_false_tracks_and_duplicates_are_told_apart() -> None:
    events = perfect_events("mortars")
    for event in copy.deepcopy(events):
        if event.get("track") == 101 and event["type"] == "track":
            events.append(event | {"track": 900})
            far = (np.array(event["position_enu_m"]) + 1500.0).tolist()
            events.append(event | {"track": 901, "position_enu_m": far})
            events.append(event | {"track": 902, "position_enu_m": far, "classes": {"aircraft": 0.9, "rocket": 0.1}})
            events.append(event | {"track": 903, "position_enu_m": far, "status": "tentative"})
    result = scored("mortars", sorted(events, key=lambda event: event["time"]))
    assert result.rounds[0].other_tracks == result.duplicates == (900,)
    assert result.false_tracks == (901,)
    assert result.undecided_tracks == (900, 901)


def test_only_an_alarm_that_stands_at_the_impact_counts() -> None:
    _, rounds = raid("mortars")
    flown = rounds[0]
    impact = flown.impact_t_ns
    early = [warning("camp", "issued", impact - 20 * 10**9, [101]), warning("camp", "cancelled", impact - 10**9, [])]
    late = [warning("camp", "issued", impact - 5 * 10**8, [101])]
    others = [event for event in perfect_events("mortars") if event["type"] != "warning"]
    assert scored("mortars", others).rounds[0].warned_s == {"camp": None}
    assert scored("mortars", others + early).rounds[0].warned_s == {"camp": None}
    assert scored("mortars", others + early + late).rounds[0].warned_s == {"camp": pytest.approx(0.5)}


def test_alarms_are_counted_on_the_account_of_their_round() -> None:
    _, rounds = raid("mortars")
    impact = rounds[0].impact_t_ns
    others = [event for event in perfect_events("mortars") if event["type"] != "warning"]
    extra = [
        warning("camp", "issued", impact - 20 * 10**9, [101]),
        warning("village", "issued", impact - 19 * 10**9, [101, 102]),
        warning("village", "updated", impact - 6 * 10**9, [102]),
        warning("elsewhere", "issued", impact - 4 * 10**9, [101]),
    ]
    result = scored("mortars", others + extra)
    assert result.rounds[0].zones_in_alarm == ("camp",)
    assert result.zones_warned == ("camp", "elsewhere", "village")
    assert "elsewhere" in result.zones_warned_in_vain


def test_the_last_change_of_mind_is_kept() -> None:
    events = perfect_events("mortars")
    _, rounds = raid("mortars")
    late = rfc3339(rounds[0].impact_t_ns - 10**9)
    events.append({"type": "decision", "time": late, "track": 101, "action": "hold", "reason": "mode is hold"})
    result = scored("mortars", events)
    assert result.rounds[0].actions[-1] == "hold"
    assert result.rounds[0].reason == "mode is hold"


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in perfect_events("seven-rockets")) + "not json\n")
    files = [str(path) for path in truth.raid_paths("seven-rockets")]
    assert scoring.main([*files, str(path)]) == 0
    assert "tracked to the end without a swap: 7 of 7" in capsys.readouterr().out
    assert scoring.main([*files, str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rounds"]) == 7
