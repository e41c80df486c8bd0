"""What can wait has its turn: the ones that have waited longest first, and everyone in the end."""

import numpy as np

from opencram.tracking.judging import REFOLLOW_TURNS, room_for, turn


def test_all_have_their_turn_where_there_is_room() -> None:
    waiting = np.array([1, 4, 6])
    assert turn(waiting, np.arange(10), 3).tolist() == [1, 4, 6]


def test_those_that_have_waited_longest_come_first_and_in_their_order() -> None:
    since_ns = np.array([50, 10, 30, 10, 40, 20])
    assert turn(np.arange(6), since_ns, 3).tolist() == [1, 3, 5]
    done: list[int] = []
    for now_ns in range(100, 104):
        chosen = turn(np.arange(6), since_ns, 2)
        since_ns[chosen] = now_ns
        done += chosen.tolist()
    assert set(done) == set(range(6))


def test_a_slow_radar_has_more_of_them_in_a_dwell() -> None:
    assert room_for(REFOLLOW_TURNS, 100_000_000) == 3
    assert room_for(REFOLLOW_TURNS, 4_000_000_000) == 120
