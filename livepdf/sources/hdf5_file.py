"""Open HDF5 files that others may still be writing, and read single values out of them."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np

from livepdf.errors import FrameError

_UNITS: dict[str, dict[str, float]] = {
    "s": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "angstrom": {"angstrom": 1.0, "a": 1.0, "å": 1.0, "nm": 10.0, "pm": 0.01, "m": 1e10},
    "keV": {"kev": 1.0, "ev": 1e-3, "mev": 1e3},
}
"""Factors to the wanted unit by the name in the file, in small letters."""
_LONG_NAMES = {
    "second": "s",
    "sec": "s",
    "millisecond": "ms",
    "microsecond": "us",
    "µs": "us",
    "nanosecond": "ns",
    "angstroms": "angstrom",
    "nanometer": "nm",
    "meter": "m",
}
_LEFT_OPEN = re.compile(r"already open for|not already open for SWMR|truncated file", re.IGNORECASE)


def open_hdf5(files: ExitStack, path: Path) -> Any:
    """Open a file for reading beside its writer; it is closed with ``files``.

    A file opened now shows what was flushed by now: datasets are never refreshed, which in HDF5
    2.0 damages its own memory with some files.

    Raises FrameError: ``unreadable`` where it is not there or of another kind, ``incomplete``
    where that may change.
    """
    try:
        try:
            file = h5py.File(path, "r", swmr=True)
        except ValueError:
            file = h5py.File(path, "r")
    except FileNotFoundError as error:
        raise FrameError("unreadable", "it is not there") from error
    except OSError as error:
        # Locked, cut, or open by a writer: HDF5 says it in many ways and all pass with time.
        raise FrameError("incomplete", _in_words(error)) from error
    return files.enter_context(file)


def number(group: Any, path: str, *, unit: str | None = None) -> float | None:
    """Return a number in ``unit`` (s, angstrom or keV), None where there is none.

    A file that names no unit is taken to mean that unit, as NeXus does for its default.
    """
    item = group.get(path) if isinstance(group, h5py.Group) else None
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf" or not item.size:
        return None
    value = float(np.ravel(item[()])[0])
    if not np.isfinite(value):
        return None
    return value if unit is None else value * _factor(item, unit)


def text(group: Any, path: str) -> str | None:
    """Return a text, None where there is none."""
    item = group.get(path) if isinstance(group, h5py.Group) else None
    if not isinstance(item, h5py.Dataset) or not item.size:
        return None
    value = np.ravel(np.asarray(item[()], dtype=object))[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def flag(group: Any, path: str) -> bool | None:
    """Return yes or no, None where the file does not say."""
    value = number_or_bool(group, path)
    return None if value is None else bool(value)


def number_or_bool(group: Any, path: str) -> float | None:
    """Return a number or a truth value as a number."""
    item = group.get(path) if isinstance(group, h5py.Group) else None
    if isinstance(item, h5py.Dataset) and item.dtype.kind == "b" and item.size:
        return float(np.ravel(item[()])[0])
    return number(group, path)


def _factor(item: Any, unit: str) -> float:
    name = item.attrs.get("units", unit)
    plain = (name.decode(errors="replace") if isinstance(name, bytes) else str(name)).lower()
    singular = plain if plain in _LONG_NAMES else plain.removesuffix("s") or plain
    factors = _UNITS[unit]
    return factors.get(_LONG_NAMES.get(singular, plain), factors.get(singular, 1.0))


def _in_words(error: OSError) -> str:
    said = str(error)[:200]
    if _LEFT_OPEN.search(said):
        return f"{said}; if its writer is gone, `h5clear -s FILE` releases the file"
    return said
