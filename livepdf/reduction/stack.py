"""Many patterns at once, each through the same arithmetic as one: I, F and G with their σ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adhoc import GIVEN
from livepdf.reduction.patterns import Patterns, scaled_patterns
from livepdf.reduction.plan import Plan

Floats = NDArray[np.float64]

_BLOCK = 64
"""Patterns handled together: their arrays stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """The curves of k patterns, one a row; a row that cannot be made is NaN with its reason."""

    iq: Floats
    """(k, n_q) on plan.q, backgrounds subtracted."""
    iq_sigma: Floats
    fq: Floats
    """(k, n_window) on plan.q[plan.window]; S = 1 + F/Q."""
    fq_sigma: Floats
    gr: Floats
    """(k, n_r) on plan.r."""
    gr_sigma: Floats
    scale: Floats
    """(k,)"""
    scale_sigma: Floats
    blank_scale: Floats
    """(k, m) of the backgrounds whose scale is fitted, in their order."""
    blank_sigma: Floats
    reasons: tuple[str, ...]
    """(k,) why a row is NaN; empty where it is not."""


def reduce_many(plan: Plan, intensities: Floats, sigmas: Floats) -> Stack:
    """Return the curves of many patterns: the rows that ``reduce_intensity`` gives one by one.

    Parameters
    ----------
    intensities, sigmas : (k, n_q) float64
        As in :func:`livepdf.reduction.curves.reduce_intensity`. Blocks of rows may be given to
        several threads, each with its own call.
    """
    k, blanks = len(intensities), len(plan.blanks.bridged)
    n_window, n_r = plan.window_size, plan.r.size
    iq, iq_sigma = np.empty((2, k, plan.q.size))
    fq, fq_sigma = np.empty((2, k, n_window))
    gr, gr_sigma = np.empty((2, k, n_r))
    scale, scale_sigma = np.empty((2, k))
    blank_scale, blank_sigma = np.empty((2, k, blanks))
    reasons: list[str] = []
    for start in range(0, k, _BLOCK):
        rows = slice(start, min(start + _BLOCK, k))
        found = scaled_patterns(plan, intensity=intensities[rows], sigma=sigmas[rows])
        iq[rows], iq_sigma[rows] = iq_rows(found)
        fq[rows], fq_sigma[rows] = fq_rows(plan, found)
        gr[rows], gr_sigma[rows] = gr_rows(plan, found)
        scale[rows], scale_sigma[rows] = found.scale, np.sqrt(found.scale_variance)
        blank_scale[rows], blank_sigma[rows] = found.blank_scale, np.sqrt(found.blank_variance)
        reasons += found.reasons
    return Stack(
        iq=iq,
        iq_sigma=iq_sigma,
        fq=fq,
        fq_sigma=fq_sigma,
        gr=gr,
        gr_sigma=gr_sigma,
        scale=scale,
        scale_sigma=scale_sigma,
        blank_scale=blank_scale,
        blank_sigma=blank_sigma,
        reasons=tuple(reasons),
    )


def iq_rows(found: Patterns) -> tuple[Floats, Floats]:
    """Return I and its σ, (k, n_q)."""
    variance = np.where(np.isnan(found.intensity), np.nan, found.intensity_variance)
    return found.intensity, _sigma(variance)


def fq_rows(plan: Plan, found: Patterns) -> tuple[Floats, Floats]:
    """Return F over the window and its σ, (k, n_window)."""
    n = plan.window_size
    share = found.share[:, :n]
    gain = plan.fit_q * plan.mean_f2_inverse
    variance = _with_found(
        plan,
        found,
        fixed=plan.fq_variance.apply(gain**2 * found.variance),
        share=share,
        blanks=plan.blanks.fq[:, :n],
        crossed=found.crossed[..., :n],
    )
    return found.scale[:, None] * share - plan.offset_fq[:n], _sigma(variance)


def gr_rows(plan: Plan, found: Patterns) -> tuple[Floats, Floats]:
    """Return G on the plan's r and its σ, (k, n_r)."""
    n = plan.window_size
    both = np.concatenate([found.share[:, None, :n], found.crossed[..., :n]], axis=1)
    transformed = plan.transform.apply(both * plan.taper)
    share = transformed[:, 0]
    if plan.variance is None:
        return found.scale[:, None] * share - plan.offset_gr, np.full(share.shape, np.nan)
    fixed = plan.variance.apply(found.variance)
    if plan.parameters.correlation:
        fixed = plan.shared_noise * fixed
    variance = _with_found(
        plan,
        found,
        fixed=fixed,
        share=share,
        blanks=plan.blanks.gr,
        crossed=transformed[:, 1:],
    )
    return found.scale[:, None] * share - plan.offset_gr, _sigma(variance)


def _with_found(
    plan: Plan,
    found: Patterns,
    *,
    fixed: Floats,
    share: Floats,
    blanks: Floats,
    crossed: Floats,
) -> Floats:
    """Return the diagonal of J V Jᵀ, J = s·A + Σ u·hᵀ, from A V Aᵀ, the u and A·V·h."""
    s = found.scale[:, None]
    variance = s**2 * fixed
    terms = [-s * blank for blank in blanks]
    if plan.parameters.scale in GIVEN:
        variance += found.scale_variance[:, None] * share**2
    else:
        terms = [share, *terms]
    for i, term in enumerate(terms):
        inner = 2 * s * crossed[:, i]
        for j, other in enumerate(terms):
            inner += found.inner[:, i, j, None] * other
        variance += term * inner
    return variance


def _sigma(variance: Floats) -> Floats:
    # Rounding may leave a variance that is zero by law, as at r = 0, a trifle below it.
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float64)
