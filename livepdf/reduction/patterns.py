"""Patterns over the fit range: background off, gaps bridged, scaled, with what errors need."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adhoc import GIVEN, NO_SCALE, scales
from livepdf.numerics.blank_fit import fit_blanks
from livepdf.reduction.background import bridge, subtract
from livepdf.reduction.plan import Plan

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """k patterns, one a row.

    With noise n of the intensity, F and G change by J·n, J = s·A + Σ u·hᵀ: beside the operator A
    one term for each number that is found in the pattern itself. For the scale u = A·I and
    h = ds/dI, for a fitted blank B u = −s·A·B and h = db/dI. The h are kept here, the u follow.
    """

    intensity: Floats
    """(k, n_q) all backgrounds subtracted; NaN where a bin is empty."""
    intensity_variance: Floats
    """(k, n_q)"""
    bridged: NDArray[np.intp]
    """(k,) how many empty bins of the fit range were interpolated."""
    variance: Floats
    """(k, n_fit) of the intensity before the fitted blanks were taken off."""
    scale: Floats
    """(k,)"""
    scale_variance: Floats
    """(k,)"""
    blank_scale: Floats
    """(k, m)"""
    blank_variance: Floats
    """(k, m)"""
    share: Floats
    """(k, n_fit) F per unit of scale, before the constant is taken off."""
    sensitivity: Floats
    """(k, t, n_fit) the h: that of a found scale first, then those of the m blanks."""
    crossed: Floats
    """(k, t, n_fit) (1−H)·D·V·h: covariance of F/s with the found numbers."""
    inner: Floats
    """(k, t, t) h·V·h: covariance of the found numbers."""
    reasons: tuple[str, ...]
    """(k,) why a row is all NaN; empty where it is not."""


def scaled_patterns(plan: Plan, *, intensity: Floats, sigma: Floats) -> Patterns:
    """Subtract, bridge and scale patterns; a row that cannot be is NaN with its reason.

    Parameters
    ----------
    intensity, sigma : (k, n_q) float64
        As in :func:`livepdf.reduction.curves.reduce_intensity`.
    """
    _check(plan, intensity, sigma)
    if plan.transmission is not None:
        intensity, sigma = intensity / plan.transmission, sigma / plan.transmission
    left, left_variance = subtract(intensity=intensity, sigma=sigma, backgrounds=plan.taken)
    left[:, np.isnan(plan.blanks.intensity).any(axis=0)] = np.nan
    whole, variance, bridged, reasons = _bridge_rows(plan, left, left_variance)
    blank_scale, gains = _blank_scales(plan, whole, variance)
    if blank_scale.size:
        spread = blank_scale**2 @ plan.blanks.sigma**2
        whole = whole - blank_scale @ plan.blanks.bridged
        left = left - blank_scale @ plan.blanks.intensity
        # The noise of a blank goes the way of the sample's: through its own fit as well.
        variance, left_variance = variance + spread[:, plan.fit], left_variance + spread
    p = plan.parameters
    x = whole * plan.mean_f2_inverse
    s, gradient = scales(
        kind=p.scale, q=plan.fit_q, x=x, y=plan.target, value=p.scale_value, density=p.density
    )
    for row in np.flatnonzero(np.isnan(s)):
        reasons[row] = reasons[row] or NO_SCALE
    sensitivity = _sensitivities(plan, gradient * plan.mean_f2_inverse, gains)
    weighted = sensitivity * (plan.shared_at_zero * variance[:, None, :])
    inner = weighted @ sensitivity.transpose(0, 2, 1)
    found = p.scale not in GIVEN
    return Patterns(
        intensity=left,
        intensity_variance=_with_blanks(plan, left_variance, gains),
        bridged=bridged,
        variance=variance,
        scale=s,
        scale_variance=inner[:, 0, 0] if found else np.full(s.shape, p.scale_sigma**2),
        blank_scale=blank_scale,
        blank_variance=np.einsum("ktt->kt", inner)[:, 1 if found else 0 :],
        share=_without_polynomial(plan, plan.fit_q * x),
        sensitivity=sensitivity,
        crossed=_without_polynomial(plan, plan.fit_q * plan.mean_f2_inverse * weighted),
        inner=inner,
        reasons=tuple(reasons),
    )


def _check(plan: Plan, intensity: Floats, sigma: Floats) -> None:
    if intensity.shape[1:] != plan.q.shape or sigma.shape != intensity.shape:
        raise ValueError(
            f"plan has {plan.q.size} bins, found {intensity.shape[1:]} intensities, "
            f"{sigma.shape[1:]} sigma"
        )


def _bridge_rows(
    plan: Plan, left: Floats, variance: Floats
) -> tuple[Floats, Floats, NDArray[np.intp], list[str]]:
    whole, spread = left[:, plan.fit], variance[:, plan.fit]
    bridged, reasons = np.zeros(len(left), dtype=np.intp), [""] * len(left)
    holed = np.flatnonzero(np.isnan(whole).any(axis=1))
    if holed.size:
        whole, spread = whole.copy(), spread.copy()
    for row in holed:
        try:
            mended = bridge(q=plan.fit_q, intensity=whole[row], variance=spread[row])
        except ValueError as error:
            reasons[row], whole[row] = str(error), np.nan
            continue
        whole[row], spread[row], bridged[row] = mended.intensity, mended.variance, mended.bridged
    return whole, spread, bridged, reasons


def _blank_scales(plan: Plan, whole: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return scales (k, m) and their gradients (k, m, n_fit)."""
    blanks, part = plan.blanks, plan.blanks.fitted
    gains = np.zeros((len(whole), *blanks.bridged.shape))
    if not blanks.bridged.size:
        return np.zeros((len(whole), 0)), gains
    scale, gains[:, :, part] = fit_blanks(
        self_scattering=blanks.self_scattering[part],
        blanks=blanks.bridged[:, part],
        intensity=whole[:, part],
        variance=variance[:, part],
        signed=blanks.signed,
    )
    return scale, gains


def _sensitivities(plan: Plan, gradient: Floats, gains: Floats) -> Floats:
    """Return the h, (k, t, n_fit): ds/dI through the intensity that the blanks leave."""
    if plan.parameters.scale in GIVEN:
        return gains
    pull = np.einsum("kq,mq->km", gradient, plan.blanks.bridged)
    own = gradient - np.einsum("km,kmq->kq", pull, gains)
    return np.concatenate([own[:, None, :], gains], axis=1)


def _with_blanks(plan: Plan, variance: Floats, gains: Floats) -> Floats:
    """Return the variance of I − Σ b·B, (k, n_q), b being found in I."""
    if not gains.size:
        return variance
    blanks = plan.blanks.intensity
    whole = np.zeros((*gains.shape[:2], plan.q.size))
    whole[:, :, plan.fit] = gains
    weighted = whole * np.nan_to_num(variance)[:, None, :]
    covariance = weighted @ whole.transpose(0, 2, 1)
    own = 2 * np.einsum("mq,kmq->kq", blanks, weighted)
    return np.asarray(
        variance - own + np.einsum("mq,kml,lq->kq", blanks, covariance, blanks), dtype=np.float64
    )


def _without_polynomial(plan: Plan, rows: Floats) -> Floats:
    """Return rows (..., n_fit) with the polynomial taken out of each."""
    basis = plan.polynomial.basis
    fitted = ((rows @ basis) * plan.polynomial.weights) @ basis.T
    return np.asarray(rows - fitted, dtype=np.float64)
