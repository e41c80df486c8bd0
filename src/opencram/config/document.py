"""From a file on disk to the tables of its TOML, every way of failing told as a fault."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from opencram.config.table import Findings, shown
from opencram.errors import ConfigError, Fault

BYTES_MAX: Final = 64 * 1024 * 1024
_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def read_text(path: Path) -> str:
    """Return the UTF-8 text of the file, without a byte order mark; raise `ConfigError` if there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise _one_fault(
            path, "$", str(path), f"cannot be read ({reason})", "give the path of a readable file"
        ) from error
    if len(data) > BYTES_MAX:
        limit = f"must be at most {BYTES_MAX // 1024**2} MiB"
        raise _one_fault(path, "$", "the file", limit, "is this the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        place = f"line {line}, column {column}"
        raise _one_fault(
            path, place, f"byte 0x{data[error.start]:02x}", "is not UTF-8", "save the file as UTF-8 text"
        ) from error
    return text


def parse_toml(text: str, path: str | Path) -> dict[str, Any]:
    """Return the root table of a TOML text; raise `ConfigError` with line and column if it is none."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a TOMLDecodeError, or an integer of thousands of digits
        lines = text.split("\n")
        found = _AT.search(str(error))
        at_line = found and found[1]
        line, column = (int(found[1]), int(found[2])) if found and at_line else (len(lines), len(lines[-1]) + 1)
        limit = "is not TOML: " + _AT.sub("", str(error)).strip()
        value = shown(lines[line - 1].strip())
        raise _one_fault(path, f"line {line}, column {column}", value, limit, "mend this line first") from error
    except RecursionError as error:
        raise _one_fault(path, "$", "the file", "is nested too deeply", "is this the right file?") from error


def sha256_of(text: str) -> str:
    """Return the hash of a text as it would be saved."""
    return hashlib.sha256(text.encode()).hexdigest()


def raise_faults(path: str | Path, findings: Findings) -> None:
    """Raise `ConfigError` if anything was found wrong."""
    if findings.faults:
        raise ConfigError(str(path), findings.faults)


def _one_fault(path: str | Path, place: str, value: str, limit: str, remedy: str) -> ConfigError:
    return ConfigError(str(path), [Fault(place, value, limit, remedy)])
