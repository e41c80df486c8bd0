"""What a study file says.  `config.study` reads it; its language is described in `docs/study.md`."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DistributionKind = Literal["fixed", "uniform", "normal", "lognormal", "exponential", "poisson", "integers", "choice"]
Design = Literal["grid", "one_at_a_time", "latin_hypercube", "sobol"]
Words = tuple[str, ...]  # a path: the document, then the way to the key


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A distribution of numbers, or of whatever `choice` lists.

    `first` and `second`: the ends of `uniform` and `integers` (both inclusive), mean and deviation of `normal`, median
    and deviation of the logarithm of `lognormal`, mean of `exponential` and `poisson`.  All but `choice` and
    `fixed` are cut to [at_least, at_most] and renormed.
    """

    kind: DistributionKind
    first: float = 0.0
    second: float = 0.0
    at_least: float = -math.inf
    at_most: float = math.inf
    values: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Area:
    """Where rounds leave, or fall: a disc with all of it alike, or a Gaussian about the middle (m, site ENU)."""

    name: str
    east_m: float
    north_m: float
    radius_m: float = 0.0
    std_m: float = 0.0
    weight: float = 1.0
    sample_weight: float | None = None  # what importance sampling takes instead


@dataclass(frozen=True, kw_only=True)
class Salvo:
    """Random launches from one place at a time.

    Place, class, number, time and interval are drawn once for the salvo, the rest for each of its rounds.
    """

    name: str
    probability: float
    count: Distribution
    time_s: Distribution
    interval_s: Distribution
    class_name: Distribution
    launch_areas: tuple[Area, ...]
    aim_areas: tuple[Area, ...]
    elevation_deg: Distribution | None
    speed_m_s: Distribution | None
    coefficient_factor: Distribution  # times the usual ballistic coefficient of the class


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of several things that may be so: settings that hold together."""

    name: str
    weight: float
    settings: tuple[tuple[Words, Any], ...]
    removed: tuple[Words, ...] = ()
    sample_weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A value drawn anew in each run and set at `paths`; or, where `cases` are given, one of them."""

    name: str
    paths: tuple[Words, ...] = ()
    value: Distribution | None = None
    sample: Distribution | None = None  # what importance sampling draws from instead
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Factor:
    """Something swept: named levels, or a range of a number that a design takes points of."""

    name: str
    levels: tuple[Case, ...] = ()
    paths: tuple[Words, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False  # whole numbers only
    logarithmic: bool = False


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Stop when the interval of `measure` is no wider than `width` on each side, in every alternative.

    `relative`: the width is a share of the estimate.  `difference`: it is that of the paired difference from
    the first alternative that counts.
    """

    measure: str
    width: float
    relative: bool = False
    difference: bool = False
    runs_min: int = 100


@dataclass(frozen=True, kw_only=True)
class RaidEnd:
    """What ends a run: so long after the last round is down, or with the scenario (None)."""

    tail_s: float | None = 5.0


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """A whole study file.  `text` is the file as read, `sha256` its hash; paths are absolute."""

    name: str
    scenario_path: Path
    seed: int
    runs: int
    block: int
    common: bool
    confidence: float
    measures: tuple[str, ...]  # to report; empty: all
    salvos: tuple[Salvo, ...]
    draws: tuple[Draw, ...]
    factors: tuple[Factor, ...]
    design: Design
    points: int
    stop: Stop | None
    raid: RaidEnd
    consent: Distribution | None  # seconds that the operator takes; None: nobody consents
    safe_share: float  # of the runs under importance sampling that are drawn as if there were none
    text: str
    sha256: str
