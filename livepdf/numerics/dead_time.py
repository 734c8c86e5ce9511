"""Counts that a detector missed because it was busy with others."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

Floats = NDArray[np.float64]
DeadTimeKind = Literal["non-paralysable", "paralysable"]


def true_rate(*, measured: Floats, dead_time: float, kind: DeadTimeKind) -> tuple[Floats, Floats]:
    r"""Return the true rate and its slope d(true)/d(measured), both shaped like ``measured``.

    With m measured, n true and dead time τ per pixel: non-paralysable :math:`n = m/(1 - m\tau)`,
    paralysable :math:`m = n e^{-n\tau}`, of whose two solutions the smaller is meant (Knoll,
    Radiation Detection and Measurement, ch. 4). σ of the true rate is the slope times σ of the
    measured one. For photon counting pixels, before anything is summed over pixels.

    Parameters
    ----------
    measured : float64, 1/s
    dead_time : float, s
        0 or more.

    Returns
    -------
    true, slope : float64
        NaN where the detector cannot have measured such a rate: at or above 1/τ, or 1/(e·τ).
    """
    if not dead_time >= 0:
        raise ValueError(f"dead_time is {dead_time} s, wanted 0 or more")
    if dead_time == 0:
        return measured.astype(np.float64), np.ones(measured.shape)
    busy = measured * dead_time
    if kind == "non-paralysable":
        live = np.where(busy < 1, 1 - busy, np.nan)
        return measured / live, 1 / live**2
    if kind != "paralysable":
        raise ValueError(f"kind is {kind!r}, wanted 'non-paralysable' or 'paralysable'")
    possible = np.where(busy < np.exp(-1), busy, np.nan)
    overlap = -np.real(lambertw(-possible))
    # n = m e^(nτ), so dn/dm = e^(nτ)/(1 − nτ).
    return measured * np.exp(overlap), np.exp(overlap) / (1 - overlap)


def tabulated_rate(*, measured: Floats, table: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return the true rate and its slope from the table of a detector's maker.

    Parameters
    ----------
    measured : float64, 1/s
    table : measured and true rates, (n,) float64 each, 1/s, both increasing

    Returns
    -------
    true, slope : float64
        NaN outside the table.
    """
    seen, true = table
    if seen.size < 2 or np.any(np.diff(seen) <= 0) or np.any(np.diff(true) <= 0):
        raise ValueError("the table needs two rows or more, with both rates increasing")
    place = np.clip(np.searchsorted(seen, measured, side="right") - 1, 0, seen.size - 2)
    slopes = (np.diff(true) / np.diff(seen))[place]
    inside = (measured >= seen[0]) & (measured <= seen[-1])
    slope = np.where(inside, slopes, np.nan)
    return true[place] + (measured - seen[place]) * slope, slope
