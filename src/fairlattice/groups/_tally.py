"""The tally: distinct combinations of leaf and values, and how many rows have each.

Everything that is counted is counted here, once: rows of arrays, or any frame by its own engine in one
aggregation. What leaves this file is small, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._column import Column
from fairlattice._validation import (
    IntArray,
    as_column,
    as_columns,
    as_native,
    check_choice,
    check_columns_exist,
    check_same_length,
    is_missing,
    plain_value,
)
from fairlattice.exceptions import InputError
from fairlattice.groups._attribute import check_cuts
from fairlattice.groups._collected import collected, without_dask_notice
from fairlattice.groups._exact import SCORE_BITS, SCORE_DIGITS, ExactSums, Split
from fairlattice.groups._lattice import GroupLattice
from fairlattice.groups._weights import Bands, check_weights, read_weights, weight_bands
from fairlattice.groups._written import bins_of, written_numbers
from fairlattice.tables._shared import (
    Rules,
    read_attributes,
    read_labels,
)

MISSING = ("level", "exclude", "raise")
_TEXTS = (nw.String, nw.Categorical, nw.Enum, nw.Object)
_EXACT = 2.0**53  # beyond, floats skip whole numbers
_WHOLE = (nw.Int8, nw.Int16, nw.Int32, nw.Int64, nw.UInt8, nw.UInt16, nw.UInt32)
_HUGE = 1.79e308  # beyond it lie the infinities, which engines write in different ways
_INFINITE = -1  # the band of infinite values, which are refused


@dataclass(frozen=True, eq=False)
class Tally:
    """Combinations that occur, one per entry.

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    codes : int array of shape (k,)
        Leaf of every entry.
    values : mapping of str to array of shape (k,)
        The values counted within each leaf, such as labels and predictions.
    rows : int array of shape (k,), or None
        Rows that each entry represents; None for one each.
    sums : mapping of str to ExactSums of k entries
        Sums over these rows: ``weights`` and their ``squares``, ``score`` and ``score_squares``.
    excluded : int
        Rows left out because an attribute is missing.
    """

    lattice: GroupLattice
    codes: IntArray
    values: Mapping[str, npt.NDArray[Any]]
    rows: IntArray | None
    sums: Mapping[str, ExactSums]
    excluded: int = 0

    @property
    def multiplicity(self) -> IntArray:
        """Rows of every entry."""
        return np.ones(len(self.codes), dtype=np.int64) if self.rows is None else self.rows


def tally_arrays(
    values: Mapping[str, Any],
    sensitive_features: Any,
    *,
    lattice: GroupLattice | None = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    sample_weight: Any = None,
    na: Sequence[str] | None = None,
    decimal: str | None = None,
) -> Tally:
    """One entry per row of some arrays, called by their names in error messages."""
    check_choice("missing", missing, MISSING)
    rules = Rules(na, decimal)
    arrays = {name: read_labels(v, name, rules, what="Column")[0] for name, v in values.items()}
    sensitive_features, _ = read_attributes(sensitive_features, rules)
    weight = read_weights(sample_weight)
    if weight is not None:
        arrays["sample_weight"] = weight
    excluded = 0
    if missing == "exclude":
        columns = as_columns(sensitive_features, "sensitive_features")
        check_same_length(**arrays, sensitive_features={k: c.values for k, c in columns.items()})
        kept = ~np.any([c.missing for c in columns.values()], axis=0)
        _check_some_kept(int(kept.sum()), len(kept))
        sensitive_features = {name: c.values[kept] for name, c in columns.items()}
        arrays = {name: a[kept] for name, a in arrays.items()}
        excluded = int((~kept).sum())
    if lattice is None:
        policy = "level" if missing == "exclude" else missing
        lattice = GroupLattice.from_features(sensitive_features, cuts=cuts, missing=policy)
    codes = lattice.encode(sensitive_features)
    check_same_length(**arrays, sensitive_features=codes)
    weight = arrays.pop("sample_weight", None)
    sums = {} if weight is None else {"weights": ExactSums.of(weight), "squares": ExactSums.of(weight**2)}
    return Tally(lattice, codes, arrays, None, sums, excluded)


def tally_frame(
    frame: Any,
    values: Mapping[str, str],
    sensitive: Sequence[str],
    *,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    weight: str | None = None,
    score: tuple[str, int] | None = None,
    na: Sequence[str] | None = None,
    decimal: str | None = None,
) -> Tally:
    """Count the rows of a frame, eager or lazy, by its own engine in one aggregation.

    `values` names the columns of the values to count within each leaf; `score` is a column to count in
    equal bins of [0, 1], with the sums of the score and of its square.
    """
    check_choice("missing", missing, MISSING)
    table = _lazy(frame)
    sensitive = (sensitive,) if isinstance(sensitive, str) else tuple(sensitive)
    cuts = {name: check_cuts(name, points) for name, points in (cuts or {}).items()}
    schema = table.collect_schema()
    also = [name for name in (weight, score and score[0]) if name is not None]
    check_columns_exist([*values.values(), *sensitive, *also], list(schema.names()))
    _check_parts([*values.values(), *also], sensitive)
    check_columns_exist(cuts, list(sensitive))
    rules = Rules(na, decimal)
    table, at = plainly_named(table, [*values.values(), *sensitive, *also])
    written = {n for n in [*cuts, *also] if schema[n] in _TEXTS}  # numbers perhaps, read when counted
    for name in [*cuts, *also]:
        if not schema[name].is_numeric() and name not in written:
            role = (
                f"Attribute `{name}` is cut at numbers"
                if name in cuts
                else f"Column `{name}` must be numeric"
            )
            raise InputError(f"{role}, but its type is {schema[name]}.")
    columns = [*values.values(), *sensitive]
    banded = {name: points for name, points in cuts.items() if name not in written}
    keys = {
        f"k{i}": _key(at[name], banded.get(name, ()), schema[name], rules.missing.numbers)
        for i, name in enumerate(columns)
    }
    keys |= {f"text {name}": nw.col(at[name]) for name in also if name in written}
    sums: dict[str, Split] = {}
    bands = None
    if weight is not None and weight not in written:
        w = nw.col(at[weight]).cast(nw.Float64())
        present = _present(at[weight], schema[weight])
        bands = weight_bands(table, w, present, weight)
        if bands.count > 1:
            keys["band"] = bands.number(w)
        x = bands.fraction(w)
        sums = {
            "weights": Split(x, bands.bits, bands.size(1)),
            "squares": Split(x * x, bands.bits, bands.size(2)),
        }
    if score is not None and score[0] not in written:
        name, bins = score
        keys["bin"] = _bin(at[name], bins, schema[name])
        s = (
            nw.when(_present(at[name], schema[name]) & (keys["bin"] >= 0))
            .then(nw.col(at[name]).cast(nw.Float64()))
            .otherwise(nw.lit(0.0))
        )
        sums |= {
            "score": Split(s, SCORE_BITS, SCORE_DIGITS),
            "score_squares": Split(s * s, SCORE_BITS, SCORE_DIGITS),
        }
    found = _aggregate(table, keys, sums)
    rows = np.asarray(found["rows"], dtype=np.int64)
    if not rows.sum():
        raise InputError("The table has no rows.")
    raw = {name: found[f"k{i}"] for i, name in enumerate(columns)}
    _check_values(raw, rows, list(values.values()), list(banded))
    totals = {name: _sums_of(name, split, found, bands) for name, split in sums.items()}
    placed = {"bin": np.asarray(found["bin"], dtype=np.int64)} if "bin" in keys else {}
    for name in written.intersection(also):
        numbers = written_numbers(found[f"text {name}"], name, rules, rows)
        if name == weight:
            check_weights(name, numbers)
            totals |= {"weights": ExactSums.of(numbers, rows), "squares": ExactSums.of(numbers**2, rows)}
        elif score is not None:
            placed = {"bin": bins_of(numbers, score[1])}
            known = np.where(placed["bin"] >= 0, numbers, 0.0)
            totals |= {
                "score": ExactSums.of_scores(known, rows),
                "score_squares": ExactSums.of_scores(known**2, rows),
            }
    tally = Tally(
        GroupLattice(()),
        np.zeros(len(rows), dtype=np.int64),
        {
            role: read_labels(raw[name], name, rules, counts=rows, what="Column")[0]
            for role, name in values.items()
        }
        | placed,
        rows,
        totals,
    )
    given = {n: as_column(_levels_of(raw[n], banded.get(n, ())), n) for n in sensitive}
    features = (
        as_columns(read_attributes(given, rules, counts=rows)[0], "sensitive_features") if given else {}
    )
    return _with_leaves(tally, features, cuts, missing)


def _check_parts(values: Sequence[str], sensitive: Sequence[str]) -> None:
    """Raise if a sensitive attribute is named twice, or plays another part too."""
    twice = next((name for i, name in enumerate(sensitive) if name in (*values, *sensitive[:i])), None)
    if twice is not None:
        raise InputError(f"Column `{twice}` is named twice, once as sensitive. Give each column one part.")


def _check_values(raw: Mapping[str, Any], rows: IntArray, labels: Sequence[str], cut: Sequence[str]) -> None:
    """Raise if a label or prediction is missing or infinite, or an attribute that is cut is infinite."""

    def refuse(name: str, odd: list[bool], what: str) -> None:
        n = int(rows[odd].sum())
        if n:
            raise InputError(f"Column `{name}` has {n:,} {what}.")

    for name in labels:
        if isinstance(raw[name], np.ndarray):  # of whole numbers, which are neither
            continue
        refuse(name, [v is None for v in raw[name]], "missing values. Remove these rows first")
        infinite = [isinstance(v, float) and abs(v) > _HUGE for v in raw[name]]
        refuse(name, infinite, "infinite values. Remove or replace them")
    for name in cut:
        refuse(name, [v == _INFINITE for v in raw[name]], "infinite values. Remove or replace them")


def _with_leaves(tally: Tally, features: dict[str, Column], cuts: Mapping[str, Any], missing: str) -> Tally:
    """The tally with its entries' leaves, without those that have a missing attribute if so asked."""
    if missing == "exclude":
        holes = [column.missing for column in features.values()]
        kept = ~np.any(holes, axis=0) if holes else np.ones(len(tally.codes), dtype=bool)
        rows = tally.multiplicity
        _check_some_kept(int(rows[kept].sum()), int(rows.sum()))
        features = {n: Column(c.values[kept], c.missing[kept]) for n, c in features.items()}
        tally = replace(
            tally,
            codes=tally.codes[kept],
            values={role: v[kept] for role, v in tally.values.items()},
            rows=rows[kept],
            sums={name: v.of_entries(kept) for name, v in tally.sums.items()},
            excluded=int(rows[~kept].sum()),
        )
    policy = "level" if missing == "exclude" else missing
    lattice = (
        GroupLattice.from_features(features, cuts=cuts, missing=policy) if features else GroupLattice(())
    )
    codes = lattice.encode(features) if features else tally.codes
    return replace(tally, lattice=lattice, codes=codes)


