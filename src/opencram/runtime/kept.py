"""The state of the service as bytes and back, by the types of its parts; reading it can run no code.

Structs, dataclasses, mappings and tuples go through MessagePack as their annotations say; arrays as their kind and
shape, their contents behind all that, without the zeros at their end (a table that has room for an hour is mostly
room).  What does not fit the types, is torn, or was changed is refused as a whole: the log then tells all.

    magic, length of the body, body (MessagePack), contents of the arrays, SHA-256 of all before

Under clutter a state has ten megabytes.  It is made in small pieces, between which other threads have their turn.
"""

import hashlib
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar, get_origin

import msgspec
import numpy as np

from opencram import __version__, engagement, tracking, warning
from opencram.adapters.cap import CapBook, CapMessage
from opencram.runtime.pipeline import PipelineConfig, PipelineState, initial

Key = tuple[str, int, int]  # channel, alarm, time of the warning

T = TypeVar("T")

MAGIC: Final = b"opencram state 5\n"
ARRAY_BYTES_MAX: Final = 1 << 30
_HASH_BYTES: Final = 32
_LENGTH: Final = struct.Struct("<Q")
_PIECE_BYTES: Final = 1 << 18
_PLAIN_KIND: Final = re.compile("[<>|=]?[biuf][1-9][0-9]?")
_LEAST_ELEMENTS: Final = 64  # of an array, below which nobody looks for zeros


class KeptError(ValueError):
    """These bytes are no state of this program."""


@dataclass
class Kept:
    """All that a restart needs beside the log that follows it."""

    seq: int
    state: PipelineState
    book: CapBook
    pending: dict[Key, CapMessage] = field(default_factory=dict)
    standing: dict[str, CapMessage] = field(default_factory=dict)  # the alarm of each zone
    last_plot_id: int = 0


class OnDisk(msgspec.Struct, frozen=True, kw_only=True):
    """`Kept` as it is written down: what follows from the site file is left out."""

    version: str
    site_sha256: str
    inode: int  # of the file that holds record `seq`
    seq: int
    tracking: tracking.State
    warning: warning.State
    engagement: engagement.State
    now_ns: int
    last_plot_t_ns: int
    open_tracks: frozenset[int]
    in_air_until_ns: int
    alarm_expiries_ns: dict[int, int]
    sent: dict[int, list[str]]
    began_t_ns: dict[int, int]
    pending: dict[Key, CapMessage]
    standing: dict[str, CapMessage]
    last_plot_id: int


def on_disk(kept: Kept, site_sha256: str, inode: int) -> OnDisk:
    """Return what is to be written down; nothing in it will change."""
    state = kept.state
    sent, began_t_ns = kept.book.remembered()
    return OnDisk(
        version=__version__,
        site_sha256=site_sha256,
        inode=inode,
        seq=kept.seq,
        tracking=state.tracking,
        warning=state.warning,
        engagement=state.engagement,
        now_ns=state.now_ns,
        last_plot_t_ns=state.last_plot_t_ns,
        open_tracks=state.open_tracks,
        in_air_until_ns=state.in_air_until_ns,
        alarm_expiries_ns=dict(state.alarm_expiries_ns),
        sent=sent,
        began_t_ns=began_t_ns,
        pending=dict(kept.pending),
        standing=dict(kept.standing),
        last_plot_id=kept.last_plot_id,
    )


def pipeline_state(config: PipelineConfig, found: OnDisk) -> PipelineState:
    """Return the state of the pipeline as it was written down; raises `KeptError` if another version wrote it."""
    fresh = initial(config)
    for name in ("tracking", "warning", "engagement"):
        _must_fit(getattr(found, name), getattr(fresh, name), name)
    return replace(
        fresh,
        tracking=found.tracking,
        warning=found.warning,
        engagement=found.engagement,
        now_ns=found.now_ns,
        last_plot_t_ns=found.last_plot_t_ns,
        open_tracks=found.open_tracks,
        in_air_until_ns=found.in_air_until_ns,
        alarm_expiries_ns=found.alarm_expiries_ns,
    )


def _must_fit(found: Any, fresh: Any, place: str) -> None:
    """Raise `KeptError` unless the arrays of a state are of the kinds that this version works with."""
    if isinstance(fresh, np.ndarray):
        if (found.dtype, found.ndim) != (fresh.dtype, fresh.ndim):
            raise KeptError(f"{place} is of another version")
    elif isinstance(fresh, msgspec.Struct) or is_dataclass(fresh):
        names = fresh.__struct_fields__ if isinstance(fresh, msgspec.Struct) else [each.name for each in fields(fresh)]
        for name in names:
            _must_fit(getattr(found, name), getattr(fresh, name), f"{place}.{name}")


