"""Groups, numbers and axes with the attributes that NeXus wants."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray


def group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    """Make a group of a NeXus class."""
    # Readers see what is in it in the order in which it was made.
    made = parent.create_group(name, track_order=True)
    made.attrs["NX_class"] = nx_class
    made.attrs.update(attributes)
    return made


def number(parent: Any, name: str, value: float, unit: str) -> None:
    """Add a number with its unit."""
    parent[name] = value
    parent[name].attrs["units"] = unit


def axis(parent: Any, name: str, values: NDArray[np.float64]) -> None:
    """Add an axis: r in Å, all others in Å⁻¹."""
    parent[name] = values
    parent[name].attrs["units"] = "angstrom" if name == "r" else "1/angstrom"


def iso(time: float) -> str:
    """Return Unix seconds as NeXus writes a time."""
    return datetime.fromtimestamp(time, tz=UTC).isoformat(timespec="milliseconds")