def _check_some_kept(kept: int, of: int) -> None:
    if not kept:
        raise InputError(
            f"All {of:,} rows have a missing attribute, so excluding them leaves none. "
            "Pass missing='level' to give missing values a level of their own."
        )


def _lazy(frame: Any) -> nw.LazyFrame[Any]:
    """Any frame as a lazy one, so that its engine plans the whole aggregation at once."""
    with without_dask_notice():
        native = as_native(frame)
        if not isinstance(native, nw.DataFrame | nw.LazyFrame):
            found = type(frame).__name__
            raise InputError(f"`frame` must be a data frame that narwhals knows, got {found}.")
        return native.lazy()


def plainly_named(table: nw.LazyFrame[Any], names: Sequence[str]) -> tuple[nw.LazyFrame[Any], dict[str, str]]:
    """The table with columns renamed whose names some library takes for patterns, and what each is called there."""
    at = {name: name for name in names}
    odd = [name for name in at if not name or name == "*" or name.startswith("^")]
    if odd:
        taken = max(map(len, table.collect_schema().names()))
        at |= {name: f"column {i} {'_' * taken}" for i, name in enumerate(odd)}
        table = table.rename({name: at[name] for name in odd})
    return table, at


def _aggregate(
    table: nw.LazyFrame[Any], keys: Mapping[str, nw.Expr], sums: Mapping[str, Split]
) -> dict[str, Any]:
    """Rows and sums of digits of every combination of keys."""
    named = table.select(
        *(value.alias(name) for name, value in keys.items()),
        *(split.column.alias(name) for name, split in sums.items()),
    )
    for name, split in sums.items():
        named = split.spread(named, name)
    digits = [column for name, split in sums.items() for column in split.names(name)]
    # Some engines aggregate plain columns only, hence the selection first.
    grouped = named.group_by(*keys).agg(nw.len().alias("rows"), *(nw.col(name).sum() for name in digits))
    counted = collected(grouped)
    return {name: _values(counted.get_column(name)) for name in (*keys, "rows", *digits)}


