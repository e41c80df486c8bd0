"""Which plot goes to which track: gates, clusters, and the best assignment in each cluster.

Most tracks fly alone.  The gate leaves each of them one plot, and nothing has to be decided; tracks that share
plots form a cluster, and only there the two-dimensional assignment runs.  Plots are sorted by range first, so
that a track looks only at those within reach of its gate.
"""

import math

import numpy as np

from opencram.estimation.assignment import assign
from opencram.estimation.linear import cholesky
from opencram.kernel import helper, kernel
from opencram.tracking.fit import wrap
from opencram.tracking.ordering import ascending


@helper
def gate_cost(h, s, z, variances, gate, factor, v):
    """Return the cost of a plot for a track that expects `h` (3) with covariance `s` (3, 3): d² + ln |S|.

    ln |S| is counted relative to the plot's own noise, so that costs stay comparable with the gate.  Infinite
    outside the gate.
    """
    v[0] = z[0] - h[0]
    if not v[0] * v[0] < gate * (s[0, 0] + variances[0]):
        return math.inf
    v[1] = wrap(z[1] - h[1])
    v[2] = z[2] - h[2]
    if not v[1] * v[1] < gate * (s[1, 1] + variances[1]) or not v[2] * v[2] < gate * (s[2, 2] + variances[2]):
        return math.inf
    noise = 1.0
    for m in range(3):
        for l in range(m + 1):
            factor[m, l] = s[m, l]
        factor[m, m] += variances[m]
        noise *= variances[m]
    log_determinant = cholesky(factor, 3)
    distance = 0.0
    for m in range(3):
        total = v[m]
        for l in range(m):
            total -= factor[m, l] * v[l]
        v[m] = total / factor[m, m]
        distance += v[m] * v[m]
    return distance + log_determinant - math.log(noise) if distance < gate else math.inf


@kernel
def gated(h, s, sound, z, variances, gate):
    """Return the pairs inside the gate: for each track (n) where its pairs begin (n + 1), their plots, their costs.

    `h` (n, 3), `s` (n, 3, 3): what each track expects, and its covariance without noise; tracks that are not
    `sound` get no plot.
    """
    n, m = h.shape[0], z.shape[0]
    starts = np.zeros(n + 1, dtype=np.int64)
    plots, costs = np.empty(2 * n + 8, dtype=np.int64), np.empty(2 * n + 8)
    factor, v = np.empty((3, 3)), np.empty(3)
    order = ascending(z[:, 0])
    noisiest = 0.0
    for j in range(m):
        noisiest = max(noisiest, variances[j, 0])
    count = 0
    for k in range(n):
        reach = math.sqrt(gate * (s[k, 0, 0] + noisiest)) if sound[k] else -1.0
        first, end = 0, m  # the first plot that is not too near
        while first < end:
            middle = (first + end) // 2
            if z[order[middle], 0] < h[k, 0] - reach:
                first = middle + 1
            else:
                end = middle
        while first < m and z[order[first], 0] <= h[k, 0] + reach:
            j = order[first]
            cost = gate_cost(h[k], s[k], z[j], variances[j], gate, factor, v)
            if cost < math.inf:
                if count == plots.shape[0]:
                    plots, costs = _longer(plots), _longer(costs)
                plots[count] = j
                costs[count] = cost
                count += 1
            first += 1
        starts[k + 1] = count
    return starts, plots, costs


@helper
def _longer(array):
    """Return an array twice as long that begins with this one."""
    longer = np.empty(2 * array.shape[0], dtype=array.dtype)
    for i in range(array.shape[0]):  # not by a slice: the message of its mismatch is 3 s of compilation
        longer[i] = array[i]
    return longer


@kernel
def assigned(starts, plots, costs, plot_count, gate):
    """Return each track's plot or −1, so that the total cost is least; to stay without a plot costs `gate`."""
    n = starts.shape[0] - 1
    plot_of = np.full(n, -1, dtype=np.int64)
    wanted = np.zeros(plot_count, dtype=np.int64)
    for i in range(starts[n]):
        wanted[plots[i]] += 1
    contested = False
    for k in range(n):
        if starts[k + 1] - starts[k] == 1 and wanted[plots[starts[k]]] == 1:
            if costs[starts[k]] < gate:
                plot_of[k] = plots[starts[k]]
        elif starts[k + 1] > starts[k]:
            contested = True
    if contested:
        _by_cluster(starts, plots, costs, plot_count, wanted, gate, plot_of)
    return plot_of


@kernel
def _by_cluster(starts, plots, costs, plot_count, wanted, gate, plot_of):
    """Assign the plots of the clusters, one cluster after the other, into `plot_of`."""
    n = starts.shape[0] - 1
    root = _clusters(starts, plots, plot_count)
    members = ascending(root * 1.0)  # tracks of one cluster side by side, in their order
    column_of = np.full(plot_count, -1, dtype=np.int64)
    first = 0
    while first < n:
        end = first
        while end < n and root[members[end]] == root[members[first]]:
            end += 1
        k = members[first]
        alone = end == first + 1 and starts[k + 1] - starts[k] == 1 and wanted[plots[starts[k]]] == 1
        if not alone:
            columns = np.empty(plot_count, dtype=np.int64)
            width = 0
            for r in range(first, end):
                for i in range(starts[members[r]], starts[members[r] + 1]):
                    if column_of[plots[i]] < 0:
                        column_of[plots[i]] = width
                        columns[width] = plots[i]
                        width += 1
            cost = np.full((end - first, width), math.inf)
            for r in range(first, end):
                for i in range(starts[members[r]], starts[members[r] + 1]):
                    cost[r - first, column_of[plots[i]]] = costs[i]
            found = assign(cost, gate)
            for r in range(first, end):
                if found[r - first] >= 0:
                    plot_of[members[r]] = columns[found[r - first]]
        first = end


@kernel
def _clusters(starts, plots, plot_count):
    """Return for each track the number of its cluster: tracks that share plots, however indirectly."""
    n = starts.shape[0] - 1
    root = np.arange(n)
    first_of = np.full(plot_count, -1, dtype=np.int64)
    for k in range(n):
        for i in range(starts[k], starts[k + 1]):
            j = plots[i]
            if first_of[j] < 0:
                first_of[j] = k
                continue
            a, b = k, first_of[j]
            while root[a] != a:
                a = root[a]
            while root[b] != b:
                b = root[b]
            root[max(a, b)] = min(a, b)
    for k in range(n):
        root[k] = root[root[k]]  # parents come before their children, and are roots by now
    return root
