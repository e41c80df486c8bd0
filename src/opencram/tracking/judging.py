"""Judging targets by the class bank: candidates become tracks, young tracks are fitted again."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.ballistics.propagation import STATES
from opencram.tracking.bank import Rows, judge, straight_log_weight, unbiased, whole_weights
from opencram.tracking.beside import is_double
from opencram.tracking.bursts import in_a_burst, unlike_others
from opencram.tracking.config import Config
from opencram.tracking.errors import POLAR
from opencram.tracking.following import FIT_AGE_S, FIT_AGE_S_MAX
from opencram.tracking.history import columns, window
from opencram.tracking.otherwise import jet
from opencram.tracking.patience import harmless
from opencram.tracking.pieces import is_piece
from opencram.tracking.plausible import GRAVITY_M_S2, fast, height, log_unseen, misfit
from opencram.tracking.registration import beforehand
from opencram.tracking.ripples import in_a_wake, is_chain
from opencram.tracking.state import (
    CONFIRMED,
    DROPPED,
    DUPLICATE,
    TENTATIVE,
    Array,
    Candidates,
    Integers,
    State,
    Targets,
    Tracks,
)
from opencram.tracking.surroundings import Surroundings, take_out
from opencram.tracking.survey import STRAIGHT_NS, STRAIGHT_PLOTS
from opencram.tracking.thrust import burnt_out
from opencram.tracking.world import World

# What can wait has its turn: a dwell fits so many again, by the second of data time and at least, so that none is late
# because everything was begun at once.
LEVEL_TURNS, YOUNG_TURNS, REFIT_TURNS, REFOLLOW_TURNS = (20.0, 2), (100.0, 10), (60.0, 8), (30.0, 3)
_ASKED_MAX = 4  # tracks in a dwell: a flood of badly fitting tracks must not stop the clock
_MISFIT_OF_THRUST = 8.0  # log likelihood by which a flight must fit its plots too badly before it is asked for thrust
_LOG_SKY_MIN = math.log(1e-2)  # that a projectile begins in the middle of the sky, against anything else
_LOG_LEVEL = math.log(1e-6)  # that the plots of what flew level are a round's from now on
_ANEW_NS = 3_000_000_000  # of the newest plots of what flew level, that are heard anew if it flies as rounds do there
_EDGE_SHARE = 0.8  # of a radar's range: what is first seen beyond has mostly flown in from further away,
_LOG_MISHEARD = math.log(0.1)  # that what a degraded radar is believed to err by was heard from something else
_LOG_EDGE = math.log(0.05)  # as aircraft do more often than rounds
_LOG_STARTED = math.log(0.02)  # what flies in full view when a radar begins to look is a round; aircraft stay longer
_LEVEL_MIN = 0.02  # probability of a projectile below which a body is said to fly level
_LOG_SEEN = -1.0  # below, a round would have been seen before where a target begins, so that a jet is likelier


class Judged(NamedTuple):
    """What the class bank says of a target: the rows worth following; the share of bullets in what is no projectile."""

    rows: Rows
    bullet: float


def turn(waiting: Integers, since_ns: Integers, room: int) -> Integers:
    """Return, of indices in ascending order, those whose turn it is: the `room` that have waited longest."""
    if len(waiting) <= room:
        return waiting
    return np.sort(waiting[np.argsort(since_ns[waiting], kind="stable")[:room]])


def room_for(turns: tuple[float, int], period_ns: int) -> int:
    """Return how many have their turn in a dwell of a sensor."""
    return max(round(turns[0] * period_ns * 1e-9), turns[1])


# ---- promotion ------------------------------------------------------------------------------------


def promote(config: Config, constants: World, state: State, ripe: NDArray[np.bool_], period_ns: int) -> State:
    """Judge the candidates that are ripe by the class bank; projectiles move to the tracks.

    What is judged for the first time does not wait; what was judged before, and what was told to fly level, has its
    turn.  One that turns out to be the double of a track stays, dropped, for `life` to report.
    """
    few, tracks = state.candidates, state.tracks
    few = replace(few, targets=few.targets.copy(), chances=few.chances.copy(), fall=few.fall.copy())
    keep = np.ones(len(few.targets), dtype=np.bool_)
    since_ns, level = few.targets["fitted_t_ns"], few.targets["status"] == CONFIRMED
    told = turn(np.flatnonzero(ripe & level), since_ns, room_for(LEVEL_TURNS, period_ns))
    young = turn(np.flatnonzero(ripe & ~level & (since_ns > 0)), since_ns, room_for(YOUNG_TURNS, period_ns))
    for k in np.sort(np.concatenate([np.flatnonzero(ripe & ~level & (since_ns == 0)), young, told])).tolist():
        if len(tracks.targets) >= config.tracks_max:
            break
        rows = _verdict(config, constants, state, few, k)
        if rows is None:
            continue
        double = is_double(state, tracks, few.targets[k], rows)
        if double is False and _is_chain(config, constants, state, few.targets[k]):
            double = True
        if double is None:
            few.targets[k]["status"] = CONFIRMED if level[k] else TENTATIVE
        elif double:
            few.targets[k]["status"], few.targets[k]["reason"] = DROPPED, DUPLICATE
        else:
            keep[k] = False
            tracks = _with_track(tracks, few, k, rows)
    if keep.all():
        return replace(state, candidates=few, tracks=tracks)
    around = _without(state, few.targets[~keep])
    few = select_candidates(few, np.flatnonzero(keep))
    return replace(state, candidates=few, tracks=tracks, surroundings=around)


def _verdict(config: Config, constants: World, state: State, few: Candidates, k: int) -> Rows | None:
    """Return the rows of candidate `k` if it is a projectile; else say in place what it is, if that is clear."""
    target, before = few.targets[k], few.targets[k]["status"]
    old = _is_old(state, target)
    if not fast(few.x[k], few.p[k], config.speed_m_s_min):
        if old:
            _tell_level(few, k, state.t_ns)
        return None
    # The next round of a ripple has not been unseen before: its plots may have gone to its neighbours.
    follows = in_a_wake(few.x[k], state.tracks.x, state.tracks.owner)
    unseen, sky = (0.0, 0.0) if follows else _unseen(constants, state, target, few.x[k])
    score = target["score"] + unseen
    is_doubtful = not follows and (unlike_others(few, k, state.t_ns) or in_a_burst(constants, state, few, k))
    if is_doubtful or score < config.confirm_score or is_piece(constants, state, target):
        return None
    # Said to fly level already: a hard turn is no reason to take that back.  But what flies as rounds do there may have
    # been of two before, and is heard anew.
    target["log_sky"] = sky if few.fall[k] > 0.0 or follows else _LOG_LEVEL
    if follows and not few.fall[k] > 0.0:
        target["since_t_ns"] = max(int(target["since_t_ns"]), state.t_ns - _ANEW_NS)
    chances = few.chances[k].copy()
    judged = _judged(config, constants, state, target, _begun(constants, few.x[k]), chances)
    if judged is None:
        return None
    projectile, level = 1.0 - chances[-1], (1.0 - judged.bullet) * chances[-1]
    is_clear = projectile >= config.projectile_probability_min and level <= config.level_probability_max
    if is_clear and _flies(config, constants, judged.rows):
        sound = score + _misfit(config, constants, state, target, judged.rows) >= config.confirm_score
        if sound and not _can_wait(config, constants, state, target, judged):
            few.chances[k] = chances
            return judged.rows
        target["status"] = before
        return None
    if old and projectile < _LEVEL_MIN and judged.bullet * chances[-1] < 0.5:
        few.fall[k], few.chances[k] = 0.0, chances
    else:
        target["status"] = before
    return None


def _is_old(state: State, target: np.void) -> bool:
    """Return whether there is enough of a target to say that it is no projectile."""
    return bool(target["plots"] >= STRAIGHT_PLOTS and state.t_ns - target["first_t_ns"] >= STRAIGHT_NS)


def _tell_level(few: Candidates, k: int, t_ns: int) -> None:
    """Write into the candidates, in place, that number `k` is too slow for a projectile."""
    target = few.targets[k]
    target["status"], target["fitted_t_ns"] = CONFIRMED, t_ns
    few.chances[k], few.fall[k] = 0.0, 0.0
    few.chances[k, -1] = 1.0


def _unseen(constants: World, state: State, target: np.void, x: Array) -> tuple[float, float]:
    """Return the log probability that a round which is at `x` (6) now was not seen before its first plot.

    The second number is that of a round against anything else: at the edge of what the radars see, in the middle of the
    sky, and when a radar has only begun to look, aircraft are more often first seen than rounds.
    """
    first_ns, begun = int(target["first_t_ns"]), state.surroundings.begun
    age_s = (state.t_ns - first_ns) * 1e-9
    before_s = np.array([(first_ns - begun.get(sensor, first_ns)) * 1e-9 for sensor in constants.sensor_index])
    unseen, sky = log_unseen(
        x, age_s, before_s, constants.env, constants.origins, constants.reach_m, constants.periods_s, constants.log_miss
    )
    if sky < unseen:
        sky = max(unseen + _LOG_STARTED, sky)
    shares = np.linalg.norm(constants.origins - x[:3], axis=1) / constants.reach_m
    if shares.min() > _EDGE_SHARE:
        sky = min(sky, _LOG_EDGE)
    return float(unseen), max(float(sky), _LOG_SKY_MIN)


def _misfit(config: Config, constants: World, state: State, target: np.void, rows: Rows) -> float:
    """Return how much worse than it should the best row fits the plots of a target: a log likelihood, 0 or less."""
    x, _, _, model = rows
    chain = columns(state.history), int(target["last"])
    times_ns, sensors, z, weights = window(*chain, config.window_plots_max, int(target["since_t_ns"]))
    age_s, times = (state.t_ns - int(times_ns[0])) * 1e-9, (times_ns - times_ns[0]) * 1e-9
    curve = constants.bank.curves[model[0]]
    radars = constants.rotations, constants.origins
    state_0, biases = x[0, :STATES].copy(), x[0, STATES + POLAR * len(constants.origins) :].copy()
    if len(biases):
        z = unbiased(z, sensors, biases)
    return float(misfit(state_0, age_s, times, sensors, z, weights, constants.env, curve, *radars, state.noise.errors))


def _without(state: State, targets: Targets) -> Surroundings:
    """Return the map of clutter without the plots of these targets: they are of projectiles."""
    around, table = state.surroundings, columns(state.history)
    counts = around.counts.copy()
    for target in targets:
        times_ns, sensors, z, _ = window(table, int(target["last"]), int(target["plots"]), 0)
        take_out(counts, around.t_ns, times_ns, sensors, z)
    return replace(around, counts=counts)


def _begun(constants: World, x: Array) -> tuple[Array, Integers]:
    """Return where each model of the bank begins, if a candidate stands at `x` (6), and the models' numbers."""
    means = constants.bank.means
    return np.hstack([np.tile(x, (len(means), 1)), means]), np.arange(len(means))


