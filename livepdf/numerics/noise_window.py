"""Where the signal of F(Q) drowns in noise: a qmax to choose, and a window that lets F down."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from livepdf.numerics.transform import spacing

Floats = NDArray[np.float64]

_LOCAL = 2.0
"""Å⁻¹ over which powers are averaged: a period or more of every distance above 3 Å."""
_BEYOND = 4.5
"""Å⁻¹. Noise spreads over all r, signal only over those with atoms: it is of use beyond the point
where their powers meet. 3 to 6 gave the least error in simulations of oxides at 1e5 to 1e9
photons."""


def wiener_window(*, q: Floats, fq: Floats, sigma: Floats) -> Floats:
    r"""Return :math:`\langle F^2\rangle / (\langle F^2\rangle + \sigma^2)`, (n_q,) from 0 to 1.

    :math:`\langle F^2\rangle` is the local mean square of F less that of its noise: the factor
    leaves the least mean square error (Wiener 1949).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹, equidistant
    fq, sigma : (n_q,) float64, Å⁻¹
        ValueError when σ is not known everywhere.
    """
    signal, noise = _powers(q, fq, sigma)
    window = np.ones(q.shape)
    np.divide(signal, signal + noise, out=window, where=noise > 0)
    return window


def advised_qmax(*, q: Floats, fq: Floats, sigma: Floats) -> float:
    """Return the upper limit, Å⁻¹, beyond which a plain transform gains more noise than shape.

    Never more than the last q, and that where no noise is to be seen. For pictures: a fit takes
    all Q and leaves the noise to its weights.
    """
    signal, noise = _powers(q, fq, sigma)
    above = np.flatnonzero(signal > noise)
    crossing = q[above[-1]] if above.size else q[0]
    return float(min(crossing + _BEYOND, q[-1]))


def _powers(q: Floats, fq: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    if not np.all(np.isfinite(sigma)):
        raise ValueError("the errors of F(Q) are not known: no window follows from them")
    points = max(int(_LOCAL / spacing(q)), 1)
    noise = ndimage.uniform_filter1d(sigma**2, points, mode="nearest")
    power = ndimage.uniform_filter1d(fq**2, points, mode="nearest")
    return np.maximum(power - noise, 0.0), noise
