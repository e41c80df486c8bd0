"""One round or two: by how often there is a second plot, and what the radar makes of lone rounds."""

import numpy as np
import pytest

from opencram.tracking.beside import counted, log_two

SEEN, ENOUGH = 0.85, 4.0  # share of dwells in which a second round is seen; log likelihood that makes two of one


def likelier(rate, share, dwells, draws, *, heard=1000):
    """By how much two are likelier, of a radar that doubles `rate` of lone rounds, if a `share` of dwells has both."""
    doubled = np.array([[float(heard), float(draws.binomial(heard, rate))], [0.0, 0.0]])
    both = np.array([draws.binomial(dwells, share), 0])
    return log_two(doubled, both, np.array([dwells, 0]))


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.05])
def test_a_second_round_is_told_from_doubles_within_a_second(rate):
    draws = np.random.default_rng(1)
    found = [likelier(rate, SEEN, 10, draws) > ENOUGH for _ in range(300)]
    assert np.mean(found) > 0.8


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("dwells", [4, 10, 30, 100])
def test_doubles_of_one_round_are_not_two(rate, dwells):
    draws = np.random.default_rng(2)
    found = [likelier(rate, rate, dwells, draws) > ENOUGH for _ in range(300)]
    assert np.mean(found) < 0.02


def test_what_is_not_known_of_a_radar_is_learnt_from_the_round_itself():
    """Its first round, doubled at every dwell of two radars: never two, from the first dwell on."""
    doubled = np.zeros((2, 2))
    for dwell in range(1, 200):
        for sensor in range(2):
            doubled = counted(doubled, sensor, 1, 1)
        assert log_two(doubled, np.full(2, dwell), np.full(2, dwell)) < ENOUGH


def test_counts_fade_and_belong_to_their_sensor():
    doubled = np.zeros((2, 2))
    for _ in range(5000):
        doubled = counted(doubled, 1, 1, 0)
    assert doubled[0].tolist() == [0.0, 0.0]
    assert 900 < doubled[1, 0] <= 2000
    assert counted(np.zeros((2, 2)), 1, 1, 7)[1, 1] == 1.0
