"""The end of a track in the air: intercepted where a simulated effector says so, lost where none does."""

import pytest
from tracking_worlds import CONFIG, NORTH, ROCKET, S, dwells, every, run, seen, ticks, tracks

from opencram.messages import Engagement


def plots_of_a_rocket():
    return seen(NORTH, ROCKET, every(0.1, 20.0), share=0.9)


def told(track_id, t_ns, outcome):
    """What a simulated effector says of its shot."""
    return Engagement(
        t_ns=t_ns, engagement_id=1, track_id=track_id, effector="gun", state=outcome, rounds=100, fire_t_ns=t_ns,
        intercept_t_ns=t_ns, intercept_enu_m=(0.0, 0.0, 0.0), kill_probability=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(("outcome", "reason"), [("killed", "intercepted"), ("missed", "lost")])
def test_a_track_that_vanishes_in_the_air_is_intercepted_if_an_effector_says_so_and_lost_if_not(outcome, reason):
    plots = plots_of_a_rocket()[:100]
    state, said = run(CONFIG, dwells(plots))
    (track_id,) = tracks(said)
    end_ns = plots[-1].t_ns
    batches = ticks(end_ns, 10.0)
    batches[5] = [told(track_id, end_ns, outcome), *batches[5]]
    state, said = run(CONFIG, batches, state)
    assert said[-1].status == "dropped"
    assert said[-1].reason == reason
    assert (said[-1].t_ns - end_ns) / S < (1.0 if outcome == "killed" else 5.0)
    assert not len(state.tracks.targets)


def test_a_round_that_is_said_to_be_destroyed_and_flies_on_keeps_its_track():
    plots = plots_of_a_rocket()
    batches = [*dwells(plots)]
    batches[60] = [told(1, plots[60].t_ns, "killed"), *batches[60]]
    _, said = run(CONFIG, batches)
    (track,) = tracks(said).values()
    assert track[-1].status == "confirmed"