def _sums_of(name: str, split: Split, found: Mapping[str, Any], bands: Bands | None) -> ExactSums:
    """The sums of digits that were found for a column."""
    digits = [np.asarray(found[column], dtype=np.float64) for column in split.names(name)]
    tops = np.zeros(len(digits[0]), dtype=np.int64)
    if bands is not None and name in ("weights", "squares"):
        number = np.asarray(found["band"], dtype=np.int64) if "band" in found else tops
        tops = bands.tops(number) * (2 if name == "squares" else 1)
    return ExactSums(digits, tops, split.bits)


def _values(series: nw.Series[Any]) -> Any:
    """Plain Python values, or an array where all are whole numbers that one holds."""
    if series.dtype in _WHOLE and not series.null_count():
        return series.to_numpy().astype(np.int64)
    return [_plain(v) for v in series.to_list()]


def _plain(value: Any) -> Any:
    """None for every engine's way to say missing; else text, a number or a truth value."""
    return None if is_missing(value) else plain_value(value)


def _key(name: str, cuts: Sequence[float], dtype: Any, gone: Sequence[float]) -> nw.Expr:
    """The grouping key of a column: its value, or the number of its band; null where missing, as are numbers `gone`."""
    value = nw.col(name)
    if not cuts and not dtype.is_float():
        return value
    number = value if dtype.is_integer() else value.cast(nw.Float64())
    # Engines disagree on how NaN and null compare, and on whether they are one key or two.
    present = _present(name, dtype)
    for odd in gone if cuts else ():  # whose band could not be restored later
        present = present & (number != odd)
    known = nw.when(present)
    if not cuts:
        return known.then(number).otherwise(nw.lit(None))
    limits = [_whole(c) for c in cuts] if dtype.is_integer() else cuts
    steps = [(number >= limit).cast(nw.Int64()) for limit in limits]
    band = sum(steps[1:], start=steps[0])
    if dtype.is_float():
        finite = (number <= _HUGE) & (number >= -_HUGE)
        band = nw.when(finite).then(band).otherwise(nw.lit(_INFINITE).cast(nw.Int64()))
    return known.then(band).otherwise(nw.lit(None))


