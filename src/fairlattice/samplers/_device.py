"""Where fits are computed: in NumPy, or on a device of PyTorch, in double precision either way.

The functions that use it are written over the array API, so the kind of an array decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import to_device

from fairlattice._validation import CPU_TORCH, FloatArray
from fairlattice.exceptions import InputError


def check_device(device: str | None, option: str = "device") -> None:
    """Raise if PyTorch cannot compute in double precision on a device; None means NumPy.

    Parameters
    ----------
    device : str or None
        PyTorch's name of the device.
    option : str, default="device"
        Name of the option, for error messages.

    Raises
    ------
    InputError
        If PyTorch is not installed, or the device is not there or lacks double precision.
    """
    if device is None:
        return
    try:
        import torch
    except ImportError as error:
        raise InputError(
            f"`{option}` is {device!r}, which needs PyTorch. "
            f'Install it with pip install "fairlattice[torch]", or leave `{option}` out. {CPU_TORCH}'
        ) from error
    try:
        float(torch.zeros(1, dtype=torch.float64, device=device) + 1.0)
    except (RuntimeError, AssertionError, TypeError) as error:  # torch asserts that it was built for it
        words = str(error).strip().splitlines()[0].partition(". ")[0].rstrip(".")
        raise InputError(
            f"`{option}` {device!r} cannot be used: {words}. Name another, or leave it out."
        ) from error


def on_device(values: Any, device: str | None) -> Any:
    """An array of NumPy as it is, or as a tensor on a device of PyTorch; floats become doubles there."""
    if device is None:
        return values
    import torch

    array = np.asarray(values)
    return torch.tensor(
        array.astype(np.float64, copy=False) if array.dtype.kind == "f" else array, device=device
    )


def as_numpy(array: Any) -> FloatArray:
    """An array of any device as one of NumPy."""
    return array if isinstance(array, np.ndarray) else np.asarray(to_device(array, "cpu"))
