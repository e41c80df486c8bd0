"""The yardstick: what `opencram process` said, against what really flew.

    python tests/scoring.py SITE PLOTS TRUTH EVENTS [--json]

SITE, PLOTS and EVENTS are files in the formats of `docs/formats.md`; TRUTH holds launch and impact of each
round and, for each plot in order of the file, the number of the round that it came from (-1: clutter).
The yardstick shares no code with the program: geodesy and polygons are written again here, so that a
mistake in the program cannot hide itself.

A round's positions are its own plots, smoothed; a track belongs to the round that it is nearest to in most
of its confirmed reports.  All figures are about tracks that were confirmed as projectiles.
"""

import argparse
import dataclasses
import itertools
import json
import math
import statistics
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from truth import Event, Round, inside, parse_t_ns, read_ndjson, read_rounds

PROJECTILES = ("mortar", "rocket", "shell")
AGES_S = (3.0, 5.0, 8.0, 10.0, 12.0, 20.0)  # after the first plot of a round
BEFORE_IMPACT_S = 3.0
ALARM_BEFORE_IMPACT_S = 5.0
GATE_M = 200.0  # a report further than this from every round belongs to none
CLEAR = 0.5  # a report tells two rounds apart when the nearest is this much nearer than the next
END_S = 1.0  # tracked to the end: reported until this long before the last plot
CHI2_95_2DOF = 5.991
NORMAL_95 = 1.96


# ---- which track is which round -------------------------------------------------------------------


@dataclass(kw_only=True)
class TrackHistory:
    """What the events say of one track, in order, and the round that it belongs to."""

    number: int
    reports: list[Event] = field(default_factory=list)
    impacts: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    confirmed_t_ns: int | None = None  # first confirmed as a projectile
    round_index: int | None = None
    swaps: int = 0

    @property
    def live(self) -> list[Event]:
        """The reports in which the track was confirmed or coasting."""
        return [report for report in self.reports if report["status"] in ("confirmed", "coasting")]


def projectile_probability(report: Event) -> float:
    """Return the probability that a track is a projectile of any class."""
    return float(sum(report["classes"].get(name, 0.0) for name in PROJECTILES))


def read_tracks(events: Iterable[Event]) -> dict[int, TrackHistory]:
    """Return the history of every track by its number; times are added to the events as `t_ns`."""
    tracks: dict[int, TrackHistory] = {}
    for event in events:
        event["t_ns"] = parse_t_ns(event["time"])
        kind = event.get("type")
        if kind not in ("track", "impact", "decision"):
            continue
        history = tracks.setdefault(event["track"], TrackHistory(number=event["track"]))
        {"track": history.reports, "impact": history.impacts, "decision": history.decisions}[kind].append(event)
        confirmed = kind == "track" and event["status"] == "confirmed" and projectile_probability(event) >= 0.5
        if confirmed and history.confirmed_t_ns is None:
            history.confirmed_t_ns = event["t_ns"]
    return tracks


def label(history: TrackHistory, rounds: Sequence[Round]) -> None:
    """Set the round that a track belongs to, and how often it went over from one round to another."""
    nearest: list[int] = []
    clear: list[int] = []
    for report in history.live:
        position_enu_m = np.array(report["position_enu_m"])
        distances = sorted(
            (float(np.linalg.norm(position_enu_m - place)), flown.index)
            for flown in rounds
            if (place := flown.position_enu_m(report["t_ns"])) is not None
        )
        if not distances or distances[0][0] > GATE_M:
            continue
        nearest.append(distances[0][1])
        if len(distances) == 1 or distances[0][0] < CLEAR * distances[1][0]:
            clear.append(distances[0][1])
    if nearest and 2 * len(nearest) >= _reports_in_flight(history, rounds):
        history.round_index = Counter(nearest).most_common(1)[0][0]
        history.swaps = sum(a != b for a, b in itertools.pairwise(clear))


def _reports_in_flight(history: TrackHistory, rounds: Sequence[Round]) -> int:
    """Return in how many of the live reports at least one round was in flight."""
    return sum(any(flown.position_enu_m(report["t_ns"]) is not None for flown in rounds) for report in history.live)


