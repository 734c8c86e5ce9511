"""How far neighbouring bins share noise, where pixels were split or data interpolated."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from livepdf.numerics.binning import SplitBins

Floats = NDArray[np.float64]

_FAINT = 1e-3
"""Correlation that is left out, with all at greater lags."""
_ROWS = 300_000
"""Pixels that are looked at: the mean over bins needs no more."""


def split_correlation(bins: SplitBins, *, used: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the mean correlation of bins 1, 2, … apart, with independent noise in the pixels.

    C = SᵀS with the shares S of the pixels in the bins (Yang, Juhás & Billinge, J. Appl. Cryst.
    47, 1273, 2014), averaged along its diagonals.

    Parameters
    ----------
    used : (ny, nx) or (ny·nx,) bool, in the order of the bins' pixels
    """
    n = bins.centres.size
    whole = sparse.csr_array((bins.shares, bins.bins, bins.starts), shape=(used.size, n))
    rows = np.flatnonzero(used.ravel())
    shares = whole[rows[:: max(rows.size // _ROWS, 1)]].astype(np.float64)
    return _along_diagonals(sparse.csr_array(shares.T @ shares))


def interpolation_correlation(*, onto: Floats, q: Floats) -> tuple[float, ...]:
    """Return the same for linear interpolation of independent points ``q`` at ``onto``."""
    left = np.clip(np.searchsorted(q, onto, side="right") - 1, 0, q.size - 2)
    share = np.clip((onto - q[left]) / (q[left + 1] - q[left]), 0.0, 1.0)
    place = np.arange(onto.size)
    weights = sparse.csr_array(
        (
            np.concatenate([1 - share, share]),
            (np.concatenate([place, place]), np.concatenate([left, left + 1])),
        ),
        shape=(onto.size, q.size),
    )
    return _along_diagonals(sparse.csr_array(weights @ weights.T))


def _along_diagonals(covariance: sparse.csr_array) -> tuple[float, ...]:
    size = np.sqrt(covariance.diagonal())
    found: list[float] = []
    for lag in range(1, size.size):
        both = size[lag:] * size[:-lag]
        filled = both > 0
        values = covariance.diagonal(lag)[filled] / both[filled]
        if not values.size or np.mean(values) < _FAINT:
            break
        found.append(float(np.mean(values)))
    return tuple(found)
