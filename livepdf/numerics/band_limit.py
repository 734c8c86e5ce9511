"""Take from a smooth reference pattern the noise that no distance in it can have made."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BEYOND = 1.15
"""The waves fit a range this much longer than the data: they need not meet at its ends."""
_SMOOTH = 6
"""Degree of the polynomial beside the waves: self-scattering, which has no distances."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limited:
    """A pattern freed of noise, and what noise is left in it."""

    intensity: Floats
    """(n_q,) NaN where a bin is empty."""
    noise: Floats
    """(k, n_q) L with LᵀL the covariance of the intensity, 0 where a bin is empty; NaN where σ
    was not known."""

    @property
    def freedom(self) -> int:
        """How many independent numbers the noise has: k."""
        return len(self.noise)


def band_limited(*, q: Floats, intensity: Floats, sigma: Floats, r_max: float) -> Floats:
    """Return the intensity of `limited` alone, (n_q,)."""
    return limited(q=q, intensity=intensity, sigma=sigma, r_max=r_max).intensity


def limited(*, q: Floats, intensity: Floats, sigma: Floats, r_max: float) -> Limited:
    """Return a pattern with only those oscillations in Q that distances below ``r_max`` make.

    Cosines and sines of Q·r, r < r_max, and a polynomial are fitted to the intensity, weighted by
    1/σ² where that is known. Noise in a reference is common to all that it is subtracted from, and
    sums up in their trend; a liquid has no order beyond some 20 Å, so that it can be freed of the
    noise there. Not for crystals, nor across a beamstop's edge.

    Parameters
    ----------
    q, intensity, sigma : (n_q,) float64
        Equidistant in Å⁻¹; NaN where a bin is empty, which stays so.
    r_max : float, Å

    Returns
    -------
    limited : Limited
        ValueError when ``r_max`` asks for more waves than half of the points.
    """
    filled = np.isfinite(intensity)
    x = q[filled]
    length = _BEYOND * (x[-1] - x[0])
    waves = int(np.ceil(r_max * length / (2 * np.pi)))
    if 2 * waves + _SMOOTH + 1 > x.size / 2:
        raise ValueError(f"r_max {r_max:g} Å needs {2 * waves} waves of {x.size} points")
    phase = 2 * np.pi / length * np.outer(x - x[0], np.arange(1, waves + 1))
    straight = 2 * (x - x[0]) / (x[-1] - x[0]) - 1
    smooth = np.polynomial.legendre.legvander(straight, _SMOOTH)
    columns = np.hstack([smooth, np.cos(phase), np.sin(phase)])
    spread = sigma[filled]
    known = np.all(np.isfinite(spread)) and np.all(spread > 0)
    weight = 1 / spread if known else np.ones(x.size)
    left, values, right = np.linalg.svd(columns * weight[:, None], full_matrices=False)
    kept = values > 1e-10 * values[0]
    # Coefficients of unit variance, as the weighted data have: C = (columns·V/s)(…)ᵀ.
    to_data = (columns @ (right[kept].T / values[kept])).T
    amplitudes = left[:, kept].T @ (intensity[filled] * weight)
    found = np.full(q.shape, np.nan)
    found[filled] = amplitudes @ to_data
    noise = np.zeros((len(to_data), q.size))
    noise[:, filled] = to_data if known else np.nan
    return Limited(intensity=found, noise=noise)
