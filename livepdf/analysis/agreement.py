"""How well a calculated curve describes a measured one."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def agreement(*, data: Floats, model: Floats, sigma: Floats | None = None) -> tuple[float, float]:
    r"""Return the scale that fits best and what is then left, Rw.

    .. math:: R_w = \sqrt{\sum w (G - sM)^2 / \sum w G^2}, \quad s = \sum w G M / \sum w M^2

    Parameters
    ----------
    data, model : (n,) float64
        Without gaps.
    sigma : (n,) float64, optional
        w = 1/σ² where all are known and above 0, else 1.

    Returns
    -------
    scale, rw : float
        NaN where data or model are zero all over.
    """
    if data.shape != model.shape:
        raise ValueError(f"data and model differ in shape: {data.shape} and {model.shape}")
    weight = np.ones(data.shape)
    if sigma is not None and np.all(np.isfinite(sigma) & (sigma > 0)):
        weight = 1.0 / sigma**2
    square, whole = float(weight @ model**2), float(weight @ data**2)
    if not (square > 0 and whole > 0):
        return float("nan"), float("nan")
    scale = float(weight @ (data * model)) / square
    return scale, float(np.sqrt(weight @ (data - scale * model) ** 2 / whole))
