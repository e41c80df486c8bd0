"""How a raid went over time: who was in alarm and what was tracked, second by second, and how the aim grew surer.

Seconds count from the first plot of any round, since nothing can be known before it; predictions count back from the
impact that they predict.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from opencram.ellipse import axes_95
from opencram.messages import Impact
from opencram.studies.ground import Ground, Point
from opencram.studies.listening import Ear
from opencram.studies.rows import APPROACH_S, COURSE_S, Approach, Course

STALE_NS: Final = 2_000_000_000  # an older prediction is none for this moment
PROJECTILE: Final = 0.5  # probability from which a confirmed track counts as one


def first_plot_t_ns(ear: Ear, told: Sequence[int]) -> int | None:
    """Return when the first plot of a round was taken in; `told`: the round of each plot by number, −1 for others."""
    for t_ns, plot_ids in ear.scans:
        if any(told[plot_id - 1] >= 0 for plot_id in plot_ids):
            return t_ns
    return None


def course(ear: Ear, told: Sequence[int], ground: Ground) -> tuple[Course, ...]:
    """Return who was in alarm and how many tracks were confirmed, at each of `COURSE_S`."""
    begin = first_plot_t_ns(ear, told)
    if begin is None:
        return ()
    people = {zone.id: zone.people for zone in ground.zones}
    found = []
    for s in COURSE_S:
        t_ns = begin + s * 1_000_000_000
        alarmed = {alarm.zone for alarm in ear.alarms.values() if alarm.issued_t_ns <= t_ns < alarm.end_t_ns}
        tracks = sum(
            first <= t_ns < ear.ended_t_ns.get(track_id, math.inf) and ear.projectile[track_id] >= PROJECTILE
            for track_id, first in ear.confirmed_t_ns.items()
        )
        found.append(Course(s, sum(people.get(zone, 0) for zone in alarmed), tracks))
    return tuple(found)


def approach(rounds: Iterable[tuple[Point, int, Sequence[Impact]]]) -> tuple[Approach, ...]:
    """Return error and ellipse of the predictions known at each of `APPROACH_S` before the impact: medians over rounds.

    `rounds`: of each, where (m) and when (ns) it would come down, and what was predicted of it, in order.
    """
    errors: dict[int, list[float]] = {}
    ellipses: dict[int, list[float]] = {}
    for (east_m, north_m), t_ns, predicted in rounds:
        for s in APPROACH_S:
            known = known_at(predicted, t_ns - s * 1_000_000_000)
            if known is None:
                continue
            error_m = math.hypot(east_m - known.position_enu_m[0], north_m - known.position_enu_m[1])
            ellipse_m = axes_95(known.covariance_enu_m2).longer_m
            if math.isfinite(error_m) and math.isfinite(ellipse_m):
                errors.setdefault(s, []).append(error_m)
                ellipses.setdefault(s, []).append(ellipse_m)
    return tuple(
        Approach(s, len(errors[s]), statistics.median(errors[s]), statistics.median(ellipses[s]))
        for s in APPROACH_S
        if s in errors
    )


def known_at(impacts: Sequence[Impact], t_ns: int) -> Impact | None:
    """Return the newest prediction that was known at a time; None if there was none, or it was out of date."""
    known = next((impact for impact in reversed(impacts) if impact.t_ns <= t_ns), None)
    return None if known is None or t_ns - known.t_ns > STALE_NS else known
