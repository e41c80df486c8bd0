"""The plan: the map of what stands, and the best places for what could stand."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from opencram.config.plan_model import PlanFile, Siren
from opencram.errors import UsageError
from opencram.runtime.configure import configure
from opencram.siting.flights import Cells, believed_air, cells_of, flight_to, radars_of
from opencram.siting.placing import Choice, exhaustive, greedy
from opencram.siting.seconds import NEVER, Place, Warned, places_of, prior_of, sights, warned

Floats = NDArray[np.float64]
Tell = Callable[[int, int], None]

LAYERS: Final = ("seconds", "seconds_mean", "unwarned", "error_m", "seen_s", "reached")


@dataclass(frozen=True, kw_only=True)
class SitingMap:
    """What a set of radars and sirens gives over the map; each layer (rows, columns), rows from the south.

    `seconds`: of warning from the worst threat that gets there, −1 where one of them gives none, NaN where none gets
    there.
    `seconds_mean`: over threats by weight, no warning as 0.  `unwarned`: share of the threats that leave less than
    enough.  `error_m`: worst bound of the impact error 10 s before.  `seen_s`: least time in sight.  `reached`: share
    of the threats that get there.
    """

    cells: Cells
    layers: dict[str, Floats]
    enough_s: float
    people: Floats
    radars: tuple[str, ...]
    sirens: tuple[str, ...]

    @property
    def people_late(self) -> float:
        """Return how many people live where some threat leaves less warning than is enough."""
        late = self.layers["seconds"] < self.enough_s  # NaN is not less
        return float(self.people[late].sum())


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The best places for n things of one kind."""

    kind: Literal["radar", "siren"]
    names: tuple[str, ...]
    choice: Choice
    best: Choice | None  # by exhaustive search, where asked for
    candidates: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan worked out: the map as things stand, and with what was chosen."""

    file: PlanFile
    now: SitingMap
    placements: tuple[Placement, ...]
    then: SitingMap | None


@dataclass(frozen=True)
class _Worked:
    """For each threat and cell what each radar alone gives, and what sets of them would."""

    alone: list[list[list[Warned] | None]]  # threat, cell, radar
    together: list[list[Warned | None]]  # threat, cell: of those that stand


def work_out(
    plan: PlanFile,
    *,
    radars: int = 0,
    sirens: int = 0,
    check: bool = False,
    tell: Tell = lambda _done, _all: None,
) -> Plan:
    """Return the plan with the best places for so many more radars and sirens; `check`: beside exhaustive search."""
    _judge(plan, radars, sirens)
    cells = cells_of(plan)
    config = configure(plan.site)
    places = places_of(plan, config, cells.middles())
    standing = len(plan.site.sensors)
    total = 1 + (radars > 0)
    everyone = radars_of(plan.site, (*plan.site.sensors, *plan.radar_candidates), plan.elevation_rad_min)
    use = everyone if radars else everyone[:standing]
    worked = _fly(plan, use, cells, places, [list(range(standing))], alone=radars > 0, tell=_part(tell, 0, total))
    heard_now = _heard(plan.sirens, cells) if plan.sirens else np.ones(len(places), dtype=bool)
    now = _map(plan, cells, places, worked.together, heard_now, plan.site.sensors, plan.sirens)
    placements: list[Placement] = []
    chosen_radars: tuple[int, ...] = ()
    if radars:
        placement = _place_radars(plan, worked, places, standing, radars, check=check)
        placements.append(placement)
        chosen_radars = tuple(standing + k for k in placement.choice.chosen)
    chosen_sirens: tuple[Siren, ...] = ()
    if sirens:
        placement = _place_sirens(plan, cells, places, sirens, check=check)
        placements.append(placement)
        chosen_sirens = tuple(plan.siren_candidates[k] for k in placement.choice.chosen)
    then = None
    if placements:
        together = worked.together
        if chosen_radars:
            sets = [[*range(standing), *chosen_radars]]
            together = _fly(plan, use, cells, places, sets, alone=False, tell=_part(tell, 1, total)).together
        all_sirens = (*plan.sirens, *chosen_sirens)
        heard = _heard(all_sirens, cells) if all_sirens else heard_now
        sensors = [*plan.site.sensors, *(plan.radar_candidates[k - standing] for k in chosen_radars)]
        then = _map(plan, cells, places, together, heard, sensors, all_sirens)
    return Plan(file=plan, now=now, placements=tuple(placements), then=then)


def _judge(plan: PlanFile, radars: int, sirens: int) -> None:
    for kind, wanted, there in (
        ("radar", radars, len(plan.radar_candidates)),
        ("siren", sirens, len(plan.siren_candidates)),
    ):
        if wanted > there:
            raise UsageError(
                f"{wanted} {kind}s are to be placed and {there} candidates given: add [[candidate]] tables"
            )


def _part(tell: Tell, index: int, parts: int) -> Tell:
    return lambda done, total: tell(index * total + done, parts * total)


def _fly(
    plan: PlanFile,
    radars: Sequence[object],
    cells: Cells,
    places: Sequence[Place],
    sets: Sequence[list[int]],
    *,
    alone: bool,
    tell: Tell,
) -> _Worked:
    """Fly from each threat to each cell; return what the first set of radars gives, and each radar alone."""
    env, config = believed_air(plan.site), configure(plan.site)
    middles = cells.middles()
    each_alone: list[list[list[Warned] | None]] = []
    together: list[list[Warned | None]] = []
    total = len(plan.threats) * len(middles)
    for number, threat in enumerate(plan.threats):
        prior = prior_of(threat)
        mine: list[list[Warned] | None] = []
        all_of: list[Warned | None] = []
        for k, (east, north) in enumerate(middles.tolist()):
            flight = flight_to(plan.site, env, threat, (east, north))
            tell(number * len(middles) + k + 1, total)
            if flight is None:
                mine.append(None)
                all_of.append(None)
                continue
            known = sights(plan, flight, radars)  # type: ignore[arg-type]
            all_of.append(warned(config, known, sets[0], prior, places[k]) if sets[0] else NEVER)
            ones = range(len(radars)) if alone else ()
            mine.append([warned(config, known, [r], prior, places[k]) for r in ones])
        each_alone.append(mine)
        together.append(all_of)
    return _Worked(each_alone, together)


def _place_radars(
    plan: PlanFile, worked: _Worked, places: Sequence[Place], standing: int, count: int, *, check: bool
) -> Placement:
    """Choose radars by the harm that their warnings avert, people and threats by weight."""
    total = sum(threat.weight for threat in plan.threats)
    shape = (standing + len(plan.radar_candidates), len(plan.threats), len(places))
    values = np.zeros(shape)
    everybody = sum(place.people for place in places) > 0.0
    for t, threat in enumerate(plan.threats):
        for c, place in enumerate(places):
            alone = worked.alone[t][c]
            weight = threat.weight / total * (place.people if everybody else 1.0 / len(places))
            for r, each in enumerate(alone or ()):
                values[r, t, c] = weight * each.protected
    flat = values.reshape(shape[0], -1)
    given = flat[:standing].max(axis=0) if standing else np.zeros(flat.shape[1])
    return _chosen("radar", [each.id for each in plan.radar_candidates], flat[standing:], count, given, check=check)


def _place_sirens(plan: PlanFile, cells: Cells, places: Sequence[Place], count: int, *, check: bool) -> Placement:
    """Choose sirens by the people who hear at least one."""
    people = np.array([place.people for place in places])
    weights = people if people.sum() > 0.0 else np.full(len(places), 1.0 / len(places))
    values = np.array([_heard((siren,), cells) * weights for siren in plan.siren_candidates])
    given = _heard(plan.sirens, cells) * weights
    return _chosen("siren", [each.id for each in plan.siren_candidates], values, count, given, check=check)


def _chosen(
    kind: Literal["radar", "siren"], names: list[str], values: Floats, count: int, given: Floats, *, check: bool
) -> Placement:
    choice = greedy(values, count, given)
    return Placement(
        kind=kind,
        names=tuple(names[k] for k in choice.chosen),
        choice=choice,
        best=exhaustive(values, count, given) if check else None,
        candidates=len(names),
    )


def _heard(sirens: Sequence[Siren], cells: Cells) -> NDArray[np.bool_]:
    """Return at which cells one of the sirens is heard."""
    middles = cells.middles()
    heard = np.zeros(len(middles), dtype=bool)
    for siren in sirens:
        heard |= np.hypot(middles[:, 0] - siren.east_m, middles[:, 1] - siren.north_m) <= siren.radius_m
    return heard


def _map(
    plan: PlanFile,
    cells: Cells,
    places: Sequence[Place],
    together: list[list[Warned | None]],
    heard: NDArray[np.bool_],
    sensors: Sequence[object],
    sirens: Sequence[Siren],
) -> SitingMap:
    """Bring what each threat gives at each cell together into layers."""
    weights = np.array([threat.weight for threat in plan.threats])
    layers = {name: np.full(len(places), math.nan) for name in LAYERS}
    for c in range(len(places)):
        found = [(w, each[c]) for w, each in zip(weights.tolist(), together, strict=True)]
        reached = [(w, each) for w, each in found if each is not None]
        share = sum(w for w, _ in reached)
        layers["reached"][c] = share / float(weights.sum())
        if not reached:
            continue
        told = [(w, each.seconds if heard[c] and math.isfinite(each.seconds) else -1.0) for w, each in reached]
        layers["seconds"][c] = min(s for _, s in told)
        layers["seconds_mean"][c] = sum(w * max(s, 0.0) for w, s in told) / share
        layers["unwarned"][c] = sum(w for w, s in told if s < plan.enough_s) / share
        errors = [each.error_m for _, each in reached if math.isfinite(each.error_m)]
        layers["error_m"][c] = max(errors, default=math.nan)
        layers["seen_s"][c] = min(each.seen_s for _, each in reached)
    return SitingMap(
        cells=cells,
        layers={name: values.reshape(cells.shape) for name, values in layers.items()},
        enough_s=plan.enough_s,
        people=np.array([place.people for place in places]).reshape(cells.shape),
        radars=tuple(str(getattr(each, "id", "")) for each in sensors),
        sirens=tuple(siren.id for siren in sirens),
    )


def with_step(plan: PlanFile, step_m: float) -> PlanFile:
    """Return the plan on cells of another size."""
    return replace(plan, step_m=step_m)
