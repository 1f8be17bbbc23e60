"""What the data of an audit are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairlattice.metrics._frames import DEFAULT as DEFAULT_LIBRARY


@dataclass(frozen=True)
class Task:
    """What the data are called, for sentences about them.

    Parameters
    ----------
    label, prediction : str
        The columns of labels and predictions; `label` is None without labels.
    positive_prediction : prediction or None
        The prediction that means the positive label, where it is spelled otherwise.
    library : str
        The library that the data came in.
    assumed : tuple of {"notion", "favourable"}
        Which of these the user did not choose.
    """

    label: str | None = "label"
    prediction: str = "prediction"
    positive_prediction: Any = None
    library: str = DEFAULT_LIBRARY
    assumed: tuple[str, ...] = ()