# ---- the score ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ImpactScore:
    """One prediction against the true impact: distances in metres, times in seconds."""

    error_m: float
    std_m: float  # root of the east and north variance that the prediction claimed
    chi2: float  # squared error in units of the claimed covariance, 2 degrees of freedom
    time_error_s: float  # predicted less true
    time_std_s: float

    @property
    def inside_95(self) -> bool:
        """Whether the 95 % ellipse holds the impact."""
        return self.chi2 <= CHI2_95_2DOF

    @property
    def time_inside_95(self) -> bool:
        """Whether the 95 % interval holds the time of impact."""
        return abs(self.time_error_s) <= NORMAL_95 * self.time_std_s


@dataclass(frozen=True, kw_only=True)
class RoundScore:
    """What became of one round."""

    index: int
    name: str
    track: int | None  # the first track confirmed as a projectile on this round
    confirm_s: float | None  # from the third plot to that
    other_tracks: tuple[int, ...]  # further projectile tracks on the same round
    swaps: int
    to_the_end: bool  # by `track`, without a swap
    impact_at_s: dict[float, ImpactScore | None]  # by age of the track
    impact_before: ImpactScore | None  # BEFORE_IMPACT_S before the impact
    impact_gap_s: float | None  # longest time without a new prediction
    hit_assets: tuple[str, ...]
    hit_zones: tuple[str, ...]
    warned_s: dict[str, float | None]  # zone hit → seconds from the start of its alarm to the impact
    zones_in_alarm: tuple[str, ...]  # on this round's account, ALARM_BEFORE_IMPACT_S before its impact
    actions: tuple[str, ...]  # every change of action
    reason: str  # of the last decision


@dataclass(frozen=True, kw_only=True)
class Score:
    """What became of a raid."""

    rounds: tuple[RoundScore, ...]
    false_tracks: tuple[int, ...]  # confirmed as projectiles, belonging to no round
    undecided_tracks: tuple[int, ...]  # confirmed as projectiles, without a decision that has a reason
    zones_warned: tuple[str, ...]
    zones_warned_in_vain: tuple[str, ...]
    rejected: int

    @property
    def duplicates(self) -> tuple[int, ...]:
        """Further projectile tracks on rounds that have one."""
        return tuple(number for flown in self.rounds for number in flown.other_tracks)

    def errors_m(self, age_s: float | None) -> list[float]:
        """Return the impact error by round at an age of the track, or shortly before impact if None.

        A round without a prediction counts as infinitely wrong.
        """
        scores = [flown.impact_before if age_s is None else flown.impact_at_s[age_s] for flown in self.rounds]
        return [math.inf if score is None else score.error_m for score in scores]


def score(site: dict[str, Any], rounds: Sequence[Round], events: Sequence[Event]) -> Score:
    """Return what `events` are worth against `rounds`."""
    tracks = read_tracks(events)
    projectiles = [history for history in tracks.values() if history.confirmed_t_ns is not None]
    for history in projectiles:
        label(history, rounds)
    alarms = read_alarms(events)
    hit = {zone for flown in rounds for zone in _hit(site.get("zone", []), flown)}
    return Score(
        rounds=tuple(score_round(site, flown, projectiles, alarms) for flown in rounds),
        false_tracks=tuple(history.number for history in projectiles if history.round_index is None),
        undecided_tracks=tuple(
            history.number
            for history in projectiles
            if not any(decision.get("reason", "").strip() for decision in history.decisions)
        ),
        zones_warned=tuple(sorted(alarms)),
        zones_warned_in_vain=tuple(sorted(set(alarms) - hit)),
        rejected=sum(event.get("type") == "rejected" for event in events),
    )


def score_round(
    site: dict[str, Any],
    flown: Round,
    projectiles: Sequence[TrackHistory],
    alarms: dict[str, list["Alarm"]],
) -> RoundScore:
    """Return what became of one round."""
    own = sorted(
        (history for history in projectiles if history.round_index == flown.index),
        key=lambda history: (history.confirmed_t_ns, history.number),
    )
    main = own[0] if own else None
    numbers = {history.number for history in own}
    decisions = sorted((decision for history in own for decision in history.decisions), key=lambda d: d["t_ns"])
    actions = [decision["action"] for decision in decisions]
    hit_zones = _hit(site.get("zone", []), flown)
    alarm_t_ns = flown.impact_t_ns - round(ALARM_BEFORE_IMPACT_S * 1e9)
    return RoundScore(
        index=flown.index,
        name=flown.name,
        track=main.number if main else None,
        confirm_s=(main.confirmed_t_ns - flown.plot_t_ns[2]) * 1e-9 if main and main.confirmed_t_ns else None,
        other_tracks=tuple(history.number for history in own[1:]),
        swaps=main.swaps if main else 0,
        to_the_end=main is not None and main.swaps == 0 and _reaches_the_end(main, flown),
        impact_at_s={age_s: _impact_at(own, flown, flown.plot_t_ns[0] + round(age_s * 1e9)) for age_s in AGES_S},
        impact_before=_impact_at(own, flown, flown.impact_t_ns - round(BEFORE_IMPACT_S * 1e9)),
        impact_gap_s=_longest_gap_s(main, flown) if main else None,
        hit_assets=_hit(site.get("asset", []), flown),
        hit_zones=hit_zones,
        warned_s={zone: _warned_s(alarms.get(zone, []), flown.impact_t_ns) for zone in hit_zones},
        zones_in_alarm=tuple(
            zone for zone in sorted(alarms) if any(alarm.tracks_at(alarm_t_ns) & numbers for alarm in alarms[zone])
        ),
        actions=tuple(b for a, b in zip([None, *actions], actions, strict=False) if a != b),
        reason=decisions[-1].get("reason", "") if decisions else "",
    )


