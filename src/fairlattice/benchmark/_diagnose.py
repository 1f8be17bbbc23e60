"""The diagnosis itself: generators see half of the rows, and are judged by the other half.

Every figure of synthetic rows stands next to the same figure of other real rows, of SMOTE's, and of rows drawn
plainly from the parents: a generator that is no better than these is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from fairlattice._validation import FloatArray, IntArray, check_choice, check_count, check_eager, check_real
from fairlattice.benchmark._diagnosis import (
    LEAST,
    MADE,
    REAL,
    CellDiagnosis,
    CellResult,
    CopiedRow,
    Diagnosis,
    SourceFigures,
    cell_diagnosis,
    cell_pictures,
    judge_cells,
)
from fairlattice.benchmark._held_out import HeldOut, hold_out
from fairlattice.benchmark._tasks import without_warning_of_lost_tasks
from fairlattice.diagnostics import assumption, mmd_test
from fairlattice.diagnostics._shared import (
    RealRows,
    associations_of,
    both_samples,
    classifier_test_of,
    decoded_pairs,
    manifold_of,
    marginals_of,
    permutations_needed,
)
from fairlattice.encoders import TableEncoder
from fairlattice.encoders._shared import DecodedColumns
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import Grouping
from fairlattice.samplers import Cell
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import AUGMENT

SOURCES = tuple(name for name, s in STRATEGIES.items() if s.makes_rows)
"""Strategies with synthetic rows."""
DEFAULT_SOURCES = (
    AUGMENT,
    *sorted(name for name in SOURCES if not getattr(STRATEGIES[name].rows, "learns", True)),
)
"""The rows of `fairlattice augment`, and those of strategies that learn nothing, which it should beat."""
_MOST_COPIES = 100
_MOST_SEEN = 50_000  # training rows among which copies are looked for
_PERMUTATIONS = (499, 4999)
Progress = Callable[[int, int], None]


def diagnose(
    X: Any,
    y: Any,
    *,
    sensitive_features: Any,
    sources: Sequence[str] = DEFAULT_SOURCES,
    held_out: float = 0.5,
    max_rows: int = 300,
    permutations: int | None = None,
    confidence: float = 0.95,
    pictures: int = 3,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    na: Sequence[str] | None = None,
    decimal: str | None = None,
    categorical: Sequence[str] = (),
    keep: Sequence[str] = (),
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Compare synthetic rows with held-out real rows, cell by cell and overall.

    Parameters
    ----------
    X : frame or array of shape (n, d)
        Features of any types that :class:`TableEncoder` takes.
    y : array-like of shape (n,)
        Labels, of any number of classes.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        The sensitive attributes.
    sources : sequence of str
        Strategies whose synthetic rows are checked: "augment", "paper", "parents" or "smote". The first is the one
        that the verdicts are about. Other real rows are always among those compared, as "real".
    held_out : float, default=0.5
        Share of the rows that generators do not see, in (0, 1).
    max_rows : int, default=300
        At most this many rows of a cell, or overall, enter a test.
    permutations : int, optional
        Of every test; the least p-value is one over one more than this. By default as many as Holm's method
        needs for the number of cells, at least 499 and at most 4,999.
    confidence : float, default=0.95
        Cells whose adjusted p-value lies below one minus this differ.
    pictures : int, default=3
        How many cells are drawn: the smallest of those that fail, else the smallest.
    cuts, missing
        As in :meth:`GroupLattice.from_features`.
    na, decimal, categorical, keep
        How columns are read, as in :class:`TableEncoder`; `na` holds for labels and attributes too.
    random_state : int, default=0
        Seed. The same seed gives the same result, whatever `n_jobs`.
    n_jobs : int, optional
        Processes, as in joblib; -1 for all cores.
    progress : callable (done, total), optional
        Called after every cell.

    Returns
    -------
    Diagnosis
        Figures of every source, next to the floor; cells whose parents do not resemble them; copies.

    Raises
    ------
    InputError
        If lengths differ, the table is too small to split, or an option is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> S = {"sex": rng.choice(["f", "m"], 400), "old": rng.integers(0, 2, 400)}
    >>> X, y = rng.normal(size=(400, 3)), rng.integers(0, 2, 400)
    >>> found = diagnose(X, y, sensitive_features=S, sources=["parents"], permutations=99)
    >>> found.overall["parents"].mmd.p_value > 0.05  # here parents are like their cells
    True
    """
    given: Any = sources
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError(f"`sources` must be a sequence of names, got {given!r}.")
    chosen = list(dict.fromkeys(check_choice("sources", name, SOURCES) for name in sources))
    if not chosen:
        raise InputError("`sources` must name at least one source.")
    check_real("held_out", held_out, 0.0, 1.0, open_ends=True)
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    check_count("max_rows", max_rows, 10)
    if permutations is not None:
        check_count("permutations", permutations, 19)
    check_count("pictures", pictures, 0)
    seed = check_count("random_state", random_state, 0)
    check_eager(X, "X")
    encoder = TableEncoder(na=na, decimal=decimal, categorical=categorical, keep=keep)
    grouping = Grouping(cuts, missing)
    split = hold_out(X, y, sensitive_features, grouping=grouping, share=held_out, seed=seed, encoder=encoder)
    sizes = split.sizes()
    cells = [cell for cell, n in sizes.items() if n[1] >= LEAST and n[0] >= 2]
    if permutations is None:
        permutations = int(np.clip(permutations_needed(2 * max(len(cells), 1)), *_PERMUTATIONS))
    made = _made(split, sizes, chosen, max_rows, seed)
    settings = {
        "sources": chosen,
        "held_out": held_out,
        "max_rows": max_rows,
        "permutations": permutations,
        "confidence": confidence,
        "seed": seed,
    }
    everyone = delayed(_overall)(split, made, max_rows, permutations, seed)
    work = [everyone, *(delayed(_one_cell)(split, c, made, max_rows, permutations, seed) for c in cells)]
    found = []
    # Threads, since the work is matrix products on shared rows; one BLAS thread each, so that sums run in
    # the same order however many tasks run at the same time.
    with threadpool_limits(limits=1):
        run = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")
        for result in without_warning_of_lost_tasks(run(work)):
            found.append(result)
            if progress is not None:
                progress(len(found), len(work))
    (overall, copies), *by_cell = found
    judged = judge_cells(split, dict(zip(cells, by_cell, strict=True)), 1.0 - confidence)
    drawn = sorted(judged, key=lambda c: (judged[c][1].verdict != "fails", sum(sizes[c])))[:pictures]
    diagnoses = tuple(
        replace(
            cell_diagnosis(split, cell, n, judged.get(cell), chosen),
            pictures=cell_pictures(split, cell, _mixed(made, cell), seed) if cell in drawn else (),
        )
        for cell, n in sizes.items()
    )
    return Diagnosis(
        settings,
        split.lattice,
        split.classes,
        len(split.train),
        len(split.test),
        overall,
        diagnoses,
        copies,
        _notes(diagnoses, split),
    )


