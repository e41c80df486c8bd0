"""The state that is written down: the same back, whatever the stages hold; nothing else is believed."""

import pickle
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from opencram.adapters.cap import CapBook, CapConfig
from opencram.config.site import load_site
from opencram.messages import Plot
from opencram.runtime.configure import configure
from opencram.runtime.core import OnDisk
from opencram.runtime.kept import Kept, KeptError, decode_state, encode_state, on_disk, pipeline_state
from opencram.runtime.pipeline import PipelineState, dwells, initial, step
from opencram.runtime.source import Source, read_plots

RAID = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"


class Shelf(msgspec.Struct, frozen=True):
    name: str
    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    flags: NDArray[np.bool_]


def shelf() -> Shelf:
    values = np.zeros((70, 3))
    values[0], values[40, 1], values[41, 2] = (np.nan, np.inf, 5e-324), 1.5, -0.0
    return Shelf("a", values, np.array([[-(2**63)], [2**63 - 1]]), np.array([True, False]))


def test_arrays_come_back_bit_for_bit_and_can_be_written_to() -> None:
    before, data = shelf(), encode_state(shelf())
    after = decode_state(data, Shelf)
    for name in ("values", "counts", "flags"):
        one, two = getattr(before, name), getattr(after, name)
        assert (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())
        assert two.flags.writeable
    roomy = msgspec.structs.replace(before, values=np.zeros((1 << 17, 4)))
    assert len(encode_state(roomy)) < 5000


def test_a_run_goes_on_from_what_was_written_as_if_nothing_had_been() -> None:
    site = load_site(RAID / "site.toml")
    config = configure(site)
    with (RAID / "plots.ndjson").open("rb") as file:
        plots = [m for m in read_plots(site, Source("plots.ndjson", file)) if isinstance(m, Plot)][:1600]
    state, fresh, written = initial(config), initial(config), 0
    for number, batch in enumerate(dwells(config, plots)):
        if number % 40 == 39:
            for name in ("tracking", "warning", "engagement"):
                part = getattr(state, name)
                data = encode_state(part)
                back = decode_state(data, type(part))
                assert encode_state(back) == data
                state = PipelineState(**{**vars(state), name: back})
                written = max(written, len(data))
        state, made = step(config, state, batch)
        fresh, expected = step(config, fresh, batch)
        assert made == expected
    assert written > 10_000
    assert state.open_tracks


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "type", "huge", "object", "beyond"])
def test_what_does_not_fit_is_refused(damage: str) -> None:
    data = encode_state(shelf())
    array = {
        "huge": {
            "name": "a",
            "values": ["<f8", [1 << 40], 0, 0],
            "counts": ["<i8", [0], 0, 0],
            "flags": ["|b1", [0], 0, 0],
        },
        "object": {
            "name": "a",
            "values": ["|O", [1], 0, 0],
            "counts": ["<i8", [0], 0, 0],
            "flags": ["|b1", [0], 0, 0],
        },
        "beyond": {
            "name": "a",
            "values": ["<f8", [2], 0, 16],
            "counts": ["<i8", [0], 0, 0],
            "flags": ["|b1", [0], 0, 0],
        },
        "type": {"name": 7},
    }
    wrong = {
        "cut": data[:-7],
        "flipped": data[:80] + bytes([data[80] ^ 1]) + data[81:],
        "empty": b"",
        "foreign": pickle.dumps(("old", 1)),
    }
    with pytest.raises(KeptError):
        decode_state(wrong.get(damage) or encode_state(array.get(damage)), Shelf)


def test_rows_of_another_version_are_refused() -> None:
    config = configure(load_site(RAID / "site.toml"))
    state, book = initial(config), CapBook(CapConfig(sender="a@b.example", sender_name="A", languages=()), {})
    written = on_disk(Kept(0, state, book), "0" * 64, 1)
    assert pipeline_state(config, written).tracking is written.tracking
    targets = state.tracking.tracks.targets
    fewer = np.zeros(0, dtype=targets.dtype.descr[:-1])
    tracks = msgspec.structs.replace(state.tracking.tracks, targets=fewer)
    other = msgspec.structs.replace(written, tracking=msgspec.structs.replace(state.tracking, tracks=tracks))
    with pytest.raises(KeptError, match=r"tracking\.tracks\.targets is of another version"):
        pipeline_state(config, decode_state(encode_state(other), OnDisk))


def test_nothing_without_a_type_is_written() -> None:
    with pytest.raises(NotImplementedError):
        encode_state({"a": object()})
    assert "tracking" in OnDisk.__struct_fields__
