"""The map of clutter: thick where plots come again and again, thin elsewhere, and without what became a projectile."""

import math

import numpy as np
import pytest

from opencram.tracking.surroundings import count_plots, log_clutter_at, take_out, unknown, watched

S = 1_000_000_000
T0 = 1_767_225_600 * S
EVERYWHERE = math.log(1e-5)
HERE, ELSEWHERE = np.array([[3000.0, 1.0, 0.1, math.nan]]), np.array([[9000.0, 4.0, 0.5, math.nan]])


def counted(scans, plots, period_ns=S // 4):
    """The map after so many scans with these plots, as arrays, and the time of the last scan."""
    known = unknown()
    counts, t_ns = known.counts.copy(), known.t_ns.copy()
    for k in range(scans):
        count_plots(counts, t_ns, T0 + k * period_ns, 0, plots, np.ones(len(plots), dtype=bool))
    return counts, t_ns, T0 + (scans - 1) * period_ns


def density(counts, t_ns, now_ns, z, sensor=0):
    return float(np.exp(log_clutter_at(counts, t_ns, T0, now_ns, sensor, S // 4, z, EVERYWHERE)[0]))


def test_it_is_thick_where_plots_come_again_and_as_ever_elsewhere():
    counts, t_ns, now = counted(400, HERE)
    assert density(counts, t_ns, now, HERE) > 1000.0 * 1e-5
    assert density(counts, t_ns, now, ELSEWHERE) == pytest.approx(1e-5)
    assert density(counts, t_ns, now, HERE, sensor=1) == pytest.approx(1e-5)


def test_it_nears_the_true_density():
    """Four plots a scan in one cell of 0.6 m·rad·rad, for long: 6.7, short of the scans that are taken for granted."""
    counts, t_ns, now = counted(2000, np.repeat(HERE, 4, axis=0))
    assert density(counts, t_ns, now, HERE) == pytest.approx(4.0 / 0.6 * 120.0 / 160.0, rel=0.05)


def test_it_forgets():
    counts, t_ns, now = counted(400, HERE)
    thick = density(counts, t_ns, now, HERE)
    assert density(counts, t_ns, now + 30 * S, HERE) == pytest.approx(thick / math.e, rel=0.01)
    assert density(counts, t_ns, now + 3600 * S, HERE) == pytest.approx(1e-5)


def test_what_became_a_projectile_is_taken_out_again():
    counts, t_ns, now = counted(8, HERE)
    times = T0 + np.arange(8) * (S // 4)
    take_out(counts, t_ns, times, np.zeros(8, dtype=np.int64), np.repeat(HERE, 8, axis=0))
    assert density(counts, t_ns, now, HERE) == pytest.approx(1e-5, rel=1e-9)


def test_a_flood_is_told_once_and_so_is_its_end():
    around, said = unknown(), []
    for scan in range(100):
        count = 5000 if 20 <= scan < 30 else 3
        around, more = watched(around, "mast", (scan + 1) * 10**9, 1.0, 2.0, count)
        said += [(scan, m.part, m.state) for m in more]
    assert [(part, state) for _, part, state in said] == [
        ("sensor:mast/flood", "degraded"),
        ("sensor:mast/flood", "ok"),
    ]
    assert said[0][0] == 20
    assert 30 < said[1][0] < 60


def test_flocks_and_rain_are_no_flood():
    """A hundred birds, seen nine times in ten, beside two false plots a scan as stated."""
    draws, around, said = np.random.default_rng(1), unknown(), []
    for scan in range(200):
        around, more = watched(
            around, "mast", (scan + 1) * 10**9, 1.0, 2.0, int(draws.binomial(100, 0.9) + draws.poisson(2))
        )
        said += more
    assert not said


def test_radars_are_watched_each_for_itself():
    around, said = unknown(), []
    for scan in range(10):
        for sensor, count in (("mast", 4000), ("hill", 3)):
            around, more = watched(around, sensor, (scan + 1) * 10**9, 1.0, 2.0, count)
            said += more
    assert [m.part for m in said] == ["sensor:mast/flood"]
