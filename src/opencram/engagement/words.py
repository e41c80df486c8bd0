"""Sentences with their numbers, and how each is said in English, French and Arabic.

A `Text` is a key of `catalogue.SENTENCES` and the values that stand in it: numbers with their kind, names, and
further texts.  The rules make texts; only `say` makes strings of them, so that every language tells the same numbers,
rounded so that the sentence stays true.
"""

import math
from typing import Final, Literal

import msgspec

from opencram.engagement.catalogue import SENTENCES
from opencram.engagement.lead import Lead

Language = Literal["en", "fr", "ar"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr", "ar")
Kind = Literal[
    "percent", "percent_at_least", "whole_percent", "clock", "metres_at_least", "whole", "tenth", "hundredth"
]

# Names in Latin letters keep their own direction within a line that runs from right to left (Unicode, UAX #9).
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


class Quantity(msgspec.Struct, frozen=True, tag=True):
    """A number and how it is to be said; a clock is in nanoseconds, a whole number."""

    kind: Kind
    value: int | float


class Text(msgspec.Struct, frozen=True, tag=True):
    """A sentence, or a part of one, and what stands in it.  The empty key says nothing."""

    key: str
    values: "tuple[tuple[str, Value], ...]" = ()

    def __bool__(self) -> bool:
        return bool(self.key)


class Several(msgspec.Struct, frozen=True, tag=True):
    """Texts or names in a row."""

    parts: "tuple[Value, ...]"
    semicolon: bool = False


Value = Text | Several | Quantity | str
NOTHING: Final = Text("")


def text(key: str, **values: Value) -> Text:
    """Return the sentence of this key with these values."""
    return Text(key, tuple(values.items()))


def say(what: Value, language: Language = "en") -> str:
    """Return the text as people who speak `language` read it."""
    if isinstance(what, Text):
        parts = {name: say(value, language) for name, value in what.values}
        return SENTENCES[what.key][LANGUAGES.index(language)].format(**parts) if what.key else ""
    if isinstance(what, Several):
        sign = ";" if what.semicolon else ","
        if language == "ar":
            sign = "؛" if what.semicolon else "،"
        return f"{sign} ".join(say(part, language) for part in what.parts)
    if isinstance(what, Quantity):
        shown = _SHOWN[what.kind](what.value)
        return shown if language == "en" else _foreign(shown, what.kind, language)
    return f"{_ISOLATE}{what}{_END_ISOLATE}" if language == "ar" else what


def numbers(what: Value, name: str = "") -> tuple[tuple[str, float | str], ...]:
    """Return the numbers and names of a text as a program reads them: metres, seconds, shares, UTC nanoseconds."""
    if isinstance(what, Text):
        return tuple(pair for inner, value in what.values for pair in numbers(value, inner))
    if isinstance(what, Several):
        return tuple(pair for part in what.parts for pair in numbers(part, name))
    return ((name, what.value if isinstance(what, Quantity) else what),)


# ---- numbers as people read them ---------------------------------------------------------------------


def percent(probability: float) -> str:
    """Return a probability in per cent: a decimal near 0 and 1, and never a false 0 or 100."""
    if probability < 0.001:
        return "less than 0.1 %"
    if probability > 0.9995:
        return "more than 99.9 %"
    if probability < 0.1 or probability > 0.99:
        return f"{100.0 * probability:.1f} %"
    return f"{100.0 * probability:.0f} %"


def percent_at_least(probability: float) -> str:
    """Return a probability in per cent, rounded down to a tenth."""
    return f"{math.floor(1000.0 * min(probability, 0.999)) / 10.0:.1f} %"


def clock(t_ns: float) -> str:
    """Return the UTC time of day, to the tenth of a second, rounded down."""
    tenths = int(t_ns) // 100_000_000 % 864_000
    return f"{tenths // 36_000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def metres_at_least(metres: float) -> str:
    """Return a length, rounded down: to 10 m from 100 m on."""
    step = 10 if metres >= 100.0 else 1
    return f"{math.floor(metres / step) * step} m"


_SHOWN: Final = {
    "percent": percent,
    "percent_at_least": percent_at_least,
    "whole_percent": lambda share: f"{100.0 * share:.0f} %",
    "clock": clock,
    "metres_at_least": metres_at_least,
    "whole": lambda number: f"{number:.0f}",
    "tenth": lambda number: f"{number:.1f}",
    "hundredth": lambda number: f"{number:.2f}",
}


def _foreign(shown: str, kind: Kind, language: Language) -> str:
    """Return an English number in another language: French writes a decimal comma, Arabic its own signs."""
    if language == "fr":
        said = shown.replace("less than", "moins de").replace("more than", "plus de")
        return said if kind == "clock" else said.replace(".", ",")
    said = shown.replace("less than", "أقل من").replace("more than", "أكثر من").replace(" %", "٪")
    return said.replace(" m", " م")


def share(probability: float) -> Quantity:
    """Return a probability as a quantity."""
    return Quantity("percent", probability)


def at(t_ns: int) -> Quantity:
    """Return a time as a quantity."""
    return Quantity("clock", t_ns)


def whole(number: float) -> Quantity:
    """Return a number to be said without decimals."""
    return Quantity("whole", number)


def tenth(number: float) -> Quantity:
    """Return a number to be said with one decimal."""
    return Quantity("tenth", number)


# ---- what many sentences hold ------------------------------------------------------------------------


def odds(lead: Lead) -> Text:
    """Return how likely the round lands at the place, and what else counts there."""
    if lead.kind == "asset":
        return text("odds_asset", probability=share(lead.probability), place=lead.name)
    return text(
        "odds_zone",
        probability=share(lead.probability),
        place=lead.name,
        zones_probability=share(lead.weighed_probability),
        people=tenth(lead.exposed),
        radius_m=whole(lead.hazard_radius_m),
    )


def outside(lead: Lead) -> Text:
    """Return how surely the round lands outside the place, and by how much."""
    miss, radius = Quantity("percent_at_least", 1.0 - lead.weighed_probability), whole(lead.hazard_radius_m)
    if lead.kind == "zone":
        return text("outside_zones", sure=miss, place=lead.name, radius_m=radius)
    if lead.clearance_m > lead.hazard_radius_m and 1.0 - lead.probability >= 0.95:
        clear = Quantity("metres_at_least", lead.clearance_m)
        return text("outside_by", sure=miss, place=lead.name, radius_m=radius, clearance_m=clear)
    return text("outside", sure=miss, place=lead.name, radius_m=radius)
