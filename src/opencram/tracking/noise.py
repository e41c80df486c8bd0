"""What each radar's errors really are, learnt from the tracks while they fly.

A radar states the deviations of its errors, and a tracker that believes it takes every plot's error for its own.  Real
errors are larger or smaller than stated, and stay for a while: an angle that is off by a milliradian now is so a second
later, and a hundred plots say little more than ten.  So twice a second, for each radar, the plots of one track are
held against a flight through them, and of the residuals it is asked how likely they are for white errors and slow
ones of several sizes and time constants (`estimation.coloured`).  The answers of all tracks add up.  The prior says
that a radar is as it states, so that one which behaves is taken at its word.

Where the answer changes, the tracks are followed again from their first plots: they were too sure before.
"""

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.messages import Health, Message
from opencram.tracking.errors import MEMORY_S, POLAR, SLOW, WHITE
from opencram.tracking.residuals import evidence

Array = NDArray[np.float64]

# Kinds of errors: the slow part over the white one, and its time constant; and both parts over what is stated.
_SHAPES = [(0.0, 1.0), *((ratio, constant_s) for ratio in (0.3, 0.6, 1.2, 2.5, 5.0) for constant_s in (0.4, 1.5, 5.0))]
RATIOS = np.array([ratio for ratio, _ in _SHAPES])
CONSTANTS_S = np.array([constant_s for _, constant_s in _SHAPES])
SCALES = np.array([0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0, 2.8, 4.0, 6.0])
# The prior: a radar is white altogether, or each component has its own kind.  Round numbers that leave a radar at its
# word until it contradicts it.
_WHITE_SHARE = 0.8
_RATIO_SHARES = {0.0: 0.2, 0.3: 0.2, 0.6: 0.37, 1.2: 0.2, 2.5: 0.025, 5.0: 0.005}
_SCALE_SHARES = np.array([0.01, 0.02, 0.04, 0.1, 0.64, 0.1, 0.05, 0.02, 0.01, 0.006, 0.004])

_LOOK_NS = 500_000_000  # between two looks at one radar
WINDOW_NS = 16_000_000_000  # a track is looked at in pieces as long as this
_FIRST_NS = 1_500_000_000
_NEWS = 0.1  # share of new time in a piece from which another look is worth it
_FORGET_S = 600.0  # what has been learnt fades
_CHANGED = 0.35  # of the log of what a second of plots leaves uncertain, from which filters are told
_ERRS = 3.0  # that variance over the stated one from which a radar errs more than it states,
_DEGRADED, _RECOVERED = 0.95, 0.5  # and the probability of it from which that is said, and below which taken back

_MUCH, _MAY_BE = 1.5, 0.04  # over what is believed, and the probability of it, above which gates stay wide


