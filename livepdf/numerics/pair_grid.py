"""Pairs of atoms laid out on a fine grid of distances, and blurred by their thermal motion."""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@numba.njit(nogil=True, cache=True)
def deposit(keys, amount, row, count, metric, per_step, out):  # type: ignore[no-untyped-def]
    """Share each class of pairs between four points of the grid (cubic B-spline).

    Added to ``out`` (rows, n_r, 1 + n_sums) are amount/r and its change with each sum of the
    metric; entry j is at r = j/per_step. The caller undoes what the spline does to a sine.
    """
    sums = keys.shape[1]
    last = out.shape[1] - 3
    for i in range(count):
        square = 0.0
        for k in range(sums):
            square += keys[i, k] * metric[k]
        r = np.sqrt(square)
        place = r * per_step
        j = int(place)
        if j < 1 or j > last or amount[i] == 0.0:
            continue
        t = place - j
        u = 1.0 - t
        value = (
            u * u * u / 6.0,
            (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
            (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0,
            t * t * t / 6.0,
        )
        slope = (
            -0.5 * u * u,
            t * (1.5 * t - 2.0),
            u * (2.0 - 1.5 * u),
            0.5 * t * t,
        )
        height = amount[i] / r
        half = 0.5 * height / r
        for m in range(4):
            cell = out[row[i], j - 1 + m]
            cell[0] += height * value[m]
            change = half * (slope[m] * per_step - value[m] / r)
            for k in range(sums):
                cell[1 + k] += change * keys[i, k]


@numba.njit(nogil=True, cache=True)
def deposit_shifted(  # type: ignore[no-untyped-def]
    keys, amount, row, shell, shifts, metric, per_step, out, by_shift
):
    """Do the same with distances that are shifted, and note the change with each shift.

    ``shell`` (n,) tells whose of the ``shifts`` each class takes part in; the changes go to
    ``by_shift`` (n_shells, n_r).
    """
    sums = keys.shape[1]
    last = out.shape[1] - 3
    for i in range(keys.shape[0]):
        square = 0.0
        for k in range(sums):
            square += keys[i, k] * metric[k]
        plain = np.sqrt(square)
        r = plain + shifts[shell[i]]
        place = r * per_step
        j = int(place)
        if j < 1 or j > last:
            continue
        t = place - j
        u = 1.0 - t
        value = (
            u * u * u / 6.0,
            (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
            (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0,
            t * t * t / 6.0,
        )
        slope = (
            -0.5 * u * u,
            t * (1.5 * t - 2.0),
            u * (2.0 - 1.5 * u),
            0.5 * t * t,
        )
        height = amount[i] / r
        for m in range(4):
            cell = out[row[i], j - 1 + m]
            cell[0] += height * value[m]
            change = height * (slope[m] * per_step - value[m] / r)
            by_shift[shell[i], j - 1 + m] += change
            for k in range(sums):
                cell[1 + k] += 0.5 * change / plain * keys[i, k]


@numba.njit(nogil=True, cache=True)
def _blur(heights, variance, step, out):  # type: ignore[no-untyped-def]
    # Gaussians by recurrence: w(k + 1) = w(k)·f, f → f·b. What falls below r = 0 comes back with
    # the other sign, as a sine does.
    n, m = heights.shape
    for j in range(1, n):
        filled = False
        for q in range(m):
            if heights[j, q] != 0.0:
                filled = True
        if not filled:
            continue
        narrow = 0.5 * step * step / variance[j]
        weight = step / np.sqrt(2.0 * np.pi * variance[j])
        reach = int(6.0 * np.sqrt(variance[j]) / step) + 1
        factor = np.exp(-narrow)
        ratio = factor * factor
        for q in range(m):
            out[j, q] += weight * heights[j, q]
        for k in range(1, reach + 1):
            weight *= factor
            factor *= ratio
            if j + k < n:
                for q in range(m):
                    out[j + k, q] += weight * heights[j, q]
            low = j - k
            if low > 0:
                for q in range(m):
                    out[low, q] += weight * heights[j, q]
            elif low < 0 and -low < n:
                for q in range(m):
                    out[-low, q] -= weight * heights[j, q]


def blurred(heights: Floats, *, variance: Floats, step: float) -> Floats:
    """Turn every point of a grid into a Gaussian.

    Parameters
    ----------
    heights : (n_r, m) float64
        m quantities at r = 0, step, 2·step, …
    variance : (n_r,) float64, Å²
        At least about step² or the sampling shows.
    step : float, Å

    Returns
    -------
    out : (n_r, m) float64
    """
    out = np.zeros_like(heights)
    _blur(heights, variance, step, out)
    return out