def _judged(
    config: Config,
    constants: World,
    state: State,
    target: np.void,
    begun: tuple[Array, Integers],
    chances: Array,
    odds: float = math.nan,
) -> Judged | None:
    """Fit the models that have `begun`; write what was found into the target and its chances (models + 1).

    All plots of the last `FIT_AGE_S_MAX` are fitted; with `odds`, as `bank.judge` takes them, the oldest only, and
    filters follow the rest.  Returns None if no model fits at all.
    """
    since_ns = int(target["since_t_ns"])
    if math.isnan(odds):
        since_ns = max(since_ns, state.t_ns - round(FIT_AGE_S_MAX * 1e9))
    *rows, straight, bullet = judge(
        *begun, columns(state.history), int(target["last"]), since_ns, state.t_ns, config.window_plots_max,
        math.inf if math.isnan(odds) else FIT_AGE_S, odds, constants.env, constants.bank, constants.gunfire,
        constants.rotations, constants.origins, state.noise.errors,
        beforehand(state.registration, int(target["first_t_ns"])), chances,
    )  # fmt: skip
    x, p, log_weight, model = rows
    if not len(x):
        return None
    target["status"] = CONFIRMED
    if math.isnan(odds) and any(state.noise.degraded):
        straight = float(np.logaddexp(straight, _as_stated(config, constants, state, target, since_ns)))
        _weigh(chances, log_weight, straight)
    if math.isnan(odds) and target["log_sky"] < 0.0:
        straight = _in_the_sky(config, constants, state, target, straight, bullet)
        _weigh(chances, log_weight, straight)
    target["log_straight"] = straight
    target["fitted_t_ns"] = target["due_t_ns"] = state.t_ns
    return Judged((x, p, log_weight, model), math.exp(bullet - straight))


