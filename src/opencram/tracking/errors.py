"""Errors of a radar that stay: for a while, how a fit takes them out plot after plot, and for good.

A measured component errs by a white part and by a slow one, a Gauss-Markov process: e = v + b, with b forgotten over
a time constant.  `errors` (sensors, 3, 3) holds for range, azimuth and elevation of each sensor the white part in
units of what a plot states, the deviation of the slow part (m, rad), and its time constant (s).

Where there are several sensors each also has a constant error, its bias, in the same components
(`tracking.registration`): parameters of a fit behind the ten of the flight, states of a filter behind the slow errors.

Source: A. Gelb (ed.), "Applied Optimal Estimation" (1974), sections 3.8 and 4.5; whitening by innovations:
A. C. Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter" (1989), section 3.4.
"""

import math

from opencram.ballistics.propagation import STATES
from opencram.kernel import helper

POLAR = 3  # components that may err slowly: range, azimuth, elevation
WHITE, SLOW, MEMORY_S = range(3)
# Of `slow` (sensors, 3, 14): derivatives of the slow error by the ten parameters, its mean, variance, time (s), and its
# derivative by the bias of the same component.
MEAN, VARIANCE, TIME_S, BY_BIAS = STATES, STATES + 1, STATES + 2, STATES + 3
KEPT = STATES + 4


@helper
def forget(slow, error, time_s):
    """Let the slow error of one component pass on to `time_s`, in place."""
    kept = math.exp(-abs(time_s - slow[TIME_S]) / error[MEMORY_S])
    for i in range(STATES + 1):
        slow[i] *= kept
    slow[BY_BIAS] *= kept
    slow[VARIANCE] = kept * kept * slow[VARIANCE] + (1.0 - kept * kept) * error[SLOW] * error[SLOW]
    slow[TIME_S] = time_s


@helper
def begin(slow, errors):
    """Write what is known of all slow errors before the first plot."""
    for s in range(slow.shape[0]):
        for m in range(POLAR):
            for i in range(KEPT):
                slow[s, m, i] = 0.0
            slow[s, m, VARIANCE] = errors[s, m, SLOW] * errors[s, m, SLOW]


@helper
def learn(slow, row, residual, share):
    """Give one component's slow error what a plot says of it: Kalman's step, with the gain times `share`."""
    for i in range(STATES):
        slow[i] += share * (row[i] - slow[i])
    slow[MEAN] += share * (residual - slow[MEAN])
    slow[VARIANCE] *= 1.0 - share
