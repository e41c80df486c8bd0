"""HTML and SVG as a tree of calls: text is escaped and every element is closed, by construction.

Names in a report come from site files and recordings, which may be hostile.  The only way to put
unescaped text on the page is `Markup`, and only this module and `page` (for the player and the style
sheet, which are files of this package) make one.
"""

import html
import math
from collections.abc import Iterable
from typing import TypeAlias


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | Iterable[Child] | None"
Attribute = str | int | float | bool | None

_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})
# What XML 1.0 allows in a text besides the control characters: HTML parsers stumble over the rest.
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in [*range(9), 11, 12, *range(14, 32), 127]}


def escape(text: str) -> Markup:
    """Return `text` safe in element content and in quoted attributes."""
    return text if isinstance(text, Markup) else Markup(html.escape(text.translate(_CONTROLS), quote=True))


def join(*children: Child) -> Markup:
    """Return the children one after the other; strings are escaped, `None` is left out."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        parts.append(escape(child) if isinstance(child, str) else join(*child))
    return Markup("".join(parts))


def el(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """Return one element.

    Attribute names lose a trailing underscore and turn others into hyphens (`class_`, `aria_label`);
    names in camel case (`viewBox`) stay.  `None` and `False` leave an attribute out, `True` gives it bare.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def number(value: float) -> str:
    """Return an SVG coordinate: one decimal, short, and never NaN or infinite (0 then)."""
    if not math.isfinite(value):
        return "0"
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = number(value) if isinstance(value, float) else str(value)
    return f' {name}="{escape(text)}"'
