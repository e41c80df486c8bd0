"""Threats → warnings: the life of an alarm in each zone, over all rounds together.

A round counts for its zones from its first `Threat` on.  What ends it:

- track dropped by "impact", or unheard of past its impact: it has fallen; zones it was likely for keep their alarm
  through the dwell, to the all-clear;
- "lost", "limit" or no reason: it flies on unseen.  Its last prediction stands until its impact, then it has fallen;
- "intercepted": it counts no more; alarms on its account stand for the time that debris takes to fall;
- "never_confirmed", "duplicate": it counts no more.

Time comes from `Threat`, `Track` (ends), `Tick` and `Health`; a time that goes back is taken as the latest one heard.
Operators cannot stand in the way of a warning: an `acknowledge` changes nothing here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from opencram.messages import Health, Message, Rejected, Threat, Tick, Track, Warning
from opencram.warning.alarm import Alarm, Sight, judge, wake_t_ns
from opencram.warning.config import Config
from opencram.warning.districts import ENDS, above, district_warnings
from opencram.warning.rounds import Fall, Round, either, round_of

_HEARD = frozenset((Threat, Tick, Health))  # and the ends of tracks
_NEVER_NS = -(2**63)
_ENDED_MEMORY_NS = 60_000_000_000  # a threat may come this much later than the end of its track and is not believed


@dataclass(frozen=True)
class State:
    """All that the stage remembers.  Nothing in it is ever changed; each step makes what it needs anew."""

    t_ns: int = _NEVER_NS  # latest time heard
    rounds: Mapping[int, Round] = field(default_factory=dict)  # in the air, by track
    alarms: Mapping[int, Alarm] = field(default_factory=dict)  # live, by number of the zone
    alarms_issued: int = 0
    ended: Mapping[int, int] = field(default_factory=dict)  # tracks that ended lately, and when
    degraded: tuple[tuple[str, str], ...] = ()  # parts that are not well, and how, by name
    numbers: Mapping[str, int] = field(default_factory=dict)  # of the zones, by id; fixed
    districts: Mapping[str, Warning] = field(default_factory=dict)  # in alarm, and the last said of them
    holders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # districts of each zone; fixed
    wakes: Mapping[int, int] | None = None  # when time alone may change what is said, by zone; None: judge them all


def initial(config: Config) -> State:
    """Return the state before the first message."""
    assert 0.0 < config.probability <= 1.0
    assert 0.0 < config.cancel_ratio < 1.0
    assert 0.0 < config.degraded_factor <= 1.0
    assert all(0.0 <= zone.shelter_time_s < 1e6 for zone in config.zones)
    assert all(zone.probability is None or 0.0 < zone.probability <= 1.0 for zone in config.zones)
    numbers = {zone.id: number for number, zone in enumerate(config.zones)}
    assert len(numbers) == len(config.zones), "two zones have one id"
    assert not numbers.keys() & {each.id for each in config.districts}, "a zone and a district have one id"
    return State(numbers=numbers, holders=above(config))


@dataclass
class _Scene:
    """The state while one batch is worked through: copies, free to change."""

    config: Config
    t_ns: int
    rounds: dict[int, Round]
    alarms: dict[int, Alarm]
    alarms_issued: int
    ended: dict[int, int]
    degraded: dict[str, str]
    numbers: Mapping[str, int]  # as in the state, not a copy: nobody changes it
    districts: dict[str, Warning]
    holders: Mapping[str, tuple[str, ...]]  # as in the state
    falls: dict[int, list[Fall]]
    wakes: dict[int, int]
    touched: set[int]  # zones of which something new has been heard
    everyone: bool  # all zones are to be judged
    out: list[Message]


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return the state after the batch and the warnings due: by time, then in the order of the zones.

    Messages of one time are heard together before the zones are judged.  A round that finds no room (`rounds_max`)
    is a `Rejected` with code "limit"; the round least dangerous to any zone is the one left out.
    """
    heard = [m for m in batch if type(m) in _HEARD or (type(m) is Track and m.status == "dropped")]
    if not heard:
        return state, []
    scene = _Scene(
        config=config,
        t_ns=state.t_ns,
        rounds=dict(state.rounds),
        alarms=dict(state.alarms),
        alarms_issued=state.alarms_issued,
        ended=dict(state.ended),
        degraded=dict(state.degraded),
        numbers=state.numbers,
        districts=dict(state.districts),
        holders=state.holders,
        falls={},
        wakes=dict(state.wakes or {}),
        touched=set(),
        everyone=state.wakes is None,
        out=[],
    )
    pending = False
    for message in heard:
        if message.t_ns > scene.t_ns:
            if pending:
                _judge_zones(scene)
            scene.t_ns = message.t_ns
        _hear(scene, message)
        pending = True
    _judge_zones(scene)
    after = State(
        t_ns=scene.t_ns,
        rounds=scene.rounds,
        alarms=scene.alarms,
        alarms_issued=scene.alarms_issued,
        ended=_recent(config, scene),
        degraded=tuple(sorted(scene.degraded.items())),
        numbers=state.numbers,
        districts=scene.districts,
        holders=state.holders,
        wakes=scene.wakes,
    )
    return after, scene.out


