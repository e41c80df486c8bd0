"""What the page for people in the zones asks for: one zone's alarms, in as few bytes as a bad line needs."""

import time
from typing import Any

from opencram.display.picture import Picture, standing
from opencram.display.rows import alarm_row, ms
from opencram.display.session import Session, Shared

_SAID = ("advice", "impact", "std")  # of an alarm


def public_zones(hello: dict[str, Any]) -> dict[str, Any]:
    """Return the zones that a person chooses from; asked for once."""
    site = hello["site"]
    zones = [{"id": z["id"], "name": z["name"], "shelter": z["shelter"]} for z in site["zones"]]
    return {"site": site["name"], "zones": zones}


def public_state(shared: Shared, hello: dict[str, Any], shown: Session | None, zone: str) -> dict[str, Any]:
    """Return the alarms of one zone: those that stand, and how the others ended.

    `age` is how long ago the last live data came, in seconds: a server that answers and hears nothing itself is no
    contact.  A replay shows the moment of the screen that moved last.
    """
    picture, t_ns = shared.timeline.latest, shared.timeline.end_ns
    if not shared.live and shown is not None:
        picture, t_ns = shown.moment
    return {
        "t": ms(t_ns),
        "live": shared.live,
        "age": round(time.monotonic() - shared.arrived_s, 1) if shared.live else 0.0,
        "mode": hello["mode"],
        **_of_zone(picture, zone),
    }


def _of_zone(picture: Picture, zone: str) -> dict[str, Any]:
    alarms = [alarm_row(a) for a in standing(picture.alarms) if zone in (a.warning.zone, *a.warning.zones)]
    over = [a.warning for a in picture.alarms.values() if not a.stands and a.warning.zone == zone]
    last = max(over, key=lambda warning: warning.t_ns, default=None)
    return {
        "alarms": [{key: row[key] for key in _SAID} for row in alarms],
        "ended": None if last is None else {"state": last.state, "t": ms(last.t_ns)},
    }
