"""Small dense linear algebra inside compiled loops, where a call to LAPACK costs more than the work."""

import math

from opencram.kernel import helper


@helper
def cholesky(a, n):
    """Factor the lower triangle of `a` in place; return the log determinant, NaN if not positive definite.

    Valid: determinants between 1e-300 and 1e300; beyond, the log is infinite.
    """
    determinant = 1.0
    for j in range(n):
        d = a[j, j]
        for k in range(j):
            d -= a[j, k] * a[j, k]
        if not d > 0.0:
            return math.nan
        determinant *= d
        d = math.sqrt(d)
        a[j, j] = d
        inverse = 1.0 / d
        for i in range(j + 1, n):
            s = a[i, j]
            for k in range(j):
                s -= a[i, k] * a[j, k]
            a[i, j] = s * inverse
    return math.log(determinant)


@helper
def solve_factored(a, b, n):
    """Solve L Lᵀ y = b in place, `a` holding L."""
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= a[i, k] * b[k]
        b[i] = s / a[i, i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= a[k, i] * b[k]
        b[i] = s / a[i, i]