def _recent(config: Config, scene: _Scene) -> dict[int, int]:
    if not scene.ended:
        return scene.ended
    kept = [(track_id, t) for track_id, t in scene.ended.items() if scene.t_ns - t <= _ENDED_MEMORY_NS]
    return dict(kept[-config.rounds_max :])


def _hear(scene: _Scene, message: Message) -> None:
    if type(message) is Threat:
        _hear_threat(scene, message)
    elif type(message) is Track:
        _hear_end(scene, message)
    elif type(message) is Health and message.part.startswith(scene.config.degrading_parts):
        _hear_health(scene, message)


def _hear_health(scene: _Scene, health: Health) -> None:
    scene.everyone = True
    if health.state == "ok":
        scene.degraded.pop(health.part, None)
    elif health.part in scene.degraded or len(scene.degraded) < scene.config.degraded_max:
        scene.degraded[health.part] = health.state
    else:
        reason = f"warning: {scene.config.degraded_max} parts are degraded (degraded_max); {health.part} is not named"
        scene.out.append(Rejected(t_ns=scene.t_ns, reason=reason, code="limit"))


def _hear_threat(scene: _Scene, threat: Threat) -> None:
    before = scene.rounds.get(threat.track_id)
    if threat.track_id in scene.ended or (before is not None and threat.t_ns < before.t_ns):
        return
    heard = round_of(scene.config, scene.numbers, threat, before)
    _touch(scene, heard, before)
    if not heard.shares:
        scene.rounds.pop(threat.track_id, None)
        return
    scene.rounds[threat.track_id] = heard
    if len(scene.rounds) > scene.config.rounds_max:
        least = min(scene.rounds.values(), key=lambda each: (each.worst, -each.track_id))
        del scene.rounds[least.track_id]
        _touch(scene, least)
        reason = (
            f"warning: {scene.config.rounds_max} rounds are in the air (rounds_max); round {least.track_id}, "
            f"the least dangerous at {least.worst:.3f}, is left out"
        )
        scene.out.append(Rejected(t_ns=scene.t_ns, reason=reason, code="limit"))


def _hear_end(scene: _Scene, track: Track) -> None:
    ended = scene.rounds.get(track.track_id)
    if ended is None or track.track_id in scene.ended:
        return
    scene.ended[track.track_id] = scene.t_ns
    if track.reason in ("lost", "limit", ""):
        return
    del scene.rounds[track.track_id]
    _touch(scene, ended)
    if track.reason == "impact":
        _fall(scene, ended, min(ended.impact_t_ns, scene.t_ns))
    elif track.reason == "intercepted":
        hold_t_ns = scene.t_ns + round(scene.config.debris_s * 1e9)
        for number, _ in ended.shares:
            alarm = scene.alarms.get(number)
            if alarm is not None and track.track_id in alarm.sent.track_ids:
                scene.alarms[number] = replace(alarm, hold_t_ns=max(alarm.hold_t_ns, hold_t_ns))


