"""What the tracker learns of its radars' errors, says of them, and allows for."""

import math

import numpy as np
import pytest
from msgspec.structs import replace
from tracking_worlds import (
    MORTAR,
    NORTH,
    SITE,
    T0,
    S,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    noisy,
    plots_of,
    polar,
    radar,
    run,
)  # fmt: skip

from opencram import tracking
from opencram.messages import Health, Tick, Track
from opencram.tracking import judging
from opencram.tracking.errors import MEMORY_S, SLOW, WHITE
from opencram.tracking.noise import RATIOS, SCALES, believed, nothing_heard, told

STATED = np.array([10.0, 1.5e-3, 1.5e-3]) ** 2


def measured(seed, *, scale=1.0, slow=(0.0, 0.0, 0.0), memory_s=2.0, seconds=20.0):
    """Plots of a mortar round with white errors of `scale` times the stated ones, and slow ones."""
    draws = np.random.default_rng(seed)
    times = every(0.1, seconds)
    z = polar(NORTH, flown(MORTAR, times, curve="G5"))
    kept, error = math.exp(-0.1 / memory_s), np.array(slow) * draws.standard_normal(3)
    for row in z:
        row[:3] += error + scale * np.sqrt(STATED) * draws.standard_normal(3)
        error = kept * error + math.sqrt(1.0 - kept * kept) * np.array(slow) * draws.standard_normal(3)
    z[:, 1] = np.mod(z[:, 1], 2 * np.pi)
    return plots_of(NORTH, times, z)


def followed(plots, config=None):
    """The tracker's last state, and all that it said."""
    config = config or tracking.Config(**SITE, sensors=(NORTH,))
    state, said = tracking.initial(config), []
    for plot in plots:
        state, messages = tracking.step(config, state, [plot, Tick(t_ns=plot.t_ns)])
        said += messages
    return state, said


def test_before_the_first_plot_a_radar_is_taken_nearly_at_its_word():
    (errors,) = nothing_heard(STATED[np.newaxis]).errors
    assert errors[:, WHITE] == pytest.approx(1.0, abs=0.25)
    assert (errors[:, SLOW] < 0.5 * np.sqrt(STATED)).all()
    assert (errors[:, MEMORY_S] > 0.0).all()


def test_a_radar_that_is_as_it_states_is_believed_after_one_track():
    for seed in range(3):
        state, said = followed(measured(seed))
        (errors,) = state.noise.errors
        assert errors[:, WHITE] == pytest.approx(1.0, abs=0.15)
        assert (errors[:, SLOW] < 0.3 * np.sqrt(STATED)).all()
        assert not [m for m in said if isinstance(m, Health)]


def test_slow_errors_are_found_from_one_track_and_reported():
    found, reports = [], 0
    for seed in range(4):
        state, said = followed(measured(seed, slow=(8.0, 2e-3, 2e-3)))
        found.append(state.noise.errors[0])
        health = [m for m in said if isinstance(m, Health)]
        reports += len(health)
        assert all(m.state == "degraded" and m.part == "sensor:north/errors" and "slowly" in m.reason for m in health)
    middle = np.median(found, axis=0)
    assert middle[:, SLOW] / [8.0, 2e-3, 2e-3] == pytest.approx(1.0, abs=0.5)
    assert ((middle[:, MEMORY_S] > 0.7) & (middle[:, MEMORY_S] < 6.0)).all()
    assert reports == 4


def test_a_radar_that_errs_more_than_it_states_is_found_out():
    state, said = followed(measured(1, scale=2.5))
    assert state.noise.errors[0, :, WHITE] == pytest.approx(2.4, abs=0.6)
    assert [m.state for m in said if isinstance(m, Health)] == ["degraded"]


def test_a_radar_that_errs_twice_what_it_states_is_found_out_within_three_seconds():
    found = [followed(measured(seed, scale=2.0, seconds=3.0))[0].noise.errors[0, :, WHITE] for seed in range(10)]
    assert (np.median(found, axis=0) > 1.4).all(), found


def test_slow_angles_are_found_within_ten_seconds_and_white_ones_taken_for_white():
    slow, white = (
        np.median(
            [followed(measured(seed, slow=size, seconds=10.0))[0].noise.errors[0, 1:, SLOW] for seed in range(10)],
            axis=0,
        )
        for size in ((8.0, 2e-3, 2e-3), (0.0, 0.0, 0.0))
    )
    assert (slow > 1e-3).all(), slow
    assert (white < 0.2 * 1.5e-3).all(), white


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_radar_that_errs_twice_what_it_states_loses_no_round(seed):
    """That its plots scatter is not taken for a body that turns at random."""
    state, said = followed(measured(seed, scale=2.0))
    assert len(state.tracks.targets) == 1
    assert not [m for m in said if isinstance(m, Track) and m.status == "dropped" and m.reason != "never_confirmed"]
    late = [m for m in said if isinstance(m, Track) and m.t_ns > T0 + 5 * S and m.status == "confirmed"]
    assert late
    assert all(m.projectile_probability > 0.9 for m in late)


def test_a_better_radar_is_believed_to_be_better():
    state, _ = followed(measured(1, scale=0.5))
    assert (state.noise.errors[0, :, WHITE] < 0.75).all()


def heard(kind, scale):
    """Strong evidence for one kind of error in all components."""
    evidence = np.full((3, len(RATIOS), len(SCALES)), -40.0)
    evidence[:, kind, np.argmin(np.abs(SCALES - scale))] = 0.0
    return evidence


