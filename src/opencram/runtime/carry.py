"""What of a running state goes on under a changed site file: as much as means the same there.

Tracks go on if the sensors that saw them stand where they stood; alarms if their zones are still there; what was
decided if the effectors are the same.  What cannot go on is named.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from opencram import warning
from opencram.config.model import Site
from opencram.runtime.pipeline import PipelineConfig, PipelineState, initial

_SAME_RAD = 1e-12


def carried(old: Site, new: Site, config: PipelineConfig, state: PipelineState) -> tuple[PipelineState, str]:
    """Return the state with which a run under `new` (configured as `config`) goes on, and what it is in words."""
    lost: list[str] = []
    fresh = initial(config)
    same_ground = _same_place(old, new)
    if not same_ground or not _same_sensors(old, new):
        lost.append("tracks begin anew, since sensors or the site stand elsewhere")
        after = replace(fresh, now_ns=state.now_ns, last_plot_t_ns=state.last_plot_t_ns)
        after = replace(after, warning=_warning(old, new, config, state.warning, rounds=False))
    else:
        same_guns = [(e.id, e.kind) for e in old.effectors] == [(e.id, e.kind) for e in new.effectors]
        if not same_guns:
            lost.append("decisions are made anew, since the effectors are others")
        after = replace(
            fresh,
            tracking=state.tracking,
            warning=_warning(old, new, config, state.warning, rounds=True),
            engagement=state.engagement if same_guns else fresh.engagement,
            now_ns=state.now_ns,
            last_plot_t_ns=state.last_plot_t_ns,
            open_tracks=state.open_tracks,
            in_air_until_ns=state.in_air_until_ns,
        )
    living = {alarm.alarm_id for alarm in after.warning.alarms.values()}
    living |= {each.alarm_id for each in after.warning.districts.values()}
    gone = [alarm_id for alarm_id in state.alarm_expiries_ns if alarm_id not in living]
    if gone:
        lost.append(f"{len(gone)} alarms end by their time, since their zones are gone")
    expiries = {k: t for k, t in state.alarm_expiries_ns.items() if k in living}
    words = "; ".join(lost) if lost else "all tracks and alarms go on"
    return replace(after, alarm_expiries_ns=expiries), f"the site file was changed: {words}"


def _same_place(old: Site, new: Site) -> bool:
    near = math.isclose(old.latitude_rad, new.latitude_rad, rel_tol=0.0, abs_tol=_SAME_RAD)
    near = near and math.isclose(old.longitude_rad, new.longitude_rad, rel_tol=0.0, abs_tol=_SAME_RAD)
    return near and old.height_m == new.height_m


def _same_sensors(old: Site, new: Site) -> bool:
    """Return whether every sensor has kept its number and its place; new ones may follow."""
    kept = new.sensors[: len(old.sensors)]
    return [(s.id, s.latitude_rad, s.longitude_rad, s.height_m) for s in old.sensors] == [
        (s.id, s.latitude_rad, s.longitude_rad, s.height_m) for s in kept
    ]


def _warning(old: Site, new: Site, config: PipelineConfig, before: warning.State, *, rounds: bool) -> warning.State:
    """Return the state of the warning stage, its zones numbered as the new site has them."""
    fresh = warning.initial(config.warning)
    renumbered: Mapping[int, int] = {
        number: fresh.numbers[zone] for zone, number in before.numbers.items() if zone in fresh.numbers
    }
    moved = {
        track_id: replace(
            each, shares=tuple((renumbered[zone], share) for zone, share in each.shares if zone in renumbered)
        )
        for track_id, each in before.rounds.items()
    }
    alarms = {renumbered[zone]: alarm for zone, alarm in before.alarms.items() if zone in renumbered}
    return replace(
        fresh,
        t_ns=before.t_ns,
        rounds=moved if rounds else {},
        alarms=alarms,
        alarms_issued=before.alarms_issued,
        ended=before.ended,
        degraded=before.degraded,
        districts={name: each for name, each in before.districts.items() if name in _districts(config)},
    )


def _districts(config: PipelineConfig) -> frozenset[str]:
    return frozenset(district.id for district in config.warning.districts)