def _touch(scene: _Scene, *rounds: Round | None) -> None:
    """Remember that something is new in every zone that these rounds may come down near."""
    for each in rounds:
        if each is not None:
            scene.touched.update([number for number, _ in each.shares])


def _fall(scene: _Scene, fallen: Round, t_ns: int) -> None:
    for number, p in fallen.shares:
        scene.falls.setdefault(number, []).append(Fall(fallen.track_id, t_ns, p))


def _judge_zones(scene: _Scene) -> None:
    """Judge, in config order, every zone of which something new was heard, or in which time may change something."""
    _let_fall(scene)
    due = _due(scene)
    if not due:
        return
    config = scene.config
    flying: dict[int, list[tuple[Round, float]]] = {number: [] for number in due}
    for each in scene.rounds.values():
        for number, p in each.shares:
            if number in flying:
                flying[number].append((each, p))
    factor = config.degraded_factor if scene.degraded else 1.0
    clause = ""
    begun = len(scene.out)
    if scene.degraded:
        parts = ", ".join(f"{part} {how}" for part, how in sorted(scene.degraded.items()))
        clause = f"; thresholds times {config.degraded_factor:g}: {parts}"
    for number in due:
        zone = config.zones[number]
        threshold = factor * (config.probability if zone.probability is None else zone.probability)
        near, alarm = flying[number], scene.alarms.get(number)
        falls = scene.falls.get(number, ())
        probability = either([p for _, p in near])
        if alarm is None and not falls and probability < threshold:
            scene.wakes.pop(number, None)
            continue  # most zones, most of the time
        sight = Sight(
            t_ns=scene.t_ns,
            zone=zone,
            flying=tuple(near),
            probability=probability,
            falls=tuple(falls),
            threshold=threshold,
            cancel_below=threshold * config.cancel_ratio,
            degraded=clause,
        )
        _settle(scene, number, sight, judge(config, sight, alarm, scene.alarms_issued + 1))
    scene.falls.clear()
    scene.touched.clear()
    scene.everyone = False
    if config.districts:
        _tell_districts(scene, [each for each in scene.out[begun:] if isinstance(each, Warning)])


def _let_fall(scene: _Scene) -> None:
    """Take down the rounds that must have reached the ground by now."""
    past_ns = scene.t_ns - round(scene.config.overdue_s * 1e9)
    for fallen in [each for each in scene.rounds.values() if past_ns > each.impact_t_ns and past_ns > each.latest_t_ns]:
        del scene.rounds[fallen.track_id]
        scene.ended[fallen.track_id] = scene.t_ns
        _touch(scene, fallen)
        _fall(scene, fallen, fallen.impact_t_ns)


def _due(scene: _Scene) -> list[int]:
    """Return the zones to judge: those touched, and those whose time has come."""
    if scene.everyone:
        near = {number for each in scene.rounds.values() for number, _ in each.shares}
        return sorted(near | scene.touched | scene.alarms.keys())
    now_ns = scene.t_ns
    return sorted(scene.touched.union([number for number, wake_ns in scene.wakes.items() if wake_ns <= now_ns]))


def _tell_districts(scene: _Scene, said: list[Warning]) -> None:
    """Add what changed for the districts of the zones that were just spoken of."""
    zones = {scene.config.zones[number].id: alarm.sent for number, alarm in scene.alarms.items()}
    for one in district_warnings(scene.holders, scene.districts, zones, said, scene.alarms_issued + 1):
        scene.alarms_issued = max(scene.alarms_issued, one.alarm_id)
        scene.out.append(one)
        if one.state in ENDS:
            del scene.districts[one.zone]
        else:
            scene.districts[one.zone] = one


def _settle(scene: _Scene, number: int, sight: Sight, judged: tuple[Alarm | None, Warning | None]) -> None:
    alarm, warning = judged
    if alarm is None:
        scene.alarms.pop(number, None)
        scene.wakes[number] = sight.t_ns  # it may be warned at any moment
    else:
        scene.alarms[number] = alarm
        scene.alarms_issued = max(scene.alarms_issued, alarm.alarm_id)
        scene.wakes[number] = wake_t_ns(scene.config, sight, alarm)
    if warning is not None:
        scene.out.append(warning)
