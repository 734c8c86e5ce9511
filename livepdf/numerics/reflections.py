"""Where a powder of a crystal reflects, and how strongly beside the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SAME = 1e-4
"""Å⁻¹; what is closer is one ring."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reflections:
    """Rings of a powder."""

    q: Floats
    """(n,) Å⁻¹, rising."""
    strength: Floats
    """(n,) area of the ring in F(Q), on any one scale."""


def powder_reflections(
    *,
    cell: Floats,
    positions: Floats,
    species: NDArray[np.int64],
    amplitudes: Floats,
    amplitudes_q: Floats,
    q_max: float,
    faint: float = 0.005,
) -> Reflections:
    r"""Return the rings up to ``q_max``, those of one radius as one.

    In F(Q) a ring at G has the area

    .. math:: \sum_{hkl} |F_{hkl}|^2 / (G\,\langle f\rangle^2)

    Parameters
    ----------
    cell : (3, 3) float64, Å
        Vectors as rows.
    positions : (n, 3) float64
        Fractional.
    species : (n,) int64
        Rows of ``amplitudes``.
    amplitudes : (kinds, n_q) float64
        f(Q) of each species at ``amplitudes_q``, (n_q,) Å⁻¹.
    faint : float
        Rings below this share of the strongest are left out.
    """
    reciprocal = 2.0 * np.pi * np.linalg.inv(cell)
    largest = np.floor(q_max * np.linalg.norm(cell, axis=1) / (2.0 * np.pi)).astype(int)
    ranges = [np.arange(-n, n + 1) for n in largest]
    indices = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    q = np.linalg.norm(indices @ reciprocal.T, axis=1)
    kept = (q > 0.0) & (q <= q_max)
    order = np.argsort(q[kept], kind="stable")
    indices, q = indices[kept][order], q[kept][order]
    if not q.size:
        return Reflections(q=np.empty(0), strength=np.empty(0))
    f = np.array([np.interp(q, amplitudes_q, row) for row in amplitudes])
    factor = np.sum(f[species].T * np.exp(2j * np.pi * indices @ positions.T), axis=1)
    mean = np.bincount(species, minlength=len(f)) / len(species) @ f
    power = np.abs(factor) ** 2 / (q * mean**2)
    starts = np.flatnonzero(np.diff(q, prepend=-1.0) > _SAME)
    strength = np.add.reduceat(power, starts)
    seen = strength > faint * strength.max()
    return Reflections(q=q[starts][seen], strength=strength[seen])
