"""The tracker as a stage: rounds become tracks that keep their identity, nothing else does, bad data is refused."""

import math
import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking_worlds import (
    CONFIG,
    MORTAR,
    NORTH,
    ROCKET,
    SITE,
    T0,
    S,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    merged,
    noisy,
    numbered,
    plots_of,
    polar,
    radar,
    run,
    seen,
    ticks,
    tracks,
    users,
)

from opencram import tracking
from opencram.earth.terrain import Terrain
from opencram.messages import Association, Health, Plot, Rejected, Tick, Track
from opencram.tracking.history import History

SOUTH = radar("south", (-1200.0, 900.0, 12.0), range_m_std=15.0, azimuth_rad_std=2e-3, period_s=0.25)
BOTH = tracking.Config(**SITE, sensors=(NORTH, SOUTH))
FLIGHT_S = 20.0


def rocket_plots(**changes):
    return seen(NORTH, ROCKET, every(0.1, FLIGHT_S), **{"share": 0.9, **changes})


def frozen(value):
    """Everything that a state holds, as bytes and tuples."""
    if isinstance(value, History):
        table, count = value.table, value.written - value.table.first
        columns = (table.t_ns, table.sensor, table.z, table.weight, table.previous)
        return value.written, table.first, tuple(column[:count].tobytes() for column in columns)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, msgspec.Struct):
        return tuple(frozen(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        return tuple(frozen(each) for each in value)
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    return value


def states_along(config, plots):
    """The batches, and the state before each."""
    batches, states = list(dwells(plots)), [tracking.initial(config)]
    for batch in batches:
        states.append(tracking.step(config, states[-1], batch)[0])
    return batches, states


# ---- one round ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "curve", "classes"), [(ROCKET, "G7", ("rocket", "shell")), (MORTAR, "G5", ("mortar",))]
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_round_is_one_track_from_its_first_second_to_the_ground(state, curve, classes, seed):
    plots = seen(NORTH, state, every(0.1, 60.0), seed=seed, curve=curve, share=0.9)
    plots = numbered([p for p in plots if p.elevation_rad > 0.01][:400])
    end, said = run(CONFIG, dwells(plots))
    end, more = run(CONFIG, ticks(plots[-1].t_ns, 40.0), end)
    (track,) = tracks([*said, *more]).values()
    confirmed = next(m for m in track if m.status == "confirmed")
    assert confirmed.t_ns <= plots[2].t_ns + round(1.5 * S)
    assert track[-1].status == "dropped"
    assert track[-1].reason == "impact"
    assert all(m.projectile_probability >= 0.5 for m in track if m.status == "confirmed")
    assert track[-1].classes[0][0] in classes
    assert not len(end.tracks.targets)
    assert not len(end.candidates.targets)
    assert sum(used == track[0].track_id for used in users(said).values()) >= 0.97 * len(plots)


def test_a_round_that_falls_on_a_plateau_ends_where_the_ground_is():
    plateau = Terrain.of(-15_000.0, -15_000.0, 1000.0, np.full((31, 31), SITE["ground_height_m"] + 400.0))
    high = tracking.Config(**SITE, sensors=(NORTH,), terrain=plateau)
    times = every(0.1, 60.0)
    falls = flown(ROCKET, times)
    last = int(np.flatnonzero(falls[:, 2] > 400.0)[-1])
    plots = seen(NORTH, ROCKET, times[2:last], share=0.9)
    ended = {}
    for name, config in (("high", high), ("flat", CONFIG)):
        state, said = run(config, dwells(plots))
        _, more = run(config, ticks(plots[-1].t_ns, 40.0), state)
        (track,) = tracks([*said, *more]).values()
        assert track[-1].reason == "impact"
        ended[name] = (track[-1].t_ns - plots[-1].t_ns) / S
    assert ended["high"] < 0.8
    assert ended["flat"] > ended["high"] + 0.5


def test_a_confirmed_track_speaks_every_half_second_and_tells_its_models_every_second():
    _, said = run(CONFIG, dwells(rocket_plots(share=1.0)))  # time passes with the plots: none is missing
    (track,) = tracks(said).values()
    spoken = [m.t_ns for m in track if m.status == "confirmed"]
    told = [m.t_ns for m in track if m.hypotheses]
    assert np.diff(spoken).max() <= 0.6 * S
    assert np.diff(told).max() <= 1.1 * S
    for m in track:
        assert m.first_t_ns <= m.updated_t_ns <= m.t_ns
        assert sum(p for _, p in m.classes) == pytest.approx(1.0 if m.classes else 0.0)
        assert [p for _, p in m.classes] == sorted((p for _, p in m.classes), reverse=True)
        for hypothesis in m.hypotheses:
            lower = np.zeros((10, 10))
            lower[np.tril_indices(10)] = hypothesis.covariance
            assert np.linalg.eigvalsh(lower + np.tril(lower, -1).T).min() > 0.0
            assert 0.0 < hypothesis.probability <= 1.0 + 1e-12


def test_the_track_is_where_the_round_is():
    times = every(0.1, FLIGHT_S)
    truth = dict(zip(np.round(times * S).astype(int).tolist(), flown(ROCKET, times), strict=True))
    _, said = run(CONFIG, dwells(rocket_plots()))
    (track,) = tracks(said).values()
    late = [m for m in track if m.t_ns - T0 > 5 * S and m.status == "confirmed"]
    errors = [np.linalg.norm(np.array(m.position_enu_m) - truth[m.t_ns - T0][:3]) / m.position_m_std for m in late]
    assert len(late) > 20
    assert np.sqrt(np.mean(np.square(errors))) < 1.6
    assert max(m.position_m_std for m in late) < 20.0


def test_every_plot_is_accounted_for_once():
    draws = np.random.default_rng(9)
    clutter = noisy(NORTH, np.tile([6000.0, 3.0, 0.5, 0.0], (150, 1)), draws)
    clutter[:, 0], clutter[:, 1] = draws.uniform(500, 15_000, 150), draws.uniform(0, 6.28, 150)
    plots = merged(rocket_plots(), plots_of(NORTH, draws.choice(every(0.1, FLIGHT_S), 150), clutter))
    _, said = run(CONFIG, dwells(plots))
    told = [plot_id for m in said if isinstance(m, Association) for plot_id in m.plot_ids]
    told += [m.plot_id for m in said if isinstance(m, Rejected)]
    assert sorted(told) == [p.plot_id for p in plots]
    assert all(m.status in ("tentative", "dropped") for k, v in tracks(said).items() if k != 1 for m in v) or (
        len(confirmed_projectiles(said)) == 1
    )


# ---- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap_s", [(3.0, 5.0), (8.0, 10.0), (14.0, 16.0)])
def test_a_drop_out_of_two_seconds_keeps_the_track(gap_s):
    plots = [p for p in rocket_plots() if not gap_s[0] * S < p.t_ns - T0 < gap_s[1] * S]
    batches = [*dwells(numbered(plots))]
    pause = ticks(T0 + round(gap_s[0] * S), gap_s[1] - gap_s[0])
    batches = sorted([*batches, *pause], key=lambda batch: batch[-1].t_ns)
    _, said = run(CONFIG, batches)
    (track,) = tracks(said).values()
    assert "coasting" in {m.status for m in track}
    assert track[-1].status == "confirmed"
    coasting = [m.t_ns - T0 for m in track if m.status == "coasting"]
    assert gap_s[0] * S < min(coasting)
    assert max(coasting) <= gap_s[1] * S + round(0.2 * S)


def test_two_radars_of_different_periods_make_one_track():
    plots = merged(rocket_plots(seed=4), seen(SOUTH, ROCKET, every(0.25, FLIGHT_S, 0.03), seed=5, share=0.8))
    _, said = run(BOTH, dwells(plots))
    (number,) = tracks(said)
    used = users(said)
    for sensor in ("north", "south"):
        mine = [p.plot_id for p in plots if p.sensor == sensor]
        assert sum(used[plot_id] == number for plot_id in mine) > 0.95 * len(mine)


def test_plots_of_one_radar_that_come_late_are_used_all_the_same():
    """The second radar's plots arrive 0.4 s after their time, in between newer ones of the first."""
    north, south = rocket_plots(seed=4), seen(SOUTH, ROCKET, every(0.25, FLIGHT_S, 0.03), seed=5)
    arrival = [(p.t_ns, 0, p) for p in north] + [(p.t_ns + round(0.4 * S), 1, p) for p in south]
    plots = numbered([p for _, _, p in sorted(arrival, key=lambda each: each[:2])])
    _, said = run(BOTH, dwells(plots))
    (number,) = tracks(said)
    used = users(said)
    late = [p.plot_id for p in plots if p.sensor == "south"]
    assert sum(used[plot_id] == number for plot_id in late) > 0.95 * len(late)
    assert not [m for m in said if isinstance(m, Rejected)]


def test_north_is_no_seam():
    """A round that flies back and forth over the radar's north keeps its track and uses all plots."""
    x, y, z = NORTH.position_enu_m
    state = (x + 800.0, y + 7000.0, z + 200.0, -100.0, -200.0, 230.0, *ROCKET[6:])
    plots = seen(NORTH, state, every(0.1, FLIGHT_S))
    azimuths = [p.azimuth_rad for p in plots]
    assert min(azimuths) < 0.02
    assert max(azimuths) > 6.26
    _, said = run(CONFIG, dwells(plots))
    (number,) = tracks(said)
    assert sum(used == number for used in users(said).values()) >= 0.98 * len(plots)


@pytest.mark.parametrize("apart_m", [300.0, 1000.0])
def test_rounds_side_by_side_do_not_swap(apart_m):
    across = np.array([math.cos(0.6), -math.sin(0.6)]) * apart_m
    states = [(ROCKET[0] + k * across[0], ROCKET[1] + k * across[1], *ROCKET[2:]) for k in range(4)]
    lists = [seen(NORTH, state, every(0.1, FLIGHT_S), seed=20 + k, share=0.9) for k, state in enumerate(states)]
    plots = merged(*lists)
    owner = {(p.t_ns, p.range_m): k for k, mine in enumerate(lists) for p in mine}
    _, said = run(CONFIG, dwells(plots))
    assert len(confirmed_projectiles(said)) == 4
    used = users(said)
    for k in range(4):
        mine = [used[p.plot_id] for p in plots if owner[p.t_ns, p.range_m] == k]
        assert mine.count(max(set(mine), key=mine.count)) > 0.93 * len(mine)


def split_plots():
    """A radar that gives two plots of each dwell for one round."""
    plots, draws = rocket_plots(), np.random.default_rng(12)
    twins = [
        Plot(
            **{
                **fields(p),
                "range_m": p.range_m + float(draws.normal(0.0, 12.0)),
                "elevation_rad": p.elevation_rad + 1e-3,
            }
        )
        for p in plots
    ]
    return merged(plots, twins)


def test_every_track_that_was_told_of_is_told_to_end():
    plots = split_plots()
    state, said = run(CONFIG, dwells(plots))
    _, more = run(CONFIG, ticks(plots[-1].t_ns, 60.0), state)
    last = {number: track[-1] for number, track in tracks([*said, *more]).items()}
    assert {number: m.status for number, m in last.items() if m.status != "dropped"} == {}
    assert all(m.reason for m in last.values())


def test_two_plots_of_each_dwell_make_one_round():
    _, said = run(CONFIG, dwells(split_plots()))
    assert len(confirmed_projectiles(said)) == 1


# ---- what is no projectile ------------------------------------------------------------------------


def aircraft_plots(seed, speed_m_s=150.0, seconds=30.0):
    """Plots of a level flight past the radar, and its course drawn at random."""
    draws = np.random.default_rng(seed)
    course, times = draws.uniform(0.0, 2.0 * math.pi), every(0.1, seconds)
    velocity = speed_m_s * np.array([math.sin(course), math.cos(course), 0.0])
    middle = np.array([*draws.uniform(-2000.0, 2000.0, 2), draws.uniform(400.0, 1500.0)])
    states = np.zeros((len(times), 6))
    states[:, :3] = middle + (times - 0.5 * seconds)[:, np.newaxis] * velocity
    states[:, 3:] = velocity
    return plots_of(NORTH, times, noisy(NORTH, polar(NORTH, states), draws))


@pytest.mark.parametrize("seed", range(4))
def test_a_level_flight_is_no_projectile_once_there_is_enough_to_judge_by(seed):
    plots = aircraft_plots(seed)
    _, said = run(CONFIG, dwells(plots))
    judged = [m for m in said if isinstance(m, Track) and m.t_ns - m.first_t_ns > 4 * S and m.status == "confirmed"]
    assert judged
    assert all(m.projectile_probability < 0.5 for m in judged)
    assert len(tracks(said)) == 1


def test_scattered_clutter_is_never_confirmed():
    draws = np.random.default_rng(10)
    count = 1500
    z = np.stack(
        [
            draws.uniform(500.0, 15_000.0, count),
            draws.uniform(0.0, 2.0 * math.pi, count),
            draws.uniform(0.02, 1.2, count),
            np.zeros(count),
        ],
        axis=1,
    )
    plots = merged(plots_of(NORTH, np.sort(draws.choice(every(0.1, 60.0), count)), z))
    _, said = run(CONFIG, dwells(plots))
    assert not confirmed_projectiles(said)
    assert not [m for m in said if isinstance(m, Track) and m.status in ("confirmed", "coasting")]


# ---- a pure function ------------------------------------------------------------------------------


def test_a_step_leaves_its_state_as_it_was_and_says_the_same_again():
    plots = merged(rocket_plots(), seen(NORTH, MORTAR, every(0.1, FLIGHT_S), seed=6, curve="G5", share=0.8))
    batches, states = states_along(CONFIG, plots)
    for k in range(0, len(batches), 17):
        before = frozen(states[k])
        after, said = tracking.step(CONFIG, states[k], batches[k])
        again, said_again = tracking.step(CONFIG, states[k], batches[k])
        assert frozen(states[k]) == before
        assert said == said_again
        assert frozen(after) == frozen(again) == frozen(states[k + 1])


def test_two_futures_of_one_state_are_independent():
    batches, states = states_along(CONFIG, rocket_plots())
    here = states[60]
    other = [[Plot(**{**fields(p), "range_m": p.range_m + 20.0}) for p in b[:-1]] + b[-1:] for b in batches[60:]]
    alone = [run(CONFIG, future, here)[1] for future in (batches[60:], other)]
    one, two, said_one, said_two = here, here, [], []
    for batch, wrong in zip(batches[60:], other, strict=True):
        one, messages = tracking.step(CONFIG, one, batch)
        said_one += messages
        two, messages = tracking.step(CONFIG, two, wrong)
        said_two += messages
    assert [said_one, said_two] == alone
    assert said_one != said_two


def test_the_same_input_gives_the_same_bytes():
    plots = merged(rocket_plots(), seen(NORTH, MORTAR, every(0.1, FLIGHT_S), seed=6, curve="G5", share=0.8))
    first, second = (msgspec.json.encode(run(CONFIG, dwells(plots))[1]) for _ in range(2))
    assert first == second


def test_a_state_can_be_kept_and_taken_up_again():
    batches, states = states_along(CONFIG, rocket_plots())
    kept = pickle.loads(pickle.dumps(states[80]))
    assert run(CONFIG, batches[80:], kept)[1] == run(CONFIG, batches[80:], states[80])[1]


def test_an_empty_batch_changes_nothing():
    batches, states = states_along(CONFIG, rocket_plots()[:60])
    for state in (states[0], states[-1]):
        after, said = tracking.step(CONFIG, state, [])
        assert said == []
        assert frozen(after) == frozen(state)
    assert batches


# ---- bad data -------------------------------------------------------------------------------------


def fields(plot):
    return {name: getattr(plot, name) for name in plot.__struct_fields__}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"range_m": math.nan}, "nan"),
        ({"azimuth_rad": math.inf}, "nan"),
        ({"elevation_rad": -math.inf}, "nan"),
        ({"range_m": -5.0}, "range"),
        ({"range_m": 0.0}, "range"),
        ({"sensor": "nobody"}, "unknown_sensor"),
        ({"t_ns": T0 - 60 * S}, "late"),
        ({"range_m_std": 0.0}, "range"),
        ({"azimuth_rad_std": math.nan}, "range"),
        ({"elevation_rad_std": -1.0}, "range"),
        ({"range_m_std": 1e-200}, "range"),
        ({"range_m_std": 1e200}, "range"),
        ({"range_m": 1e300}, "range"),
        ({"azimuth_rad": 1e300}, "range"),
        ({"elevation_rad": 2.0}, "range"),
        ({"range_rate_m_s": math.inf}, "range"),
        ({"range_rate_m_s": math.nan}, "range"),
        ({"t_ns": 1 << 70}, "time"),
    ],
    ids=str,
)
def test_a_bad_plot_is_rejected_with_its_reason_and_the_others_fare_as_without_it(changes, code):
    plots = rocket_plots()[:80]
    bad = Plot(**{**fields(plots[40]), "plot_id": 999, **changes})
    batches = list(dwells(plots))
    _, clean = run(CONFIG, batches)
    _, said = run(CONFIG, [[*b[:-1], bad, b[-1]] if k == 40 else b for k, b in enumerate(batches)])
    (rejected,) = [m for m in said if isinstance(m, Rejected)]
    assert (rejected.plot_id, rejected.code, rejected.sensor) == (999, code, bad.sensor)
    assert rejected.reason
    assert [m for m in said if m is not rejected] == clean


