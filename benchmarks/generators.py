"""What fitting the generators costs beside a plain loop of automatic differentiation, and as data grows.

python benchmarks/generators.py [--quick] [--repeats 3] [--only loop|rows|cells]

loop   in turns, in this process, on the same rows: a loop in torch (minibatches of 128 rows of a random cell
       of the label, of each parent to mix and of each parent to resemble, 1,000 steps of Adam per label,
       index arrays prepared once, all threads) and `fit_mixing` as it comes. Quality is told on rows that
       neither saw, under one fixed kernel: the unbiased MMD² to the cell and the full loss, means over
       cells. The difference (ours less the loop's, on the same held-out draws) has a standard error over
       repeats.
rows   seconds of `MixingSampler.fit` for 10^4, 10^5 and 10^6 rows, and by what power they grow
cells  the same for 16 to 1,458 cells, with the growth of peak memory

Rows are synthetic: means and spreads depend on the leaf, group sizes are unequal. Seeds are fixed. Time on a
shared machine is noisy: look at the ratios, which come from one run, and at their least and greatest.
"""

import argparse
import os
import resource
import time

import numpy as np

from fairlattice.divergences import RBFMixture, median_bandwidths, mmd2
from fairlattice.generators import CellRows, fit_mixing
from fairlattice.groups import GroupLattice
from fairlattice.samplers import CellIndex, MixingSampler

BATCH = 128
RATE = 0.01
HELD = 600  # rows of every sample that quality is told on
BETA = 1.0


def table(n, d, levels=(2, 2, 2, 2), seed=0):
    """Standardised rows, attributes and a label; all depend on each other."""
    rng = np.random.default_rng(seed)
    chances = [1.0 / np.arange(1, k + 1) ** rng.uniform(0.3, 1.0) for k in levels]
    A = np.stack([rng.choice(k, n, p=c / c.sum()) for k, c in zip(levels, chances, strict=True)], axis=1)
    leaf = np.ravel_multi_index(A.T, levels)
    leaves, k = int(np.prod(levels)), min(d, 20)
    y = (rng.random(n) < rng.uniform(0.15, 0.5, leaves)[leaf]).astype(int)
    means = (rng.normal(size=(leaves, k)) * 0.3)[leaf] + (rng.normal(size=(2, k)) * 0.5)[y]
    for i, size in enumerate(levels):
        means += (rng.normal(size=(size, k)) * 0.4)[A[:, i]]
    spread = rng.uniform(0.6, 1.4, (leaves, k))[leaf]
    X = (means + rng.normal(size=(n, k)) * spread) @ (rng.normal(size=(k, d)) / np.sqrt(k))
    X += rng.normal(size=(n, d)) * 0.6
    return (X - X.mean(axis=0)) / X.std(axis=0), {f"a{i}": A[:, i] for i in range(len(levels))}, y


def index_of(S, y):
    lattice = GroupLattice.from_features(S)
    return CellIndex(lattice, lattice.encode(S), y, 2)


def cells_of(S, y):
    """Per label, the rows of every cell and of its parents."""
    index = index_of(S, y)
    cells = [cell for cell, size in index.cells() if size]
    return [[CellRows(index.rows(c), index.parents(c)) for c in cells if c.label == k] for k in (0, 1)]