def _whole(cut: float) -> float:
    """The cut between whole numbers, as one of them: some engines refuse to compare large ones with 0.5."""
    return int(np.ceil(cut)) if abs(cut) < _EXACT else cut


def _present(name: str, dtype: Any) -> nw.Expr:
    value = nw.col(name)
    return ~(value.is_null() | value.is_nan()) if dtype.is_float() else ~value.is_null()


def _bin(name: str, bins: int, dtype: Any) -> nw.Expr:
    """Number of a score's bin; -1 where it is missing, -2 where it lies outside [0, 1]."""
    score = nw.col(name).cast(nw.Float64())
    # Engines refuse to cast what is missing or infinite to an integer, so it is replaced before.
    number = (score * bins + 1e-9).clip(0.0, float(bins)).floor()  # as ScoreCounts does for arrays
    inside = nw.when((score >= 0.0) & (score <= 1.0)).then(number).otherwise(nw.lit(-2.0))
    return nw.when(_present(name, dtype)).then(inside).otherwise(nw.lit(-1.0)).cast(nw.Int64())


def _levels_of(keys: Any, cuts: Sequence[float]) -> Any:
    """Keys as raw values of the same level: a band's index becomes a number inside the band."""
    if not cuts:
        return keys
    inside = [np.nextafter(cuts[0], -np.inf), *cuts]
    return np.asarray([np.nan if k is None else inside[int(k)] for k in keys])
