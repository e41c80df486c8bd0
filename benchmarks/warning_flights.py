"""Simulated raids over a made town, flown through tracking and prediction once and kept in a folder.

What the warning studies need of a raid: each `Impact` (without its path), each end of a track, and where and when
every round really fell.  A raid that is in the folder is not flown again, so that a study may be stopped and resumed.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from consistency import configure
from opencram import prediction, tracking
from opencram.messages import Impact, Message, Tick, Track
from opencram.simulation import raids, world
from opencram.simulation.model import WorldConfig
from opencram.simulation.streams import stream
from opencram.simulation.truth import truth_document

EXTENT_M = 3000.0  # the town reaches so far from the origin to every side
BLOCK_M = 300.0
SPREAD = raids.Spread(aim_m_max=2500.0)
TICK_NS = 100_000_000
TAIL_NS = 8_000_000_000  # after the last impact, for tracks to end


class Fallen(msgspec.Struct, frozen=True):
    """Where and when a round really fell."""

    east_m: float
    north_m: float
    t_ns: int


class Flown(msgspec.Struct, frozen=True):
    """One raid as the threat and the warning stage meet it."""

    seed: int
    said: list[Impact | Track]
    fallen: list[Fallen]
    start_t_ns: int
    end_t_ns: int


class Block(msgspec.Struct, frozen=True):
    """One zone of the made town."""

    id: str
    polygon_m: tuple[tuple[float, float], ...]
    people: int
    shelter_time_s: float


def town(seed: int = 1, block_m: float = BLOCK_M) -> list[Block]:
    """Return a town of crooked four-cornered blocks without gaps; people a block log-normal about 60 a hectare."""
    draws = stream(seed, "town")
    n = round(2.0 * EXTENT_M / block_m)
    corners = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"), axis=-1) * block_m - EXTENT_M
    corners[1:-1, 1:-1] += draws.uniform(-0.25, 0.25, (n - 1, n - 1, 2)) * block_m
    density_per_m2 = 60e-4 * np.exp(draws.normal(-0.18, 0.6, (n, n)))
    shelter_s = draws.uniform(8.0, 15.0, (n, n))
    blocks = []
    for i in range(n):
        for j in range(n):
            ring = [corners[i, j], corners[i + 1, j], corners[i + 1, j + 1], corners[i, j + 1]]
            polygon = tuple((float(east), float(north)) for east, north in ring)
            area = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)))
            people = round(float(density_per_m2[i, j] * area))
            blocks.append(Block(f"b{i:02d}{j:02d}", polygon, people, round(float(shelter_s[i, j]), 1)))
    return blocks


def raid(seed: int) -> WorldConfig:
    """Return the raid of a seed."""
    return raids.random_raid(seed, SPREAD)


def fly(config: WorldConfig) -> Flown:
    """Fly one raid through tracking and prediction."""
    tracking_config, prediction_config = configure(config)
    state = world.initial(config)
    state, plots = world.scan(config, state, config.end_t_ns)
    track_state, impact_state = tracking.initial(tracking_config), prediction.initial(prediction_config)
    said: list[Impact | Track] = []
    for batch in _batches(plots, config.start_t_ns, config.end_t_ns + TAIL_NS):
        track_state, tracks = tracking.step(tracking_config, track_state, batch)
        impact_state, impacts = prediction.step(prediction_config, impact_state, [*tracks, batch[-1]])
        said += [m for m in tracks if isinstance(m, Track) and m.status == "dropped"]
        said += [msgspec.structs.replace(m, path_enu_m=()) for m in impacts if isinstance(m, Impact)]
    fallen = []
    for each in truth_document(config, state)["rounds"]:
        t_ns = int(np.datetime64(each["impact_time"].rstrip("Z"), "ns").astype(np.int64))
        fallen.append(Fallen(each["impact_enu_m"][0], each["impact_enu_m"][1], t_ns))
    return Flown(config.seed, said, fallen, config.start_t_ns, config.end_t_ns + TAIL_NS)


def _batches(plots: Sequence, start_t_ns: int, end_t_ns: int) -> Iterator[list[Message]]:
    """Yield the dwells of the radars and, between them, a tick every 0.1 s."""
    begin, tick_ns = 0, start_t_ns + TICK_NS
    for k in range(1, len(plots) + 1):
        if k == len(plots) or plots[k].sensor != plots[begin].sensor or plots[k].t_ns != plots[begin].t_ns:
            while tick_ns < plots[begin].t_ns:
                yield [Tick(t_ns=tick_ns)]
                tick_ns += TICK_NS
            yield [*plots[begin:k], Tick(t_ns=plots[begin].t_ns)]
            begin = k
    while tick_ns < end_t_ns:
        yield [Tick(t_ns=tick_ns)]
        tick_ns += TICK_NS


def flown_raids(folder: Path, seed: int, count: int) -> Iterator[Flown]:
    """Yield the raids of a study in order, flying those that the folder does not hold yet."""
    encoder, decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Flown)
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        number = seed * 100_000 + k
        path = folder / f"{number}.msgpack"
        if not path.exists():
            partial = path.with_suffix(".part")
            partial.write_bytes(encoder.encode(fly(raid(number))))
            partial.rename(path)
        yield decoder.decode(path.read_bytes())


def overlap(ring: tuple[tuple[float, float], ...], centre_m: tuple[float, float], radius_m: float) -> float:
    """Return the area (m²) that a polygon and a disc have in common, by Green's theorem edge by edge."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        total += _sector(ax - centre_m[0], ay - centre_m[1], bx - centre_m[0], by - centre_m[1], radius_m)
    return abs(total)


def _sector(ax: float, ay: float, bx: float, by: float, r: float) -> float:
    """Return the signed area of the triangle of origin, a and b that lies within r of the origin."""
    dx, dy = bx - ax, by - ay
    a, b, c = dx * dx + dy * dy, ax * dx + ay * dy, ax * ax + ay * ay - r * r
    cuts = [0.0, 1.0]
    if a > 0.0 and b * b > a * c:
        root = math.sqrt(b * b - a * c)
        cuts += [t for t in ((-b - root) / a, (-b + root) / a) if 0.0 < t < 1.0]
    area = 0.0
    ordered = sorted(cuts)
    for low, high in itertools.pairwise(ordered):
        px, py, qx, qy = ax + low * dx, ay + low * dy, ax + high * dx, ay + high * dy
        mx, my = 0.5 * (px + qx), 0.5 * (py + qy)
        cross, dot = px * qy - py * qx, px * qx + py * qy
        area += 0.5 * cross if math.hypot(mx, my) <= r else 0.5 * r * r * math.atan2(cross, dot)
    return area
