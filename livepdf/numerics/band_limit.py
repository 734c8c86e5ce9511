"""Take from a smooth reference pattern the noise that no distance in it can have made."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BEYOND = 1.15
"""The waves fit a range this much longer than the data: they need not meet at its ends."""
_SMOOTH = 6
"""Degree of the polynomial beside the waves: self-scattering, which has no distances."""


def band_limited(*, q: Floats, intensity: Floats, sigma: Floats, r_max: float) -> Floats:
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
    intensity : (n_q,) float64
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
    found = np.linalg.lstsq(columns * weight[:, None], intensity[filled] * weight, rcond=1e-10)[0]
    limited = np.full(q.shape, np.nan)
    limited[filled] = columns @ found
    return limited
