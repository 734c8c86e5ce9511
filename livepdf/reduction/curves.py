"""Intensity to I, S, F and G, each with its σ by exact propagation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve
from livepdf.model.sums import Sums
from livepdf.model.sums import intensity as divided
from livepdf.numerics.adhoc import scale
from livepdf.numerics.variance import operator_rows
from livepdf.reduction.background import Bridged, bridge, subtract
from livepdf.reduction.plan import Plan

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scaled:
    """One pattern over the fit range, scaled, and what error propagation needs of it."""

    pattern: Bridged
    s: float
    gradient: Floats
    """(n_fit,) ds/dI."""
    share: Floats
    """(n_fit,) (1−H)·D·I: dF/ds."""
    cross: Floats
    """(n_fit,) (1−H)·D·V·g: covariance of F/s with the scale."""

    @property
    def scale_variance(self) -> float:
        return float(self.gradient**2 @ self.pattern.variance)


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
    left, variance = _subtracted(plan, intensity, sigma)
    scaled = _scale(plan, left, variance)
    fq, sq = _fq_curve(plan, scaled), _sq_of(_fq_curve(plan, scaled))
    iq = Curve(
        kind="iq", x=plan.q, y=left, sigma=_sigma(np.where(np.isnan(left), np.nan, variance))
    )
    return iq, sq, fq, _gr_curve(plan, scaled)


def reduce_sums(plan: Plan, sums: Sums) -> tuple[Curve, ...]:
    """Return the curves of additive sums: divide last, then :func:`reduce_intensity`."""
    values, sigma = divided(sums)
    return reduce_intensity(plan, intensity=values, sigma=sigma)


def bridged_bins(plan: Plan, intensity: Floats) -> int:
    """Return how many empty bins of the fit range :func:`reduce_intensity` interpolates."""
    left, variance = _subtracted(plan, intensity, np.zeros(intensity.shape))
    return bridge(q=plan.fit_q, intensity=left[plan.fit], variance=variance[plan.fit]).bridged


def intensity_scale(plan: Plan, *, intensity: Floats, sigma: Floats) -> tuple[float, float]:
    """Return the scale s of one pattern and its σ."""
    scaled = _scale(plan, *_subtracted(plan, intensity, sigma))
    return scaled.s, float(np.sqrt(scaled.scale_variance))


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
        J diag(σ²) Jᵀ with J = s·A + (A·I)·(ds/dI)ᵀ.
    """
    scaled = _scale(plan, *_subtracted(plan, intensity, sigma))
    r = plan.r if at is None else plan.r[at]
    jacobian = operator_rows(
        transform=plan.transform,
        taper=plan.taper,
        polynomial=plan.polynomial,
        gain=plan.fit_q * plan.mean_f2_inverse,
        r=r,
    )
    share = jacobian @ scaled.pattern.intensity
    jacobian *= scaled.s
    jacobian += np.outer(share, scaled.gradient)
    return np.asarray((jacobian * scaled.pattern.variance) @ jacobian.T, dtype=np.float64)


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
    return _to_gr(plan, inside)


def _subtracted(plan: Plan, intensity: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    if intensity.shape != plan.q.shape or sigma.shape != plan.q.shape:
        raise ValueError(
            f"plan has {plan.q.size} bins, found {intensity.shape} intensities, {sigma.shape} sigma"
        )
    return subtract(intensity=intensity, sigma=sigma, backgrounds=plan.backgrounds)


def _scale(plan: Plan, left: Floats, variance: Floats) -> _Scaled:
    pattern = bridge(q=plan.fit_q, intensity=left[plan.fit], variance=variance[plan.fit])
    x = pattern.intensity * plan.mean_f2_inverse
    p = plan.parameters
    s, gradient = scale(kind=p.scale, q=plan.fit_q, x=x, y=plan.target, value=p.scale_value)
    gradient = gradient * plan.mean_f2_inverse
    gain = plan.fit_q * plan.mean_f2_inverse
    return _Scaled(
        pattern=pattern,
        s=s,
        gradient=gradient,
        share=plan.polynomial.remove(plan.fit_q * x),
        cross=plan.polynomial.remove(gain * pattern.variance * gradient),
    )


def _fq_curve(plan: Plan, scaled: _Scaled) -> Curve:
    n = plan.window_size
    gain = plan.fit_q * plan.mean_f2_inverse
    variance = _with_scale(
        scaled,
        fixed=_projected_variance(plan, gain**2 * scaled.pattern.variance)[:n],
        cross=scaled.cross[:n],
        share=scaled.share[:n],
    )
    fq = scaled.s * scaled.share[:n] - plan.offset_fq[:n]
    return Curve(kind="fq", x=plan.q[plan.window], y=fq, sigma=_sigma(variance))


def _projected_variance(plan: Plan, variance: Floats) -> Floats:
    """Return the diagonal of (1−H) diag(v) (1−H)ᵀ without making the matrix."""
    basis = plan.polynomial.basis
    weighted = basis * plan.polynomial.weights
    middle = basis.T @ (variance[:, None] * basis)
    own = np.einsum("ij,ij->i", weighted, basis)
    return np.asarray(
        variance * (1 - 2 * own) + np.einsum("ij,ij->i", weighted @ middle, weighted),
        dtype=np.float64,
    )


def _sq_of(fq: Curve) -> Curve:
    y = np.full(fq.x.shape, np.nan)
    sigma = np.full(fq.x.shape, np.nan)
    np.divide(fq.y, fq.x, out=y, where=fq.x > 0)
    np.divide(fq.sigma, fq.x, out=sigma, where=fq.x > 0)
    return Curve(kind="sq", x=fq.x, y=1 + y, sigma=sigma)


def _gr_curve(plan: Plan, scaled: _Scaled) -> Curve:
    share = _to_gr(plan, scaled.share)
    variance = _with_scale(
        scaled,
        fixed=plan.variance.apply(scaled.pattern.variance),
        cross=_to_gr(plan, scaled.cross),
        share=share,
    )
    gr = scaled.s * share - plan.offset_gr
    return Curve(kind="gr", x=plan.r, y=gr, sigma=_sigma(variance))


def _with_scale(scaled: _Scaled, *, fixed: Floats, cross: Floats, share: Floats) -> Floats:
    """Return the diagonal of J V Jᵀ for J = s·A + (A·I)·gᵀ from A V Aᵀ, A·V·g and A·I."""
    return scaled.s**2 * fixed + 2 * scaled.s * share * cross + scaled.scale_variance * share**2


def _to_gr(plan: Plan, fq: Floats) -> Floats:
    return plan.transform.apply(fq[: plan.window_size] * plan.taper)


def _sigma(variance: Floats) -> Floats:
    # Rounding may leave a variance that is zero by law, as at r = 0, a trifle below it.
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float64)