def plain_loop(Z, cells, widths, steps, seed):
    """Adam on minibatches of one cell, by automatic differentiation; kernels of all targets at once."""
    import torch

    rng, draws = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    p = len(cells[0][1])
    weights = torch.full((p,), 1.0 / p, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=RATE)
    scales = [-0.5 / h**2 for h in widths]
    share = torch.cat([torch.full((BATCH,), w) for w in (1 + BETA * p, -2.0, *[-2.0 * BETA] * p)])

    def some(rows):
        return Z[rows[torch.randint(len(rows), (BATCH,), generator=draws)]]

    for _ in range(steps):
        rows, parents = cells[rng.integers(len(cells))]
        mixed = torch.stack([some(parent) for parent in parents])
        targets = torch.cat([some(rows), *(some(parent) for parent in parents)])
        made = torch.tensordot(weights, mixed, 1)
        others = torch.cat([made, targets])
        squared = (made**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2.0 * made @ others.T
        kernel = sum(torch.exp(squared * scale) for scale in scales) / len(scales)
        loss = (kernel.sum(0) @ share) / BATCH**2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weights.detach().numpy().astype(float)


def quality(X, cells, weights, kernel, seed):
    """Held-out MMD² to the cell, and the full loss, means over cells."""
    rng, found = np.random.default_rng(seed), []
    for cell in cells:
        made = np.tensordot(weights, np.stack([X[rng.choice(q, HELD)] for q in cell.parents]), 1)
        targets = [X[rng.permutation(rows)[:HELD]] for rows in (cell.rows, *cell.parents)]
        if len(targets[0]) > 1:
            each = [mmd2(made, T, kernel, unbiased=True) for T in targets]
            found.append((each[0], each[0] + BETA * sum(each[1:])))
    return np.mean(found, axis=0)


def loop(n, d, steps, repeats):
    import torch

    X, S, y = table(2 * n, d)  # the first half to fit, the other held out
    halves = [cells_of({k: v[part] for k, v in S.items()}, y[part]) for part in (slice(n), slice(n, None))]
    Z, held = X[:n], X[n:]
    kernel = RBFMixture(median_bandwidths(Z, rng=np.random.default_rng(0)))
    tensor = torch.as_tensor(Z, dtype=torch.float32)
    prepared = [
        [(torch.as_tensor(c.rows), [torch.as_tensor(q) for q in c.parents]) for c in cells]
        for cells in halves[0]
    ]
    print(f"loop, {n:,} rows, d={d}, {len(halves[0][0])} leaves, 2 labels, {steps} steps of Adam per label,")
    print(f"  torch with {torch.get_num_threads()} threads, rate {RATE}, beta {BETA}")
    seconds, scores = [], []
    for seed in range(repeats):
        taken, weights = [], []
        for fit in (
            lambda k, s: plain_loop(tensor, prepared[k], kernel.bandwidths, steps, s),
            lambda k, s: (
                fit_mixing(
                    Z, halves[0][k], beta=BETA, bandwidths=kernel.bandwidths, rng=np.random.default_rng(s)
                ).parameters
            ),
        ):
            start, used = time.perf_counter(), time.process_time()
            weights.append([fit(k, seed) for k in (0, 1)])
            taken.append((time.perf_counter() - start, time.process_time() - used))
        seconds.append(taken)
        scores.append(
            [
                np.mean([quality(held, halves[1][k], w[k], kernel, 100 + seed) for k in (0, 1)], axis=0)
                for w in weights
            ]
        )
    tell_loop(np.array(seconds), np.array(scores))


def tell_loop(seconds, scores):
    for place, name in enumerate(("wall-clock", "processor")):
        theirs, ours = seconds[:, 0, place], seconds[:, 1, place]
        each = theirs / ours
        print(
            f"  {name} seconds: loop {np.median(theirs):.2f}, ours {np.median(ours):.3f}; "
            f"ratio {np.median(each):.1f} ({each.min():.1f} to {each.max():.1f})"
        )
    for place, name in enumerate(("MMD² to the cell", "full loss")):
        theirs, ours = scores[:, 0, place], scores[:, 1, place]
        error = np.std(ours - theirs, ddof=1) / np.sqrt(len(ours)) if len(ours) > 1 else np.nan
        print(
            f"  held-out {name}: loop {theirs.mean():.5f}, ours {ours.mean():.5f}, "
            f"difference {np.mean(ours - theirs):+.5f} ± {error:.5f}"
        )


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def grow(name, sizes, made, repeats):
    """Median seconds of an index and a fit for every size, and the power of the size that they grow by."""
    seconds, before = [], peak()
    for size in sizes:
        X, S, y = made(size)
        base, times = peak(), []
        for _ in range(repeats):
            start = time.perf_counter()
            index = index_of(S, y)
            indexed = time.perf_counter()
            MixingSampler.fit(X, index, entropy=(0,))
            times.append((indexed - start, time.perf_counter() - indexed))
        first, fit = np.median(times, axis=0)
        seconds.append(fit)
        print(
            f"  {size:>9,} {name}: fit {fit:.3f} s ({fit / seconds[0]:.2f} times the first), "
            f"index {first:.3f} s, peak +{peak() - base:.0f} MB, with data +{peak() - before:.0f} MB"
        )
    power = np.log(seconds[-1] / seconds[0]) / np.log(sizes[-1] / sizes[0])
    steepest = np.max(np.diff(np.log(seconds)) / np.diff(np.log(sizes)))
    print(f"  fit grows by {name} to the power {power:.2f}, steepest step {steepest:.2f}; limit 1")


def rows_curve(quick, repeats):
    print("rows, d=35, 16 leaves, 2 labels:")
    sizes = [10**3, 10**4, 10**5] if quick else [10**4, 10**5, 10**6]
    grow("rows", sizes, lambda n: table(n, 35), repeats)


def cells_curve(quick, repeats):
    levels = {16: (2, 2, 2), 128: (2,) * 6, 486: (3,) * 5, 1458: (3,) * 6}
    sizes = [16, 128] if quick else list(levels)
    n = 20_000 if quick else 100_000
    print(f"cells, {n:,} rows, d=35, 2 labels; attributes {[levels[size] for size in sizes]}:")
    grow("cells", sizes, lambda size: table(n, 35, levels[size]), repeats)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000, help="of Adam, per label")
    parser.add_argument("--only", choices=("loop", "rows", "cells"))
    arguments = parser.parse_args()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{os.cpu_count()} processors, load {load}; times are noisy on a shared machine")
    if arguments.only in (None, "loop"):
        steps = 100 if arguments.quick else arguments.steps
        for n, d in [(6_000, 35), (2_000, 768)] if arguments.quick else [(120_000, 35), (20_000, 768)]:
            loop(n, d, steps, arguments.repeats)
    if arguments.only in (None, "rows"):
        rows_curve(arguments.quick, arguments.repeats)
    if arguments.only in (None, "cells"):
        cells_curve(arguments.quick, arguments.repeats)


if __name__ == "__main__":
    main()
