"""Fly a scenario through the pipeline in closed loop: radars see, the pipeline decides, effectors act on the rounds."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opencram.config.scenario_model import Scenario
from opencram.messages import Engagement, Message, Tick
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import Call, PipelineConfig, due_t_ns, dwells, initial, plainly, step
from opencram.runtime.world import world_of
from opencram.simulation import world
from opencram.simulation.model import WorldConfig
from opencram.simulation.truth import truth_document

TICK_NS = 100_000_000  # time goes on in the simulation, plots or none: the engagement stage decides this often
_DELAYS = 4.0  # means of an exponential delay that are waited for: all but 2 % of scans have come by then


class Raid:
    """World and pipeline side by side: plots of the one go into the other, engagements of the other act on the one."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        config: PipelineConfig | None = None,
        world_config: WorldConfig | None = None,
        call: Call = plainly,
    ) -> None:
        """Fly the rounds.  `config` and `world_config`: the site's and the scenario's own, where they are at hand."""
        self._scenario = scenario
        self._call = call
        self._world_config = world_of(scenario) if world_config is None else world_config
        self._world_state = call(world.initial, self._world_config)
        self._config = configure(scenario.site, closed_loop=True) if config is None else config
        self._down: tuple[object, int] = (None, 0)  # bodies, and when the last of them is down
        self._behind_ns = behind_ns(self._world_config)

    @property
    def truth_now(self) -> tuple[WorldConfig, world.WorldState]:
        """The world, and its state as far as the raid has been flown."""
        return self._world_config, self._world_state

    def truth(self) -> dict[str, Any]:
        """Return all that is true of the raid, as far as it has been flown."""
        scenario = self._scenario
        named = {"scenario": scenario.name, "scenario_sha256": scenario.sha256}
        return named | truth_document(self._world_config, self._world_state)

    def batches(
        self,
        said: Callable[[int], list[Message]] = lambda _t_ns: [],
        *,
        idle_ns_max: int | None = None,
        tail_ns: int | None = None,
    ) -> Iterator[tuple[Sequence[Message], Sequence[Message]]]:
        """Fly the raid to the end of its last track and alarm; yield each batch with what the pipeline made of it.

        `said` gives what operators have done by a time; it goes into the batch of that time.  `idle_ns_max`: time
        goes on in steps no longer than this when nothing flies any more, for those who watch.  `tail_ns`: the radars
        look on for so long after the last round is down, instead of to the end of the scenario.
        """
        call, state = self._call, initial(self._config, self._call)
        tick_ns = self._world_config.start_t_ns
        while not world.done(self._world_config, self._world_state) and not self._over(tail_ns):
            until_ns = min(world.next_dwell_t_ns(self._world_config, self._world_state), tick_ns)
            self._world_state, plots = call(world.scan, self._world_config, self._world_state, until_ns)
            batches: list[list[Message]] = list(dwells(self._config, plots))
            if not batches and until_ns == tick_ns >= self._world_config.start_t_ns + self._behind_ns:
                batches = [[Tick(t_ns=tick_ns - self._behind_ns)]]
            if until_ns == tick_ns:
                tick_ns += TICK_NS
            if batches:
                batches[0] = [*said(until_ns), *batches[0]]
            for batch in batches:
                state, made = step(self._config, state, batch, call)
                shots = [message for message in made if type(message) is Engagement]
                self._world_state, _ = call(world.act, self._world_config, self._world_state, shots)
                yield batch, made
        while (due_ns := due_t_ns(self._config, state)) is not None:
            if idle_ns_max is not None:
                due_ns = min(due_ns, state.now_ns + idle_ns_max)
            last: list[Message] = [*said(due_ns), Tick(t_ns=due_ns)]
            state, made = step(self._config, state, last, call)
            yield last, made

    def _over(self, tail_ns: int | None) -> bool:
        """Return whether the last round, or what is left of it, has been down for so long."""
        if tail_ns is None:
            return False
        bodies = self._world_state.bodies
        if self._down[0] is not bodies:
            start_ns = self._world_config.start_t_ns
            self._down = bodies, max((b.end_t_ns for b in bodies if b.kind != "traffic"), default=start_ns)
        return self._world_state.next_t_ns > self._down[1] + tail_ns


def behind_ns(config: WorldConfig) -> int:
    """Return how far the time of the data is behind that of the world when no plot comes (ns).

    Scans that are still on their way are no scans without plots: time goes on only as far as all radars have told.
    """
    faults = [radar.faults for radar in config.radars]
    return round(max((each.latency_s + _DELAYS * each.latency_s_mean for each in faults), default=0.0) * 1e9)
