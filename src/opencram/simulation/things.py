"""All that flies by itself in a world: rounds, traffic, gunfire and fire of one's own, as the radars find it."""

from dataclasses import dataclass
from typing import Literal

from opencram.simulation.flights import Flyer
from opencram.simulation.launch import salvo_rounds
from opencram.simulation.model import GENERIC, Round, WorldConfig
from opencram.simulation.radars import CLUTTER, Target
from opencram.simulation.traffic import bullets, course

Kind = Literal["round", "dud", "debris", "shell", "missile", "traffic", "gunfire", "outgoing"]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A body before the radars have looked at it."""

    target: Target
    kind: Kind
    class_name: str
    ballistic_coefficient_kg_m2: float = 0.0
    source: str = GENERIC


def first_things(config: WorldConfig, flyer: Flyer, rounds: tuple[Round, ...]) -> list[Draft]:
    """Return everything that flies by itself: the rounds first, in order, each numbered by its place."""
    drafts: list[Draft] = []
    for number, what in enumerate(rounds):
        drafts.append(_falling(flyer, what, f"round/{number}", number, "round", number))
    for mover in config.traffic:
        for k in range(mover.count):
            flight = course(mover, seed=config.seed, number=k)
            target = Target(
                name=f"traffic/{mover.name}" + (f"/{k}" if mover.count > 1 else ""),
                origin=CLUTTER,  # for those who score: no round
                flight=flight,
                start_t_ns=mover.start_t_ns,
                end_t_ns=mover.start_t_ns + round(flight.t_s[-1] * 1e9),
                thing=len(drafts),
                detection_share=mover.detection_share,
            )
            drafts.append(Draft(target=target, kind="traffic", class_name=mover.class_name, source=mover.source))
    for gun in config.gunfire:
        for k, what in enumerate(bullets(gun, config.seed)):
            seen = (gun.detection_share, gun.snr_db, gun.seen_s)
            drafts.append(_falling(flyer, what, f"gunfire/{gun.name}/{k}", CLUTTER, "gunfire", len(drafts), seen))
    for number, salvo in enumerate(config.outgoing):
        for k, what in enumerate(salvo_rounds(config.seed, f"outgoing/{number}", salvo)):
            drafts.append(_falling(flyer, what, f"outgoing/{number}/{k}", CLUTTER, "outgoing", len(drafts)))
    return drafts


def _falling(
    flyer: Flyer,
    what: Round,
    name: str,
    origin: int,
    kind: Kind,
    thing: int,
    seen: tuple[float, float, float] = (1.0, 0.0, float("inf")),
) -> Draft:
    """Return a round, a bullet or a round of one's own; `seen`: share of the detections, SNR (dB), for how long (s)."""
    flight = flyer.launch(what)
    target = Target(
        name=name,
        origin=origin,
        flight=flight,
        start_t_ns=what.launch_t_ns,
        end_t_ns=what.launch_t_ns + round(min(float(flight.t_s[-1]), seen[2]) * 1e9),
        thing=thing,
        detection_share=seen[0],
        snr_db=seen[1],
    )
    return Draft(
        target=target,
        kind=kind,
        class_name="" if kind == "gunfire" else what.class_name,
        ballistic_coefficient_kg_m2=what.ballistic_coefficient_kg_m2,
        source=what.source,
    )
