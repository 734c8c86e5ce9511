"""How much of each blank is in a pattern: joint linear fit with the sample's self-scattering."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

Floats = NDArray[np.float64]

_NEIGHBOURS = 31
"""Bins over which the variance is averaged: a bin that counted low by chance must not get the
weight of a good one."""


def fit_blanks(
    *,
    self_scattering: Floats,
    blanks: Floats,
    intensity: Floats,
    variance: Floats,
    signed: NDArray[np.bool_] | None = None,
) -> tuple[Floats, Floats]:
    r"""Fit :math:`I = a S + \sum_j b_j B_j` with a ≥ 0 and b ≥ 0 but for the signed, by 1/σ².

    To be used at high Q, where I oscillates little about the self-scattering. Lawson & Hanson's
    active set, each pattern by itself.

    Parameters
    ----------
    self_scattering : (n,) float64
        ⟨f²⟩ + Compton.
    blanks : (m, n) float64
    intensity, variance : (k, n) float64
        Without gaps; a pattern whose variance is unknown (NaN) or zero is fitted unweighted.
    signed : (m,) bool, optional
        Blanks whose scale may be negative; none by default.

    Returns
    -------
    scales : (k, m) float64
        b; NaN where the intensity is not finite.
    gains : (k, m, n) float64
        db/dI: zero for a blank held at its limit.
    """
    # Columns of like size keep the normal equations well conditioned.
    columns = np.vstack([self_scattering, blanks])
    sizes = np.sqrt(np.mean(columns**2, axis=1))
    columns = columns / sizes[:, None]
    turned = np.zeros(0, np.intp) if signed is None else 1 + np.flatnonzero(signed)
    scales = np.full((len(intensity), len(blanks)), np.nan)
    gains = np.zeros((len(intensity), *blanks.shape))
    for row in np.flatnonzero(np.all(np.isfinite(intensity), axis=1)):
        weights = _weights(variance[row])
        root = np.sqrt(weights)
        # A scale of either sign is the difference of two that are not negative.
        both = np.vstack([columns, -columns[turned]])
        found, _ = optimize.nnls((both * root).T, intensity[row] * root)
        found, back = found[: len(columns)], found[len(columns) :]
        found[turned] -= back
        free = np.flatnonzero(found != 0)
        weighted = columns[free] * weights
        gain = np.linalg.solve(weighted @ columns[free].T, weighted)
        kept = free >= 1
        gains[row, free[kept] - 1] = gain[kept] / sizes[free[kept], None]
        scales[row] = found[1:] / sizes[1:]
    return scales, gains


def _weights(variance: Floats) -> Floats:
    smooth = ndimage.uniform_filter1d(variance, _NEIGHBOURS, mode="nearest")
    if not np.all(np.isfinite(smooth)) or not np.all(smooth > 0):
        return np.ones(variance.shape)
    return np.asarray(np.mean(smooth) / smooth, dtype=np.float64)
