"""Bring a pattern from a file onto an equidistant Q grid."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.transform import spacing

AxisUnit = Literal["QA", "Qnm", "twotheta"]
"""Å⁻¹, nm⁻¹ or degrees: the words of PDFgetX3's ``dataformat``."""
Floats = NDArray[np.float64]


def momentum_transfer(*, axis: Floats, unit: AxisUnit, wavelength: float | None) -> Floats:
    """Return Q in Å⁻¹ of an axis in ``unit``; 2θ needs the wavelength in Å, else ValueError."""
    if unit == "QA":
        return axis.astype(np.float64)
    if unit == "Qnm":
        return np.asarray(axis / 10, dtype=np.float64)
    if wavelength is None or not wavelength > 0:
        raise ValueError(f"2θ data need a wavelength in Å, found {wavelength}")
    return np.asarray(4 * np.pi / wavelength * np.sin(np.radians(axis) / 2), dtype=np.float64)


def resample_uniform(
    *, q: Floats, intensity: Floats, sigma: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return (q, intensity, sigma) on an equidistant grid, all (n_q,).

    Where q is equidistant but for its printed digits, only q is straightened, to the line that
    fits all of it: the last point alone may be off by half of its last digit. Else the pattern
    is interpolated linearly at k·dQ, dQ being the mean spacing, and σ follows the two weights;
    neighbours then share noise, which is why integrating straight onto such a grid is better.
    ValueError unless q increases.
    """
    if not np.all(np.diff(q) > 0):
        raise ValueError("the Q axis does not increase")
    step = float((q[-1] - q[0]) / (q.size - 1))
    try:
        spacing(q)
    except ValueError:
        first, last = np.ceil(q[0] / step - 1e-9), np.floor(q[-1] / step + 1e-9)
        grid = step * np.arange(first, last + 1)
        return grid, *interpolate(onto=grid, q=q, intensity=intensity, sigma=sigma)
    return _fitted_line(q), intensity.copy(), sigma.copy()


def _fitted_line(q: Floats) -> Floats:
    from_middle = np.arange(q.size) - (q.size - 1) / 2
    step = from_middle @ q / (from_middle @ from_middle)
    return np.asarray(q.mean() + step * from_middle, dtype=np.float64)


def interpolate(
    *, onto: Floats, q: Floats, intensity: Floats, sigma: Floats
) -> tuple[Floats, Floats]:
    """Return intensity and σ at ``onto`` by linear interpolation; NaN outside the data."""
    left = np.clip(np.searchsorted(q, onto, side="right") - 1, 0, q.size - 2)
    share = (onto - q[left]) / (q[left + 1] - q[left])
    # Points that meet a datum but for rounding must not take in its other neighbour's NaN.
    share = np.where(np.abs(share - np.round(share)) < 1e-6, np.round(share), share)
    outside = (share < 0) | (share > 1)
    low, high = np.where(outside, 0.0, 1 - share), np.where(outside, 0.0, share)
    values = _mix(low, intensity[left]) + _mix(high, intensity[left + 1])
    variance = _mix(low**2, sigma[left] ** 2) + _mix(high**2, sigma[left + 1] ** 2)
    values[outside] = np.nan
    variance[outside] = np.nan
    return values, np.sqrt(variance)


def _mix(weight: Floats, values: Floats) -> Floats:
    mixed = np.zeros(values.shape)
    np.multiply(weight, values, out=mixed, where=weight != 0)
    return mixed
