"""Where G(r) is highest near some distance: what the eye reads off a curve, not a bond length."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DETECTED = 3.0
_HALF_WIDTH = 1.9
"""Times 1/Qmax: half the width at half height that a sharp distance gets without a taper."""
_FLATTER = 1.0
"""Times σ of the curvature that it is taken to be less than found. Without, the places of maxima of
6 σ scattered by 1.5 times their σ."""
_CLOSE = 0.5
"""Part of the reach beyond which the place is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """The highest point; NaN where there is a reason."""

    position: float
    """Å"""
    sigma: float
    height: float
    """Å⁻²"""
    reason: str = ""


def gr_maximum(*, r: Floats, to_r: Floats, qmax: float, fq: Floats, sigma: Floats) -> Maximum:
    """Find the maximum of G between the ends of r, by a parabola fitted about its highest point.

    The parabola goes as far as Qmax resolves, 1.9/Qmax to each side: what is finer is noise.

    Termination and neighbouring shells move it: by up to 0.02 Å at Qmax 20 Å⁻¹ for peaks that
    stand alone, by 0.2 Å at 8. Its changes in a run are good to σ, as long as the limits stay.

    Parameters
    ----------
    r : (n_r,) float64, Å, equidistant
    to_r : (n_r, n_q) float64
        Sine transform.
    qmax : float, Å⁻¹
    fq, sigma : (n_q,) float64, Å⁻¹
    """
    nan = float("nan")
    if not (np.isfinite(fq).all() and np.isfinite(sigma).all()):
        return Maximum(position=nan, sigma=nan, height=nan, reason="F(Q) has gaps or no σ")
    gr = to_r @ fq
    top = int(np.argmax(gr))
    if top in (0, len(r) - 1):
        reason = "G(r) has no maximum here"
        return Maximum(position=nan, sigma=nan, height=nan, reason=reason)
    step = float(r[1] - r[0])
    reach = max(1, round(_HALF_WIDTH / qmax / step))
    about = slice(max(top - reach, 0), top + reach + 1)
    away = r[about] - r[top]
    fit = np.linalg.pinv(np.column_stack([np.ones(away.size), away, away**2]))
    middle, slope, bend = (float(term) for term in fit @ gr[about])
    rows = fit[1] @ to_r[about]
    slack = float(np.sqrt(rows**2 @ sigma**2))
    # Where noise bends upwards it is the highest, too: the bend is less than it looks.
    doubt = float(np.sqrt((fit[2] @ to_r[about]) ** 2 @ sigma**2))
    bent = -bend - _FLATTER * doubt
    spread = slack / (2.0 * bent) if bent > 0.0 else float("inf")
    level = float(np.sqrt(to_r[top] ** 2 @ sigma**2))
    reason = ""
    if not middle > _DETECTED * level:
        reason = f"no maximum above {_DETECTED:g} times the uncertainty of G(r)"
    elif not spread < _CLOSE * 0.5 * float(r[-1] - r[0]):
        reason = "too flat to have a place"
    if reason:
        return Maximum(position=nan, sigma=nan, height=nan, reason=reason)
    shift = float(np.clip(-slope / (2.0 * bend), away[0], away[-1]))
    return Maximum(position=float(r[top]) + shift, sigma=spread, height=float(middle))
