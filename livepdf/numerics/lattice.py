"""Free parameters of a unit cell by crystal system, and distances as linear sums over them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NAMES = ("a", "b", "c", "alpha", "beta", "gamma")


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeKind:
    """Which of a, b, c, α, β, γ are free, and which sums of the metric tensor they leave."""

    ties: tuple[int, ...]
    """(6,) number of the free parameter that each of a … γ follows; −1 where it is fixed."""
    sums: tuple[tuple[float, ...], ...]
    """(n_sums, 6) how often each of g11 g22 g33 g23 g13 g12 follows the sum's own entry."""
    entries: tuple[int, ...]
    """(n_sums,) which of the six entries of the metric tensor the sum stands for."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the free parameters: lengths in Å, angles in degrees."""
        return tuple(_NAMES[self.ties.index(free)] for free in range(max(self.ties) + 1))

    def free(self, lengths: Sequence[float], angles: Sequence[float]) -> Floats:
        """Return the free parameters of a cell, (n_free,)."""
        whole = (*lengths, *angles)
        return np.array([whole[self.ties.index(k)] for k in range(max(self.ties) + 1)])

    def cell(self, free: Floats, *, angles: Sequence[float]) -> Floats:
        """Return a, b, c in Å and α, β, γ in degrees; ``angles`` for what is fixed."""
        fixed = (0.0, 0.0, 0.0, *angles)
        return np.array([fixed[k] if tie < 0 else free[tie] for k, tie in enumerate(self.ties)])

    def keys(self, difference: Floats) -> Floats:
        """Return (n, n_sums) numbers whose product with `metric` is r².

        Parameters
        ----------
        difference : (n, 3) float64
            Fractional coordinates of pair vectors.
        """
        x, y, z = difference.T
        squares = np.column_stack([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y])
        return np.ascontiguousarray(squares @ np.array(self.sums).T)

    def metric(self, free: Floats, *, angles: Sequence[float]) -> tuple[Floats, Floats]:
        """Return the sums of the metric tensor, Å², and their change, (n_sums, n_free)."""
        cell = self.cell(free, angles=angles)
        entries, slopes = _metric_tensor(cell)
        tied = np.zeros((6, max(self.ties) + 1))
        for k, tie in enumerate(self.ties):
            if tie >= 0:
                tied[k, tie] = 1.0
        picked = list(self.entries)
        return entries[picked], slopes[picked] @ tied

    def volume(self, free: Floats, *, angles: Sequence[float]) -> tuple[float, Floats]:
        """Return the volume of the cell in Å³ and its relative change, (n_free,)."""
        value = _volume(self.cell(free, angles=angles))
        change = np.zeros(len(free))
        for k in range(len(free)):
            step = 1e-5 * np.eye(len(free))[k] * free[k]
            up = _volume(self.cell(free + step, angles=angles))
            down = _volume(self.cell(free - step, angles=angles))
            change[k] = (up - down) / (2.0 * step[k] * value)
        return value, change


def _metric_tensor(cell: Floats) -> tuple[Floats, Floats]:
    # g11 g22 g33 g23 g13 g12 and their derivatives by a, b, c and the angles in degrees.
    sides, angles = cell[:3], np.radians(cell[3:])
    cosine, sine = np.cos(angles), np.sin(angles) * np.pi / 180.0
    entries = np.empty(6)
    slopes = np.zeros((6, 6))
    for k in range(3):
        entries[k] = sides[k] ** 2
        slopes[k, k] = 2.0 * sides[k]
        i, j = (m for m in range(3) if m != k)
        entries[3 + k] = sides[i] * sides[j] * cosine[k]
        slopes[3 + k, i] = sides[j] * cosine[k]
        slopes[3 + k, j] = sides[i] * cosine[k]
        slopes[3 + k, 3 + k] = -sides[i] * sides[j] * sine[k]
    return entries, slopes


def _volume(cell: Floats) -> float:
    entries = _metric_tensor(cell)[0]
    g11, g22, g33, g23, g13, g12 = entries
    tensor = np.array([[g11, g12, g13], [g12, g22, g23], [g13, g23, g33]])
    return float(np.sqrt(np.linalg.det(tensor)))


_RIGHT = (-1, -1, -1)
_EACH = tuple(tuple(float(i == k) for i in range(6)) for k in range(6))


def _monoclinic(angle: int) -> LatticeKind:
    ties = [0, 1, 2, -1, -1, -1]
    ties[angle] = 3
    return LatticeKind(ties=tuple(ties), sums=(*_EACH[:3], _EACH[angle]), entries=(0, 1, 2, angle))


LATTICES: dict[str, LatticeKind] = {
    "cubic": LatticeKind(ties=(0, 0, 0, *_RIGHT), sums=((1, 1, 1, 0, 0, 0),), entries=(0,)),
    "tetragonal": LatticeKind(
        ties=(0, 0, 1, *_RIGHT), sums=((1, 1, 0, 0, 0, 0), _EACH[2]), entries=(0, 2)
    ),
    "hexagonal": LatticeKind(
        ties=(0, 0, 1, *_RIGHT), sums=((1, 1, 0, 0, 0, -0.5), _EACH[2]), entries=(0, 2)
    ),
    "rhombohedral": LatticeKind(
        ties=(0, 0, 0, 1, 1, 1), sums=((1, 1, 1, 0, 0, 0), (0, 0, 0, 1, 1, 1)), entries=(0, 3)
    ),
    "orthorhombic": LatticeKind(ties=(0, 1, 2, *_RIGHT), sums=_EACH[:3], entries=(0, 1, 2)),
    "monoclinic-a": _monoclinic(3),
    "monoclinic-b": _monoclinic(4),
    "monoclinic-c": _monoclinic(5),
    "triclinic": LatticeKind(ties=(0, 1, 2, 3, 4, 5), sums=_EACH, entries=(0, 1, 2, 3, 4, 5)),
}
"""By the name that a structure gives its lattice."""