def test_doubled_plots_are_rejected_and_make_no_second_round():
    plots = rocket_plots()
    batches = list(dwells(plots))
    _, clean = run(CONFIG, batches)
    _, said = run(CONFIG, [[*batch[:-1], *batch[:-1], batch[-1]] for batch in batches])
    rejected = [m for m in said if isinstance(m, Rejected)]
    assert [m.code for m in rejected] == ["duplicate"] * len(plots)
    assert [m for m in said if not isinstance(m, Rejected)] == clean


numbers = st.one_of(
    st.floats(), st.sampled_from([0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, -math.inf]), st.floats(1.0, 2e4)
)
optional = st.one_of(st.none(), numbers)


@st.composite
def odd_plots(draw):
    """A plot near the rocket's path, with some of its values replaced by anything."""
    plot = fields(draw(st.sampled_from(ROCKET_PLOTS)))
    plot["plot_id"] = draw(st.integers(1, 10_000))
    for name in ("range_m", "azimuth_rad", "elevation_rad"):
        if draw(st.integers(0, 5)) == 0:
            plot[name] = draw(numbers)
    for name in ("range_rate_m_s", "snr_db", "range_m_std", "azimuth_rad_std", "elevation_rad_std"):
        if draw(st.integers(0, 5)) == 0:
            plot[name] = draw(optional)
    if draw(st.integers(0, 5)) == 0:
        plot["t_ns"] += draw(st.integers(-5 * S, 5 * S))
    if draw(st.integers(0, 9)) == 0:
        plot["sensor"] = draw(st.sampled_from(["south", "nobody", ""]))
    return Plot(**plot)


