"""Pairs of atoms of a crystal, gathered where symmetry makes their distances the same for good."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.lattice import LatticeKind

Floats = NDArray[np.float64]

_SAME = 1e-6
_MIX = np.sqrt(np.array([2.0, 3.0, 5.0, 7.0, 11.0, 13.0]))
"""Irrational, so that two classes hardly ever have the same sum over their keys."""
_TIED = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairClasses:
    """Every distance of a crystal up to some length, as the lattice changes."""

    pairs: tuple[tuple[int, int], ...]
    """(a, b) with a ≤ b: pairs of species."""
    keys: Floats
    """(n, n_sums): r² is their product with the metric. Sorted by r of the reference cell."""
    row: NDArray[np.int64]
    """(n,) place in ``pairs``."""
    amount: Floats
    """(n,) neighbours per atom of the crystal, (a, b) and (b, a) together."""
    r: Floats
    """(n,) Å, in the reference cell, rising."""
    along: tuple[float, ...] = ()
    """For each of ``pairs`` cos² of the angle between the distances and the c axis; none where
    directions do not count."""


def pair_classes(
    *,
    kind: LatticeKind,
    cell: Floats,
    positions: Floats,
    species: NDArray[np.int64],
    metric: Floats,
    r_max: float,
) -> PairClasses:
    """List the pairs of a crystal out to ``r_max``.

    Parameters
    ----------
    kind : LatticeKind
    cell : (3, 3) float64, Å
        Cell vectors as rows.
    positions : (n, 3) float64
        Fractional coordinates of every atom of the cell.
    species : (n,) int64
        Species of each atom, numbered from 0.
    metric : (n_sums,) float64, Å²
        Of the reference cell.
    r_max : float, Å
    """
    wrapped = np.ascontiguousarray(positions - np.floor(positions), dtype=np.float64)
    spacing = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    images = np.floor(r_max / spacing).astype(np.int64) + 1
    cell = np.ascontiguousarray(cell, dtype=np.float64)
    nothing = np.empty((0, 3))
    total = _collect(cell, wrapped, images, r_max, nothing, np.empty(0, dtype=np.int64))
    difference = np.empty((total, 3))
    pair = np.empty(total, dtype=np.int64)
    _collect(cell, wrapped, images, r_max, difference, pair)
    i, j = np.divmod(pair, len(species))
    kinds = int(species.max()) + 1
    pairs = tuple((a, b) for a in range(kinds) for b in range(a, kinds))
    place = np.zeros((kinds, kinds), dtype=np.int64)
    for number, (a, b) in enumerate(pairs):
        place[a, b] = place[b, a] = number
    row = place[species[i], species[j]]
    # Each pair of different atoms was listed from one end only.
    amount = np.where(i == j, 1.0, 2.0) / len(species)
    return _gathered(pairs, kind.keys(difference), row, amount, metric)


def _gathered(
    pairs: tuple[tuple[int, int], ...],
    keys: Floats,
    row: NDArray[np.int64],
    amount: Floats,
    metric: Floats,
) -> PairClasses:
    mixed = keys @ _MIX[: keys.shape[1]]
    order = np.lexsort((mixed, row))
    keys, row, amount, mixed = keys[order], row[order], amount[order], mixed[order]
    first = np.ones(len(row), dtype=np.bool_)
    scale = 1.0 + np.abs(mixed[1:])
    first[1:] = (np.diff(row) != 0) | (np.diff(mixed) > _TIED * scale)
    start = np.flatnonzero(first)
    amount = np.add.reduceat(amount, start) if len(start) else amount
    keys, row = keys[start], row[start]
    r = np.sqrt(keys @ metric)
    order = np.argsort(r, kind="stable")
    return PairClasses(
        pairs=pairs,
        keys=np.ascontiguousarray(keys[order]),
        row=row[order],
        amount=amount[order],
        r=r[order],
    )


def oriented(classes: PairClasses, *, metric: Floats, steps: int = 5) -> PairClasses:
    """Tell distances along c from those across, for cells whose second key is z².

    Each class is shared between the two nearest of ``steps`` values of cos² of its angle to c;
    each pair of species becomes as many pairs.
    """
    cosine2 = classes.keys[:, 1] * metric[1] / (classes.keys @ metric)
    place = np.clip(cosine2, 0.0, 1.0) * (steps - 1)
    lower = np.minimum(place.astype(np.int64), steps - 2)
    share = place - lower
    row = np.repeat(classes.row * steps + lower, 2)
    row[1::2] += 1
    amount = np.repeat(classes.amount, 2)
    amount[0::2] *= 1.0 - share
    amount[1::2] *= share
    return PairClasses(
        pairs=tuple(pair for pair in classes.pairs for _ in range(steps)),
        keys=np.repeat(classes.keys, 2, axis=0),
        row=row,
        amount=amount,
        r=np.repeat(classes.r, 2),
        along=tuple(np.linspace(0.0, 1.0, steps).tolist() * len(classes.pairs)),
    )


def evenly_oriented(along: Sequence[float]) -> Floats:
    """Return the share of all directions that falls to each value of cos², as `oriented` does.

    Adds up to 1 for each pair of species; 1 where there are no directions.
    """
    steps = len(set(along))
    cosine = (np.arange(4000) + 0.5) / 4000.0
    place = cosine**2 * (steps - 1)
    hats = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(steps)))
    return np.tile(hats.mean(axis=0), len(along) // steps)


@numba.njit(nogil=True, cache=True)
def _collect(cell, positions, images, r_max, difference, pair):  # type: ignore[no-untyped-def]
    # Called twice: with empty outputs to count, then to fill.
    n = positions.shape[0]
    found = 0
    for i in range(n):
        for j in range(i, n):
            for u in range(-images[0], images[0] + 1):
                for v in range(-images[1], images[1] + 1):
                    for w in range(-images[2], images[2] + 1):
                        fa = positions[j, 0] - positions[i, 0] + u
                        fb = positions[j, 1] - positions[i, 1] + v
                        fc = positions[j, 2] - positions[i, 2] + w
                        x = fa * cell[0, 0] + fb * cell[1, 0] + fc * cell[2, 0]
                        y = fa * cell[0, 1] + fb * cell[1, 1] + fc * cell[2, 1]
                        z = fa * cell[0, 2] + fb * cell[1, 2] + fc * cell[2, 2]
                        d = np.sqrt(x * x + y * y + z * z)
                        if d > _SAME and d <= r_max:
                            if found < pair.shape[0]:
                                difference[found, 0] = fa
                                difference[found, 1] = fb
                                difference[found, 2] = fc
                                pair[found] = i * n + j
                            found += 1
    return found
