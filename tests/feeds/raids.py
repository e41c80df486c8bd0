"""An example raid sent in every format, and what the pipeline makes of each: tracks, impacts, alarms, decisions."""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

from opencram.adapters.asterix.encode import encode_plots
from opencram.adapters.gate import SensorLimits
from opencram.adapters.readers import plot_reader
from opencram.adapters.sapient import edge
from opencram.adapters.times import rfc3339
from opencram.config.site import load_site
from opencram.messages import Decision, Impact, Plot, Track, Warning
from opencram.runtime.process import batches
from opencram.runtime.stations import stations

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RAIDS = ("mortars", "seven-rockets", "ripple-24")
FORMATS = ("NDJSON", "CSV", "SAPIENT", "CAT015", "CAT048")
FILES = {
    "NDJSON": "raid.ndjson",
    "CSV": "raid.csv",
    "SAPIENT": "raid.sapient",
    "CAT015": "raid-2026-01-01.ast",
    "CAT048": "raid-2026-01-01.ast",
}


@dataclass(frozen=True)
class Round:
    """What is said of one projectile in the end."""

    seen_t_ns: int  # time of its first plot
    position_enu_m: tuple[float, float]  # of impact
    deviation_m: float  # root of the trace of the impact's covariance
    impact_t_ns: int
    action: str
    plots: int


@dataclass(frozen=True)
class Outcome:
    """What came of a raid in one format."""

    plots: int
    rejected: int
    rounds: tuple[Round, ...]  # in the order of their first plots
    zones: tuple[str, ...]  # warned, sorted
    first_warning_t_ns: int | None


def read(site, name, data):
    limits = {s.id: SensorLimits(range_m_max=s.range_m_max, period_s=s.period_s) for s in site.sensors}
    reader = plot_reader(name, limits, stations=stations(site))
    return [m for part in reader.read_stream(io.BytesIO(data)) for m in part]


def written(form, plots, places):
    """Return the raid as bytes of one format."""
    if form.startswith("CAT"):
        return b"".join(encode_plots(plots, places, category=int(form[3:])))
    if form == "SAPIENT":
        return b"".join(edge.encode_plots(plots, places))
    rows = [
        (rfc3339(p.t_ns), p.sensor, p.range_m, math.degrees(p.azimuth_rad), math.degrees(p.elevation_rad))
        for p in plots
    ]
    names = ("time", "sensor", "range_m", "azimuth_deg", "elevation_deg")
    if form == "CSV":
        return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows), ""]).encode()
    return "".join(json.dumps({"type": "plot", **dict(zip(names, row, strict=True))}) + "\n" for row in rows).encode()


def outcome(site, messages) -> Outcome:
    first, impact, action, last = {}, {}, {}, {}
    zones, first_warning = set(), None
    for _, out in batches(site, messages):
        for m in out:
            if isinstance(m, Track):
                first.setdefault(m.track_id, m.first_t_ns)
                last[m.track_id] = m
            elif isinstance(m, Impact):
                impact[m.track_id] = m
            elif isinstance(m, Decision):
                action[m.track_id] = m.action
            elif isinstance(m, Warning) and m.state == "issued":
                zones.add(m.zone)
                first_warning = m.t_ns if first_warning is None else first_warning
    rounds = [
        Round(
            first[k],
            found.position_enu_m[:2],
            math.sqrt(found.covariance_enu_m2[0] + found.covariance_enu_m2[2]),
            found.impact_t_ns,
            action[k],
            last[k].plots,
        )
        for k, found in impact.items()
        if k in action
    ]
    plots = [m for m in messages if isinstance(m, Plot)]
    return Outcome(
        plots=len(plots),
        rejected=len(messages) - len(plots),
        rounds=tuple(sorted(rounds, key=lambda r: r.seen_t_ns)),
        zones=tuple(sorted(zones)),
        first_warning_t_ns=first_warning,
    )


def outcomes(raid: str) -> dict[str, Outcome]:
    """Return what comes of a raid: "process" as its file stands, and in each format."""
    site = load_site(EXAMPLES / raid / "site.toml")
    original = read(site, "plots.ndjson", (EXAMPLES / raid / "plots.ndjson").read_bytes())
    plots = [m for m in original if isinstance(m, Plot)]
    places = stations(site)
    found = {"process": outcome(site, original)}
    for form in FORMATS:
        found[form] = outcome(site, read(site, FILES[form], written(form, plots, places)))
    return found


def pairs(a: Outcome, b: Outcome) -> list[tuple[Round, Round | None]]:
    """Return each round of `a` with the round of `b` that comes down nearest to it in place and time, each once."""
    left = list(b.rounds)
    found: list[tuple[Round, Round | None]] = []
    for one in a.rounds:
        near = min(left, key=lambda r: apart_m(one, r) + 100.0 * apart_s(one, r), default=None)
        if near is not None:
            left.remove(near)
        found.append((one, near))
    return found


def apart_m(a: Round, b: Round) -> float:
    return math.dist(a.position_enu_m, b.position_enu_m)


def apart_s(a: Round, b: Round) -> float:
    return abs(a.impact_t_ns - b.impact_t_ns) * 1e-9
