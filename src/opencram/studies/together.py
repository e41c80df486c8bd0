"""Alternatives of one raid flown together: what they have in common is worked out once, and used by all.

Stages and world are pure functions: the same configuration, the same state and the same messages give the same result.
The alternatives of a raid advance batch by batch, side by side, so that whoever comes second to a call finds it
answered: two alarm rules share plots, tracks, impacts, threats and decisions, two policies all but their decisions
until their first shots differ.  Each gets what it would have got by itself, to the byte.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar, TypeVarTuple

from opencram.runtime.pipeline import PipelineConfig

CALLS_KEPT = 3  # for each alternative and function: a batch asks for a stage once, and a few times for the world
PARTS_MAX = 4096  # configurations that are known again

Key = tuple[int, ...]
Known = tuple[list[Any], tuple[Any, ...], Any]
_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")
_Part = TypeVar("_Part")


class Memory:
    """The latest calls of each function, with what came of them."""

    def __init__(self, alternatives: int) -> None:
        self._size = alternatives * CALLS_KEPT
        self._known: dict[Callable[..., Any], _Calls] = {}

    def call(self, function: Callable[[*_Args], _Result], *args: *_Args) -> _Result:
        """Return what the function makes of these arguments; a call that is remembered is not made again.

        Configurations and states are the same if they are one object, times and messages if they are equal.
        """
        key = tuple([each if type(each) is int else id(each) for each in args if type(each) is not list])
        messages = [each for each in args if type(each) is list]
        calls = self._known.get(function)
        if calls is None:
            calls = self._known[function] = _Calls()
        result: _Result
        for known, _, result in calls.by_key.get(key, ()):
            if known == messages:
                return result
        result = function(*args)
        # With what the key is of, so that it stays alive.
        calls.keep(key, (messages, args, result), self._size)
        return result


class _Calls:
    """The latest calls of one function: so many in all, also where a stage that sleeps keeps one state for long."""

    def __init__(self) -> None:
        self.by_key: dict[Key, deque[Known]] = {}
        self._order: deque[Key] = deque()

    def keep(self, key: Key, known: Known, size: int) -> None:
        """Keep a call, and forget the oldest beyond `size`."""
        if len(self._order) >= size:
            oldest = self._order.popleft()
            same = self.by_key[oldest]
            same.popleft()
            if not same:
                del self.by_key[oldest]
        self._order.append(key)
        if key in self.by_key:
            self.by_key[key].append(known)
        else:
            self.by_key[key] = deque((known,))


class Parts:
    """Configurations by what is in them, so that two that say the same are one object."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def one(self, part: _Part) -> _Part:
        """Return the first configuration that said just this."""
        if len(self._known) >= PARTS_MAX:
            self._known.clear()
        known: _Part = self._known.setdefault(pickle.dumps(part, protocol=5), part)
        return known

    def pipeline(self, config: PipelineConfig) -> PipelineConfig:
        """Return a pipeline whose stages have the configurations of those known, where they say the same."""
        stages = [each.name for each in fields(config) if each.name != "dwell_ns"]
        return replace(config, **{name: self.one(getattr(config, name)) for name in stages})


def side_by_side(flights: Iterable[Iterator[Any]]) -> None:
    """Advance all flights, one step of each by turns, until the last has ended."""
    going = list(flights)
    while going:
        going = [flight for flight in going if next(flight, None) is not None]