def _as_stated(config: Config, constants: World, state: State, target: np.void, since_ns: int) -> float:
    """Return the log weight of no projectile, if its radars err as they state after all.

    What is believed to be a radar's slow error may be a jet that was taken for a round; with errors so large the next
    one is taken for a round the more easily.  Comparable with the others: relative to the errors that are believed.
    """
    times_ns, sensors, z, weights = window(
        columns(state.history), int(target["last"]), config.window_plots_max, since_ns
    )
    if len(state.registration.mean):
        z = unbiased(z, sensors, state.registration.mean)
    times = (times_ns - times_ns[0]) * 1e-9
    whole = whole_weights(sensors, weights, state.noise.errors)
    gain = float(np.log(weights[:, :POLAR] / whole[:, :POLAR]).sum())
    own = straight_log_weight(times, sensors, z, weights, constants.bank, constants.rotations, constants.origins)
    return _LOG_MISHEARD + gain + float(own)


def _in_the_sky(
    config: Config, constants: World, state: State, target: np.void, straight: float, bullet: float
) -> float:
    """Return the log weight of no projectile for a target that begins where a round hardly does.

    Bullets come from the ground too; the rest has been flying all the time, and may be a jet that dives or turns.
    """
    level = straight + math.log1p(-min(math.exp(bullet - straight), 1.0 - 1e-15))
    sky = float(target["log_sky"])
    if sky < _LOG_SEEN:
        level = float(np.logaddexp(level, _log_jet(config, constants, state, target)))
    return float(np.logaddexp(level - sky, bullet))


