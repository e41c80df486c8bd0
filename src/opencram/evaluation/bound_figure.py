"""The bound as a figure: what is left to know along the flight, and the ellipses on the ground."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from opencram.ballistics.footprint import ellipse
from opencram.errors import UsageError
from opencram.evaluation.cases import SHARE, Worked

_COLOURS: Final = ("#1f6feb", "#c2410c", "#15803d", "#7c3aed", "#0e7490", "#a16207", "#be185d", "#64748b")
_INK: Final = "#1f2933"
_FLIGHTS_MAX: Final = 12  # more lines than this are not told apart


def bound_figure(found: Sequence[Worked]) -> Any:
    """Return a Matplotlib figure: DRMS by seconds of track, and the plan with the ellipses of the first ages."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("plots need Matplotlib: pip install 'opencram[plots]'") from error
    drawn = Figure(figsize=(12.0, 5.6), layout="constrained")
    curve, plan = drawn.subplots(1, 2)
    shown = found[:_FLIGHTS_MAX]
    for number, each in enumerate(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        _draw_curve(curve, each, colour, label=each.case.name)
        _draw_plan(plan, each, colour)
    for radar in {each.id: each for worked in shown for each in worked.case.radars}.values():
        plan.plot(radar.position_enu_m[0] / 1000.0, radar.position_enu_m[1] / 1000.0, "^", color=_INK)
        plan.annotate(
            radar.id, (radar.position_enu_m[0] / 1000.0, radar.position_enu_m[1] / 1000.0),
            textcoords="offset points", xytext=(6, 4), color=_INK, fontsize=8,
        )  # fmt: skip
    if not any(math.isfinite(each.unknown.first_s) for each in shown):
        curve.text(0.5, 0.5, "no radar sees it", transform=curve.transAxes, ha="center", color=_INK)
    curve.set_yscale("log")
    curve.set_xlabel("track, s")
    curve.set_ylabel("least DRMS of the impact, m")
    curve.grid(which="both", alpha=0.25)
    curve.legend(fontsize=8, title="solid: class unknown; dashed: known", title_fontsize=8)
    plan.set_aspect("equal", adjustable="datalim")
    plan.set_xlabel("east, km")
    plan.set_ylabel("north, km")
    plan.grid(alpha=0.25)
    left = len(found) - len(shown)
    more = f" ({left} more rounds are in the table)" if left else ""
    drawn.suptitle(f"What any tracker could know of the impact: 95 % ellipses of the bound{more}", color=_INK)
    return drawn


def _draw_curve(axes: Any, each: Worked, colour: str, *, label: str) -> None:
    axes.plot(each.along.ages_s, each.along.drms_m, color=colour, label=label)
    axes.plot(each.unknown.ages_s, each.unknown.drms_m, "o", ms=4, color=colour)
    axes.plot(each.known.ages_s, each.known.drms_m, "--", lw=1, marker="x", ms=4, color=colour)


def _draw_plan(axes: Any, each: Worked, colour: str) -> None:
    flight = each.case.flight
    path = flight.state[flight.t_s <= flight.landed[0], :2] / 1000.0
    axes.plot(path[:, 0], path[:, 1], color=colour, lw=1)
    turn = np.linspace(0.0, 2.0 * math.pi, 121)
    for covariance in each.unknown.covariance:
        if not np.isfinite(covariance).all():
            continue
        long, short, azimuth = ellipse(covariance[:2, :2], SHARE)
        ahead, beside = long * np.cos(turn) / 1000.0, short * np.sin(turn) / 1000.0
        axes.plot(
            flight.landed[1] / 1000.0 + ahead * math.sin(azimuth) + beside * math.cos(azimuth),
            flight.landed[2] / 1000.0 + ahead * math.cos(azimuth) - beside * math.sin(azimuth),
            color=colour, lw=0.8,
        )  # fmt: skip
