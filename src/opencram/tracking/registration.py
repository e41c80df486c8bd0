"""Constant errors of radars, their biases, learnt from the tracks that several of them see.

A radar that stands askew, or whose clock of range is off, shifts every plot alike.  One radar's bias cannot be told
from the flight, and does little harm: the impact goes with it.  Those of two radars pull a track to and fro, or split
it in two.  So where there are several sensors, every fit and filter has the biases of all of them among its unknowns
(range, azimuth, elevation each), and what the plots of a track say of them is what its filter knows of them more than
it knew before its first plot.  That adds up over tracks, and a track begins with all that was learnt before its first
plot: so nothing is ever counted twice.

Beforehand the radars are most likely well set up.  That one of them is not, or none, are other possibilities, each with
deviations of its own; the tracks weigh them.  What all radars have in common nobody sees: there the prior stays, that
of the possibilities that are left.

Source: Y. Bar-Shalom (ed.), "Multitarget-Multisensor Tracking: Advanced Applications" (1990), chapter 5 (registration);
the prior of a mixture: A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), section 7.4.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.messages import Health, Message
from opencram.tracking.errors import POLAR

Array = NDArray[np.float64]

SENSORS_MAX = 12  # of more, none is taken to have a bias: determinants of fits would leave the range of numbers
# Deviations (m, rad, rad) of a radar that is well set up, and of one that is not, in two sizes.  Round numbers: a
# compass and a spirit level are good for a milliradian or two, a surveyed mount for a tenth of one.
_GOOD = np.array([1.0, 1e-4, 1e-4])
_BAD = (np.array([12.0, 1e-3, 1e-3]), np.array([40.0, 3e-3, 3e-3]))
_ALL_GOOD, _ONE_BAD = 0.65, 0.15  # probabilities beforehand; what is left: all are bad
_LOOK_NS = 1_000_000_000  # between two looks at the tracks
_FORGET_S = 600.0  # what has been learnt fades
_SEEN = 1e-3  # of what was known before, the least that a track must add of a sensor to have been seen by it
_WILD = 3.0  # root mean square deviations at which a track's word begins to count less
_CHANGED = 0.2  # of a log variance, or of a squared shift over the variance, from which new tracks are told
_TOLD_MAX = 256


class Told(msgspec.Struct, frozen=True):
    """What tracks are told whose first plot is not before `since_ns`."""

    since_ns: int
    mean: Array  # (b,)
    information: Array  # (b, b) reciprocal of the covariance


class Piece(msgspec.Struct, frozen=True):
    """What the plots of one track say of the biases: information, and information times value."""

    information: Array  # (b, b)
    pull: Array  # (b,)


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the biases of the sensors, b = 3 each, none for a single sensor."""

    mean: Array  # (b,)
    covariance: Array  # (b, b)
    told: tuple[Told, ...]  # in order of time
    over: Piece  # of the tracks that are over
    pieces: dict[int, Piece]  # of those that are followed, by track
    faded_ns: int
    due_ns: int  # when the tracks are next looked at
    degraded: tuple[bool, ...]  # by sensor


def unregistered(sensors: int) -> Registration:
    """Return what is known of so many sensors before the first plot."""
    count = POLAR * sensors if 2 <= sensors <= SENSORS_MAX else 0
    nothing = Piece(np.zeros((count, count)), np.zeros(count))
    mean, covariance = believed(nothing)
    told = Told(0, mean, _reciprocal(covariance))
    return Registration(
        mean=mean, covariance=covariance, told=(told,), over=nothing, pieces={}, faded_ns=0, due_ns=0,
        degraded=(False,) * sensors,
    )  # fmt: skip


def beforehand(registration: Registration, first_ns: int) -> tuple[Array, Array]:
    """Return the mean of the biases, and the reciprocal of their covariance, for a track with this first plot."""
    told = registration.told[0]
    for each in registration.told:
        if each.since_ns <= first_ns:
            told = each
    return told.mean, told.information


def corrected(registration: Registration, sensor: int, z: Array) -> Array:
    """Return plots (n, 4) of a sensor less what is believed of its bias."""
    if not len(registration.mean):
        return z
    without = z.copy()
    without[:, :POLAR] -= registration.mean[POLAR * sensor : POLAR * (sensor + 1)]
    return without


# ---- weighing -------------------------------------------------------------------------------------


def _possibilities(sensors: int) -> tuple[Array, Array]:
    """Return the deviations (n, 3 sensors) of all possibilities, and their log probabilities beforehand."""
    stds, chances = [np.tile(_GOOD, sensors)], [_ALL_GOOD]
    for bad in _BAD:
        for k in range(sensors):
            stds.append(np.tile(_GOOD, sensors))
            stds[-1][POLAR * k : POLAR * (k + 1)] = bad
            chances.append(_ONE_BAD / len(_BAD) / sensors)
        stds.append(np.tile(bad, sensors))
        chances.append((1.0 - _ALL_GOOD - _ONE_BAD) / len(_BAD))
    return np.array(stds), np.log(chances)