def restored(config: PipelineConfig, found: OnDisk, book: CapBook) -> Kept:
    """Return what was written down, with `book` where it was."""
    book.remember(found.sent, found.began_t_ns)
    return Kept(found.seq, pipeline_state(config, found), book, found.pending, found.standing, found.last_plot_id)


class _Array(msgspec.Struct, frozen=True, array_like=True):
    kind: str | tuple[tuple[str, str], ...]  # as numpy writes it: "<f8"; of rows with fields, each name and kind
    shape: tuple[int, ...]
    begin: int  # its first byte among the contents of all arrays
    size: int  # bytes, the zeros at its end left out


def state_pieces(state: object) -> Iterator[bytes]:
    """Yield a state as bytes, piece by piece, with a hash at the end that tells whether they are whole."""
    arrays: list[np.ndarray[Any, Any]] = []
    body = msgspec.msgpack.encode(state, enc_hook=partial(_plain, arrays))
    digest = hashlib.sha256()
    pieces = (flat[k : k + _PIECE_BYTES].tobytes() for flat in arrays for k in range(0, len(flat), _PIECE_BYTES))
    for piece in (MAGIC, _LENGTH.pack(len(body)), body):
        digest.update(piece)
        yield piece
    for piece in pieces:
        digest.update(piece)
        yield piece
    yield digest.digest()


def encode_state(state: object) -> bytes:
    """Return a state as bytes."""
    return b"".join(state_pieces(state))


def decode_state(data: bytes, state_type: type[T]) -> T:
    """Return the state that `encode_state` was given; raises `KeptError` for anything else."""
    begin, end = len(MAGIC) + _LENGTH.size, len(data) - _HASH_BYTES
    whole = memoryview(data)
    if end < begin or not data.startswith(MAGIC) or hashlib.sha256(whole[:end]).digest() != data[end:]:
        raise KeptError("it is torn, has been changed, or is of another version")
    body_end = begin + _LENGTH.unpack_from(data, len(MAGIC))[0]
    if body_end > end:
        raise KeptError("its length is wrong")
    try:
        typed = partial(_typed, whole[body_end:end])
        return msgspec.msgpack.decode(whole[begin:body_end], type=state_type, dec_hook=typed)
    except (ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise KeptError(f"it does not fit the types of this version: {error}") from error


def _plain(arrays: "list[np.ndarray[Any, Any]]", value: Any) -> Any:
    """Return an array as its place among the contents of all, which are gathered in `arrays` as bytes."""
    if isinstance(value, np.ndarray):
        flat = np.ascontiguousarray(value).reshape(-1)
        contents = flat[: _used(flat)].view(np.uint8)
        begin = sum(map(len, arrays))
        arrays.append(contents)
        return _Array(_kind(flat.dtype), value.shape, begin, len(contents))
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value)} has no place in a state that is written down")


def _kind(kind: "np.dtype[Any]") -> str | tuple[tuple[str, str], ...]:
    if kind.names is None:
        return kind.str
    return tuple((name, kind[name].str) for name in kind.names)


def _used(flat: "np.ndarray[Any, Any]") -> int:
    """Return a number of elements beyond which all bits are zero (−0 is not), found by halving."""
    count = len(flat)
    while count > _LEAST_ELEMENTS and not flat[count // 2 : count].view(np.uint8).any():
        count //= 2
    return count


def _typed(contents: memoryview, wanted: Any, value: Any) -> Any:
    if (get_origin(wanted) or wanted) is not np.ndarray:
        raise NotImplementedError(f"{wanted} has no place in a state that is written down")
    array = msgspec.convert(value, _Array)
    kinds = [array.kind] if isinstance(array.kind, str) else [kind for _, kind in array.kind]
    if not all(map(_PLAIN_KIND.fullmatch, kinds)):  # NumPy would read more than we ever write
        raise ValueError(f"an array of {array.kind} cannot be")
    kind = np.dtype(array.kind if isinstance(array.kind, str) else list(array.kind))
    plain = [kind] if kind.names is None else [kind[name] for name in kind.names]
    size = math.prod(array.shape) * kind.itemsize
    if (
        any(each.kind not in "biuf" for each in plain)
        or min(array.shape, default=0) < 0
        or not 0 <= array.size <= size <= ARRAY_BYTES_MAX
        or not 0 <= array.begin <= len(contents) - array.size
    ):
        raise ValueError(f"an array of {array.shape} {array.kind} cannot be")
    made = np.zeros(array.shape, dtype=kind)
    found = np.frombuffer(contents[array.begin : array.begin + array.size], dtype=np.uint8)
    made.reshape(-1).view(np.uint8)[: array.size] = found
    return made
