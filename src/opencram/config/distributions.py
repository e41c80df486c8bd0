"""Reading a distribution from a TOML table: a plain value, or `{ normal = [0.0, 2.0] }` and its like."""

import math
from typing import Final, cast

from opencram.config.study_model import Distribution, DistributionKind
from opencram.config.table import FINITE, Table, as_number, place_of

_PAIRS: Final = {
    "uniform": "[from, to]",
    "normal": "[mean, deviation]",
    "lognormal": "[median, deviation of the logarithm]",
    "integers": "[from, to]",
}
_SINGLES: Final = ("exponential", "poisson")
_KINDS: Final = (*_PAIRS, *_SINGLES, "choice")


def read_distribution(table: Table, key: str, remedy: str, *, required: bool = True) -> Distribution | None:
    """Return the distribution at `key`; None where it is absent, or has a fault, which is noted."""
    table.knows(key)
    value = table.values.get(key)
    if value is None:
        if required:
            table.fault(key, "missing", "is required", remedy)
        return None
    if not isinstance(value, dict):
        return Distribution(kind="fixed", values=(value,))
    inner = Table(value, place_of(table.place, key), table.findings)
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        inner.here("must hold exactly one of " + ", ".join(_KINDS), remedy)
        return None
    kind = kinds[0]
    read = _choice(inner) if kind == "choice" else _of_numbers(inner, kind)
    inner.done()
    return read


def _choice(table: Table) -> Distribution | None:
    values = table.array("choice", "list what may be drawn")
    weights = [as_number(each) for each in table.array("weights", "give one for each", required=False)]
    if not values:
        table.fault("choice", values, "must not be empty", "list what may be drawn")
        return None
    if not weights:
        weights = [1.0] * len(values)
    good = [each for each in weights if each is not None and math.isfinite(each) and each >= 0.0]
    if len(good) != len(values) or sum(good) <= 0.0:
        limit = f"must be {len(values)} numbers >= 0, not all 0"
        table.fault("weights", table.values.get("weights"), limit, "give one for each of the choice")
        return None
    total = sum(good)
    return Distribution(kind="choice", values=tuple(values), weights=tuple(each / total for each in good))


def _of_numbers(table: Table, kind: str) -> Distribution | None:
    value = table.values[kind]
    table.knows(kind)
    wanted = _PAIRS.get(kind, "one number")
    numbers = [as_number(each) for each in (value if isinstance(value, list) else [value])]
    size = 2 if kind in _PAIRS else 1
    if len(numbers) != size or any(each is None or not math.isfinite(each) for each in numbers):
        table.fault(kind, value, f"must be {wanted}", "give finite numbers")
        return None
    first, second = cast(list[float], [*numbers, 0.0][:2])
    limit = _limit(kind, first, second)
    if limit:
        table.fault(kind, value, limit, f"give {wanted}")
        return None
    low = table.number("at_least", FINITE, "give the smallest value", default=-math.inf)
    high = table.number("at_most", FINITE, "give the greatest value", default=math.inf)
    if low > high:
        table.fault("at_most", high, f"must be >= at_least ({low:g})", "swap them")
        return None
    return Distribution(kind=cast(DistributionKind, kind), first=first, second=second, at_least=low, at_most=high)


def _limit(kind: str, first: float, second: float) -> str:
    """Return what these parameters break, or nothing."""
    if kind in ("uniform", "integers") and not first <= second:
        return "must run from a lower to a higher number"
    if kind == "integers" and (first != math.floor(first) or second != math.floor(second)):
        return "must be whole numbers"
    if kind in ("normal", "lognormal") and not second > 0.0:
        return "must have a deviation over 0"
    if kind in ("lognormal", "exponential", "poisson") and not first > 0.0:
        return "must be over 0"
    return ""
