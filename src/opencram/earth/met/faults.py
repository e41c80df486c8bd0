"""Faults of a weather file, gathered with the line that each stands on, and told all at once."""

import math

from opencram.errors import ConfigError, Fault

_TOLD_MAX = 20  # of the faults of one file: a wrong column is wrong on every line


class Faults:
    """What is wrong with one text.  `name` is what the reader was told that the text is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[Fault] = []

    def add(self, line: int | None, value: object, limit: str, remedy: str) -> None:
        """Note a fault; `value` as it stands in the text."""
        text = repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
        self.found.append(Fault(f"line {line}" if line is not None else "the file", text, limit, remedy))

    def stop(self) -> None:
        """Raise `ConfigError` if there is any fault."""
        if not self.found:
            return
        told = self.found[:_TOLD_MAX]
        more = len(self.found) - len(told)
        if more:
            told.append(Fault("the file", f"{more} more", "of the same or other kinds", "mend those above first"))
        raise ConfigError(self.name, told)

    def refuse(self, line: int | None, value: object, limit: str, remedy: str) -> ConfigError:
        """Return the error of a fault after which nothing more can be read."""
        self.add(line, value, limit, remedy)
        return ConfigError(self.name, self.found[-1:])


def number(text: str) -> float | None:
    """Return the finite number that `text` holds, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