def _hit(places: Iterable[dict[str, Any]], flown: Round) -> tuple[str, ...]:
    return tuple(place["id"] for place in places if inside(flown.impact_lonlat_deg, place["polygon"]))


def _reaches_the_end(history: TrackHistory, flown: Round) -> bool:
    last_t_ns = max(report["t_ns"] for report in history.live)
    return bool(last_t_ns >= flown.plot_t_ns[-1] - END_S * 1e9)


def _impact_at(own: Sequence[TrackHistory], flown: Round, t_ns: int) -> ImpactScore | None:
    """Return the prediction that stood at `t_ns`: of the first track while it predicts, else of any."""
    if t_ns > flown.impact_t_ns:
        return None
    standing = [event for history in own for event in [_last_at(history.impacts, t_ns)] if event is not None]
    if not standing:
        return None
    recent = [event for event in standing if event["t_ns"] >= t_ns - 1.5e9]
    event = recent[0] if recent else max(standing, key=lambda event: event["t_ns"])
    error_m = np.array(event["position_enu_m"][:2]) - np.array(flown.impact_enu_m[:2])
    covariance_m2 = np.array(event["covariance_enu_m2"])
    return ImpactScore(
        error_m=float(np.hypot(*error_m)),
        std_m=math.sqrt(float(np.trace(covariance_m2))),
        chi2=float(error_m @ np.linalg.solve(covariance_m2, error_m)),
        time_error_s=(parse_t_ns(event["impact_time"]) - flown.impact_t_ns) * 1e-9,
        time_std_s=event["impact_time_std_s"],
    )


def _last_at(events: Sequence[Event], t_ns: int) -> Event | None:
    return max((event for event in events if event["t_ns"] <= t_ns), key=lambda event: event["t_ns"], default=None)


def _longest_gap_s(history: TrackHistory, flown: Round) -> float | None:
    """Return the longest time without a new prediction, from the first one to the last plot."""
    times = sorted(event["t_ns"] for event in history.impacts if event["t_ns"] <= flown.plot_t_ns[-1])
    if not times:
        return None
    return float(max(b - a for a, b in itertools.pairwise([*times, flown.plot_t_ns[-1]]))) * 1e-9


# ---- alarms ---------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Alarm:
    """One alarm of a zone: from `issued` to `cancelled` or `all_clear`, and on whose account."""

    start_t_ns: int
    end_t_ns: int | None = None
    tracks: list[tuple[int, frozenset[int]]] = field(default_factory=list)

    def in_force(self, t_ns: int) -> bool:
        """Return whether the alarm stands at `t_ns`."""
        return self.start_t_ns <= t_ns and (self.end_t_ns is None or t_ns < self.end_t_ns)

    def tracks_at(self, t_ns: int) -> frozenset[int]:
        """Return the tracks that the alarm named at `t_ns`; none while it is not in force."""
        named = [tracks for since_t_ns, tracks in self.tracks if since_t_ns <= t_ns]
        return named[-1] if named and self.in_force(t_ns) else frozenset()


def read_alarms(events: Iterable[Event]) -> dict[str, list[Alarm]]:
    """Return the alarms of each zone that had any, in order."""
    alarms: dict[str, list[Alarm]] = {}
    for event in events:
        if event.get("type") != "warning":
            continue
        own = alarms.setdefault(event["zone"], [])
        standing = own[-1] if own and own[-1].end_t_ns is None else None
        if event["state"] in ("cancelled", "all_clear"):
            if standing:
                standing.end_t_ns = event["t_ns"]
            continue
        if standing is None:
            standing = Alarm(start_t_ns=event["t_ns"])
            own.append(standing)
        standing.tracks.append((event["t_ns"], frozenset(event["tracks"])))
    return {zone: own for zone, own in alarms.items() if own}


