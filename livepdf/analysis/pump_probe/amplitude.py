"""How much of an expected change is in a difference, whatever the error of I0."""

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.difference import Difference


def amplitude(
    found: Difference,
    *,
    template: NDArray[np.float64],
    pattern: NDArray[np.float64],
) -> tuple[float, float]:
    """Return how many times a template is in a difference, and σ of that.

    Linear least squares with the pattern itself beside the template: a wrong I0 adds a multiple
    of the pattern to every difference. The error comes from the blocks of time.

    Parameters
    ----------
    found : Difference
    template : (n_q,) the change expected for an amplitude of 1
    pattern : (n_q,) I / I0 without the laser

    Returns
    -------
    amplitude, sigma : float
        NaN where the difference has no error.
    """
    known = np.isfinite(found.value) & (found.sigma > 0)
    if not known.any():
        return float("nan"), float("nan")
    weight = 1.0 / np.sqrt(np.clip(pattern[known], np.finfo(float).tiny, None))
    columns = np.stack([template[known], pattern[known]], axis=1) * weight[:, None]
    row = np.linalg.pinv(columns)[0] * weight

    moved = found.through(lambda curve: np.atleast_1d(row @ curve[known]))
    return float(moved.value[0]), float(moved.sigma[0])
