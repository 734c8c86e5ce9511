"""What has changed since: a curve less a reference curve, with σ."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve
from livepdf.numerics.adhoc import GIVEN, ScaleKind
from livepdf.reduction.background import bridge
from livepdf.reduction.curves import intensity_scale, reduce_intensity
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


def pattern_difference(
    plan: Plan, *, pattern: tuple[Floats, Floats], reference: tuple[Floats, Floats]
) -> tuple[Curve, ...]:
    """Return the curves iq, sq, fq and gr of one pattern less those of another, exactly.

    Both get the one scale of the plan, which must be a told one (:func:`reference_plan`). What is
    taken off both alike, backgrounds and their noise, drops out; S is a difference of two S.
    Where backgrounds are fitted to each, the curves are made first and their noise counts twice.

    Parameters
    ----------
    pattern, reference : intensity and σ, (n_q,) each, backgrounds not yet subtracted
    """
    if plan.parameters.scale not in GIVEN:
        raise ValueError(f"scale {plan.parameters.scale} is found in every pattern: freeze it")
    if plan.blanks.bridged.size:
        one, other = (reduce_intensity(plan, intensity=i, sigma=s) for i, s in (pattern, reference))
        return tuple(difference(a, b) for a, b in zip(one, other, strict=True))
    bare = replace(
        plan,
        backgrounds=(),
        taken=(),
        offset_fq=np.zeros(plan.offset_fq.shape),
        offset_gr=np.zeros(plan.offset_gr.shape),
    )
    iq, sq, fq, gr = reduce_intensity(
        bare, intensity=pattern[0] - reference[0], sigma=np.hypot(pattern[1], reference[1])
    )
    return iq, replace(sq, y=sq.y - 1), fq, gr


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


def linear_gr(plan: Plan, rows: Floats) -> Floats:
    """Return what differences of intensity are in G, A·ΔI times the told scale.

    What is taken off every pattern alike drops out. Empty bins are interpolated, as in a pattern.

    Parameters
    ----------
    rows : (k, n_q) float64

    Returns
    -------
    (k, n_r) float64, Å⁻²

    Raises
    ------
    ValueError
        When the scale of the plan is found in every pattern, or too many bins are empty.
    """
    if plan.parameters.scale not in GIVEN or plan.parameters.scale_value is None:
        raise ValueError(f"scale {plan.parameters.scale} is found in every pattern: freeze it")
    if plan.transmission is not None:
        rows = rows / plan.transmission
    nothing = np.zeros(plan.fit_q.shape)
    filled = [
        bridge(q=plan.fit_q, intensity=row, variance=nothing).intensity for row in rows[:, plan.fit]
    ]
    gain = plan.parameters.scale_value * plan.fit_q * plan.mean_f2_inverse
    fq = plan.polynomial.remove((gain * np.array(filled)).T).T[:, : plan.window_size]
    return plan.transform.apply(fq * plan.taper)
