"""Whose track it is: cases worked by hand."""

import pytest

from opencram.evaluation.identity import FIRST, WINDOW, Use, identities

S = 1_000_000_000


def plots(track_id, *origins, begin_s=0):
    return [Use(t_ns=(begin_s + k) * S, track_id=track_id, origin=origin) for k, origin in enumerate(origins)]


def judge(*tracks, seen=None, confirmed=None, wanted=None):
    uses = sorted((use for track in tracks for use in track), key=lambda use: (use.t_ns, use.track_id))
    ids = {use.track_id for use in uses}
    origins = {use.origin for use in uses if use.origin >= 0}
    return identities(
        uses,
        confirmed or {track_id: 3 * S for track_id in sorted(ids)},
        seen or {origin: 0 for origin in sorted(origins)},
        wanted=wanted,
    )


def test_one_track_of_one_object():
    found = judge(plots(1, *[7] * 20))
    assert (found.objects, found.tracks, found.swaps, found.breaks, found.doubles) == (1, 1, 0, 0, 0)
    assert found.missed == found.false == ()
    assert found.owners == {1: 7}
    assert found.delay_s == {7: pytest.approx(3.0)}
    assert found.purity == 1.0


def test_a_plot_taken_wrongly_is_no_swap_but_going_over_is_one():
    assert judge(plots(1, *[0] * 10, 1, *[0] * 10), seen={0: 0}).swaps == 0
    over = judge(plots(1, *[0] * 10, *[1] * 10), plots(2, *[1] * 10, *[0] * 10))
    assert over.swaps == 2
    assert over.swapped == (1, 2)
    assert over.missed == ()
    assert judge(plots(1, *[0] * 12, *[1] * (WINDOW // 2)), seen={0: 0}).swaps == 0


def test_an_object_followed_by_another_track_is_a_break_and_by_two_at_once_a_double():
    broken = judge(plots(1, *[0] * 10), plots(2, *[0] * 10, begin_s=12))
    assert (broken.breaks, broken.doubles, broken.swaps) == (1, 0, 0)
    twice = judge(plots(1, *[0] * 20), plots(2, *[0] * 12, begin_s=5))
    assert (twice.breaks, twice.doubles) == (0, 1)


def test_clutter_tracks_are_false_and_objects_without_a_track_missed():
    found = judge(plots(1, *[-1] * 8), plots(2, 3, 3, 3, *[-1] * 8), seen={3: 0, 4: 0})
    assert found.false == (1, 2)
    assert found.missed == (3, 4)
    assert judge(plots(1, *[3] * (FIRST - 1)), seen={3: 0}).false == (1,)
    assert judge(plots(1, *[3] * 9), seen={3: 0, 4: 0}, wanted=[3]).missed == ()


def test_tracks_never_confirmed_do_not_count_and_delays_are_never_negative():
    uses = [*plots(1, *[0] * 10), *plots(2, *[1] * 10)]
    found = identities(sorted(uses, key=lambda use: use.t_ns), {1: 2 * S}, {0: 5 * S, 1: 0})
    assert found.tracks == 1
    assert found.missed == (1,)
    assert found.delay_s == {0: 0.0}


def test_of_nothing_there_is_nothing():
    found = identities([], {}, {})
    assert (found.objects, found.tracks, found.swaps, found.purity) == (0, 0, 0, 1.0)


def test_an_object_that_a_track_went_over_to_was_found_when_it_did_and_not_when_that_track_was_confirmed():
    found = judge(plots(1, *[0] * 20, *[1] * 20), seen={0: 0, 1: 20 * S})
    assert found.swaps == 1
    assert found.delay_s[0] == pytest.approx(3.0)
    assert found.delay_s[1] == pytest.approx(4.0)  # the fifth of nine plots
