"""Every word of the report, in one place, in English, French and Arabic; another language is another table.

`say(key, ...)` gives plain text; it is escaped where it goes on the page.  With `count`, the plural form
is chosen by the language's own rule: `key.one`, `key.other`, and what else a language has.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opencram.display.reasons import reason_in
from opencram.report import arabic, became_words, english, formats, french


@dataclass(frozen=True)
class Catalogue:
    """The words of one language.  `plural` names the form for a count (CLDR categories)."""

    language: str
    direction: str
    texts: Mapping[str, str]
    plural: Callable[[int], str]

    def __call__(self, key: str, *, count: int | None = None, **values: object) -> str:
        """Return the text of a key; a class or reason that no table knows stands for itself."""
        if count is not None:
            form = f"{key}.{self.plural(count)}"
            key = form if form in self.texts else f"{key}.other"
            values["n"] = formats.count(count)
        text = self.texts.get(key)
        if text is None:
            return key.rpartition(".")[2]
        return spaced(text, self.language).format(**values)

    def logged(self, text: str, others: Sequence[tuple[str, str]] = ()) -> str:
        """Return a sentence of the log in this language: where the log has it, or where it is the program's own.

        Else it is as it stands there, left to right as English is.
        """
        told = dict(others).get(self.language) or reason_in(text, self.language)
        if told is not None:
            return spaced(told, self.language)
        return f"\u2066{text}\u2069" if text and self.direction == "rtl" else text

    def several(self, items: list[str]) -> str:
        """Return a list in words: "a, b and c"."""
        if len(items) < 2:
            return "".join(items)
        return self("list.and", first=", ".join(items[:-1]), last=items[-1])


def spaced(text: str, language: str) -> str:
    """Return a text with the spaces that French sets before ; : ? ! % and inside « » kept from ending a line."""
    return re.sub(r" (?=[;:?!»%])|(?<=«) ", "\u00a0", text) if language == "fr" else text


def _arabic_plural(n: int) -> str:
    """Return the form of a count.  Source: Unicode CLDR, plural rules for Arabic."""
    if n in (0, 1, 2):
        return ("zero", "one", "two")[n]
    if 3 <= n % 100 <= 10:
        return "few"
    return "many" if n % 100 >= 11 else "other"


ENGLISH = Catalogue(
    language="en",
    direction="ltr",
    texts=english.TEXTS | became_words.TEXTS["en"],
    plural=lambda n: "one" if n == 1 else "other",
)
FRENCH = Catalogue(
    language="fr",
    direction="ltr",
    texts=french.TEXTS | became_words.TEXTS["fr"],
    plural=lambda n: "one" if n in (0, 1) else "other",
)
ARABIC = Catalogue(language="ar", direction="rtl", texts=arabic.TEXTS | became_words.TEXTS["ar"], plural=_arabic_plural)
CATALOGUES: Mapping[str, Catalogue] = {each.language: each for each in (ENGLISH, FRENCH, ARABIC)}
