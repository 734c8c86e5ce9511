"""S(Q) or F(Q) from elsewhere, brought back to the intensity that a plan begins with."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.reduction.plan import Plan

Floats = NDArray[np.float64]
Quantity = Literal["iq", "sq", "fq"]


def intensity_of(
    plan: Plan, *, values: Floats, sigma: Floats, quantity: Quantity
) -> tuple[Floats, Floats]:
    r"""Return :math:`I = \langle f\rangle^2 (S - 1) + \langle f^2\rangle` and its σ.

    With the scale ``fixed`` at 1 the plan gives S and F back as they came; a polynomial is taken
    out of them if it is told to.

    Parameters
    ----------
    values, sigma : (n_q,) float64
        On plan.q; what they are is ``quantity``, and of ``iq`` nothing is changed.

    Returns
    -------
    intensity, sigma : (n_q,) float64
        NaN outside of the fit range, where the plan holds no form factors.
    """
    if quantity == "iq":
        return values, sigma
    q, size = plan.fit_q, 1 / plan.mean_f2_inverse
    inverse = np.ones(q.shape)
    if quantity == "fq":
        # F(0) is zero by law, whatever S(0) is.
        inverse = np.divide(1.0, q, out=np.zeros(q.shape), where=q > 0)
    rise = values[plan.fit] * inverse - (1.0 if quantity == "sq" else 0.0)
    intensity, spread = np.full((2, plan.q.size), np.nan)
    intensity[plan.fit] = size * (rise + plan.target)
    spread[plan.fit] = size * inverse * sigma[plan.fit]
    return intensity, spread
