"""Atoms in a box or in the open: one configuration of a model from elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """A cluster, or one step of a trajectory."""

    elements: tuple[str, ...]
    """Element symbol of each of the n atoms."""
    cartesian: NDArray[np.float64]
    """(n, 3) Å"""
    cell: NDArray[np.float64] | None
    """(3, 3) Å, vectors of the periodic box as rows; None for a cluster."""

    def __post_init__(self) -> None:
        n = len(self.elements)
        if n == 0 or self.cartesian.shape != (n, 3):
            raise ValueError(f"{n} elements need as many positions, not {self.cartesian.shape}")
        if not np.all(np.isfinite(self.cartesian)):
            raise ValueError("a position is not finite")
        if self.cell is not None and not abs(np.linalg.det(self.cell)) > 0.0:
            raise ValueError("the box has no volume")

    @property
    def volume(self) -> float | None:
        """Volume of the box in Å³; None for a cluster."""
        return None if self.cell is None else float(abs(np.linalg.det(self.cell)))
