"""Distances between atoms of a periodic box, images included."""

import numba
import numpy as np
from numpy.typing import NDArray


def periodic_histogram(
    *,
    cell: NDArray[np.float64],
    cartesian: NDArray[np.float64],
    species: NDArray[np.int64],
    kinds: int,
    r_max: float,
    step: float,
) -> NDArray[np.float64]:
    """Count the distances from the atoms of a box to all others and their images, by species.

    Every distance is shared between its two nearest grid points so that its mean is kept.

    Parameters
    ----------
    cell : (3, 3) float64, Å
        Vectors as rows.
    cartesian : (n, 3) float64, Å
    species : (n,) int64
        From 0 to kinds − 1.
    r_max : float, Å
        Longest distance that is counted.
    step : float, Å

    Returns
    -------
    histogram : (kinds, kinds, n_r) float64
        Ordered pairs (a, b) at k·step up to ``r_max``, an atom with itself left out but not with
        its own images.
    """
    if not 0.0 < step < r_max:
        raise ValueError(f"step {step} and r_max {r_max} Å, wanted 0 < step < r_max")
    if species.shape != (len(cartesian),) or species.min() < 0 or species.max() >= kinds:
        raise ValueError(f"wanted a species from 0 to {kinds - 1} for each of the atoms")
    inverse = np.linalg.inv(cell)
    fractional = cartesian @ inverse
    wrapped = np.ascontiguousarray(fractional - np.floor(fractional))
    images = np.floor(r_max * np.linalg.norm(inverse, axis=0)).astype(np.int64) + 1
    out = np.zeros((kinds, kinds, int(r_max / step) + 2))
    _count(np.ascontiguousarray(cell), wrapped, species, images, r_max, 1.0 / step, out)
    return out + out.transpose(1, 0, 2)


@numba.njit(nogil=True, cache=True)
def _count(cell, atoms, species, images, r_max, per_step, out):  # type: ignore[no-untyped-def]
    # Each pair once; that of an atom with its own image is met from both sides.
    n, square = atoms.shape[0], r_max * r_max
    for u in range(-images[0], images[0] + 1):
        for v in range(-images[1], images[1] + 1):
            for w in range(-images[2], images[2] + 1):
                x0 = u * cell[0, 0] + v * cell[1, 0] + w * cell[2, 0]
                y0 = u * cell[0, 1] + v * cell[1, 1] + w * cell[2, 1]
                z0 = u * cell[0, 2] + v * cell[1, 2] + w * cell[2, 2]
                own = 0.5 * (u != 0 or v != 0 or w != 0)
                for i in range(n):
                    for j in range(i, n):
                        fa = atoms[j, 0] - atoms[i, 0]
                        fb = atoms[j, 1] - atoms[i, 1]
                        fc = atoms[j, 2] - atoms[i, 2]
                        x = x0 + fa * cell[0, 0] + fb * cell[1, 0] + fc * cell[2, 0]
                        y = y0 + fa * cell[0, 1] + fb * cell[1, 1] + fc * cell[2, 1]
                        z = z0 + fa * cell[0, 2] + fb * cell[1, 2] + fc * cell[2, 2]
                        d2 = x * x + y * y + z * z
                        if d2 > square:
                            continue
                        weight = own if i == j else 1.0
                        place = np.sqrt(d2) * per_step
                        k = int(place)
                        share = place - k
                        out[species[i], species[j], k] += weight * (1.0 - share)
                        out[species[i], species[j], k + 1] += weight * share
