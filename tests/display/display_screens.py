"""Ten screens, each with one question: who must act now?  The answer is known, because the moment was written down.

Each screen lives a hundred seconds of one recording; it is looked at in the middle, at `moment_s`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import display_raid as raid
import msgspec

from opencram.messages import Message, Operator, Tick, Track, Warning

LENGTH_S = 100.0
MOMENT_S = 50.0
OVER_S = 90.0


class Alarm(NamedTuple):
    """An alarm of a screen; times in seconds from its moment, `landed` before it are negative."""

    zone: str
    impact_s: float
    probability: float = 0.9
    advice: str = "shelter"
    acknowledged: bool = False


@dataclass(frozen=True)
class Screen:
    """What happens, and the answers: of the banner, and of the first row of the list (None: no row)."""

    what: str
    alarms: tuple[Alarm, ...]
    banner: str
    row: str | None
    others: int = 0  # aircraft that act on nobody


SCREENS = (
    Screen("nothing flies", (), r"No alarm.*nobody needs to act", None),
    Screen("one round", (Alarm("z44", 20.0),), r"Block 44 TAKE SHELTER impact in 20 s", r"20 s .*Block 44"),
    Screen(
        "too late to reach shelter",
        (Alarm("z00", 4.0, advice="drop"),),
        r"Block 00 DROP AND COVER impact in 4 s",
        r"4 s .*Block 00",
    ),
    Screen(
        "the sooner leads, though the later is likelier",
        (Alarm("z44", 12.0, 0.99), Alarm("z55", 5.0, 0.4)),
        r"Block 55 TAKE SHELTER impact in 5 s",
        r"5 s .*Block 55",
    ),
    Screen(
        "one moment for a person: the likelier leads",
        (Alarm("z33", 9.0, 0.3), Alarm("z72", 9.3, 0.95)),
        r"Block 72 TAKE SHELTER impact in 10 s",
        r"9 s .*Block 33",
    ),
    Screen(
        "it has landed",
        (Alarm("z44", -5.0),),
        r"Block 44 STAY IN SHELTER impact 5 s ago.*wait for the all-clear",
        None,
    ),
    Screen(
        "one has landed, another comes",
        (Alarm("z44", -3.0), Alarm("z27", 22.0)),
        r"Block 27 TAKE SHELTER impact in 22 s",
        r"22 s .*Block 27",
    ),
    Screen(
        "a salvo on ten zones among aircraft",
        (*(Alarm(f"z{k}{k % 4}", 8.0 + 2.0 * (k * 5 % 9)) for k in range(9)), Alarm("z77", 7.0)),
        r"Block 77 TAKE SHELTER impact in 7 s.*10 zones in alarm",
        r"7 s .*Block 77",
        others=3,
    ),
    Screen(
        "the first is acknowledged, and still the first",
        (Alarm("z55", 6.0, acknowledged=True), Alarm("z27", 25.0)),
        r"Block 55 TAKE SHELTER impact in 6 s.*1 unacknowledged.*Acknowledge Block 27",
        r"6 s .*Block 55",
    ),
    Screen("aircraft only", (), r"No alarm.*nobody needs to act", r"aircraft|confirmed", others=4),
)  # fmt: skip


def moment_s(number: int) -> float:
    """Return when to look at a screen, in seconds after the start."""
    return number * LENGTH_S + MOMENT_S


def _warning(alarm: Alarm, number: int, at_s: float, moment: float, state: str) -> Warning:
    base = raid.warning(1, at_s, state, advice=alarm.advice)
    return msgspec.structs.replace(
        base, alarm_id=number, zone=alarm.zone, probability=alarm.probability, track_ids=(number,),
        impact_t_ns=raid.t_ns(moment + alarm.impact_s), seconds_left=moment + alarm.impact_s - at_s,
        expires_t_ns=raid.t_ns(moment + alarm.impact_s + 600.0),
    )  # fmt: skip


def _aircraft(track_id: int, at_s: float) -> Track:
    flying, where = raid.track(track_id, at_s, at_s + 60.0), (-3000.0, 400.0 * (track_id % 10), 1500.0)
    return msgspec.structs.replace(flying, classes=(("aircraft", 0.97), ("rocket", 0.03)), position_enu_m=where)


def _screen(screen: Screen, first_id: int, begin_s: float) -> Iterator[Message]:
    moment = begin_s + MOMENT_S
    numbered = list(enumerate(screen.alarms, first_id))
    yield Tick(t_ns=raid.t_ns(begin_s))
    for number, alarm in numbered:
        yield _warning(alarm, number, begin_s + 20.0, moment, "issued")
    yield Tick(t_ns=raid.t_ns(begin_s + 20.0))
    for number, alarm in numbered:
        if alarm.impact_s < 0.0:
            continue
        yield raid.track(number, moment, moment + alarm.impact_s)
        yield raid.impact(number, moment, moment + alarm.impact_s)
        yield raid.threat(number, moment, moment + alarm.impact_s, alarm.zone, 0.0)
        if alarm.acknowledged:
            yield Operator(t_ns=raid.t_ns(moment), operator="Rana K.", action="acknowledge", zone=alarm.zone)
    yield from (_aircraft(first_id + 50 + k, moment) for k in range(screen.others))
    yield Tick(t_ns=raid.t_ns(moment))
    for number, alarm in numbered:
        if alarm.impact_s >= 0.0:
            yield raid.track(number, begin_s + OVER_S, moment + alarm.impact_s, status="dropped", reason="impact")
        yield _warning(alarm, number, begin_s + OVER_S, moment, "all_clear")
    for k in range(screen.others):
        gone = msgspec.structs.replace(_aircraft(first_id + 50 + k, begin_s + OVER_S), status="dropped", reason="lost")
        yield gone
    yield Tick(t_ns=raid.t_ns(begin_s + OVER_S))


def messages() -> list[Message]:
    """Return the recording of all ten."""
    return [
        message
        for number, screen in enumerate(SCREENS)
        for message in _screen(screen, 100 * (number + 1), number * LENGTH_S)
    ]