def test_a_radar_that_recovers_is_said_to_have_recovered():
    noise, states = nothing_heard(STATED[np.newaxis]), []
    for evidence in (heard(0, 1.0), heard(8, 1.0), heard(8, 1.0), heard(0, 1.0)):
        noise = replace(noise, evidence=evidence[np.newaxis])
        noise, _, said = told(noise, 0, "north", 0.1, T0)
        states.append([m.state for m in said])
    assert states == [[], ["degraded"], [], ["ok"]]
    assert noise.errors[0] == pytest.approx(believed(heard(0, 1.0), STATED), rel=1e-9)


def test_tracks_are_as_unsure_as_the_errors_that_were_learnt_make_them():
    """Those that began before the errors were known are followed again, and are no surer than new ones."""
    plots = measured(2, slow=(8.0, 2e-3, 2e-3))
    state, _ = followed(plots)
    knowing = tracking.initial(tracking.Config(**SITE, sensors=(NORTH,)))
    config = tracking.Config(**SITE, sensors=(NORTH,))
    late = (plots[-1].t_ns + 100 * S,)
    knowing = replace(knowing, noise=replace(state.noise, pieces={}, due_ns=late))
    for plot in plots:
        knowing, _ = tracking.step(config, knowing, [plot, Tick(t_ns=plot.t_ns)])
    naive, known = (np.sqrt(np.diag(each.tracks.p[0])[:6]) for each in (state, knowing))
    assert naive == pytest.approx(known, rel=0.25)


def test_a_sensor_that_joins_later_gets_its_own_errors():
    plots = measured(3, seconds=4.0)
    state, _ = followed(plots[:-1])
    config = tracking.Config(**SITE, sensors=(NORTH, radar("south")))
    state, _ = tracking.step(config, state, [plots[-1]])
    assert state.noise.errors.shape == (2, 3, 3)
    assert state.tracks.x.shape[1] == 22  # the flight, slow errors, and of two sensors the biases
    assert np.linalg.eigvalsh(state.tracks.p[0]).min() > 0.0


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="60, 78 and 89 of 100: too little is known of such errors after 8 and 12 s")
def test_under_slow_errors_that_nobody_told_of_regions_hold_where_the_round_is():
    """95 % regions of position and velocity after 8, 12 and 19.9 s, over 100 rounds; the least allowed is 85 %.

    Not reached with the prior that radars are mostly white, which regions of white ones need (docs/decisions).
    """
    config, held = tracking.Config(**SITE, sensors=(NORTH,)), {8.0: 0, 12.0: 0, 19.9: 0}
    for seed in range(100):
        state, plots = tracking.initial(config), measured(seed, slow=(3.0, 1e-3, 1e-3))
        for plot in plots:
            state, _ = tracking.step(config, state, [plot, Tick(t_ns=plot.t_ns)])
            age_s = round((plot.t_ns - plots[0].t_ns) / S, 1)
            if age_s in held:
                best = int(np.argmax(state.tracks.log_weight))
                truth = flown(MORTAR, [(plot.t_ns - T0) / S], curve="G5")[0]
                error = state.tracks.x[best, :6] - truth
                held[age_s] += error @ np.linalg.solve(state.tracks.p[best, :6, :6], error) < 12.59
    assert min(held.values()) >= 85, held


def test_radars_that_err_much_more_than_they_state_are_followed_because_gates_begin_wide():
    """2.5 times; with narrow gates their plots are taken for those of several bodies."""
    narrow = tracking.Config(**SITE, sensors=(NORTH,), gate_unsure=20.0, gate_tentative_unsure=16.0)
    found, said_so, before = 0, 0, 0
    for seed in range(8):
        plots = measured(seed, scale=2.5, seconds=12.0)
        state, said = followed(plots)
        found += len(state.tracks.targets) == 1
        said_so += any(m.state == "degraded" for m in said if isinstance(m, Health))
        before += len(followed(plots, narrow)[0].tracks.targets) == 1
    assert found >= 6
    assert said_so >= 6
    assert found >= before + 2


def test_gates_are_narrow_once_a_track_has_told_how_the_radar_errs():
    for seed in range(3):
        state, _ = followed(measured(seed, seconds=6.0))
        assert state.noise.sure == (True,)


def jets_confirmed(errs):
    """How many of ten jets in level flight are taken for rounds by a tracker that believes in errors (3, 3)."""
    config, false = tracking.Config(**SITE, sensors=(NORTH,)), 0
    for seed in range(10):
        draws = np.random.default_rng(seed)
        times, bearing = every(0.1, 6.0), draws.uniform(0.0, 2.0 * math.pi)
        speed = draws.uniform(190.0, 260.0)
        states = np.zeros((len(times), 6))
        states[:, :3] = [*draws.uniform(-6000.0, 6000.0, 2), draws.uniform(900.0, 3000.0)]
        states[:, 3:] = [speed * math.sin(bearing), speed * math.cos(bearing), draws.uniform(-15.0, 15.0)]
        states[:, :3] += states[:, 3:] * times[:, np.newaxis]
        state = tracking.initial(config)
        noise = replace(state.noise, errors=np.array([errs]), degraded=(True,))
        plots = plots_of(NORTH, times, noisy(NORTH, polar(NORTH, states), draws))
        _, said = run(config, dwells(plots), replace(state, noise=noise))
        false += len(confirmed_projectiles(said)) > 0
    return false


def test_what_a_jet_has_taught_of_a_radar_does_not_make_the_next_ones_pass_for_rounds(monkeypatch):
    """A jet that was taken for a round leaves a radar that is believed to err slowly by milliradians."""
    errs = np.array([[1.0, 2.5, 4.0], [1.0, 0.7e-3, 3.0], [0.8, 5.2e-3, 5.0]])
    told_as_stated = jets_confirmed(errs)
    monkeypatch.setattr(judging, "_LOG_MISHEARD", -math.inf)
    assert told_as_stated + 4 <= jets_confirmed(errs)
    assert told_as_stated <= 1