def _warned_s(alarms: Sequence[Alarm], impact_t_ns: int) -> float | None:
    """Return the seconds from the start of the alarm that stands at the impact; None without one."""
    leads = [(impact_t_ns - alarm.start_t_ns) * 1e-9 for alarm in alarms if alarm.in_force(impact_t_ns)]
    return max(leads, default=None)


# ---- the command ----------------------------------------------------------------------------------


def score_files(site_path: Path, plots_path: Path, truth_path: Path, events_path: Path) -> Score:
    """Return the score of a file of events."""
    site = tomllib.loads(site_path.read_text())
    rounds = read_rounds(site, read_ndjson(plots_path), json.loads(truth_path.read_text()))
    return score(site, rounds, read_ndjson(events_path))


def table(result: Score) -> str:
    """Return a score as text: a line a round, then what concerns the whole raid."""
    ages = " ".join(f"{age_s:g} s".rjust(7) for age_s in AGES_S)
    lines = [f"round             track confirm swaps end {ages} -{BEFORE_IMPACT_S:g} s   gap  alarms  warned  actions"]
    for flown in result.rounds:
        errors = " ".join(_cell(flown.impact_at_s[age_s]).rjust(7) for age_s in AGES_S)
        warned = ",".join("never" if lead is None else f"{lead:.1f}" for lead in flown.warned_s.values()) or "-"
        lines.append(
            f"{flown.index:2d} {flown.name:14s} {_number(flown.track):>5s} {_number(flown.confirm_s):>7s} "
            f"{flown.swaps:5d} {'yes' if flown.to_the_end else ' NO'} {errors} {_cell(flown.impact_before):>5s} "
            f"{_number(flown.impact_gap_s):>5s} {len(flown.zones_in_alarm):7d} {warned:>7s}  "
            f"{'→'.join(flown.actions) or '-'}"
        )
    medians = " ".join(f"{statistics.median(result.errors_m(age_s)):7.0f}" for age_s in AGES_S)
    before = statistics.median(result.errors_m(None))
    lines += [
        f"{'median error (m)':>42s} {medians} {before:6.1f}   (* outside its 95 % ellipse)",
        f"in 95 % ellipse:  {coverage(result, 'inside_95')}",
        f"in 95 % interval of time:  {coverage(result, 'time_inside_95')}",
        f"tracked to the end without a swap: {sum(flown.to_the_end for flown in result.rounds)} of "
        f"{len(result.rounds)}",
        f"false tracks {list(result.false_tracks)}, duplicates {list(result.duplicates)}, "
        f"without a decision {list(result.undecided_tracks)}, rejected {result.rejected}",
        f"zones warned {len(result.zones_warned)}, in vain {len(result.zones_warned_in_vain)}: "
        f"{' '.join(result.zones_warned_in_vain)}",
    ]
    lines += [f"  {flown.index:2d} {flown.actions[-1]}: {flown.reason}" for flown in result.rounds if flown.actions]
    return "\n".join(lines)


def coverage(result: Score, name: str) -> str:
    """Return, by age, how many predictions held the truth: `inside_95` or `time_inside_95`."""
    cells = []
    for age_s in (*AGES_S, None):
        at = [flown.impact_before if age_s is None else flown.impact_at_s[age_s] for flown in result.rounds]
        known = [getattr(prediction, name) for prediction in at if prediction is not None]
        cells.append(f"{f'-{BEFORE_IMPACT_S:g}' if age_s is None else f'{age_s:g}'} s {sum(known)}/{len(known)}")
    return ", ".join(cells)


def _cell(prediction: ImpactScore | None) -> str:
    if prediction is None:
        return "-"
    return f"{prediction.error_m:.0f}{' ' if prediction.inside_95 else '*'}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score of a file of events."""
    parser = argparse.ArgumentParser(description="Score the events of `opencram process` against the truth.")
    for name in ("site", "plots", "truth", "events"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--json", action="store_true", help="print every figure as one JSON object")
    chosen = parser.parse_args(arguments)
    result = score_files(chosen.site, chosen.plots, chosen.truth, chosen.events)
    print(json.dumps(dataclasses.asdict(result), indent=1) if chosen.json else table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
