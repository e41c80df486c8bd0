"""Datagrams that are taken together lead to what they lead to one after the other."""

import pytest
from test_feeds import feed

from feed_data import STATIONS, T0, plots
from opencram.adapters.asterix.encode import encode_plots, encode_service


@pytest.mark.parametrize("category", [15, 48])
def test_together_as_one_by_one(category: int) -> None:
    blocks = [encode_service(STATIONS[0], T0), *encode_plots(plots(60), STATIONS, category=category)]
    blocks = [*blocks, blocks[1], b"no block", blocks[2][:-1]]  # a twin, noise, and one that is cut
    one, other = feed("asterix"), feed("asterix")
    expected = [m for block in blocks for m in one.receive(block, T0).messages]
    whole = blocks[:-2]
    found = [*other.receive_all(whole, T0).messages, *other.receive_all(blocks[-2:], T0).messages]
    assert [m for m in found if type(m).__name__ == "Plot"] == [m for m in expected if type(m).__name__ == "Plot"]
    said = [[(m.code, m.reason) for m in each if type(m).__name__ == "Rejected"] for each in (found, expected)]
    assert sorted(said[0]) == sorted(said[1])
    assert said[0]
    first, second = one.status(T0), other.status(T0)
    assert (first.plots, first.rejected, first.bytes_received) == (second.plots, second.rejected, second.bytes_received)
