"""A crystal structure: the unit cell and every atom in it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Lattice = Literal[
    "cubic",
    "tetragonal",
    "hexagonal",
    "rhombohedral",
    "orthorhombic",
    "monoclinic-a",
    "monoclinic-b",
    "monoclinic-c",
    "triclinic",
]
"""Which lengths and angles of the cell may differ: by symmetry, with the unique axis."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """The full unit cell, already expanded by symmetry (P1), every site fully occupied."""

    name: str
    lengths: tuple[float, float, float]
    """a, b, c in Å."""
    angles: tuple[float, float, float]
    """α, β, γ in degrees."""
    elements: tuple[str, ...]
    """Element symbol of each of the n atoms, e.g. ``Hf``."""
    positions: NDArray[np.float64]
    """(n, 3) fractional, in [0, 1)."""
    uiso: NDArray[np.float64]
    """(n,) Å², mean square displacement along one direction; NaN where the source has none."""
    source: str
    """Citation of the structure, or the file that it was read from."""
    lattice: Lattice = "triclinic"
    """What symmetry leaves free of the cell; trigonal cells with hexagonal axes are hexagonal."""

    def __post_init__(self) -> None:
        n = len(self.elements)
        if self.positions.shape != (n, 3):
            raise ValueError(f"{n} elements need positions of ({n}, 3), not {self.positions.shape}")
        if self.uiso.shape != (n,):
            raise ValueError(f"{n} elements need uiso of ({n},), not {self.uiso.shape}")

    @property
    def species(self) -> tuple[str, ...]:
        """The different elements, in the order of their first atom."""
        return tuple(dict.fromkeys(self.elements))

    @property
    def species_index(self) -> NDArray[np.int64]:
        """(n,) for each atom its place in ``species``."""
        place = {element: i for i, element in enumerate(self.species)}
        return np.array([place[element] for element in self.elements], dtype=np.int64)

    @property
    def cell(self) -> NDArray[np.float64]:
        """(3, 3) Å, the cell vectors as rows: a along x, b in the xy plane."""
        a, b, c = self.lengths
        cos_alpha, cos_beta, cos_gamma = np.cos(np.radians(self.angles))
        sin_gamma = np.sqrt(1.0 - cos_gamma**2)
        c_y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
        c_z = np.sqrt(1.0 - cos_beta**2 - c_y**2)
        return np.array(
            [
                [a, 0.0, 0.0],
                [b * cos_gamma, b * sin_gamma, 0.0],
                [c * cos_beta, c * c_y, c * c_z],
            ]
        )

    @property
    def volume(self) -> float:
        """Volume of the cell in Å³."""
        return float(abs(np.linalg.det(self.cell)))
