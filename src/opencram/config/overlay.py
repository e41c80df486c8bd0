"""Changing keys of a TOML document by path, and writing the document down again.

    scenario.weather.wind_east_m_s           a key of a table
    scenario.radar.south.bias_range_m        a key of the element of an array of tables that has this name
    site.zone.*.shelter_time_s               of all of them
    scenario.launch."3, green zone".time_s   a name that is no bare word stands in quotation marks

The first word names the document.  Elements go by the key that names them in their file: `NAMED_BY`.  What is
changed is checked by nobody here: the reader of the document sees the text and judges it as it judges a file.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opencram.errors import OpencramError

Document = dict[str, Any]

DOCUMENTS: Final = ("scenario", "site")
NAMED_BY: Final = {
    "alarm_channel": "id",
    "asset": "id",
    "district": "id",
    "effector": "id",
    "launch": "name",
    "radar": "sensor",
    "rule": "id",
    "sensor": "id",
    "traffic": "name",
    "zone": "id",
}
_GROWS: Final = ("radar",)  # an element that is not there yet says that nothing differs: naming it makes it
_WORD: Final = re.compile(r'\s*(?:([A-Za-z0-9_*-]+)|("(?:[^"\\]|\\.)*"))\s*(\.|$)')
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class PathError(OpencramError):
    """A path names nothing in its document; the message says what it could name."""


def words_of(path: str) -> tuple[str, ...]:
    """Return the words of a path; raise `PathError` if it is none."""
    words: list[str] = []
    at = 0
    while at < len(path):
        found = _WORD.match(path, at)
        if found is None:
            break
        words.append(found[1] or json.loads(found[2]))
        at = found.end()
        if not found[3]:
            break
    if at < len(path) or len(words) < 2 or path.rstrip().endswith("."):
        raise PathError("must be words joined by dots, like scenario.weather.wind_east_m_s")
    if words[0] not in DOCUMENTS:
        raise PathError(f'must begin with one of {", ".join(DOCUMENTS)}, not "{words[0]}"')
    return tuple(words)


def changed(document: Document, settings: Iterable[tuple[tuple[str, ...], Any]]) -> Document:
    """Return the document with these values at these words (the document's own name left out of them).

    What is given is not changed.  A table as value is merged into what stands there, or begins an element.
    Raises `PathError`.
    """
    result: Document = copied(document)
    for words, value in settings:
        _set(result, words, value)
    return result


def without(document: Document, words: tuple[str, ...]) -> Document:
    """Return the document without a key, a table or an element of an array of tables.  Raises `PathError`."""
    result: Document = copied(document)
    *way, last = words
    for holder in _holders(result, tuple(way), grow=False):
        if isinstance(holder, list):
            chosen = _chosen(holder, way[-1], last, grow=False)
            holder[:] = [element for element in holder if not any(element is each for each in chosen)]
        elif last in holder:
            del holder[last]
        else:
            raise PathError(f'"{last}" is not there; there are {_listed(holder)}')
    return result


def copied(value: Any) -> Any:
    """Return a copy of tables and arrays, all the way down."""
    if isinstance(value, Mapping):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list | tuple) else value


def _set(document: Document, words: tuple[str, ...], value: Any) -> None:
    *way, last = words
    for holder in _holders(document, tuple(way), grow=True):
        if isinstance(holder, list):
            if not isinstance(value, Mapping):
                raise PathError(f'"{last}" is a table of its own: name a key of it, or give a table')
            for element in _chosen(holder, way[-1], last, grow=True):
                element.update(copied(value))
        elif isinstance(value, Mapping) and isinstance(holder.get(last), dict):
            holder[last].update(copied(value))
        else:
            holder[last] = copied(value)


def _holders(document: Document, way: tuple[str, ...], *, grow: bool) -> list[Any]:
    """Return the tables, or the arrays of tables, that the words lead to."""
    found: list[Any] = [document]
    before = ""
    for word in way:
        further: list[Any] = []
        for holder in found:
            if isinstance(holder, list):
                further += _chosen(holder, before, word, grow=grow and before in _GROWS)
                continue
            if word not in holder:
                if not grow:
                    raise PathError(f'"{word}" is not there; there are {_listed(holder)}')
                holder[word] = [] if word in NAMED_BY else {}
            if not isinstance(holder[word], dict | list):
                raise PathError(f'"{word}" is a value, not a table')
            further.append(holder[word])
        found, before = further, word
    return found


def _chosen(elements: list[Any], array: str, name: str, *, grow: bool) -> list[Document]:
    """Return the elements of an array of tables that have this name; `*` is all."""
    key = NAMED_BY.get(array)
    if key is None or not all(isinstance(element, dict) for element in elements):
        raise PathError(f'"{array}" is an array: set it whole')
    if name == "*":
        return list(elements)
    chosen = [element for element in elements if element.get(key) == name]
    if not chosen and grow:
        chosen = [{key: name}]
        elements += chosen
    if not chosen:
        names = ", ".join(str(element.get(key)) for element in elements[:12]) or "none"
        raise PathError(f'no {array} is named "{name}"; there are {names}')
    return chosen


def _listed(table: Mapping[str, Any]) -> str:
    return ", ".join(list(table)[:12]) or "none"


# ---- writing --------------------------------------------------------------------------------------


def toml_text(document: Mapping[str, Any]) -> str:
    """Return a document as TOML that reads back as the same tables; None stands for a key left out."""
    lines: list[str] = []
    _write_table(lines, document, ())
    return "\n".join(lines) + "\n"


def _write_table(lines: list[str], table: Mapping[str, Any], way: tuple[str, ...]) -> None:
    plain = {k: v for k, v in table.items() if v is not None and not _is_section(v)}
    lines += [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        here = (*way, key)
        head = ".".join(_key(word) for word in here)
        if isinstance(value, Mapping):
            lines += ["", f"[{head}]"]
            _write_table(lines, value, here)
        elif _is_section(value):
            for element in value:
                lines += ["", f"[[{head}]]"]
                _write_table(lines, element, here)


def _is_section(value: Any) -> bool:
    """Return whether a value needs a heading: a table, or an array of nothing but tables."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _key(word: str) -> str:
    return word if _BARE.fullmatch(word) else json.dumps(word)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