def believed(heard: Piece) -> tuple[Array, Array]:
    """Return mean (b) and covariance (b, b) of the biases after all that was heard."""
    count = len(heard.pull)
    if not count:
        return np.zeros(0), np.zeros((0, 0))
    stds, log_chances = _possibilities(count // POLAR)
    # In deviations of each possibility: I + D J D is well conditioned whatever the units.
    scaled = np.eye(count) + stds[:, :, np.newaxis] * heard.information * stds[:, np.newaxis, :]
    pulls = stds * heard.pull
    values = np.linalg.solve(scaled, pulls[:, :, np.newaxis])[:, :, 0]
    log_chances = log_chances + 0.5 * (pulls * values).sum(axis=1) - 0.5 * np.linalg.slogdet(scaled)[1]
    weights = np.exp(log_chances - log_chances.max())
    weights /= weights.sum()
    means = stds * values
    mean = weights @ means
    off = means - mean
    within = stds[:, :, np.newaxis] * np.linalg.solve(scaled, np.eye(count)[np.newaxis]) * stds[:, np.newaxis, :]
    covariance = np.einsum("k,kij->ij", weights, within) + np.einsum("k,ki,kj->ij", weights, off, off)
    return mean, 0.5 * (covariance + covariance.T)


def _reciprocal(covariance: Array) -> Array:
    if not len(covariance):
        return covariance
    scale = 1.0 / np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    whole = scale[..., :, np.newaxis] * covariance * scale[..., np.newaxis, :]
    found = np.linalg.solve(whole, np.broadcast_to(np.eye(whole.shape[-1]), whole.shape))
    found = scale[..., :, np.newaxis] * found * scale[..., np.newaxis, :]
    return np.asarray(0.5 * (found + np.swapaxes(found, -1, -2)), dtype=np.float64)


# ---- hearing --------------------------------------------------------------------------------------


def heard(
    registration: Registration, track_ids: list[int], firsts_ns: list[int], x: Array, p: Array, t_ns: int
) -> Registration:
    """Return what is known after a look at the tracks that live.

    `x` (n, b) and `p` (n, b, b): what the filter of each knows of the biases.
    """
    kept = math.exp(-max(t_ns - registration.faded_ns, 0) * 1e-9 / _FORGET_S)
    information, pull = kept * registration.over.information, kept * registration.over.pull
    alive = set(track_ids)
    for track_id, piece in registration.pieces.items():
        if track_id not in alive:
            information, pull = information + piece.information, pull + piece.pull
    pieces = {key: piece for key, piece in registration.pieces.items() if key in alive}
    pieces |= _pieces(registration, track_ids, firsts_ns, x, p)
    over = Piece(information, pull)
    whole = _whole(registration, over, pieces)
    mean, covariance = believed(whole)
    registration = msgspec.structs.replace(
        registration, mean=mean, covariance=covariance, over=over, pieces=pieces, faded_ns=t_ns,
        due_ns=t_ns + _LOOK_NS,
    )  # fmt: skip
    return _told(registration, t_ns, min(firsts_ns, default=t_ns))


def _pieces(
    registration: Registration, track_ids: list[int], firsts_ns: list[int], x: Array, p: Array
) -> dict[int, Piece]:
    """Return what each track that several sensors see says of the biases."""
    begun = [beforehand(registration, first_ns) for first_ns in firsts_ns]
    means, before = np.array([mean for mean, _ in begun]), np.array([information for _, information in begun])
    after = _reciprocal(p)
    information = after - before
    pull = (after @ x[:, :, np.newaxis] - before @ means[:, :, np.newaxis])[:, :, 0]
    share = np.diagonal(information, axis1=1, axis2=2) / np.diagonal(before, axis1=1, axis2=2)
    seen = (share.reshape(len(x), -1, POLAR).max(axis=2) > _SEEN).sum(axis=1)
    sound = np.isfinite(information).all(axis=(1, 2)) & np.isfinite(pull).all(axis=1) & (seen >= 2)
    return {track_ids[k]: Piece(information[k], pull[k]) for k in np.flatnonzero(sound).tolist()}


def _whole(registration: Registration, over: Piece, pieces: dict[int, Piece]) -> Piece:
    """Return what all tracks say together; a track that contradicts the others wildly counts less.

    It holds plots of several bodies, or its flight is none of the bank's.
    """
    information, pull = over.information.copy(), over.pull.copy()
    mean, covariance = registration.mean, registration.covariance
    for piece in pieces.values():
        values, axes = np.linalg.eigh(piece.information)
        off = axes.T @ (piece.pull - piece.information @ mean)
        spread = np.einsum("ij,jk,ki->i", axes.T, covariance, axes)
        values = np.maximum(values, 0.0)
        # Of each axis, how far its value lies from what is believed, in deviations of both.
        distance_2 = off**2 / np.maximum(values + values**2 * spread, 1e-300)
        size = math.sqrt(float(distance_2.sum()) / len(mean))
        share = min(1.0, _WILD / size) ** 2 if size > 0.0 else 1.0
        information += share * piece.information
        pull += share * piece.pull
    return Piece(information, pull)


def _told(registration: Registration, t_ns: int, oldest_ns: int) -> Registration:
    """Return the knowledge with what new tracks are told brought up to date, if it has changed enough."""
    last = registration.told[-1]
    before, now = np.diagonal(_reciprocal(last.information)), np.diagonal(registration.covariance)
    shift_2 = (registration.mean - last.mean) ** 2 / now
    if max(np.abs(np.log(now / before)).max(initial=0.0), shift_2.max(initial=0.0)) < _CHANGED:
        return registration
    told = (*registration.told, Told(t_ns, registration.mean, _reciprocal(registration.covariance)))
    while len(told) > 1 and (told[1].since_ns <= oldest_ns or len(told) > _TOLD_MAX):
        told = told[1:]
    return msgspec.structs.replace(registration, told=told)


def joined(registration: Registration, more: int) -> Registration:
    """Return what is known with more sensors behind the others."""
    sensors = len(registration.degraded)
    fresh = unregistered(sensors + more)
    count, old = len(fresh.mean), len(registration.mean)
    if not old or not count:
        return msgspec.structs.replace(fresh, degraded=registration.degraded + (False,) * more)

    def wider(piece: Piece) -> Piece:
        information, pull = np.zeros((count, count)), np.zeros(count)
        information[:old, :old], pull[:old] = piece.information, piece.pull
        return Piece(information, pull)

    over, pieces = wider(registration.over), {key: wider(piece) for key, piece in registration.pieces.items()}
    mean, covariance = believed(_whole(fresh, over, pieces))
    told = []
    for each in registration.told:
        wide_mean, information = fresh.mean.copy(), fresh.told[0].information.copy()
        wide_mean[:old], information[:old, :old] = each.mean, each.information
        information[:old, old:], information[old:, :old] = 0.0, 0.0
        told.append(Told(each.since_ns, wide_mean, information))
    return msgspec.structs.replace(
        registration, mean=mean, covariance=covariance, told=tuple(told), over=over, pieces=pieces,
        degraded=registration.degraded + (False,) * more,
    )  # fmt: skip


# ---- telling --------------------------------------------------------------------------------------

_SURE, _LARGE, _OWN = 3.0, 0.5, 0.3  # deviations; of a stated deviation; share of the difference that is its own
_NAMES = (("range", "m", 1.0), ("azimuth", "mrad", 1e3), ("elevation", "mrad", 1e3))


def health(
    registration: Registration, sensor_ids: tuple[str, ...], stated: Array, t_ns: int
) -> tuple[Registration, list[Message]]:
    """Say where a radar proves to stand apart from the others, and where it no longer does; `stated` (s, 3) variances.

    Large is what a plot would be seen to be shifted by: half a deviation.
    """
    if not len(registration.mean):
        return registration, []
    said: list[Message] = []
    degraded = []
    for sensor, was in enumerate(registration.degraded):
        difference, std = _apart(registration, sensor)
        own = registration.mean[POLAR * sensor : POLAR * (sensor + 1)]
        large = np.abs(difference) > _LARGE * np.sqrt(stated[sensor]) * (0.5 if was else 1.0)
        sure = np.abs(difference) > _SURE * std * (0.5 if was else 1.0)
        now = bool((large & sure & (own * difference > (0.0 if was else _OWN) * difference**2)).any())
        degraded.append(now)
        if now != was:
            said.append(_message(sensor_ids[sensor], difference, std, now, t_ns))
    if not said:
        return registration, []
    return msgspec.structs.replace(registration, degraded=tuple(degraded)), said


def _apart(registration: Registration, sensor: int) -> tuple[Array, Array]:
    """Return by how much (3,) the biases of a sensor differ from the mean of the others', and the deviations."""
    sensors = len(registration.degraded)
    weights = np.full(sensors, -1.0 / (sensors - 1))
    weights[sensor] = 1.0
    rows = np.kron(weights, np.eye(POLAR))
    return rows @ registration.mean, np.sqrt(np.einsum("ij,jk,ik->i", rows, registration.covariance, rows))


def _message(sensor_id: str, difference: Array, std: Array, degraded: bool, t_ns: int) -> Health:
    parts = [
        f"{name} {factor * difference[m]:+.2g} ± {factor * std[m]:.2g} {unit}"
        for m, (name, unit, factor) in enumerate(_NAMES)
    ]
    verdict = (
        "its plots lie apart from those of the other radars, estimates allow for it"
        if degraded
        else "its plots lie where those of the other radars do again"
    )
    return Health(
        t_ns=t_ns,
        part=f"registration:{sensor_id}",
        state="degraded" if degraded else "ok",
        reason=f"{verdict}: {', '.join(parts)}; what all radars have in common cannot be seen",
    )
