"""Flight models and tracks for the tests of the prediction."""

import math

import numpy as np

from opencram import prediction
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import to_ground
from opencram.messages import Hypothesis, Rejected, Track

S = 1_000_000_000
T0 = 1_767_225_600 * S
SITE = {"latitude_rad": math.radians(33.3), "height_m": 35.0, "ground_height_m": 35.0}
CONFIG = prediction.Config(**SITE, longitude_rad=math.radians(44.4), wind_m_s=(3.0, -2.0))
EARTH = environment(**SITE, wind_m_s=CONFIG.wind_m_s)
LOWER = np.tril_indices(10)

# Rounds in flight, and how surely they are known: position 15 m, velocity 3 m/s, drag 15 %, wind 2 m/s.
ROCKET = np.array([3000.0, 5000.0, 1500.0, -130.0, -190.0, 60.0, math.log(2500.0), 0.0, 0.0, 0.0])
MORTAR = np.array([-1200.0, 1500.0, 700.0, 60.0, -100.0, -20.0, math.log(1200.0), 0.0, 0.0, 0.0])
SHELL = np.array([4000.0, -3000.0, 2200.0, -210.0, 150.0, -30.0, math.log(1900.0), 0.0, 0.0, 5.0])
ROUNDS = {"rocket": (ROCKET, "G7"), "mortar": (MORTAR, "G5"), "shell": (SHELL, "G7")}
STDS = np.array([15.0, 12.0, 18.0, 3.0, 2.5, 3.5, 0.15, 2.0, 2.0, 0.5])


def covariance(scale=1.0, seed=3):
    """A full covariance: the deviations above times `scale`, with correlations."""
    draws = np.random.default_rng(seed)
    mix = np.linalg.qr(draws.standard_normal((10, 10)))[0]
    correlation = mix @ np.diag(np.linspace(0.4, 1.6, 10)) @ mix.T
    size = np.sqrt(np.diag(correlation))
    return correlation / np.outer(size, size) * np.outer(STDS, STDS) * scale * scale


def landings(states, curve, *, dt=0.1, t_max=200.0):
    """Time, position and velocity at the ground (n, 7) of states (n, 10)."""
    found = np.empty((len(states), 7))
    for first in range(0, len(states), LANES):
        part = states[first : first + LANES]
        lanes = np.repeat(part[:1].T, LANES, axis=1)
        lanes[:, : len(part)] = part.T
        landed = np.empty((7, LANES))
        to_ground(np.ascontiguousarray(lanes), dt, t_max, EARTH, standard_curve(curve), landed)
        found[first : first + len(part)] = landed.T[: len(part)]
    return found


def hypothesis(mean, curve="G7", *, class_name="rocket", probability=1.0, spread=None):
    spread = covariance() if spread is None else spread
    return Hypothesis(
        class_name=class_name,
        curve=curve,
        probability=probability,
        mean=tuple(np.asarray(mean).tolist()),
        covariance=tuple(np.asarray(spread)[LOWER].tolist()),
    )


def track(*hypotheses, track_id=7, t_ns=T0, status="confirmed", classes=(("rocket", 1.0),)):
    mean = hypotheses[0].mean if hypotheses else ROCKET.tolist()
    return Track(
        t_ns=t_ns,
        track_id=track_id,
        status=status,
        position_enu_m=tuple(mean[:3]),
        velocity_enu_m_s=tuple(mean[3:6]),
        position_m_std=26.0,
        classes=classes,
        plots=40,
        first_t_ns=t_ns - 4 * S,
        updated_t_ns=t_ns,
        hypotheses=hypotheses,
    )


def impacts(*messages, config=CONFIG):
    """The impacts that a step predicts from these messages."""
    return [message for message in said_of(*messages, config=config) if not isinstance(message, Rejected)]


def said_of(*messages, config=CONFIG):
    """What a step says of these messages."""
    state = prediction.initial(config)
    after, said = prediction.step(config, state, list(messages))
    assert after == state
    return said
