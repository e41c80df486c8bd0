"""What the stage remembers: rounds, engagements under way, channels and magazines.

`State` is what the outside holds, and is never changed.  `Draft` is the working copy inside one step.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from opencram.engagement.config import Config
from opencram.engagement.hit import kill_table
from opencram.engagement.lead import Friend, Lead
from opencram.engagement.shots import Shots
from opencram.messages import Action, Message

Value = TypeVar("Value")
Outcome = Literal["none", "fired", "killed", "missed"]
NEVER_T_NS = 1 << 62


class Round(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One track, from its first message to its end.

    It holds nothing that could hold it, so that the garbage collector need not look at it.
    """

    track_id: int
    heard_t_ns: int  # time of the newest message about it
    track_t_ns: int = -NEVER_T_NS
    confirmed_t_ns: int | None = None
    is_projectile: bool = False  # has been one, confirmed, at some time: it is owed a decision
    projectile_probability: float = 0.0
    first_t_ns: int = 0
    updated_t_ns: int = 0
    plots: int = 0
    track_m_std: float = 0.0  # of the track, in each axis
    ended: str = ""  # the reason, once its track is dropped

    threat_t_ns: int = -NEVER_T_NS
    lead: Lead | None = None
    worth: float = 0.0  # people, or their like, saved by a kill
    sure_since_t_ns: int | None = None
    settled: bool = False

    path_t_ns: int = -NEVER_T_NS
    impact_m_std: float = 0.0  # of the predicted impact, along the long axis
    free_shots: tuple[Shots, ...] = ()  # by effector, in the order of the config, before any hold rule
    still_shots: tuple[Shots, ...] = ()  # those that the rules allow which do not look at what moves
    shots: tuple[Shots, ...] = ()  # those that every hold rule allows
    impact_t_ns: int = 0
    path_known: bool = False
    decide_by_t_ns: int | None = None
    last_start_t_ns: int | None = None

    called: bool = False  # the last call has been, and is not taken back when the prediction moves
    decided: bool = False  # the estimate was good enough to act on, and has not fallen since
    ready_since_t_ns: int | None = None  # nothing but people and channels stood in the way since
    consent: bool = False
    vetoed: bool = False
    held: bool = False

    outcome: Outcome = "none"
    outcome_effector: str = ""
    outcome_t_ns: int = 0
    shots_fired: int = 0
    killed_plots: int = 0  # of the track, and the time, when it was last counted as killed
    killed_t_ns: int = 0
    revived: bool = False  # believed killed, and seen again
    standing: tuple[Action, str | None, str] | None = None  # action, asset, code of the last decision
    unruled: bool = True  # path or threat has changed since the hold rules were last asked
    watched: bool = False  # friends were near when they were
    wake_t_ns: int = NEVER_T_NS  # when time alone may change the judgement


class Planned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the last plan held for a round: the effector, when it starts to turn, and how many shots are reserved."""

    effector: int
    start_t_ns: int
    shots: int


class Engaging(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One simulated engagement under way."""

    engagement_id: int
    track_id: int
    effector: int
    channel: int
    rounds: int
    fire_t_ns: int
    intercept_t_ns: int
    done_t_ns: int
    intercept_enu_m: tuple[float, float, float]
    kill_probability: float
    tracking_m_std: float = 0.0  # what the track's own deviation leaves of an error across the line of fire
    fired: bool = False
    passed_plots: int | None = None  # of the track, and the time of its last, when the shot had passed
    passed_t_ns: int = 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The stage between two steps.  Mappings are never written to; a step makes new ones."""

    now_t_ns: int | None
    decided_t_ns: int | None
    rounds: Mapping[int, Round]
    ended: Mapping[int, None]
    engaging: tuple[Engaging, ...]
    magazines: tuple[int, ...]  # rounds left, by effector
    channels: tuple[tuple[int, ...], ...]  # by effector and channel: busy until
    plan: Mapping[int, Planned]  # the last plan, by round
    next_engagement_id: int
    held: bool
    trouble_until_t_ns: int | None
    friends: Mapping[int, Friend]
    due: frozenset[int]  # rounds that have changed since they were last judged
    look_t_ns: int  # before this, no other round need be looked at
    stale_t_ns: int  # before this, none has gone unheard for too long


def initial(config: Config) -> State:
    """Return the state before any message: no round, full magazines, free channels."""
    for effector in config.effectors:  # worked out here, so that no later step has to wait for it
        kill_table(effector.behaviour, effector.range_m_min, effector.range_m_max)
    return State(
        now_t_ns=None,
        decided_t_ns=None,
        rounds={},
        ended={},
        engaging=(),
        magazines=tuple(effector.magazine_rounds for effector in config.effectors),
        channels=tuple((-NEVER_T_NS,) * effector.behaviour.channels for effector in config.effectors),
        plan={},
        next_engagement_id=1,
        held=False,
        trouble_until_t_ns=None,
        friends={},
        due=frozenset(),
        look_t_ns=NEVER_T_NS,
        stale_t_ns=-NEVER_T_NS,
    )


class Draft(msgspec.Struct, kw_only=True):
    """A state being worked on, and the messages so far.  It lives within one step only.

    `ended`, `plan` and `friends` may still be those of the state: they are replaced, never written to.
    """

    now_t_ns: int | None
    decided_t_ns: int | None
    rounds: dict[int, Round]
    ended: Mapping[int, None]
    engaging: list[Engaging]
    magazines: list[int]
    channels: list[list[int]]
    plan: Mapping[int, Planned]
    next_engagement_id: int
    held: bool
    trouble_until_t_ns: int | None
    friends: Mapping[int, Friend]
    due: set[int]
    look_t_ns: int
    stale_t_ns: int
    urgent: bool = False  # something cannot wait for the next decision period
    out: list[Message] = []


def draft_of(state: State) -> Draft:
    """Return a working copy; nothing in it is shared with `state` that can be changed."""
    return Draft(
        now_t_ns=state.now_t_ns,
        decided_t_ns=state.decided_t_ns,
        rounds=dict(state.rounds),
        ended=state.ended,
        engaging=list(state.engaging),
        magazines=list(state.magazines),
        channels=[list(channel) for channel in state.channels],
        plan=state.plan,
        next_engagement_id=state.next_engagement_id,
        held=state.held,
        trouble_until_t_ns=state.trouble_until_t_ns,
        friends=state.friends,
        due=set(state.due),
        look_t_ns=state.look_t_ns,
        stale_t_ns=state.stale_t_ns,
    )


def state_of(draft: Draft) -> State:
    """Return the finished draft as a state."""
    return State(
        now_t_ns=draft.now_t_ns,
        decided_t_ns=draft.decided_t_ns,
        rounds=draft.rounds,
        ended=draft.ended,
        engaging=tuple(draft.engaging),
        magazines=tuple(draft.magazines),
        channels=tuple(tuple(channel) for channel in draft.channels),
        plan=draft.plan,
        next_engagement_id=draft.next_engagement_id,
        held=draft.held,
        trouble_until_t_ns=draft.trouble_until_t_ns,
        friends=draft.friends,
        due=frozenset(draft.due),
        look_t_ns=draft.look_t_ns,
        stale_t_ns=draft.stale_t_ns,
    )


def without(mapping: Mapping[int, Value], key: int) -> dict[int, Value]:
    """Return a mapping less one of its keys."""
    return {known: value for known, value in mapping.items() if known != key}
