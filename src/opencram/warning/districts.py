"""Districts: a region's alarm lives as long as that of any zone in it, and says which zones those are."""

from collections.abc import Mapping, Sequence

from opencram.messages import Advice, Warning, WarningChange, WarningState
from opencram.warning.config import Config

_EXPIRY_SLACK_NS = 30_000_000_000  # a zone's alarm ends a minute before it expires: half of that may pass unsaid
ENDS: tuple[WarningState, ...] = ("cancelled", "all_clear", "expired")


def above(config: Config) -> dict[str, tuple[str, ...]]:
    """Return for each zone the districts that hold it, nearest first; a loop of parents is cut where it closes."""
    parents = {each.id: each.parent for each in config.districts}
    found = {}
    for zone in config.zones:
        chain: list[str] = []
        parent = zone.parent
        while parent in parents and parent not in chain:
            chain.append(parent)
            parent = parents[parent]
        found[zone.id] = tuple(chain)
    return found


def district_warnings(
    holders: Mapping[str, tuple[str, ...]],
    standing: Mapping[str, Warning],
    zones: Mapping[str, Warning],
    said: Sequence[Warning],
    next_id: int,
) -> list[Warning]:
    """Return what changes for the districts of the zones that were just spoken of.

    `standing`: the last word of each district in alarm; `zones`: that of each zone in alarm, after `said`.
    """
    touched = {district for each in said for district in holders.get(each.zone, ())}
    out: list[Warning] = []
    for district in sorted(touched):
        members = sorted(zone for zone in zones if district in holders.get(zone, ()))
        before = standing.get(district)
        ended = [each for each in said if each.state in ENDS and district in holders.get(each.zone, ())]
        if members:
            one = _in_force(district, before, [zones[zone] for zone in members], said[-1].t_ns, next_id)
            if one is not None:
                next_id += one.state == "issued"
                out.append(one)
        elif before is not None and ended:
            out.append(_over(before, ended))
    return out


def _in_force(district: str, before: Warning | None, members: list[Warning], t_ns: int, next_id: int) -> Warning | None:
    """Return the district's word, if there is something new to say: other zones, or other advice."""
    names = tuple(each.zone for each in members)
    first = min(members, key=lambda each: (each.impact_t_ns, each.zone))
    advice: Advice = first.advice
    state: WarningState = "issued" if before is None else "updated"
    change: WarningChange = ""
    if before is not None:
        expires_t_ns = max(each.expires_t_ns for each in members)
        stale = before.expires_t_ns < expires_t_ns - _EXPIRY_SLACK_NS
        if before.zones == names and before.advice == advice and not stale:
            return None
        joined, left = set(names) - set(before.zones), set(before.zones) - set(names)
        change = "grown" if joined else "shrunk" if left else ""
    return Warning(
        t_ns=t_ns,
        alarm_id=next_id if before is None else before.alarm_id,
        zone=district,
        state=state,
        probability=max(each.probability for each in members),
        impact_t_ns=first.impact_t_ns,
        seconds_left=max(first.impact_t_ns - t_ns, 0) / 1e9,
        advice=advice,
        track_ids=tuple(sorted({track for each in members for track in each.track_ids})),
        expires_t_ns=max(each.expires_t_ns for each in members),
        reason=f"alarm in {', '.join(names)}; first {first.zone}: {first.reason}",
        change=change,
        zones=names,
    )


def _over(before: Warning, ended: list[Warning]) -> Warning:
    """Return the end of a district's alarm: that of the zone that was in alarm last, an all-clear before others."""
    last = min(ended, key=lambda each: (("all_clear", "expired", "cancelled").index(each.state), each.zone))
    return Warning(
        t_ns=last.t_ns,
        alarm_id=before.alarm_id,
        zone=before.zone,
        state=last.state,
        probability=last.probability,
        impact_t_ns=before.impact_t_ns,
        seconds_left=0.0,
        advice="none",
        track_ids=before.track_ids,
        expires_t_ns=last.expires_t_ns,
        reason=f"no zone is in alarm any more; last {last.zone}: {last.reason}",
        zones=before.zones,
    )