class Piece(msgspec.Struct, frozen=True):
    """What a piece of a track's plots says so far."""

    since_ns: int
    until_ns: int
    evidence: Array  # (3, kinds, scales)


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the errors of the sensors (s)."""

    errors: Array  # (s, 3, 3) as in `tracking.errors`: what the filters are told
    stated: Array  # (s, 3) variances as the plots state them
    evidence: Array  # (s, 3, kinds, scales) log likelihoods of the pieces that are over
    pieces: dict[tuple[int, int], Piece]  # by track and sensor
    due_ns: tuple[int, ...]
    faded_ns: tuple[int, ...]
    degraded: tuple[bool, ...]
    sure: tuple[bool, ...]  # that a sensor's white errors are not much larger than is believed


def nothing_heard(stated: Array) -> Noise:
    """Return what is known before the first plot, for sensors of these variances (s, 3)."""
    count = len(stated)
    silence = np.zeros((count, POLAR, len(RATIOS), len(SCALES)))
    errors = np.zeros((count, POLAR, 3))
    for sensor in range(count):
        errors[sensor] = believed(silence[sensor], stated[sensor])
    zeros = (0,) * count
    return Noise(
        errors=errors, stated=stated, evidence=silence, pieces={}, due_ns=zeros, faded_ns=zeros,
        degraded=(False,) * count, sure=(False,) * count,
    )  # fmt: skip


def joined(noise: Noise, stated: Array) -> Noise:
    """Return what is known with more sensors, of these variances (s, 3), behind the others."""
    more = nothing_heard(stated)
    return msgspec.structs.replace(
        noise, errors=np.concatenate([noise.errors, more.errors]), stated=np.concatenate([noise.stated, stated]),
        evidence=np.concatenate([noise.evidence, more.evidence]), due_ns=noise.due_ns + more.due_ns,
        faded_ns=noise.faded_ns + more.faded_ns, degraded=noise.degraded + more.degraded, sure=noise.sure + more.sure,
    )  # fmt: skip


def _log_prior() -> tuple[Array, Array]:
    """Return the log prior (kinds, scales) of a component of a white radar, and of one that is not."""
    shares = np.array([_RATIO_SHARES[ratio] / np.count_nonzero(ratio == RATIOS) for ratio in RATIOS.tolist()])
    with np.errstate(divide="ignore"):
        white = np.log(np.where(RATIOS == 0.0, 1.0, 0.0))
    scale = np.log(_SCALE_SHARES / _SCALE_SHARES.sum())
    return white[:, np.newaxis] + scale, np.log(shares)[:, np.newaxis] + scale


_PRIOR_WHITE, _PRIOR_OTHER = _log_prior()


def believed(heard: Array, stated: Array) -> Array:
    """Return the errors (3, 3) of a sensor for log likelihoods (3, kinds, scales) and stated variances (3,).

    Of the slow part the variances are averaged: what is not known yet counts as error.
    """
    return _expected(chances(heard), stated)


def _expected(found: tuple[float, Array, Array], stated: Array) -> Array:
    """Return the errors (3, 3) of a sensor for what `chances` found and stated variances (3,)."""
    errors = np.empty((POLAR, 3))
    share, white, other = found
    for m in range(POLAR):
        chance = share * white[m] + (1.0 - share) * other[m]
        slow = chance * (RATIOS[:, np.newaxis] * SCALES) ** 2
        size = max(float(slow.sum()), 1e-12)
        errors[m, WHITE] = float((chance * SCALES).sum())
        errors[m, SLOW] = math.sqrt(size * stated[m])
        errors[m, MEMORY_S] = math.exp(float((slow * np.log(CONSTANTS_S)[:, np.newaxis]).sum()) / size)
    return errors


def chances(heard: Array) -> tuple[float, Array, Array]:
    """Return how likely a radar is white, and the probabilities (3, kinds, scales) of its errors if so, and if not."""
    white, other = heard + _PRIOR_WHITE, heard + _PRIOR_OTHER
    log_white, log_other = math.log(_WHITE_SHARE), math.log(1.0 - _WHITE_SHARE)
    for m in range(POLAR):
        whole_white, whole_other = _log_sum(white[m]), _log_sum(other[m])
        white[m], other[m] = np.exp(white[m] - whole_white), np.exp(other[m] - whole_other)
        log_white, log_other = log_white + whole_white, log_other + whole_other
    return 1.0 / (1.0 + math.exp(min(log_other - log_white, 700.0))), white, other


def _log_sum(values: Array) -> float:
    most = float(values.max())
    return most + math.log(float(np.exp(values - most).sum()))


def lasting(errors: Array, stated: Array, period_s: float) -> Array:
    """Return the variance (3,) that a mean over a long time has, against that of the same plots erring as stated."""
    slow = 2.0 * errors[:, SLOW] ** 2 / stated * errors[:, MEMORY_S] / max(period_s, 1e-3)
    return np.asarray(errors[:, WHITE] ** 2 + slow)


# ---- looking --------------------------------------------------------------------------------------


def chosen(noise: Noise, sensor: int, track_ids: list[int], firsts_ns: list[int], t_ns: int) -> int | None:
    """Return the index of the track that is worth a look, None if none is."""
    best, most = None, _NEWS
    for index, (track_id, first_ns) in enumerate(zip(track_ids, firsts_ns, strict=True)):
        piece = noise.pieces.get((track_id, sensor))
        since_ns, until_ns = _looked(piece, first_ns)
        length_ns = t_ns - since_ns
        if length_ns < _FIRST_NS:
            continue
        news = (t_ns - until_ns) / length_ns
        if news > most:
            best, most = index, news
    return best


def _looked(piece: Piece | None, first_ns: int) -> tuple[int, int]:
    """Return from when to when (ns) a track has been looked at that counts from `first_ns` on.

    Where its first plots turn out to be of a burning motor, what was heard of them is void.
    """
    return (piece.since_ns, piece.until_ns) if piece and piece.since_ns >= first_ns else (first_ns, first_ns)


def begun_anew(noise: Noise, sensor: int, track_ids: list[int], t_ns: int) -> Noise:
    """Return what is known without the pieces of these tracks that are not over; theirs begin at `t_ns`.

    The plots of a track that has flown beside another may be of both, and their scatter that of two rounds.
    """
    if not track_ids:
        return noise
    silence = Piece(t_ns, t_ns, np.zeros_like(noise.evidence[sensor]))
    return msgspec.structs.replace(noise, pieces=noise.pieces | {(track_id, sensor): silence for track_id in track_ids})


def heard(
    noise: Noise, sensor: int, track_ids: list[int], k: int, first_ns: int, t_ns: int, state: Array, looked: Any
) -> Noise:
    """Return what is known after a look at track `k` of those that live; it stands at `state` (10).

    `looked`: what `residuals.evidence` takes of the world and the history, behind the sensor and before the grids.
    """
    old = noise.evidence[sensor] * math.exp(-max(t_ns - noise.faded_ns[sensor], 0) * 1e-9 / _FORGET_S)
    alive, track_id = set(track_ids), track_ids[k]
    pieces = {}
    for key, each in noise.pieces.items():
        if key[1] == sensor and key[0] not in alive:
            old = old + each.evidence
        else:
            pieces[key] = each
    piece = pieces.get((track_id, sensor))
    since_ns, _ = _looked(piece, first_ns)
    asked: tuple[Any, ...] = (state, t_ns, since_ns, first_ns, sensor, *looked, RATIOS, CONSTANTS_S, SCALES)
    found, variances = evidence(*asked)
    if piece and piece.since_ns == since_ns:
        silent = ~found.any(axis=(1, 2))  # such as an azimuth straight over the radar: what was heard before stands
        found[silent] = piece.evidence[silent]
    if t_ns - since_ns >= WINDOW_NS:
        old = old + found
        pieces[track_id, sensor] = Piece(t_ns, t_ns, np.zeros_like(found))
    else:
        pieces[track_id, sensor] = Piece(since_ns, t_ns, found)
    all_evidence, stated = noise.evidence.copy(), noise.stated.copy()
    all_evidence[sensor] = old
    if variances[0] > 0.0:
        stated[sensor] = variances
    return msgspec.structs.replace(
        noise, evidence=all_evidence, pieces=pieces, stated=stated, faded_ns=_put(noise.faded_ns, sensor, t_ns)
    )


def is_due(noise: Noise, sensor: int, t_ns: int) -> bool:
    """Return whether it is time for another look at a sensor."""
    return t_ns >= noise.due_ns[sensor]


def looked_at(noise: Noise, sensor: int, t_ns: int) -> Noise:
    """Return the knowledge with the time of the next look noted."""
    return msgspec.structs.replace(noise, due_ns=_put(noise.due_ns, sensor, t_ns + _LOOK_NS))


def _put(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


# ---- telling --------------------------------------------------------------------------------------


def told(noise: Noise, sensor: int, sensor_id: str, period_s: float, t_ns: int) -> tuple[Noise, bool, list[Message]]:
    """Bring up to date what filters are told of a sensor; return that, whether it changed, and what is to be said."""
    whole, stated = noise.evidence[sensor].copy(), noise.stated[sensor]
    for key, piece in noise.pieces.items():
        if key[1] == sensor:
            whole += piece.evidence
    found = chances(whole)
    now = _expected(found, stated)
    noise = msgspec.structs.replace(noise, sure=_put(noise.sure, sensor, _is_sure(found, now)))
    noise, said = _health(noise, sensor, sensor_id, found, now, period_s, t_ns)
    before, after = (lasting(each, stated, period_s) for each in (noise.errors[sensor], now))
    if np.abs(np.log(after / before)).max() < _CHANGED:
        return noise, False, said
    errors = noise.errors.copy()
    errors[sensor] = now
    return msgspec.structs.replace(noise, errors=errors), True, said


def _is_sure(found: tuple[float, Array, Array], errors: Array) -> bool:
    """Return whether no component's white errors may well be much larger than the `errors` (3, 3) believed."""
    share, white, other = found
    for m in range(POLAR):
        larger = _MUCH * errors[m, WHITE] < SCALES
        if share * white[m][:, larger].sum() + (1.0 - share) * other[m][:, larger].sum() > _MAY_BE:
            return False
    return True