ROCKET_PLOTS = seen(NORTH, ROCKET, every(0.1, 6.0))
batches_of_anything = st.lists(
    st.one_of(
        odd_plots(),
        st.sampled_from(ROCKET_PLOTS),
        st.integers(T0 - 5 * S, T0 + 60 * S).map(lambda t_ns: Tick(t_ns=t_ns)),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(batches_of_anything, max_size=6), st.integers(0, 59))
def test_nothing_that_comes_in_makes_it_raise(batches, begun):
    """And every plot comes back, used or rejected."""
    state, _ = run(BOTH, dwells(ROCKET_PLOTS[:begun]))
    for batch in batches:
        state, said = tracking.step(BOTH, state, batch)
        told = [plot_id for m in said if isinstance(m, Association) for plot_id in m.plot_ids]
        told += [m.plot_id for m in said if isinstance(m, Rejected) and m.code != "limit"]
        assert sorted(told) == sorted(p.plot_id for p in batch if isinstance(p, Plot))
        for m in said:
            if isinstance(m, Track):
                assert m.track_id > 0
                msgspec.json.decode(msgspec.json.encode(m), type=Track)


def test_a_flood_is_bounded_and_said_to_be():
    config = tracking.Config(**SITE, sensors=(NORTH,), candidates_max=300)
    draws = np.random.default_rng(11)
    z = np.stack([draws.uniform(500, 15e3, 2000), draws.uniform(0, 6.28, 2000), draws.uniform(0, 1, 2000)], axis=1)
    plots = numbered(plots_of(NORTH, np.zeros(2000), np.concatenate([z, np.zeros((2000, 1))], axis=1)))
    state, said = run(config, dwells(plots))
    assert len(state.candidates.targets) == 300
    refused = [m for m in said if isinstance(m, Rejected)]
    assert len(refused) == 1700
    assert {m.code for m in refused} == {"limit"}
    told = [(m.part, m.state) for m in said if isinstance(m, Health)]
    assert told == [("sensor:north/flood", "degraded"), ("tracking", "degraded")]
    later = plots_of(NORTH, [6.0], np.array([[5000.0, 1.0, 0.5, 0.0]]))
    _, said = run(config, [[Tick(t_ns=T0 + 5 * S)], *dwells(later)], state)
    told = [(m.part, m.state) for m in said if isinstance(m, Health)]
    assert told == [("sensor:north/flood", "ok"), ("tracking", "ok")]


def test_a_day_of_silence_ends_everything_and_takes_no_day():
    state, _ = run(CONFIG, dwells(rocket_plots()[:100]))
    state, said = tracking.step(CONFIG, state, [Tick(t_ns=T0 + 86_400 * S)])
    assert len(state.tracks.targets) == 0
    assert [m.status for m in said] == ["dropped"]


def test_time_that_goes_back_is_borne():
    """Ticks of the past are passed over; plots of up to two seconds ago are used, older ones rejected."""
    plots = rocket_plots()[:100]
    state, _ = run(CONFIG, dwells(plots))
    same, said = tracking.step(CONFIG, state, [Tick(t_ns=T0)])
    assert said == []
    assert frozen(same) == frozen(state)
    newest = plots[-1].t_ns
    for age_s, rejected in ((0.5, False), (1.9, False), (2.1, True), (1e6, True)):
        old = Plot(**{**fields(plots[-1]), "plot_id": 500, "t_ns": newest - round(age_s * S)})
        _, said = tracking.step(CONFIG, state, [old])
        assert any(isinstance(m, Rejected) for m in said) == rejected
        assert any(isinstance(m, Association) for m in said) != rejected
