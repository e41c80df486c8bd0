"""Tables: one way to write them all, with headings that a screen reader can follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from opencram.report.markup import Child, Markup, el

COMPACT_MAX = 7  # a table of up to so many narrow columns is as wide as its content


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether it holds numbers (aligned at their end)."""

    name: str
    is_number: bool = False
    wide: bool = False


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Child]], *, kinds: Sequence[str | None] = ()
) -> Markup:
    """Return a table whose first column names the row.  `kinds`: a class for each row."""
    head = el("tr", *(el("th", column.name, scope="col", class_=_kind(column)) for column in columns))
    body = []
    for index, row in enumerate(rows):
        cells = [
            el("th", cell, scope="row", class_=_kind(column)) if at == 0 else el("td", cell, class_=_kind(column))
            for at, (column, cell) in enumerate(zip(columns, row, strict=True))
        ]
        body.append(el("tr", *cells, class_=kinds[index] if index < len(kinds) else None))
    compact = "compact" if len(columns) <= COMPACT_MAX and not any(column.wide for column in columns) else None
    dense = "dense" if len(columns) > COMPACT_MAX + 1 else None
    inner = el("table", el("caption", caption), el("thead", head), el("tbody", *body), class_=compact or dense)
    return el("div", inner, class_="table", tabindex=0, role="region", aria_label=caption)


def folded(summary: str, *content: Child) -> Markup:
    """Return content that opens on demand, and is printed closed."""
    return el("details", el("summary", summary), *content)


def _kind(column: Column) -> str | None:
    names = [name for name, on in (("num", column.is_number), ("wide", column.wide)) if on]
    return " ".join(names) or None
