"""What has changed since: a curve less a reference curve, with σ."""

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve
from livepdf.numerics.adhoc import ScaleKind
from livepdf.reduction.curves import intensity_scale
from livepdf.reduction.plan import Plan, with_scale

Floats = NDArray[np.float64]


def difference(curve: Curve, reference: Curve) -> Curve:
    """Return curve − reference with the noise of both, taken as independent of one another.

    Noise that both share, as that of one subtracted background, makes the true σ smaller; a
    reference that is itself part of the curve (a window of the same run) makes it smaller too.

    Raises
    ------
    ValueError
        When the two are of different kinds or on different grids: then neither their windows nor
        their limits are the same, and the difference would show that.
    """
    if curve.kind != reference.kind:
        raise ValueError(f"a {reference.kind} is no reference for a {curve.kind}")
    step = float(np.min(np.diff(curve.x))) if curve.x.size > 1 else 1.0
    if curve.x.shape != reference.x.shape or np.any(np.abs(curve.x - reference.x) > 1e-6 * step):
        raise ValueError("the reference is on another grid: it was reduced with other settings")
    return Curve(
        kind=curve.kind,
        x=curve.x,
        y=curve.y - reference.y,
        sigma=np.hypot(curve.sigma, reference.sigma),
    )


def reference_plan(
    plan: Plan, *, intensity: Floats, sigma: Floats, kind: ScaleKind = "mean", revision: int
) -> Plan:
    """Return the plan with the scale ``reference``: frozen as ``kind`` finds it in one pattern.

    Differences of G between patterns need one scale for all: with a scale of its own for each, a
    change of shape and a change of size cannot be told apart.

    Parameters
    ----------
    intensity, sigma : (n_q,) float64
        The pattern to take it from, backgrounds not yet subtracted.
    """
    found = with_scale(plan, kind=kind, value=None, sigma=0.0, revision=revision)
    value, spread = intensity_scale(found, intensity=intensity, sigma=sigma)
    spread = 0.0 if np.isnan(spread) else spread
    return with_scale(plan, kind="reference", value=value, sigma=spread, revision=revision)