_NAMES = (("range", "m", 1.0), ("azimuth", "mrad", 1e3), ("elevation", "mrad", 1e3))


def _health(
    noise: Noise,
    sensor: int,
    sensor_id: str,
    found: tuple[float, Array, Array],
    errors: Array,
    period_s: float,
    t_ns: int,
) -> tuple[Noise, list[Message]]:
    """Say where a radar begins to err more than it states, or ends to."""
    sizes = SCALES**2 * (1.0 + 2.0 * (RATIOS**2 * CONSTANTS_S)[:, np.newaxis] / max(period_s, 1e-3))
    chance = 0.0
    share, *kinds = found
    large = sizes > _ERRS
    for part, kind in zip((share, 1.0 - share), kinds, strict=True):
        chance += part * (1.0 - math.prod(1.0 - float(each[large].sum()) for each in kind))
    is_degraded = chance > (_RECOVERED if noise.degraded[sensor] else _DEGRADED)
    if is_degraded == noise.degraded[sensor]:
        return noise, []
    stated = np.sqrt(noise.stated[sensor])
    parts = []
    for m, (name, unit, factor) in enumerate(_NAMES):
        parts.append(
            f"{name} {factor * errors[m, WHITE] * stated[m]:.2g} {unit} and slowly {factor * errors[m, SLOW]:.2g} "
            f"{unit} over {errors[m, MEMORY_S]:.1f} s, stated {factor * stated[m]:.2g}"
        )
    verdict = "errs more than it states, estimates allow for it" if is_degraded else "errs as it states again"
    message = Health(
        t_ns=t_ns,
        part=f"sensor:{sensor_id}/errors",
        state="degraded" if is_degraded else "ok",
        reason=f"{verdict}: {'; '.join(parts)}",
    )
    return msgspec.structs.replace(noise, degraded=_put(noise.degraded, sensor, is_degraded)), [message]
