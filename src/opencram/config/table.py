"""Reading one TOML table, noting every fault instead of stopping at the first.

A getter answers with the value, or, where it noted a fault, with a stand-in of the right type: NaN for a
number, so that no comparison against it is true and one fault does not cause a second.  The reader of a
whole file raises at the end if any fault was noted, so no stand-in ever leaves this package.
"""

import difflib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from opencram.errors import Fault

T = TypeVar("T")

_VALUE_CHARACTERS = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Limits:
    """What a number may be; None: no limit on that side."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def hold(self, value: float) -> bool:
        """Return whether `value` lies within."""
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def __str__(self) -> str:
        sides = [(">", self.above), (">=", self.at_least), ("<", self.below), ("<=", self.at_most)]
        return "must be " + " and ".join(f"{sign} {limit:g}" for sign, limit in sides if limit is not None)


FINITE: Final = Limits()
POSITIVE: Final = Limits(above=0.0)
NOT_NEGATIVE: Final = Limits(at_least=0.0)
PROBABILITY: Final = Limits(above=0.0, at_most=1.0)
LATITUDE_DEG: Final = Limits(at_least=-90.0, at_most=90.0)
LONGITUDE_DEG: Final = Limits(at_least=-180.0, at_most=180.0)
HEIGHT_M: Final = Limits(at_least=-500.0, at_most=9000.0)


@dataclass
class Findings:
    """What a reader found in one file: faults, which stop it, and notes, which do not.

    `misplaced` holds the faults of things too far from the site, apart until it is clear whether they or
    the site stand in the wrong place; `placed` counts all things with a place.
    """

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    misplaced: list[Fault] = field(default_factory=list)
    placed: int = 0

    def fault(self, place: str, value: object, limit: str, remedy: str) -> None:
        """Note one fault; `value` is as read from the file."""
        self.faults.append(Fault(place, shown(value), limit, remedy))


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()


def shown(value: object) -> str:
    """Return `value` as a person would recognise it from the file, on one short line."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else "a huge integer"
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


def place_of(parent: str, key: str) -> str:
    """Return the place of `key` in the table at `parent`: `$.sensor[1].range_max_m`."""
    return f"{parent}.{key}" if _BARE_KEY.fullmatch(key) else f"{parent}.{json.dumps(key, ensure_ascii=False)}"


