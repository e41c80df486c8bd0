"""One run: the raid is drawn, flown through the whole pipeline, and scored.  A plain function of plain data.

What is costly and the same for many runs is kept by the process that needs it: a prepared study by its hash, the
pipeline's configuration and the ground by alternative.
"""

import functools
import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from opencram.config.model import Site
from opencram.config.scenario_model import Scenario
from opencram.errors import OpencramError
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import PipelineConfig
from opencram.runtime.simulate import Raid
from opencram.simulation.streams import stream
from opencram.studies.distributions import value_of
from opencram.studies.drawing import Drawn, draw, run_seed
from opencram.studies.ground import Ground, ground_of
from opencram.studies.listening import Ear, ModelOperator
from opencram.studies.preparing import Alternative, Prepared, scenario_of
from opencram.studies.rows import RunRow, encoded
from opencram.studies.scoring import Scored, score

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


def run_chunk(parcel: Parcel, alternative: int, runs: Sequence[int]) -> list[bytes]:
    """Return the rows of these runs of an alternative, encoded.  This is what a worker does."""
    prepared = _opened(parcel)
    return [encoded(run_one(prepared, alternative, run)) for run in runs]


def run_one(prepared: Prepared, number: int, run: int) -> RunRow:
    """Return the row of one run.  What cannot be flown is a row with its error, never silence."""
    study, alternative = prepared.study, prepared.alternatives[number]
    seed = run_seed(study, run, number)
    drawn = draw(study, seed)
    row = RunRow(alternative=number, run=run, seed=seed, weight=drawn.weight, drawn=dict(drawn.values))
    try:
        scored = flown(prepared, alternative, drawn)
    except OpencramError as error:
        return RunRow(alternative=number, run=run, seed=seed, weight=drawn.weight, drawn=row.drawn, error=str(error))
    return RunRow(
        alternative=number,
        run=run,
        seed=seed,
        weight=drawn.weight,
        drawn=row.drawn,
        quantities=scored.quantities,
        zones=scored.zones,
        impacts=scored.impacts,
    )


def flown(prepared: Prepared, alternative: Alternative, drawn: Drawn) -> Scored:
    """Fly one raid through the whole pipeline and return what it came to."""
    scenario: Scenario = scenario_of(prepared, alternative, drawn)
    config, ground = _configured(scenario.site)
    raid = Raid(scenario, config=config)
    ear, operator = Ear(), _operator(prepared, drawn.seed)
    tail_s = prepared.study.raid.tail_s
    tail_ns = None if tail_s is None else round(tail_s * 1e9)
    for _, made in raid.batches(operator.said if operator else lambda _t_ns: [], tail_ns=tail_ns):
        ear.take(made)
        if operator:
            operator.hear(made)
    return score(*raid.truth_now, ear, ground)


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


def _configured(site: Site) -> tuple[PipelineConfig, Ground]:
    """Return the pipeline's configuration and the ground of a site; the same site object is configured once."""
    known = _CONFIGURED.get(id(site))
    if known is None or known[0] is not site:
        config = configure(site, closed_loop=True)
        known = (site, config, ground_of(config))
        if len(_CONFIGURED) >= _CONFIGURED_MAX:
            _CONFIGURED.clear()
        _CONFIGURED[id(site)] = known
    return known[1], known[2]
