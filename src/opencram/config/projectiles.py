"""The `[drag_curves]` and `[[projectile]]` tables: rounds that the generic classes do not describe well enough.

The points of the curves become part of the site's text under `[drag_points]`, so that a recording needs no such
files, and its rounds fall along the same curves whatever becomes of them.
"""

import dataclasses
import itertools
import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Final

from opencram.ballistics.classes import CLASS_BANK, PROJECTILE_PRIOR, Model
from opencram.ballistics.curves import CD_MAX, MACH_FILE_MAX, STANDARD_CURVES, OwnCurve, own_curve, read_points
from opencram.config.document import parse_toml
from opencram.config.table import POSITIVE, Limits, Table, as_number, place_of
from opencram.errors import ConfigError, Fault
from opencram.messages import PROJECTILE_CLASSES

CURVES_MAX: Final = 20
_SHARE_MAX: Final = 0.8  # of the own flight models together: the generic ones stay in the running
_FILE: Final = 'name each curve and its file, relative to this one: "my-rocket" = "my-rocket.csv"'
_COEFFICIENT: Final = Limits(at_least=100.0, at_most=100_000.0)
_SPREAD: Final = Limits(at_least=0.02, at_most=1.0)
_SHARE: Final = Limits(above=0.0, at_most=_SHARE_MAX)
_SPEED_M_S: Final = Limits(at_least=20.0, at_most=2000.0)
_SPIN_M_S: Final = Limits(at_least=-1000.0, at_most=1000.0)
_SPIN_STD_M_S: Final = Limits(at_least=0.05, at_most=100.0)


def read_curves(root: Table, text: str, path: Path) -> tuple[tuple[OwnCurve, ...], str]:
    """Return the curves of a site or scenario file and its text with their points; faults are noted.

    `path` is that of the file.
    """
    table = root.table("drag_curves", "write [drag_curves] once")
    inlined = root.table("drag_points", "leave this to opencram")
    if table is None:
        if inlined is not None:
            inlined.here("stands without [drag_curves]", "take it out")
        return (), text
    if len(table.values) > CURVES_MAX:
        table.here(f"holds {len(table.values)} curves: at most {CURVES_MAX}", "keep those that are flown")
        return (), text
    curves = []
    for name in table.values:
        file = table.string(name, _FILE)
        if name in STANDARD_CURVES:
            table.fault(name, file, "is the name of a standard curve", "give yours another name")
        elif inlined is not None:
            curves.append(_inlined(inlined, name))
        elif file:
            curves.append(_read(table, name, file, path))
    found = tuple(curve for curve in curves if curve is not None)
    if inlined is None and len(found) == len(table.values):
        text = _with_points(text, found, table)
    return found, text


def _read(table: Table, name: str, file: str, path: Path) -> OwnCurve | None:
    """Return the curve of a file, or None after noting what is wrong with it."""
    try:
        return own_curve(name, read_points(path.parent / file))
    except ConfigError as error:
        table.findings.faults += [Fault(f"{file}: {f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return None


def _inlined(table: Table, name: str) -> OwnCurve | None:
    """Return a curve from its points in the text, or None after noting that they are none."""
    points = []
    for pair in table.array(name, "leave this to opencram"):
        values = [as_number(value) for value in pair] if isinstance(pair, list) else []
        mach, cd = values if len(values) == 2 else (None, None)
        if mach is None or cd is None or not (0.0 <= mach <= MACH_FILE_MAX and 0.0 < cd <= CD_MAX):
            break
        points.append((mach, cd))
    ascending = all(before < after for (before, _), (after, _) in itertools.pairwise(points))
    if len(points) < max(len(table.values.get(name) or ()), 2) or not ascending:
        table.fault(name, table.values.get(name), "was changed after it was written", "take [drag_points] out")
        return None
    return own_curve(name, points)


def _with_points(text: str, curves: tuple[OwnCurve, ...], table: Table) -> str:
    """Return the text with the points of the curves appended."""
    lines = [text.rstrip("\n"), "", "# The drag curves above, as they were read: Mach number and drag coefficient."]
    lines.append("[drag_points]")
    for curve in curves:
        points = ", ".join(f"[{mach!r}, {cd!r}]" for mach, cd in zip(curve.mach, curve.cd, strict=True))
        lines.append(f"{json.dumps(curve.name, ensure_ascii=False)} = [{points}]")
    whole = "\n".join(lines) + "\n"
    try:
        parse_toml(whole, "")
    except ConfigError:
        table.here("must be a table of its own", "write [drag_curves] on one line and each curve on the next")
        return text
    return whole


def read_curve_name(table: Table, own: Collection[str]) -> str:
    """Return the curve that `drag_curve` names, one of `own` or a standard one; empty where the key is absent."""
    table.knows("drag_curve")
    if "drag_curve" not in table.values:
        return ""
    remedy = "name a curve of [drag_curves] or a standard one"
    return table.choice("drag_curve", (*own, *STANDARD_CURVES), remedy)


def read_projectiles(root: Table, curves: tuple[OwnCurve, ...]) -> tuple[Model, ...]:
    """Return the flight models of the site's own `[[projectile]]` tables; faults are noted in them."""
    tables = root.tables("projectile", "write each flight model under [[projectile]]")
    models = [_projectile(table, [curve.name for curve in curves]) for table in tables]
    total = sum(model.prior for model in models)
    if total > _SHARE_MAX + 1e-9:
        limit = f"together must be <= {_SHARE_MAX:g}: the generic classes stay in the running"
        root.findings.fault(place_of(root.place, "projectile[].probability"), round(total, 6), limit, "lower them")
    return tuple(models)


def _projectile(table: Table, own: list[str]) -> Model:
    class_name = table.choice("class", PROJECTILE_CLASSES, "say what kind of projectile it is")
    usual = next(model for model in CLASS_BANK if model.class_name == class_name)
    beta = table.number(
        "ballistic_coefficient_kg_m2", _COEFFICIENT, "give mass over area and form factor, on its drag curve"
    )
    model = Model(
        class_name=class_name,
        curve=read_curve_name(table, own) or usual.curve,
        prior=table.number("probability", _SHARE, "give its share of what flies here, before the first plot"),
        ln_beta=math.log(beta) if beta > 0.0 else math.nan,
        ln_beta_std=table.number(
            "ballistic_coefficient_spread", _SPREAD, "give its relative deviation from round to round", default=0.2
        ),
        spin_m_s=table.number("spin_drift_m_s", _SPIN_M_S, "give the spin-drift constant", default=usual.spin_m_s),
        spin_m_s_std=table.number(
            "spin_drift_std_m_s", _SPIN_STD_M_S, "give its deviation", default=usual.spin_m_s_std
        ),
        speed_m_s=table.number(
            "speed_m_s", _SPEED_M_S, "give the median speed when first seen", default=usual.speed_m_s
        ),
        ln_speed_std=table.number("speed_spread", POSITIVE, "give its relative deviation", default=usual.ln_speed_std),
    )
    table.done()
    return model


def bank_with(own: tuple[Model, ...]) -> tuple[Model, ...]:
    """Return the class bank with a site's own flight models: the generic ones make room, other objects keep theirs."""
    if not own:
        return CLASS_BANK
    room = 1.0 - sum(model.prior for model in own) / PROJECTILE_PRIOR
    return (*(dataclasses.replace(model, prior=model.prior * room) for model in CLASS_BANK), *own)
