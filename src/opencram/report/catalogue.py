"""Every word of the report, in one place, so that other languages follow by adding a table.

`say(key, ...)` gives plain text; it is escaped where it goes on the page.  With `count`, the plural form
is chosen by the language's own rule: `key.one`, `key.other`, and what else a language has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opencram.report import formats
from opencram.report.english import TEXTS


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
        return text.format(**values)

    def several(self, items: list[str]) -> str:
        """Return a list in words: "a, b and c"."""
        if len(items) < 2:
            return "".join(items)
        return self("list.and", first=", ".join(items[:-1]), last=items[-1])


ENGLISH = Catalogue(language="en", direction="ltr", texts=TEXTS, plural=lambda n: "one" if n == 1 else "other")