def _log_jet(config: Config, constants: World, state: State, target: np.void) -> float:
    """Return the log weight of a jet that climbs, dives or turns, as the newest plots of a target have it."""
    since_ns = max(int(target["first_t_ns"]), state.t_ns - round(FIT_AGE_S_MAX * 1e9))
    plots = window(columns(state.history), int(target["last"]), config.window_plots_max, since_ns)
    times_ns, sensors, z, weights = plots
    if len(state.registration.mean):
        z = unbiased(z, sensors, state.registration.mean)
    whole = whole_weights(sensors, weights, state.noise.errors)
    times = (times_ns - times_ns[0]) * 1e-9
    return float(constants.bank.log_prior[-1] + jet(times, sensors, z, whole, constants.rotations, constants.origins))


def _can_wait(config: Config, constants: World, state: State, target: np.void, judged: Judged) -> bool:
    """Return whether a target that is clear is not clear enough for one that will do no harm."""
    age_s = (state.t_ns - int(target["first_t_ns"])) * 1e-9
    if not len(constants.defended) or age_s >= config.harmless_s:
        return False
    x, p, log_weight, model = judged.rows
    other = float(target["log_straight"])
    if target["log_sky"] >= _LOG_SEEN:  # else the jet is in it already
        other = float(np.logaddexp(other, _log_jet(config, constants, state, target)))
    if other - np.logaddexp.reduce(log_weight) <= math.log(config.harmless_probability_max):
        return False
    curves = constants.bank.curves
    return bool(harmless(x, p, model, constants.env, curves, constants.defended, config.harmless_m))


