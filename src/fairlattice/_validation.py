"""The door: anything array-like becomes arrays here, or is refused politely.

Inside the library code trusts its arguments; only public functions call this module. A column
leaves it as a :class:`Column`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._column import Column
from fairlattice.exceptions import InputError, visible

_MOST_NAMED = 20
_ROWS_PER_TEXT = 10  # average from which on the frame's library codes a column faster than Python does
TIMES = (date, time, timedelta)  # a datetime is a date too

CPU_TORCH = (
    "Without a graphics card run before: pip install torch --index-url https://download.pytorch.org/whl/cpu, "
    "which takes 0.2 GB instead of 6."
)

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
NumberArray = IntArray | FloatArray


def did_you_mean(word: str, candidates: Iterable[Any], *, cutoff: float = 0.5, ignoring: str = "") -> str:
    """`` Did you mean 'x'?`` for the nearest candidate, whatever its case and signs to ignore before it, or nothing."""
    by_lower = {str(c).lower().lstrip(ignoring): str(c) for c in candidates}
    close = difflib.get_close_matches(word.lower().lstrip(ignoring), by_lower, n=1, cutoff=cutoff)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def printable(value: Any) -> str:
    """A value's text on one line, without signs that a terminal would obey."""
    return visible(" ".join(str(value).split()))


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`."""
    if isinstance(value, str) and value in choices:
        return value
    raise InputError(
        f"`{name}` must be one of {', '.join(choices)}; got {value!r}.{did_you_mean(str(value), choices)}"
    )


def check_real(name: str, value: Any, low: float, high: float, *, open_ends: bool = False) -> float:
    """Return `value` as a float if it lies in [low, high], or in (low, high)."""
    number = float(value) if isinstance(value, Real) else float("nan")
    if not (low < number < high if open_ends else low <= number <= high):
        left, right = "()" if open_ends else "[]"
        raise InputError(f"`{name}` must lie in {left}{low:g}, {high:g}{right}, got {value!r}.")
    return number


def check_count(name: str, value: Any, low: int = 1) -> int:
    """Return `value` as an int if it is a whole number of at least `low`."""
    if type(value) is bool or not isinstance(value, Integral) or int(value) < low:
        raise InputError(f"`{name}` must be a whole number of at least {low}, got {value!r}.")
    return int(value)


def check_columns_exist(wanted: Iterable[str], present: Sequence[str]) -> None:
    """Raise, with the nearest name, if a wanted column is not there."""
    wanted = list(wanted)
    known = set(present)
    absent = [name for name in wanted if name not in known]
    if (
        absent
        and "," in str(absent[0])
        and all(part.split(":")[0] in present for part in absent[0].split(","))
    ):
        raise InputError(f"Columns not found: {absent}. Name several columns with spaces between them.")
    if absent:
        absent = [str(name) for name in absent]
        listed = ", ".join(map(str, present[:_MOST_NAMED])) + (" …" if len(present) > _MOST_NAMED else "")
        hint = did_you_mean(absent[0], present) or f" The columns are {listed}."
        raise InputError(f"Columns not found: {absent}.{hint}")


def check_same_length(**arrays: Any) -> None:
    """Raise if the named arrays, or tables, differ in length."""
    lengths = {name: row_count(a) for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"`{name}` has {n:,} rows" for name, n in lengths.items())
        raise InputError(f"Inputs differ in length: {sizes}.")


def row_count(data: Any) -> int:
    """How many rows a frame, mapping of arrays, array or list has."""
    if isinstance(data, Mapping):
        return row_count(next(iter(data.values())))
    if isinstance(data, Column):
        return len(data.values)
    return int(data.shape[0]) if hasattr(data, "shape") else len(data)


def is_missing(value: Any) -> bool:
    """Whether one Python value means "not recorded": None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return type(value).__name__ == "NAType"


def as_column(values: Any, name: str) -> Column:
    """One-dimensional data of any origin as a :class:`Column`."""
    if isinstance(values, Column):
        return values
    if isinstance(values, np.ma.MaskedArray):
        column = as_column(values.data, name)
        return Column(column.values, column.missing | np.ma.getmaskarray(values).reshape(len(column.missing)))
    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return _series_column(series)
    array = values if isinstance(values, np.ndarray) else _object_safe_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(f"`{name}` must have one dimension, got an array of shape {array.shape}.")
    if array.dtype.kind == "f":
        array = _not_half(array)
        return Column(array, np.isnan(array))
    if array.dtype.kind in "Mm":
        return _time_column(array)
    if array.dtype.kind == "O":
        plain = np.empty(len(array), dtype=object)
        plain[:] = [plain_value(v) for v in array]
        missing = np.fromiter((is_missing(v) for v in plain), dtype=bool, count=len(plain))
        return Column(_narrow(plain, missing), missing)
    return Column(array, np.zeros(len(array), dtype=bool))


def as_native(data: Any, *, allow_series: bool | None = None) -> Any:
    """Any frame (or series) as narwhals wraps it, anything else as it is."""
    try:
        return nw.from_native(data, allow_series=allow_series, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise InputError(f"Two columns have one name: {' '.join(str(error).split())}. Rename one.") from error


def check_eager(data: Any, name: str) -> None:
    """Raise if `data` is a lazy frame where rows are needed."""
    if isinstance(as_native(data, allow_series=True), nw.LazyFrame):
        raise InputError(
            f"`{name}` is a lazy frame ({type(data).__name__}). Collect it first, as by `.collect()`. Audits count "
            "one where it is: `fl.audit(frame, label=…, prediction=…, sensitive=[…])`, or `from_frame` of "
            "`GroupCounts`, `PairedCounts` or `ScoreCounts`."
        )


def frame_of(table: nw.DataFrame[Any], kept: Sequence[Any]) -> nw.DataFrame[Any]:
    """Some columns of a frame, at least one, whatever their names: Polars takes some texts for patterns,
    and narwhals takes numbers, which pandas allows as names, for positions.
    """  # noqa: D205
    if all(isinstance(column, str) for column in table.columns):
        return table[list(kept)]
    return table.drop([column for column in table.columns if column not in set(kept)])


def as_columns(data: Any, name: str, *, default: str | None = None) -> dict[str, Column]:
    """Columns of a frame, a mapping, a Series, or an array of one or two dimensions.

    Columns of an array are called ``<default>_0``, ``<default>_1`` …
    """
    default = default or name.removesuffix("s")
    check_no_batch(data, name)
    native = as_native(data, allow_series=True)
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    if isinstance(native, nw.DataFrame):
        columns = {str(c): _series_column(native.get_column(c)) for c in native.columns}
    elif isinstance(native, nw.Series):
        columns = {str(native.name or f"{default}_0"): _series_column(native)}
    elif isinstance(data, np.ndarray) and data.dtype.names:
        columns = {field: as_column(data[field], field) for field in data.dtype.names}
    elif isinstance(data, Mapping):
        columns = {str(k): as_column(v, str(k)) for k, v in data.items()}
        if len({len(c.values) for c in columns.values()}) > 1:
            check_same_length(**{k: c.values for k, c in columns.items()})
    else:
        array = data if isinstance(data, np.ndarray) else _object_safe_array(data, name)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise InputError(f"`{name}` must have one or two dimensions, got shape {array.shape}.")
        columns = {f"{default}_{j}": as_column(array[:, j], name) for j in range(array.shape[1])}
    if not columns:
        raise InputError(f"`{name}` has no columns.")
    return columns


def has_names(data: Any) -> bool:
    """Whether columns have names of their own: of a mapping, a frame, eager or lazy, or a structured array."""
    if isinstance(data, np.ndarray):
        return data.dtype.names is not None
    return isinstance(data, Mapping) or isinstance(as_native(data), nw.DataFrame | nw.LazyFrame)


def check_no_batch(data: Any, name: str) -> None:
    """Raise for a batch of pyarrow, which narwhals does not know as a frame, so that its names would be lost."""
    if type(data).__module__.startswith("pyarrow") and type(data).__name__ == "RecordBatch":
        raise InputError(
            f"`{name}` is a RecordBatch of pyarrow. Pass `pyarrow.Table.from_batches([{name}])`."
        )


def check_frame(data: Any, name: str) -> None:
    """Raise for a table that has no rows to take, as a mapping of columns has not."""
    check_no_batch(data, name)
    if isinstance(data, Mapping) and not hasattr(data, "shape"):  # some sparse arrays are mappings, too
        raise InputError(
            f"`{name}` is a mapping of columns. Pass a frame, such as `pandas.DataFrame({name})`."
        )


def check_plain(values: Iterable[Any], what: str) -> None:
    """Raise if distinct values are not text, numbers or truth values, which alone can be written to a file."""
    odd = next((value for value in values if not isinstance(value, str | bool | int | float | None)), None)
    if odd is not None:
        raise InputError(f"{what} holds values of type {type(odd).__name__}. Turn them into text.")


def as_labels(values: Any, name: str) -> npt.NDArray[Any]:
    """Labels as a one-dimensional array without missing values."""
    column = as_column(values, name)
    if column.missing.any():
        raise InputError(
            f"`{name}` has {int(column.missing.sum()):,} missing values of {len(column.values):,}. "
            "Remove these rows first."
        )
    if not len(column.values):
        raise InputError(f"`{name}` has no rows.")
    if column.values.dtype.kind == "f" and not np.isfinite(column.values).all():
        raise InputError(f"`{name}` has infinite values.")
    if column.values.dtype.kind not in "biufUMm":
        check_plain(column.coded.levels, f"`{name}`")
    return column.values


def sorted_values(values: Iterable[Any]) -> list[Any]:
    """Distinct Python values in a stable order, also where their types do not compare."""
    distinct = list(dict.fromkeys(values))
    try:
        return sorted(distinct)
    except TypeError:
        return sorted(distinct, key=lambda v: (type(v).__name__, repr(v)))


def distinct_values(values: npt.NDArray[Any]) -> list[Any]:
    """Distinct values of an array as plain Python objects, in a stable order."""
    if values.dtype.kind == "O":
        try:
            return sorted_values(values.tolist())
        except TypeError as error:
            kind = type(values[0]).__name__
            raise InputError(f"A column holds {kind} objects. Turn them into numbers or text.") from error
    plain = values.astype(str) if values.dtype.kind in "Mm" else values
    return list(np.unique(plain).tolist())


def plain_value(value: Any) -> Any:
    """A value as text, a number or a truth value, where it represents one."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, TIMES) and value == value:  # NaT is missing, and stays
        return time_text(value)
    if type(value).__module__.partition(".")[0] == "pandas" and not is_missing(value):
        return str(value)  # a Period or an Interval
    return value


def time_text(value: Any) -> str:
    """A date or time as text, the same whatever frame it comes from."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
        if value.time() == time(0):  # a date, as libraries without a type for dates hold it
            value = value.date()
    return str(value)


def _time_column(array: npt.NDArray[Any]) -> Column:
    """Times of NumPy as text, the same as of any frame."""
    missing = np.isnat(array)
    values = np.empty(len(array), dtype=object)
    plain = array.astype("datetime64[us]" if array.dtype.kind == "M" else "timedelta64[us]").tolist()
    values[:] = [None if gone else time_text(v) for v, gone in zip(plain, missing, strict=True)]
    return Column(values, missing)


def _series_column(series: nw.Series[Any]) -> Column:
    dtype = series.dtype
    is_float = dtype.is_float()  # checked first, since wide tables hold mostly floats
    if not is_float and (dtype.is_nested() or dtype == nw.Binary):
        raise InputError(f"Column `{series.name}` has type {dtype}. Turn it into numbers or text.")
    if is_float:
        pass
    elif dtype.is_temporal():
        return as_column(series.to_list(), series.name)
    elif dtype.is_decimal():
        series = series.alias("values").cast(nw.Float64)
    elif dtype in (nw.Int128, nw.UInt128):  # as Python's own whole numbers
        return as_column(series.to_list(), series.name)
    elif dtype == nw.String and (column := _text_column(series)) is not None:
        return column
    if series.null_count():
        series = series.alias("values")  # Polars takes some names for patterns, also of a series
        missing = series.is_null()
        if is_float:
            missing = missing | series.is_nan().fill_null(True)
        mask = missing.to_numpy().astype(bool)
        valid = _not_half(series.filter(~missing).to_numpy())
        values = np.zeros(len(mask), dtype=valid.dtype if len(valid) else float)
        values[~mask] = valid
        return Column(_narrow(values, mask), mask)
    values = _not_half(series.to_numpy())
    mask = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    return Column(_narrow(np.where(mask, 0, values) if mask.any() else values, mask), mask)


def _not_half(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, in single precision where it is in half precision, which holds no number above 65,504."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _text_column(series: nw.Series[Any]) -> Column | None:
    """Code a column of text with its own library, which is faster; None if it has too many distinct texts."""
    series = series.alias("values")  # Polars takes some names for patterns, also of a series
    present = series.drop_nulls()
    levels = present.unique(maintain_order=True).to_list()
    if (
        not levels
        or _ROWS_PER_TEXT * len(levels) > len(present)
        or not all(type(level) is str for level in levels)
    ):
        return None
    codes = np.full(len(series), -1, dtype=np.int32)
    found = present.replace_strict(levels, list(range(len(levels))), return_dtype=nw.Int32)
    codes[~series.is_null().to_numpy().astype(bool)] = found.to_numpy()
    return Column.of_codes(levels, codes)


def _narrow(values: npt.NDArray[Any], missing: BoolArray) -> npt.NDArray[Any]:
    """Objects that are all numbers of one kind become a numeric array; others stay."""
    if values.dtype.kind != "O":
        return values
    kinds = {type(v) for v in values[~missing]}
    if any(k.__module__.partition(".")[0] == "pandas" or issubclass(k, (Decimal, *TIMES)) for k in kinds):
        return _narrow(_object_safe_array([plain_value(v) for v in values], "column"), missing)
    target = next((t for t in (bool, int, float) if kinds and kinds <= {t}), None)
    if target is None:
        return values
    narrowed = np.zeros(len(values), dtype=target)
    try:
        narrowed[~missing] = values[~missing].astype(target)
    except OverflowError:
        return values
    return narrowed


def _object_safe_array(values: Any, name: str) -> npt.NDArray[Any]:
    """A sequence as an array, without NumPy turning mixed types into strings."""
    try:
        if isinstance(values, str | bytes):
            raise TypeError("a string is not a column")
        if hasattr(values, "__array__"):
            return np.asarray(values)
        rows = list(values)
        if rows and isinstance(rows[0], list | tuple | np.ndarray):
            return np.array([list(r) for r in rows], dtype=object).reshape(len(rows), -1)
        array = np.empty(len(rows), dtype=object)
        array[:] = rows
    except (TypeError, ValueError) as error:
        check_eager(values, name)
        raise InputError(f"`{name}` must be array-like, got {type(values).__name__}.") from error
    return array
