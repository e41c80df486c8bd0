"""Runs: a raid is drawn, flown through the whole pipeline, and scored.  A plain function of plain data.

The alternatives of a raid are flown side by side (`together`), so that what they have in common is worked out once.

What is costly and the same for many runs is kept by the process that needs it: a prepared study by its hash, the
pipeline's configuration and the ground by alternative.
"""

import functools
import hashlib
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from msgspec.structs import replace

from opencram.config.model import Site
from opencram.config.scenario_model import Scenario
from opencram.errors import OpencramError
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import PipelineConfig
from opencram.runtime.simulate import Raid
from opencram.runtime.world import world_of
from opencram.simulation.streams import stream
from opencram.studies.distributions import value_of
from opencram.studies.drawing import draw, run_seed
from opencram.studies.ground import Ground, ground_of
from opencram.studies.listening import Ear, ModelOperator
from opencram.studies.preparing import Prepared, scenario_of
from opencram.studies.rows import RunRow, encoded
from opencram.studies.scoring import score
from opencram.studies.together import Memory, Parts, side_by_side

_DELAYS = 64  # rounds that a model operator has a delay of its own for


@dataclass(frozen=True)
class Parcel:
    """A prepared study as it is sent to workers: bytes, and their hash, by which a worker knows it again."""

    sha256: str
    data: bytes


def parcel_of(prepared: Prepared) -> Parcel:
    """Return a prepared study, ready to be sent."""
    data = pickle.dumps(prepared, protocol=5)
    return Parcel(hashlib.sha256(data).hexdigest(), data)


Cell = tuple[int, int]  # the number of an alternative, and a run


def run_chunk(parcel: Parcel, cells: Sequence[Cell]) -> list[bytes]:
    """Return the rows of these runs, encoded.  This is what a worker does."""
    prepared = _opened(parcel)
    rows: dict[Cell, bytes] = {}
    for run in dict.fromkeys(run for _, run in cells):
        numbers = [number for number, each in cells if each == run]
        for row in run_together(prepared, numbers, run):
            rows[row.alternative, run] = encoded(row)
    return [rows[cell] for cell in cells]


def run_together(prepared: Prepared, numbers: Sequence[int], run: int) -> list[RunRow]:
    """Return the rows of a run of these alternatives.  What cannot be flown is a row with its error, never silence."""
    memory, worlds = Memory(len(numbers)), Parts()
    flights = [_Flight(prepared, number, run, memory, worlds) for number in numbers]
    side_by_side(flight.steps() for flight in flights)
    return [flight.row for flight in flights]


class _Flight:
    """One run of one alternative on its way."""

    def __init__(self, prepared: Prepared, number: int, run: int, memory: Memory, worlds: Parts) -> None:
        self._prepared, self._memory, self._worlds = prepared, memory, worlds
        seed = run_seed(prepared.study, run, number)
        self._drawn = draw(prepared.study, seed)
        self.row = RunRow(
            alternative=number, run=run, seed=seed, weight=self._drawn.weight, drawn=dict(self._drawn.values)
        )

    def steps(self) -> Iterator[bool]:
        """Fly, a batch a step; the row is whole at the end."""
        try:
            yield from self._flown()
        except OpencramError as error:
            self.row = replace(self.row, error=str(error))

    def _flown(self) -> Iterator[bool]:
        prepared, drawn = self._prepared, self._drawn
        scenario: Scenario = scenario_of(prepared, prepared.alternatives[self.row.alternative], drawn)
        config, ground = _configured(scenario.site)
        raid = Raid(
            scenario,
            config=config,
            world_config=self._worlds.one(world_of(scenario)),
            call=self._memory.call,
        )
        ear, operator = Ear(), _operator(prepared, drawn.seed)
        tail_s = prepared.study.raid.tail_s
        tail_ns = None if tail_s is None else round(tail_s * 1e9)
        for _, made in raid.batches(operator.said if operator else lambda _t_ns: [], tail_ns=tail_ns):
            ear.take(made)
            if operator:
                operator.hear(made)
            yield True
        scored = score(*raid.truth_now, ear, ground)
        self.row = replace(
            self.row, quantities=scored.quantities, zones=scored.zones, impacts=scored.impacts, course=scored.course,
            approach=scored.approach,
        )  # fmt: skip


def _operator(prepared: Prepared, seed: int) -> ModelOperator | None:
    delay = prepared.study.consent
    if delay is None:
        return None
    uniforms = stream(seed, "study/operator").random(_DELAYS)
    return ModelOperator([float(value_of(delay, max(float(u), 1e-12))) for u in uniforms])


@functools.lru_cache(maxsize=4)
def _opened_data(data: bytes) -> Prepared:
    return cast(Prepared, pickle.loads(data))


def _opened(parcel: Parcel) -> Prepared:
    return _opened_data(parcel.data)


_CONFIGURED: dict[int, tuple[Site, PipelineConfig, Ground]] = {}
_CONFIGURED_MAX = 64
_PARTS = Parts()  # so that sites which differ in one stage share the configurations of the others


def _configured(site: Site) -> tuple[PipelineConfig, Ground]:
    """Return the pipeline's configuration and the ground of a site; the same site object is configured once."""
    known = _CONFIGURED.get(id(site))
    if known is None or known[0] is not site:
        config = _PARTS.pipeline(configure(site, closed_loop=True))
        known = (site, config, ground_of(config))
        if len(_CONFIGURED) >= _CONFIGURED_MAX:
            _CONFIGURED.clear()
        _CONFIGURED[id(site)] = known
    return known[1], known[2]
