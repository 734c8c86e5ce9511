"""Distances between atoms: shells of a crystal, histogram of a particle."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

_SAME = 1e-6
"""Å; distances closer than this are one shell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairShells:
    """Neighbour shells of an endless crystal, averaged over the atoms of each species."""

    species_a: NDArray[np.int64]
    """(n,) species of the atom that looks."""
    species_b: NDArray[np.int64]
    """(n,) species of the neighbours that it sees."""
    r: NDArray[np.float64]
    """(n,) Å, rising within each (a, b)."""
    count: NDArray[np.float64]
    """(n,) mean number of neighbours b at exactly r around one atom a. So N_a·count is the same
    for (a, b) and (b, a), both of which are listed."""


def crystal_pairs(
    *,
    cell: NDArray[np.float64],
    positions: NDArray[np.float64],
    species: NDArray[np.int64],
    r_max: float,
) -> PairShells:
    """List the neighbour shells of a crystal out to ``r_max``.

    Parameters
    ----------
    cell : (3, 3) float64, Å
        Cell vectors as rows.
    positions : (n, 3) float64
        Fractional coordinates of every atom of the cell.
    species : (n,) int64
        Species of each atom, numbered from 0.
    r_max : float, Å
        Shells with 0 < r ≤ r_max are listed; distances within 1e-6 Å are one shell.
    """
    _check_atoms(positions, species)
    if not r_max > 0.0:
        raise ValueError(f"r_max is {r_max}, wanted > 0")
    cell = np.ascontiguousarray(cell, dtype=np.float64)
    wrapped = np.ascontiguousarray(positions - np.floor(positions), dtype=np.float64)
    # Atoms of the home cell differ by less than one cell, hence one more image than r_max needs.
    spacing = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    images = np.floor(r_max / spacing).astype(np.int64) + 1
    n = len(species)
    total = _collect(cell, wrapped, images, r_max, np.empty(0), np.empty(0, dtype=np.int64))
    r = np.empty(total)
    pair = np.empty(total, dtype=np.int64)
    _collect(cell, wrapped, images, r_max, r, pair)
    kinds = int(species.max()) + 1
    code = species[pair // n] * kinds + species[pair % n]
    return _merged(r=r, code=code, atoms=np.bincount(species, minlength=kinds))


def _check_atoms(positions: NDArray[np.float64], species: NDArray[np.int64]) -> None:
    if positions.ndim != 2 or positions.shape[1] != 3 or len(positions) == 0:
        raise ValueError(f"positions have shape {positions.shape}, wanted (n, 3) with n > 0")
    if species.shape != (len(positions),):
        raise ValueError(f"species have shape {species.shape}, wanted ({len(positions)},)")
    if species.min() < 0:
        raise ValueError("species are numbered from 0")


def _merged(
    *, r: NDArray[np.float64], code: NDArray[np.int64], atoms: NDArray[np.int64]
) -> PairShells:
    order = np.lexsort((r, code))
    r, code = r[order], code[order]
    first = np.ones(len(r), dtype=np.bool_)
    first[1:] = (np.diff(code) != 0) | (np.diff(r) > _SAME)
    start = np.flatnonzero(first)
    members = np.diff(np.append(start, len(r)))
    mean_r = np.add.reduceat(r, start) / members if len(r) else r
    a, b = np.divmod(code[start], len(atoms))
    return PairShells(species_a=a, species_b=b, r=mean_r, count=members / atoms[a])


@numba.njit(nogil=True, cache=True)
def _collect(cell, positions, images, r_max, r, pair):  # type: ignore[no-untyped-def]
    # Called twice: with empty outputs to count, then to fill.
    n = positions.shape[0]
    found = 0
    for i in range(n):
        for j in range(n):
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
                            if found < r.shape[0]:
                                r[found] = d
                                pair[found] = i * n + j
                            found += 1
    return found


def sphere_cut(
    *,
    cell: NDArray[np.float64],
    positions: NDArray[np.float64],
    diameter: float,
    centre: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cut a sphere out of a crystal.

    Parameters
    ----------
    cell, positions
        As in `crystal_pairs`.
    diameter : float, Å
    centre : (3,) float64
        Fractional coordinates of the middle of the sphere.

    Returns
    -------
    cartesian : (m, 3) float64, Å
        Atoms within diameter/2 of the centre, which is the origin.
    atom : (m,) int64
        Which atom of the cell each one is an image of.
    """
    radius = diameter / 2.0
    spacing = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    reach = np.ceil(radius / spacing).astype(np.int64) + 1
    images = np.stack(
        np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), axis=-1
    ).reshape(-1, 3)
    home = positions - centre
    home = home - np.floor(home)
    fractional = (home[:, None, :] + images[None, :, :]).reshape(-1, 3)
    cartesian = fractional @ cell
    inside = np.einsum("ij,ij->i", cartesian, cartesian) <= radius**2
    atom = np.repeat(np.arange(len(positions), dtype=np.int64), len(images))
    return cartesian[inside], atom[inside]


def distance_histogram(
    *,
    positions: NDArray[np.float64],
    species: NDArray[np.int64],
    kinds: int,
    step: float,
    bins: int,
) -> NDArray[np.float64]:
    """Count the distances between the atoms of a particle, by pair of species.

    Every distance is shared between its two nearest grid points so that its mean is kept; this
    adds a variance of step²/6 on average.

    Parameters
    ----------
    positions : (m, 3) float64, Å
        Cartesian.
    species : (m,) int64
        From 0 to kinds - 1.
    step : float, Å
        The grid is k·step for k = 0 … bins - 1 and must reach beyond twice the
        largest distance from the centroid.

    Returns
    -------
    histogram : (kinds, kinds, bins) float64
        Ordered pairs (a, b), an atom with itself left out: its sum is m(m - 1).
    """
    _check_atoms(positions, species)
    extent = 2.0 * np.linalg.norm(positions - positions.mean(axis=0), axis=1).max()
    if extent >= (bins - 1) * step:
        raise ValueError(f"a grid to {(bins - 1) * step} Å is too short for the particle")
    order = np.argsort(species, kind="stable")
    placed = np.ascontiguousarray(positions[order].T)
    edges = np.searchsorted(species[order], np.arange(kinds + 1))
    out = np.zeros((kinds, kinds, bins))
    for a in range(kinds):
        for b in range(a, kinds):
            _deposit(placed, edges[a], edges[a + 1], edges[b], edges[b + 1], 1.0 / step, out[a, b])
            if a == b:
                out[a, a] *= 2.0
            else:
                out[b, a] = out[a, b]
    return out


@numba.njit(nogil=True, cache=True, fastmath=True)
def _deposit(xyz, a0, a1, b0, b1, per_step, out):  # type: ignore[no-untyped-def]
    for i in range(a0, a1):
        for j in range(max(i + 1, b0), b1):
            dx = xyz[0, j] - xyz[0, i]
            dy = xyz[1, j] - xyz[1, i]
            dz = xyz[2, j] - xyz[2, i]
            place = np.sqrt(dx * dx + dy * dy + dz * dz) * per_step
            k = int(place)
            share = place - k
            out[k] += 1.0 - share
            out[k + 1] += share
