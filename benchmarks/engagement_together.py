"""One raid under many policies at once: what they have in common is flown once.

Until the first shot takes effect, every policy sees the same plots: tracks, impacts, threats and warnings are the same,
and only the decisions differ.  So a raid is flown as a tree.  It forks where shots differ, and policies that fire the
same shots stay on one branch.  What comes out is what each policy flown by itself comes to, to the byte
(`python benchmarks/engagement_policy_study.py --check 3` compares the two).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opencram import engagement
from opencram.config.scenario_model import Scenario
from opencram.engagement import Config
from opencram.messages import Decision, Engagement, Impact, Message, Operator, Threat, Tick, Track, Warning
from opencram.runtime.pipeline import PipelineConfig, PipelineState, due_t_ns, dwells, initial, step
from opencram.runtime.simulate import TICK_NS
from opencram.runtime.world import world_of
from opencram.simulation import world
from opencram.simulation.model import WorldConfig
from opencram.simulation.truth import truth_document

_SEEN = (Track, Impact, Threat)
CONSENT_NS = 4_000_000_000  # an operator agrees so long after being asked


@dataclass
class Case:
    """A policy on its way: what its engagement stage knows, when its operator will agree to what, and what was said."""

    config: Config
    state: engagement.State
    agrees: list[tuple[int, int]] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)

    def decide(self, known: list[Message], tick: Tick) -> list[Message]:
        """Return what the policy makes of what all of them know."""
        due = [track_id for t_ns, track_id in self.agrees if t_ns <= tick.t_ns]
        self.agrees = [each for each in self.agrees if each[0] > tick.t_ns]
        spoken = [Operator(t_ns=tick.t_ns, operator="op", action="consent", track_id=track_id) for track_id in due]
        self.state, made = engagement.step(self.config, self.state, [*known, *spoken, tick])
        self.said += made
        for message in made:
            if isinstance(message, Decision) and message.code == "awaiting_consent":
                self.agrees.append((message.t_ns + CONSENT_NS, message.track_id))
        return made


@dataclass
class Branch:
    """Policies that have fired the same shots so far, and the one world in which they are."""

    cases: dict[str, Case]
    world: world.WorldState
    state: PipelineState
    tick_ns: int
    waiting: list[list[Message]] = field(default_factory=list)  # batches that have been seen and not been worked on


@dataclass(frozen=True)
class Flown:
    """What a raid came to under one policy."""

    truth: dict[str, Any]
    said: list[Message]


def flown_together(
    scenario: Scenario, configs: Mapping[str, PipelineConfig], *, tail_ns: int = 5_000_000_000
) -> dict[str, Flown]:
    """Return what a raid comes to under each of these configurations, which differ in engagement only."""
    world_config = world_of(scenario)
    shared = replace(next(iter(configs.values())), engagement=Config())
    first = Branch(
        cases={name: Case(each.engagement, engagement.initial(each.engagement)) for name, each in configs.items()},
        world=world.initial(world_config),
        state=initial(shared),
        tick_ns=world_config.start_t_ns,
    )
    branches, ended = [first], {}
    while branches:
        branch = branches.pop()
        batch = _next_batch(world_config, shared, branch, tail_ns)
        if batch is None:
            truth = truth_document(world_config, branch.world)
            ended |= {name: Flown(truth, case.said) for name, case in branch.cases.items()}
            continue
        branches += _after(world_config, shared, branch, batch)
    return {name: ended[name] for name in configs}


def _next_batch(config: WorldConfig, shared: PipelineConfig, branch: Branch, tail_ns: int) -> list[Message] | None:
    """Return the next batch of a branch, as `runtime.simulate.Raid` cuts them; None at its end."""
    while not branch.waiting:
        bodies = branch.world.bodies
        down_ns = max((b.end_t_ns for b in bodies if b.kind != "traffic"), default=config.start_t_ns)
        if world.done(config, branch.world) or branch.world.next_t_ns > down_ns + tail_ns:
            due_ns = due_t_ns(shared, branch.state)
            return None if due_ns is None else [Tick(t_ns=due_ns)]
        until_ns = min(world.next_dwell_t_ns(config, branch.world), branch.tick_ns)
        branch.world, plots = world.scan(config, branch.world, until_ns)
        branch.waiting = list(dwells(shared, plots))
        if until_ns == branch.tick_ns:
            branch.tick_ns += TICK_NS
            branch.waiting = branch.waiting or [[Tick(t_ns=until_ns)]]
    return branch.waiting.pop(0)


def _after(config: WorldConfig, shared: PipelineConfig, branch: Branch, batch: list[Message]) -> list[Branch]:
    """Return the branch after a batch, or the branches into which it forks."""
    branch.state, made = step(shared, branch.state, batch)
    known = [message for message in made if type(message) in _SEEN]
    warnings = [message for message in made if type(message) is Warning]
    tick = batch[-1]
    assert isinstance(tick, Tick)
    forks: dict[tuple[Message, ...], dict[str, Case]] = {}
    for name, case in branch.cases.items():
        case.said += warnings
        decided = case.decide(known, tick)
        fired = tuple(m for m in decided if isinstance(m, Engagement) and m.state == "fired")
        forks.setdefault(fired, {})[name] = case
    return [
        replace(branch, cases=cases, world=world.act(config, branch.world, fired)[0], waiting=list(branch.waiting))
        for fired, cases in forks.items()
    ]
