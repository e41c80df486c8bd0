"""The plots behind the tracks: chains that read back what was written, and a past that nobody changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.tracking.history import CAPACITY, append, columns, empty, window

EVER = -(1 << 62)


def added(history, times, previous, sensor=0, mark=0.0):
    """The history with plots at these times, whose range is the time plus `mark`."""
    times = np.asarray(times, dtype=np.int64)
    z = np.zeros((len(times), 4))
    z[:, 0] = times + mark
    after = append(history, times, sensor, z, z + 0.5, np.asarray(previous, dtype=np.int64))
    return after, np.arange(history.written, after.written)


def chain(history, last, count_max=600, since=EVER):
    """Ranges of a chain, oldest first; all columns must tell of the same plots."""
    times, sensors, z, weight = window(columns(history), last, count_max, since)
    assert len(times) == len(sensors) == len(z) == len(weight)
    assert (weight == z + 0.5).all()
    return z[:, 0].tolist()


def test_a_chain_reads_back_in_order_of_time():
    history, first = added(empty(), [10, 10, 10], [-1, -1, -1])
    history, second = added(history, [20, 20], [first[2], first[0]])
    history, third = added(history, [30], [second[1]], sensor=1)
    assert chain(history, int(third[0])) == [10, 20, 30]
    assert chain(history, int(second[0])) == [10, 20]
    assert chain(history, int(first[1])) == [10]
    assert chain(history, -1) == []
    times, sensors, _, _ = window(columns(history), int(third[0]), 600, EVER)
    assert (times.tolist(), sensors.tolist()) == ([10, 20, 30], [0, 0, 1])


def test_a_chain_ends_where_it_is_told_to():
    history, last = empty(), -1
    for t in range(10):
        history, numbers = added(history, [t], [last])
        last = int(numbers[0])
    assert chain(history, last, count_max=3) == [7, 8, 9]
    assert chain(history, last, since=6) == [6, 7, 8, 9]


def test_late_plots_take_their_place_in_time():
    history, last = empty(), -1
    for t in (10, 30, 20, 40):
        history, numbers = added(history, [t], [last])
        last = int(numbers[0])
    assert chain(history, last) == [10, 20, 30, 40]


def test_two_futures_of_one_past_know_nothing_of_each_other():
    past, numbers = added(empty(), [10, 11], [-1, -1])
    last = int(numbers[0])
    one, in_one = added(past, [20, 21], [last, -1], mark=100.0)
    other, in_other = added(past, [20], [last], mark=200.0)
    again, in_again = added(past, [20, 21], [last, -1], mark=100.0)
    assert in_one.tolist() == in_again.tolist()
    assert chain(one, int(in_one[0])) == chain(again, int(in_again[0])) == [10, 120]
    assert chain(other, int(in_other[0])) == [10, 220]
    assert chain(past, last) == [10]
    one, in_one = added(one, [30], [int(in_one[0])])
    assert chain(one, int(in_one[0])) == [10, 120, 30]
    assert chain(other, int(in_other[0])) == [10, 220]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 3)), min_size=1, max_size=25))
def test_any_tree_of_futures_reads_as_if_each_had_its_own_copy(moves):
    """Each move goes on from some earlier history; beside each, a plain list of what its chain must hold."""
    known = [(empty(), -1, [])]
    for mark, (pick, count) in enumerate(moves):
        history, last, expected = known[pick % len(known)]
        for _ in range(count):
            time = len(expected)
            history, numbers = added(history, [time], [last], mark=1000.0 * mark)
            last, expected = int(numbers[0]), [*expected, time + 1000.0 * mark]
        known.append((history, last, expected))
    for history, last, expected in known:
        assert chain(history, last) == expected


def filled(count, history=None, last=-1, start=0, size=4096):
    """A history with one long chain of `count` plots, each at its own time."""
    history = empty() if history is None else history
    done = 0
    while done < count:
        part = min(size, count - done)
        first = history.written
        previous = [last, *range(first, first + part - 1)]
        history, numbers = added(history, range(start + done, start + done + part), previous)
        last, done = int(numbers[-1]), done + part
    return history, last


@pytest.mark.parametrize("over", [0, 1, 5000, CAPACITY, CAPACITY + 17])
def test_the_newest_plots_are_there_however_long_it_has_run(over):
    history, last = filled(CAPACITY + over)
    assert history.written == CAPACITY + over
    newest = CAPACITY + over - 1
    assert chain(history, last) == list(range(newest - 599, newest + 1))
    assert chain(history, last, count_max=2 * CAPACITY) == list(range(over, newest + 1))


def test_a_chain_whose_beginning_is_forgotten_ends_there():
    history, numbers = added(empty(), [0, 1], [-1, -1])
    history, _ = filled(CAPACITY - 2, history, start=2)
    history, late = added(history, [CAPACITY, CAPACITY + 1], [int(numbers[0]), int(numbers[1])])
    assert chain(history, int(late[0])) == [CAPACITY]
    assert chain(history, int(late[1])) == [CAPACITY + 1]


def test_two_futures_know_nothing_of_each_other_when_the_table_is_full():
    past, last = filled(CAPACITY + 100)
    one, in_one = added(past, [CAPACITY + 100], [last], mark=0.25)
    other, in_other = added(past, [CAPACITY + 100], [last], mark=0.75)
    assert chain(one, int(in_one[0]))[-1] == CAPACITY + 100.25
    assert chain(other, int(in_other[0]))[-1] == CAPACITY + 100.75
    assert chain(past, last) == list(range(CAPACITY - 500, CAPACITY + 100))


def test_a_future_never_writes_over_what_an_earlier_history_still_holds():
    for start in (CAPACITY - 1, CAPACITY, 2 * CAPACITY - 1, 2 * CAPACITY):
        past, last = filled(start)
        before = chain(past, last, count_max=CAPACITY)
        assert len(before) == min(start, CAPACITY)
        filled(CAPACITY + 50, past, last=last, start=7_000_000)
        assert chain(past, last, count_max=CAPACITY) == before


def test_a_flood_in_one_dwell_finds_room():
    past, last = filled(10)
    history, numbers = added(past, range(10, 10 + 3 * CAPACITY), [last] * 3 * CAPACITY)
    assert chain(history, int(numbers[-1])) == [3 * CAPACITY + 9]
    assert chain(past, last) == list(range(10))
