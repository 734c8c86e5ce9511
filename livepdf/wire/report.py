"""What all reports share: numbered buffers that must fit one another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def named(names: Sequence[str], arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the buffers of a report by name; ValueError where some are missing."""
    if len(arrays) != len(names):
        raise ValueError(f"{len(arrays)} buffers of a report, wanted {len(names)}")
    return {name: np.asarray(array) for name, array in zip(names, arrays, strict=True)}


def check(arrays: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """ValueError where a buffer has another shape than it must have."""
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has {arrays[name].shape}, wanted {shape}")
