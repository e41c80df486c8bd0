"""What people are told in each language: TOML files of the same keys, three of them shipped.

A file of one's own (`load_language(path)`) must have every key of the English one and, in each text, the
same placeholders: a language that leaves out the seconds would not say the same.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opencram.errors import ConfigError, Fault

SHIPPED: Final = ("en", "fr", "ar")
SITUATIONS: Final = ("shelter", "drop", "stay", "cancelled", "all_clear")
TEXTS: Final = ("headline", "description", "instruction")

_FOLDER: Final = Path(__file__).parent / "languages"
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_TAG: Final = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*")


@dataclass(frozen=True)
class Language:
    """One language: `texts["headline"]["shelter"]` and so on, with placeholders in braces."""

    tag: str
    event: str
    exercise: str
    texts: Mapping[str, Mapping[str, str]]

    def text(self, which: str, situation: str, values: Mapping[str, str]) -> str:
        """Return one text with its placeholders filled in, in one pass: a name with braces stays as it is."""
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.texts[which][situation])


def load_language(name: str | Path, *, base: Path = Path()) -> Language:
    """Return a shipped language by its tag, or that of a TOML file; raise `ConfigError` with all its faults."""
    path = _FOLDER / f"{name}.toml" if name in SHIPPED else base / name
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        remedy = f"give one of {', '.join(SHIPPED)}, or the path of a TOML file like languages/en.toml"
        raise ConfigError(str(path), [Fault("$", str(name), f"cannot be read: {error}", remedy)]) from error
    faults = _faults(document, tomllib.loads((_FOLDER / "en.toml").read_text(encoding="utf-8")))
    if faults:
        raise ConfigError(str(path), faults)
    texts = {which: {key: str(document[which][key]) for key in SITUATIONS} for which in TEXTS}
    return Language(document["language"], document["event"], document["exercise"], texts)


def _faults(document: Mapping[str, Any], model: Mapping[str, Any]) -> list[Fault]:
    """Return what is missing or different in the file of a language, against the English one."""
    faults = []
    for place, wanted in _leaves(model):
        found: Any = document
        for key in place:
            found = found.get(key) if isinstance(found, dict) else None
        name = "$." + ".".join(place)
        if not isinstance(found, str) or not found.strip():
            faults.append(Fault(name, "missing", "must be a text", f'say what this means: "{wanted}"'))
        elif sorted(_PLACEHOLDER.findall(found)) != sorted(_PLACEHOLDER.findall(wanted)):
            words = " ".join(f"{{{word}}}" for word in _PLACEHOLDER.findall(wanted)) or "no word in braces"
            faults.append(Fault(name, found, f"must hold {words}", "every language must say the same"))
    tag = document.get("language")
    if isinstance(tag, str) and not _TAG.fullmatch(tag):
        faults.append(Fault("$.language", tag, "must be a language tag of RFC 5646", 'write "en" or "pt-BR"'))
    return faults


def _leaves(model: Mapping[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    return [
        leaf
        for key, value in model.items()
        for leaf in (
            [((key,), value)] if isinstance(value, str) else [((key, sub), text) for sub, text in value.items()]
        )
    ]