def _made(
    split: HeldOut, sizes: dict[Cell, tuple[int, int]], sources: list[str], max_rows: int, seed: int
) -> dict[str, dict[Cell, FloatArray]]:
    """Rows that every source makes for every cell."""
    wanted = {}
    for cell, (_, n) in sizes.items():
        # More rows than a parent has would repeat each other, and be known by that alone.
        fewest = max(min(map(len, split.index.parents(cell))), LEAST)
        wanted[cell] = min(max(n, MADE), max_rows, fewest)
    return {name: split.valid_rows(name, wanted, seed) for name in sources}


class _Real(NamedTuple):
    """Held-out rows that several sources are compared with: their vectors, and the columns that these mean."""

    Z: FloatArray
    columns: DecodedColumns

    @classmethod
    def of(cls, split: HeldOut, Z: FloatArray) -> _Real:
        return cls(Z, split.frame(Z))


def _figures(
    split: HeldOut,
    real: _Real,
    rows: FloatArray,
    known: RealRows | None,
    permutations: int,
    rng: np.random.Generator,
) -> SourceFigures:
    """Compare some rows with real ones by all figures; `known` holds the training rows they may be copies of."""
    both = both_samples(real.Z, rows)
    classifiers = classifier_test_of(both, permutations=permutations, rng=rng)
    mmd = mmd_test(real.Z, rows, permutations=permutations, rng=rng)
    pairs = decoded_pairs(real.columns, split.frame(rows))
    p_values = {**{name: test.p_value for name, test in classifiers.items()}, "mmd": mmd.p_value}
    remembered = None if known is None else known.memory(rows)
    return SourceFigures(
        len(rows),
        classifiers,
        mmd,
        manifold_of(both),
        marginals_of(pairs),
        associations_of(pairs),
        remembered,
        p_values,
    )


def _one_cell(
    split: HeldOut,
    cell: Cell,
    made: dict[str, dict[Cell, FloatArray]],
    max_rows: int,
    permutations: int,
    seed: int,
) -> CellResult:
    """Everything about one cell, seeded by what it is and not by when it runs."""
    rng = np.random.default_rng([seed, 1, *cell])
    train = split.Z[split.index.rows(cell)]
    real = _Real.of(split, _some(split.Z_held[split.held.rows(cell)], max_rows, rng))
    sources: dict[str, SourceFigures | None] = {
        REAL: _figures(split, real, _some(train, max_rows, rng), None, permutations, rng)
    }
    # A separate random stream, so that sampling a large cell does not change the other figures.
    seen = _some(train, _MOST_SEEN, np.random.default_rng([seed, 5, *cell]))
    known = RealRows.of(seen, real.Z)
    for name, rows in made.items():
        mine = rows.get(cell)
        sources[name] = None if mine is None else _figures(split, real, mine, known, permutations, rng)
    own, groups = split.index.rows(cell), split.lattice.parents(split.lattice.leaf(cell.leaf))
    # The cell's own rows are in its parents too, and would make them look alike.
    others = [np.setdiff1d(rows, own) for rows in split.index.parents(cell)]
    parents = tuple((g, len(rows)) for g, rows in zip(groups, others, strict=True))
    samples = [_some(split.Z[rows], max_rows, rng) for rows in others]
    tests = assumption(real.Z, samples, _mixed(made, cell), permutations=permutations, rng=rng)
    return CellResult(sources, tests, parents)


