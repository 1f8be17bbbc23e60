"""A data set made ready for experiments: features, labels as 0 and 1, and everyone's leaf."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fairlattice._validation import BoolArray, IntArray, as_labels
from fairlattice.benchmark._compare import two_classes
from fairlattice.benchmark._splits import child_seed
from fairlattice.benchmark._tasks import SentOnce
from fairlattice.datasets import Dataset
from fairlattice.encoders import TextTableEncoder
from fairlattice.exceptions import InputError
from fairlattice.groups import Attribute, GroupLattice


@dataclass(frozen=True, eq=False)
class Table(SentOnce):
    """A data set ready for experiments.

    Parameters
    ----------
    name : str
        The data set.
    about : str
        One sentence of origin.
    label : str
        The column predicted.
    classes : tuple
        The two labels, the positive one second.
    X : mapping of str to array of shape (n,)
        The features.
    text : tuple of str
        Features that are free text.
    lattice : GroupLattice
        The groups.
    leaves, truth : int arrays of shape (n,)
        Every row's leaf, and the position of its label among the classes.
    units : int array of shape (n,), optional
        The person that a row is of, where persons have several.
    parts : array of shape (n,), optional
        The published split.
    beyond : bool array of shape (n,), optional
        Rows that are tested only, so that rates of small groups are known better.
    """

    name: str
    about: str
    label: str
    classes: tuple[Any, Any]
    X: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    text: tuple[str, ...]
    lattice: GroupLattice
    leaves: IntArray = field(repr=False)
    truth: IntArray = field(repr=False)
    units: IntArray | None = field(default=None, repr=False)
    parts: npt.NDArray[Any] | None = field(default=None, repr=False)
    beyond: BoolArray | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, data: Dataset, *, rows: int | None = None, axes: int | None = None, extra_test: int = 0
    ) -> Self:
        """The table of a data set, on its first `axes` attributes.

        At most `rows` rows are drawn once and for all, and of the others up to `extra_test` to be tested.

        Raises
        ------
        InputError
            If the data set has fewer axes, not two labels, or features that cannot be encoded.
        """
        if data.images:
            raise InputError(
                f"Data set `{data.name}` holds images, which have to become vectors first. "
                "Pass --image-weights, or to `with_vectors` what encodes them."
            )
        if axes is not None:
            data = data.on_axes(axes)
        if rows is not None and rows < data.n_rows:
            data = data.sample(rows + extra_test, rng=np.random.default_rng(child_seed(rows, extra_test)))
        columns = data.columns
        classes, truth = two_classes(as_labels(columns[data.label], data.label), data.positive)
        sensitive = {name: columns[name] for name in data.sensitive}
        lattice = GroupLattice.from_features(sensitive, cuts=data.cuts)
        X = {name: columns[name] for name in data.features}
        if not X:
            raise InputError(f"Data set `{data.name}` has no features left.")
        units = None if data.unit is None else np.unique(columns[data.unit], return_inverse=True)[1]
        return cls(
            data.name,
            data.about,
            data.label,
            classes,
            X,
            data.text,
            lattice,
            lattice.encode(sensitive),
            truth,
            units,
            None if data.part is None else columns[data.part],
            None if rows is None or not extra_test else _beyond(units, data.n_rows, rows),
        )

    @property
    def n_rows(self) -> int:
        """How many rows the table has."""
        return len(self.truth)

    def encoder(self) -> TextTableEncoder:
        """An encoder of the features, not fitted."""
        return TextTableEncoder(text=self.text)

    def fingerprint(self) -> str:
        """A digest of everything that a result may depend on."""
        digest = hashlib.sha256(repr((self.name, self.label, self.classes, self.text, self.lattice)).encode())
        arrays = {**self.X, "leaves": self.leaves, "truth": self.truth}
        arrays |= {} if self.units is None else {"units": self.units}
        arrays |= {} if self.parts is None else {"parts": self.parts}
        arrays |= {} if self.beyond is None else {"beyond": self.beyond}
        for name, values in arrays.items():
            plain = values.dtype.kind in "biuf"
            digest.update(f"\0{name}\0{values.dtype}\0".encode())
            digest.update(np.ascontiguousarray(values).tobytes() if plain else repr(values.tolist()).encode())
        return digest.hexdigest()

    def people(self) -> People:
        """Who is in the table, without their features: what figures are counted from."""
        inside = self.n_rows if self.beyond is None else int((~self.beyond).sum())
        return People(
            self.name,
            self.about,
            self.label,
            self.classes,
            tuple(self.X),
            inside,
            self.lattice,
            self.leaves,
            self.truth,
        )


@dataclass(frozen=True, eq=False)
class People:
    """Labels and leaves of a table; the parameters are those of :class:`Table`.

    `n_split` rows are split to train, choose and test; the others are tested only.
    """

    name: str
    about: str
    label: str
    classes: tuple[Any, Any]
    features: tuple[str, ...]
    n_split: int
    lattice: GroupLattice
    leaves: IntArray = field(repr=False)
    truth: IntArray = field(repr=False)

    def plain(self) -> dict[str, Any]:
        """All but the rows, as JSON can hold it."""
        return {
            "name": self.name,
            "about": self.about,
            "label": self.label,
            "classes": list(self.classes),
            "features": list(self.features),
            "dealt": self.n_split,
            "attributes": [a.plain() for a in self.lattice.attributes],
        }

    def payload(self) -> bytes:
        """The rows."""
        return pack(leaves=self.leaves, truth=self.truth.astype(np.uint8))

    @classmethod
    def of_plain(cls, found: dict[str, Any], payload: bytes) -> Self:
        """The people from :meth:`plain` and :meth:`payload`."""
        rows = unpack(payload)
        return cls(
            found["name"],
            found["about"],
            found["label"],
            (found["classes"][0], found["classes"][1]),
            tuple(found["features"]),
            int(found["dealt"]),
            GroupLattice(tuple(Attribute.of_plain(a) for a in found["attributes"])),
            rows["leaves"],
            rows["truth"].astype(np.int64),
        )


def _beyond(units: IntArray | None, n: int, rows: int) -> BoolArray:
    """All but `rows` rows at random; a unit's rows stay together."""
    of_row = np.arange(n) if units is None else units
    order = np.random.default_rng(child_seed(rows)).permutation(int(of_row.max()) + 1)
    inside = order[np.cumsum(np.bincount(of_row)[order]) <= rows]
    if not len(inside):
        raise InputError(f"Persons have more than `rows`={rows} rows, so none can be split. Take more rows.")
    beyond: BoolArray = ~np.isin(of_row, inside)
    return beyond


def pack(**arrays: npt.NDArray[Any]) -> bytes:
    """Arrays of numbers as bytes, compressed."""
    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=False, **arrays)
    return target.getvalue()


def unpack(payload: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays that :func:`pack` packed; nothing but numbers is read."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
