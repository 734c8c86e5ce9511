"""Sums by angle at one photon energy on the Q axis of another: shots differ in their energy."""

import numpy as np
from numpy.typing import NDArray


def bin_limits(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n + 1,) limits of equidistant bins; ValueError where they are not."""
    steps = np.diff(centres)
    if len(steps) == 0 or np.ptp(steps) > 1e-6 * abs(float(steps.mean())):
        raise ValueError("bins that are not equidistant in Q")
    half = float(steps.mean()) / 2
    return np.append(centres - half, centres[-1] + half)


def regrouped(
    rows: NDArray[np.float64], *, limits: NDArray[np.float64], factor: float
) -> NDArray[np.float64]:
    """Return sums that lie at ``factor`` times the Q that they are booked at, in the same bins.

    Q is proportional to the photon energy at one angle. What is in a bin is spread evenly over
    it; what leaves the range at either end is lost.

    Parameters
    ----------
    rows : (m, n) float64
        Additive: signal, weight, pixels.
    limits : (n + 1,) float64
    factor : float
        Energy of the shot over that of the calibration.
    """
    total = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    moved = limits * factor
    found = np.array([np.interp(limits, moved, one) for one in total])
    result: NDArray[np.float64] = np.diff(found, axis=1)
    return result
