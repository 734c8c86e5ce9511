"""Intensity to I, S, F and G, each with its σ by exact propagation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve
from livepdf.model.sums import Sums
from livepdf.model.sums import intensity as divided
from livepdf.numerics.adhoc import GIVEN
from livepdf.numerics.variance import operator_rows
from livepdf.reduction.background import bridge, subtract
from livepdf.reduction.patterns import Patterns, scaled_patterns
from livepdf.reduction.plan import Plan
from livepdf.reduction.stack import fq_rows, gr_rows, iq_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedScale:
    """The scale of one background as it was found in a pattern."""

    name: str
    value: float
    sigma: float
    """NaN where it is not known, as where the fit holds the scale at its limit of 0."""


def reduce_intensity(plan: Plan, *, intensity: Floats, sigma: Floats) -> tuple[Curve, ...]:
    """Return the curves iq, sq, fq and gr of one pattern.

    iq is background-subtracted, on the whole grid of the plan; sq and fq cover [qmin, qmax].
    S at Q = 0 is NaN: F cannot tell it.

    Parameters
    ----------
    intensity : (n_q,) float64
        On plan.q, backgrounds not yet subtracted; NaN where a bin is empty.
    sigma : (n_q,) float64
        One standard uncertainty; NaN where unknown, and then the curves' σ are NaN.

    Raises
    ------
    ValueError
        When the pattern cannot be reduced: dead frame, empty edge, more than a tenth empty.
    """
    pattern = _pattern(plan, intensity, sigma)
    iq, iq_sigma = iq_rows(pattern)
    fq, fq_sigma = fq_rows(plan, pattern)
    gr, gr_sigma = gr_rows(plan, pattern)
    window = plan.q[plan.window]
    sq, sq_sigma = structure_factor(q=window, fq=fq[0], sigma=fq_sigma[0])
    return (
        Curve(kind="iq", x=plan.q, y=iq[0], sigma=iq_sigma[0]),
        Curve(kind="sq", x=window, y=sq, sigma=sq_sigma),
        Curve(kind="fq", x=window, y=fq[0], sigma=fq_sigma[0]),
        Curve(kind="gr", x=plan.r, y=gr[0], sigma=gr_sigma[0]),
    )


def reduce_sums(plan: Plan, sums: Sums) -> tuple[Curve, ...]:
    """Return the curves of additive sums: divide last, then :func:`reduce_intensity`."""
    values, sigma = divided(sums)
    return reduce_intensity(plan, intensity=values, sigma=sigma)


def structure_factor(*, q: Floats, fq: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Return S = 1 + F/Q and its σ, (..., n_q); NaN at Q = 0."""
    inverse = np.full(q.shape, np.nan)
    np.divide(1.0, q, out=inverse, where=q > 0)
    return 1 + fq * inverse, sigma * inverse


def bridged_bins(plan: Plan, intensity: Floats) -> int:
    """Return how many empty bins of the fit range :func:`reduce_intensity` interpolates."""
    left, variance = subtract(
        intensity=intensity, sigma=np.zeros(intensity.shape), backgrounds=plan.backgrounds
    )
    left[np.isnan(plan.blanks.intensity).any(axis=0)] = np.nan
    return bridge(q=plan.fit_q, intensity=left[plan.fit], variance=variance[plan.fit]).bridged


def intensity_scale(plan: Plan, *, intensity: Floats, sigma: Floats) -> tuple[float, float]:
    """Return the scale s of one pattern and its σ."""
    pattern = _pattern(plan, intensity, sigma)
    return float(pattern.scale[0]), float(np.sqrt(pattern.scale_variance[0]))


def sigma_at_scale(plan: Plan, fq: Curve) -> Floats:
    """Return the σ of F(Q), (n_q,) Å⁻¹, without what a told scale is uncertain by.

    That part is common to all points: a fit takes it for noise of each, and trusts the peaks least.
    """
    p = plan.parameters
    if p.scale not in GIVEN or p.scale_value is None or not p.scale_sigma:
        return fq.sigma
    common = (fq.y + plan.offset_fq[: fq.y.size]) * (p.scale_sigma / p.scale_value)
    left: Floats = np.sqrt(np.maximum(fq.sigma**2 - common**2, 0.0))
    return left


def background_scales(plan: Plan, *, intensity: Floats, sigma: Floats) -> tuple[FittedScale, ...]:
    """Return the scales that were fitted to one pattern, in the order of the backgrounds."""
    pattern = _pattern(plan, intensity, sigma)
    fitted = [background.name for background in plan.backgrounds if background.scale == "fit"]
    values, spreads = pattern.blank_scale[0], np.sqrt(pattern.blank_variance[0])
    return tuple(
        FittedScale(name=name, value=float(value), sigma=float(spread) if value else np.nan)
        for name, value, spread in zip(fitted, values, spreads, strict=True)
    )


def gr_covariance(
    plan: Plan, *, intensity: Floats, sigma: Floats, at: NDArray[np.intp] | None = None
) -> Floats:
    """Return the full covariance of G(r), Å⁻⁴.

    Parameters
    ----------
    at : (m,) intp or None
        Indices into plan.r; None takes all.

    Returns
    -------
    covariance : (m, m) float64
        J diag(σ²) Jᵀ with J as in :class:`livepdf.reduction.patterns.Patterns`; what is common
        to all points, as the σ of a given scale, included.
    """
    pattern = _pattern(plan, intensity, sigma)
    r = plan.r if at is None else plan.r[at]
    jacobian = operator_rows(
        transform=plan.transform,
        taper=plan.taper,
        polynomial=plan.polynomial,
        gain=plan.fit_q * plan.mean_f2_inverse,
        r=r,
    )
    share = plan.transform.apply(pattern.share[0, : plan.window_size] * plan.taper)
    share = share if at is None else share[at]
    common = np.zeros((r.size, r.size))
    columns = -pattern.scale[0] * (plan.blanks.gr if at is None else plan.blanks.gr[:, at])
    if plan.parameters.scale in GIVEN:
        common += pattern.scale_variance[0] * np.outer(share, share)
    else:
        columns = np.vstack([share, columns])
    jacobian = pattern.scale[0] * jacobian + columns.T @ pattern.sensitivity[0]
    scattered = jacobian * np.sqrt(pattern.variance[0])
    common += scattered @ scattered.T
    for lag, rho in enumerate(plan.parameters.correlation, 1):
        neighbours = rho * scattered[:, lag:] @ scattered[:, :-lag].T
        common += neighbours + neighbours.T
    return common


def window_model(plan: Plan, fq: Floats, *, project: bool = False) -> Floats:
    """Push a calculated F(Q) through the plan's window, taper and transform.

    Parameters
    ----------
    fq : (n_q,) float64, Å⁻¹
        On plan.q; points outside the window do not count.
    project : bool
        Take the fitted polynomial out first, as the reduction does from data; then every point
        up to qmaxinst counts.

    Returns
    -------
    gr : (n_r,) float64, Å⁻²
    """
    inside = plan.polynomial.remove(fq[plan.fit]) if project else fq[plan.fit]
    return plan.transform.apply(inside[: plan.window_size] * plan.taper)


def _pattern(plan: Plan, intensity: Floats, sigma: Floats) -> Patterns:
    pattern = scaled_patterns(plan, intensity=intensity[None], sigma=sigma[None])
    if pattern.reasons[0]:
        raise ValueError(pattern.reasons[0])
    return pattern