def _weigh(chances: Array, log_weight: Array, straight: float) -> None:
    """Write the probability of no projectile, of log weight `straight`, into `chances` (models + 1)."""
    projectile = 1.0 / (1.0 + math.exp(min(straight - float(np.logaddexp.reduce(log_weight)), 700.0)))
    chances[:-1] *= projectile / max(float(chances[:-1].sum()), 1e-300)
    chances[-1] = 1.0 - projectile


def _flies(config: Config, constants: World, rows: Rows) -> bool:
    """Return whether a body is surely (two standard deviations) faster than anything that only seems to fly, and high.

    First plots of one round after another, where all of them come over the horizon, make a body that
    stands still.  Echoes on the ground make one that flies fast and level along it: no round comes to where it
    can do harm without having been, or becoming, higher than `apex_m_min`.
    """
    x, p = rows[0][0], rows[1][0]
    velocity, covariance = x[3:6], p[3:6, 3:6]
    speed = float(np.linalg.norm(velocity))
    deviation = math.sqrt(max(0.0, float(velocity @ covariance @ velocity))) / (speed + 1e-9)
    apex_m = height(x, constants.env) + 0.5 * x[5] * x[5] / GRAVITY_M_S2
    return speed - 2.0 * deviation > config.speed_m_s_min and apex_m > config.apex_m_min


def _is_chain(config: Config, constants: World, state: State, target: np.void) -> bool:
    """Return whether a target is made of plots of the tracks that there are, one of each."""
    tracks, table = state.tracks, columns(state.history)
    plots = window(table, int(target["last"]), config.window_plots_max, int(target["first_t_ns"]))
    lasts = np.ascontiguousarray(tracks.targets["last"])
    radars = constants.rotations, constants.origins
    return bool(is_chain(state.t_ns, plots, tracks.x, tracks.owner, lasts, table, config.window_plots_max, *radars))


def _with_track(tracks: Tracks, few: Candidates, k: int, rows: Rows) -> Tracks:
    """Return the tracks with candidate `k` as one more; its small filter becomes the companion in level flight."""
    x, p, log_weight, model = rows
    one = slice(k, k + 1)
    return Tracks(
        targets=np.concatenate([tracks.targets, few.targets[one]]),
        chances=np.concatenate([tracks.chances, few.chances[one]]),
        x=np.concatenate([tracks.x, x]),
        p=np.concatenate([tracks.p, p]),
        log_weight=np.concatenate([tracks.log_weight, log_weight]),
        model=np.concatenate([tracks.model, model]),
        owner=np.concatenate([tracks.owner, np.full(len(x), len(tracks.targets))]),
        level_x=np.concatenate([tracks.level_x, few.x[one]]),
        level_p=np.concatenate([tracks.level_p, few.p[one]]),
    )


def select_candidates(few: Candidates, keep: Integers) -> Candidates:
    """Return the candidates of these indices."""
    return Candidates(
        targets=few.targets.take(keep), chances=few.chances.take(keep, axis=0), x=few.x.take(keep, axis=0),
        p=few.p.take(keep, axis=0), fall=few.fall.take(keep),
    )  # fmt: skip


# ---- fitting again --------------------------------------------------------------------------------


