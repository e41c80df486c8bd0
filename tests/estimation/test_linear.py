"""Small linear algebra against LAPACK."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.estimation.linear import cholesky, solve_factored

sizes = st.integers(1, 10)
seeds = st.integers(0, 2**32 - 1)


def positive_definite(n, seed, condition=1e6):
    """A symmetric matrix with eigenvalues spread over `condition`."""
    draws = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(draws.standard_normal((n, n)))
    return basis @ np.diag(np.geomspace(1.0, condition, n)) @ basis.T


@settings(deadline=None)
@given(sizes, seeds)
def test_the_factor_and_the_determinant_are_lapacks(n, seed):
    a = positive_definite(n, seed)
    factor = a.copy()
    log_determinant = cholesky(factor, n)
    assert np.tril(factor) == pytest.approx(np.linalg.cholesky(a), rel=1e-8, abs=1e-6)
    assert log_determinant == pytest.approx(np.linalg.slogdet(a)[1], abs=1e-8)
    assert (np.triu(factor, 1) == np.triu(a, 1)).all()  # the upper triangle is nobody's business


@settings(deadline=None)
@given(sizes, seeds)
def test_the_solution_is_lapacks(n, seed):
    a = positive_definite(n, seed)
    b = np.random.default_rng(seed + 1).standard_normal(n)
    solution, factor = b.copy(), a.copy()
    cholesky(factor, n)
    solve_factored(factor, solution, n)
    assert solution == pytest.approx(np.linalg.solve(a, b), rel=1e-8, abs=1e-9)
    assert a @ solution == pytest.approx(b, abs=1e-8)


@settings(deadline=None)
@given(st.integers(2, 10), seeds)
def test_only_the_lower_triangle_is_read(n, seed):
    a = positive_definite(n, seed)
    torn = np.tril(a) + np.triu(np.full((n, n), math.nan), 1)
    whole = a.copy()
    assert cholesky(torn, n) == cholesky(whole, n)
    assert (np.tril(torn) == np.tril(whole)).all()


@pytest.mark.parametrize(
    "broken",
    [
        [[0.0]],
        [[-1.0]],
        [[math.nan]],
        [[1.0, 2.0], [2.0, 1.0]],
        [[1.0, 1.0], [1.0, 1.0]],
        [[1.0, math.nan], [math.nan, 1.0]],
        [[1.0, 0.0], [math.inf, 1.0]],
    ],
)
def test_what_has_no_factor_is_said_to_have_none(broken):
    a = np.array(broken)
    assert math.isnan(cholesky(a, len(a)))


def test_a_part_of_a_larger_matrix_can_be_factored():
    a = positive_definite(6, 1)
    part = a.copy()
    assert cholesky(part, 3) == pytest.approx(np.linalg.slogdet(a[:3, :3])[1])
    assert (part[3:] == a[3:]).all()