def as_number(value: object) -> float | None:
    """Return `value` as a float if it is a number (NaN and the infinities too), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


class Table:
    """One table of a TOML file.  Ask for every key that is known, then call `done`."""

    def __init__(self, values: dict[str, Any], place: str, findings: Findings) -> None:
        self.values = values
        self.place = place
        self.findings = findings
        self._known: list[str] = []
        self._explained: list[str] = []  # unknown keys that a fault already speaks of

    def number(self, key: str, limits: Limits, remedy: str, *, default: float | None = None) -> float:
        """Return a finite number; required unless there is a default."""
        value = self._get(key, remedy, required=default is None)
        if value is MISSING:
            return math.nan if default is None else default
        number = as_number(value)
        if number is None:
            return self._wrong_type(key, value, "a number", remedy, math.nan)
        if not math.isfinite(number):
            self.fault(key, value, "must be finite", remedy)
            return math.nan
        if not limits.hold(number):
            self.fault(key, value, str(limits), remedy)
            return math.nan
        return number

    def optional_number(self, key: str, limits: Limits, remedy: str) -> float | None:
        """Return a finite number, or None where the key is absent."""
        self.knows(key)
        return self.number(key, limits, remedy) if key in self.values else None

    def integer(self, key: str, limits: Limits, remedy: str, *, default: int | None = None) -> int:
        """Return an integer; required unless there is a default.  A whole float (400.0) counts."""
        value = self._get(key, remedy, required=default is None)
        if value is MISSING:
            return 0 if default is None else default
        number = as_number(value)
        if number is None or (math.isfinite(number) and number != math.floor(number)):
            return self._wrong_type(key, value, "a whole number", remedy, 0)
        if not math.isfinite(number):
            self.fault(key, value, "must be finite", remedy)
            return 0
        if not limits.hold(number):
            self.fault(key, value, str(limits), remedy)
            return 0
        return int(value)

    def string(self, key: str, remedy: str, *, default: str | None = None) -> str:
        """Return a string that is not blank; required unless there is a default."""
        value = self._get(key, remedy, required=default is None)
        if value is MISSING:
            return "" if default is None else default
        if not isinstance(value, str):
            return self._wrong_type(key, value, "a string", remedy, "")
        if not value.strip():
            self.fault(key, value, "must not be empty", remedy)
        elif any("\ud800" <= character <= "\udfff" for character in value):  # from the escapes of JSON
            self.fault(key, ascii(value), "must be valid Unicode", remedy)
        return value

    def choice(self, key: str, choices: Sequence[str], remedy: str, *, default: str | None = None) -> str:
        """Return one of `choices` (the first stands in after a fault)."""
        value = self._get(key, remedy, required=default is None)
        if value is MISSING:
            return choices[0] if default is None else default
        if isinstance(value, str) and value in choices:
            return value
        limit = "must be one of " + ", ".join(f'"{choice}"' for choice in choices)
        close = difflib.get_close_matches(value, choices, 1) if isinstance(value, str) else []
        self.fault(key, value, limit, f'write "{close[0]}"?' if close else remedy)
        return choices[0]

    def array(self, key: str, remedy: str, *, required: bool = True) -> list[Any]:
        """Return an array as it stands, empty where it is absent or something else."""
        value = self._get(key, remedy, required=required)
        if value is MISSING:
            return []
        return value if isinstance(value, list) else self._wrong_type(key, value, "an array", remedy, [])

    def table(self, key: str, remedy: str, *, required: bool = False) -> "Table | None":
        """Return the table `[key]`, or None where it is absent or something else."""
        value = self._get(key, remedy, required=required)
        if value is MISSING:
            return None
        if not isinstance(value, dict):
            return self._wrong_type(key, value, f"a table, [{key}]", remedy, None)
        return Table(value, place_of(self.place, key), self.findings)

    def tables(self, key: str, remedy: str) -> list["Table"]:
        """Return the tables `[[key]]` in the order of the file."""
        value = self._get(key, remedy, required=False)
        if value is MISSING:
            return []
        if isinstance(value, dict) or not isinstance(value, list):
            return self._wrong_type(key, value, f"an array of tables, each under [[{key}]]", remedy, [])
        found = []
        for index, item in enumerate(value):
            place = f"{place_of(self.place, key)}[{index}]"
            if isinstance(item, dict):
                found.append(Table(item, place, self.findings))
            else:
                self.findings.fault(place, item, "must be a table", remedy)
        return found

    def fault(self, key: str, value: object, limit: str, remedy: str) -> None:
        """Note a fault at `key` of this table."""
        self.findings.fault(place_of(self.place, key), value, limit, remedy)

    def here(self, limit: str, remedy: str) -> None:
        """Note a fault of the table as a whole."""
        self.findings.fault(self.place, self.values, limit, remedy)

    def unsupported(self, key: str, limit: str, remedy: str) -> None:
        """Answer `key`, if present, with a fault: a wish that cannot be met must not pass in silence."""
        self.knows(key)
        if key in self.values:
            self.fault(key, self.values[key], limit, remedy)

    def done(self) -> None:
        """Judge the keys that nobody asked for: a slip of the pen is a fault, a field of one's own a note.

        A key is a slip when it is nearly the name of a known key that this table lacks.
        """
        absent = [key for key in self._known if key not in self.values]
        for key in self.values:
            if key in self._known or key in self._explained:
                continue
            meant = next((known for known in absent if _is_slip(key, known)), None)
            if meant:
                self.fault(key, self.values[key], "is not a known key", f"did you mean {meant}?")
            else:
                self.findings.notes.append(f"{place_of(self.place, key)}: not a key that opencram knows; not used")

    def knows(self, key: str) -> None:
        """Count `key` among the known ones.  Every getter does this by itself."""
        if key not in self._known:
            self._known.append(key)

    def _get(self, key: str, remedy: str, *, required: bool) -> Any:
        self.knows(key)
        value = self.values.get(key, MISSING)
        if value is MISSING and required:
            meant = next((k for k in self.values if k not in self._known and _may_mean(k, key)), None)
            if meant:
                self._explained.append(meant)
                remedy = f"{remedy}; {meant} stands here: did you mean {key}?"
            self.fault(key, MISSING, "is required", remedy)
        return value

    def _wrong_type(self, key: str, value: object, wanted: str, remedy: str, stand_in: T) -> T:
        if isinstance(value, str) and "number" in wanted and re.fullmatch(r"\s*[-+]?\d+(\.\d*)?\s*", value):
            remedy = "write it without quotation marks"
        self.fault(key, value, f"must be {wanted}", remedy)
        return stand_in


def _is_slip(key: str, known: str) -> bool:
    """Return whether `key` is `known` in other capitals, with other dashes, or with a letter or two amiss."""
    plain = key.lower().replace("-", "_")
    if plain == known:
        return True
    return min(len(plain), len(known)) > 3 and _distance_at_most(plain, known, 2 if len(known) > 6 else 1)


def _may_mean(key: str, known: str) -> bool:
    """Return whether `key` may stand where the required `known` is missing: a slip, or its unit left out."""
    plain = key.lower().replace("-", "_")
    return (
        _is_slip(key, known)
        or known.startswith(plain + "_")
        or bool(difflib.get_close_matches(plain, [known], 1, 0.85))
    )


def _distance_at_most(a: str, b: str, limit: int) -> bool:
    """Return whether `limit` insertions, deletions, replacements or swaps of neighbours turn `a` into `b`."""
    if abs(len(a) - len(b)) > limit:
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row = row, [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1] <= limit