def _mixed(made: dict[str, dict[Cell, FloatArray]], cell: Cell) -> FloatArray:
    """What the first source that makes rows of the cell made of its parents."""
    return next(rows[cell] for rows in made.values() if cell in rows)


def _overall(
    split: HeldOut,
    made: dict[str, dict[Cell, FloatArray]],
    max_rows: int,
    permutations: int,
    seed: int,
) -> tuple[dict[str, SourceFigures | None], tuple[CopiedRow, ...]]:
    """Figures over a sample of all cells, in which cells have their true shares on both sides."""
    rng = np.random.default_rng([seed, 0])
    picked = np.sort(rng.permutation(len(split.test))[:max_rows])
    keys = split.held.leaves[picked] * split.held.n_labels + split.held.labels[picked]
    cells = [Cell(*divmod(int(key), split.held.n_labels)) for key in keys]
    seen = rng.permutation(len(split.Z))[:_MOST_SEEN]
    own = {cell: split.Z[rng.permutation(split.index.rows(cell))] for cell in set(cells)}
    # The first of a cell's rows may be those that were copied unchanged.
    mixed = np.random.default_rng([seed, 6])
    drawn = {
        name: {cell: rows[mixed.permutation(len(rows))] for cell, rows in by_cell.items()}
        for name, by_cell in made.items()
    }
    found: dict[str, SourceFigures | None] = {}
    copies: list[CopiedRow] = []
    for name, rows in {REAL: own, **drawn}.items():
        places, vectors = _matched(cells, rows)
        if len(places) < LEAST:
            found[name] = None
            continue
        real = _Real.of(split, split.Z_held[picked[places]])
        train = None if name == REAL else RealRows.of(split.Z[seen], real.Z)
        figures = _figures(split, real, vectors, train, permutations, rng)
        found[name] = figures
        if figures.memory is not None:
            copies += _copied(split, name, [cells[i] for i in places], split.train[seen], figures)
    return found, tuple(copies)


def _matched(cells: list[Cell], rows: dict[Cell, FloatArray]) -> tuple[list[int], FloatArray]:
    """Places among `cells`, and for each a row of that cell not taken before, as far as there are any."""
    used: dict[Cell, int] = {}
    places, vectors = [], []
    for place, cell in enumerate(cells):
        at = used.get(cell, 0)
        if cell in rows and at < len(rows[cell]):
            used[cell] = at + 1
            places.append(place)
            vectors.append(rows[cell][at])
    return places, np.array(vectors)


def _copied(
    split: HeldOut, source: str, cells: list[Cell], seen: IntArray, figures: SourceFigures
) -> list[CopiedRow]:
    assert figures.memory is not None
    return [
        CopiedRow(
            source,
            split.lattice.group(cells[c.row].leaf),
            split.classes[cells[c.row].label],
            int(seen[c.nearest]),
            c.distance,
            c.kind,
        )
        for c in figures.memory.copies[:_MOST_COPIES]  # closest first
    ]


def _some(Z: FloatArray, most: int, rng: np.random.Generator) -> FloatArray:
    return Z if len(Z) <= most else Z[np.sort(rng.choice(len(Z), most, replace=False))]


def _notes(cells: Sequence[CellDiagnosis], split: HeldOut) -> tuple[str, ...]:
    """What a reader should know before believing the figures."""
    lacking = sum(c.why is not None for c in cells)
    notes = [
        "Rows are compared on encoded, standardised columns, without the sensitive attributes.",
        "A test that finds no difference does not show that there is none: small cells have little power.",
        "Rows drawn for different cells share parents, so the p-values of synthetic rows over all cells are too "
        "small: about one in eight sound sets is rejected at 5 %. Those of single cells hold.",
    ]
    if lacking:
        notes.append(
            f"{lacking:,} of {len(cells):,} cells have too few rows to be judged alone; "
            "they are in the figures over all cells."
        )
    if len(split.Z) > _MOST_SEEN:
        notes.append(
            f"The search for copies covered {_MOST_SEEN:,} of the {len(split.Z):,} training rows, and at most "
            "that number of rows in each cell."
        )
    if split.Z.shape[1] > 200:
        notes.append(
            f"With {split.Z.shape[1]:,} coordinates distances say little; read the classifiers first."
        )
    return tuple(notes)