def refit(config: Config, constants: World, state: State, due: NDArray[np.bool_], period_ns: int) -> State:
    """Fit the tracks that are `due` again to all their plots: young estimates are too uncertain for straight lines.

    They have their turn; of very many tracks, a twentieth.
    """
    tracks = state.tracks
    targets, chances = tracks.targets.copy(), tracks.chances.copy()
    starts = np.searchsorted(tracks.owner, np.arange(len(targets) + 1)).tolist()
    fitted: dict[int, Rows] = {}
    asked = 0
    room = max(room_for(REFIT_TURNS, period_ns), len(targets) // 20)
    for k in turn(np.flatnonzero(due), targets["fitted_t_ns"], room).tolist():
        rows = slice(starts[k], starts[k + 1])
        begun = tracks.x[rows, :STATES].copy(), tracks.model[rows]
        judged = _judged(config, constants, state, targets[k], begun, chances[k])
        if judged is None:
            continue
        if asked < _ASKED_MAX and _misfit(config, constants, state, targets[k], judged.rows) < -_MISFIT_OF_THRUST:
            judged = _without_thrust(config, constants, state, targets[k], judged, chances[k])
            asked += 1
        fitted[k] = judged.rows
    return replace(state, tracks=_rebuilt(tracks, targets, chances, starts, fitted)) if fitted else state


def _without_thrust(
    config: Config, constants: World, state: State, target: np.void, judged: Judged, chances: Array
) -> Judged:
    """Return what the bank says of a track without the plots that a burning motor explains; the same if none does.

    Writes into the target from when on its plots count.
    """
    x, _, _, model = judged.rows
    plots = window(columns(state.history), int(target["last"]), config.window_plots_max, int(target["since_t_ns"]))
    biases = beforehand(state.registration, int(target["first_t_ns"]))
    burnt_ns = burnt_out(constants, state.noise.errors, plots, x[0, :STATES].copy(), int(model[0]), state.t_ns, biases)
    if burnt_ns is None:
        return judged
    before = target["since_t_ns"], chances.copy()
    target["since_t_ns"] = burnt_ns
    again = _judged(config, constants, state, target, (x[:, :STATES].copy(), model), chances)
    if again is None:
        target["since_t_ns"], chances[:] = before
        return judged
    return again


def refollow(config: Config, constants: World, state: State, again: Iterable[int]) -> State:
    """Follow the tracks `again` (indices, ascending) from their first plots on: radars err otherwise than thought."""
    tracks = state.tracks
    targets, chances = tracks.targets.copy(), tracks.chances.copy()
    starts = np.searchsorted(tracks.owner, np.arange(len(targets) + 1)).tolist()
    fitted: dict[int, Rows] = {}
    for k in again:
        rows, target = slice(starts[k], starts[k + 1]), targets[k].copy()
        top = tracks.log_weight[rows].max(initial=-math.inf)
        if not math.isfinite(top):
            continue
        begun = tracks.x[rows, :STATES].copy(), tracks.model[rows]
        judged = _judged(config, constants, state, target, begun, chances[k], float(target["log_straight"] - top))
        if judged is not None:
            fitted[k] = judged.rows
            targets[k]["log_straight"] = target["log_straight"]
    return replace(state, tracks=_rebuilt(tracks, targets, chances, starts, fitted)) if fitted else state


def _rebuilt(tracks: Tracks, targets: Targets, chances: Array, starts: list[int], fitted: dict[int, Rows]) -> Tracks:
    """Return the tracks with the rows of those that have been fitted put in place of their old ones."""

    def between(first: int, end: int) -> Rows:
        return tracks.x[first:end], tracks.p[first:end], tracks.log_weight[first:end], tracks.model[first:end]

    pieces: list[Rows] = []
    counts = np.diff(starts)
    done = 0
    for k, rows in fitted.items():  # in ascending order
        pieces.append(between(done, starts[k]))
        pieces.append(rows)
        counts[k] = len(rows[0])
        done = starts[k + 1]
    pieces.append(between(done, len(tracks.x)))
    x, p, log_weight, model = (np.concatenate([piece[i] for piece in pieces]) for i in range(4))
    return replace(
        tracks, targets=targets, chances=chances, x=x, p=p, log_weight=log_weight, model=model,
        owner=np.repeat(np.arange(len(targets)), counts),
    )  # fmt: skip
