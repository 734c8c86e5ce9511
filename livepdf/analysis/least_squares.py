"""Weighted least squares with a few parameters: nuisances taken out, then damped Gauss-Newton."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

Evaluate = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Parameters (p,) to residuals (n,), in units of their σ, and their Jacobian (n, p)."""

_DAMPING_LIMIT = 1e12
_KEPT = 0.25
"""Of what a step promised: with less, it has run past the bottom of the valley."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minimum:
    """Where a fit ended."""

    parameters: NDArray[np.float64]
    """(p,)"""
    covariance: NDArray[np.float64]
    """(p, p) for residuals in units of their σ. A parameter on its limit counts as known and has
    NaN; all is NaN where the data do not fix the others."""
    chi2: float
    jacobian: NDArray[np.float64]
    """(n, p) at the minimum."""
    converged: bool
    at_limit: NDArray[np.bool_]
    """(p,) parameters that ended on a limit."""


def minimise(
    evaluate: Evaluate,
    *,
    start: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    tolerance: float = 1e-5,
    steps: int = 20,
) -> Minimum:
    """Minimise the sum of squares within limits (Levenberg 1944, Marquardt 1963).

    Parameters
    ----------
    evaluate : Evaluate
    start, lower, upper : (p,) float64
    steps : int
        Give up after so many; a fit that can be trusted takes three to eight.
    tolerance : float
        It has converged when the next step promises less than this part of χ² (or less than
        1e-3 in χ² itself, a thirtieth of σ).
    """
    x = np.clip(start, lower, upper)
    residual, jacobian = evaluate(x)
    chi2, damping, converged = float(residual @ residual), 1e-5, False
    # Where squares overflow there is nothing to solve: it ends as it began, not converged.
    sound = bool(np.isfinite(chi2) and np.isfinite(jacobian).all())
    for _ in range(steps if sound else 0):
        # Judged without damping, which would hide a long way still to go along a valley.
        promised = _step(x, residual, jacobian, 0.0, lower, upper)[1]
        if promised <= max(tolerance * chi2, 1e-3):
            converged = True
            break
        trial, hoped = _step(x, residual, jacobian, damping, lower, upper)
        new_residual, new_jacobian = evaluate(trial)
        new_chi2 = float(new_residual @ new_residual)
        if not chi2 - new_chi2 >= _KEPT * hoped:
            # Or it would swing from side to side: residuals bend more than their slopes tell.
            between = _lowest_between(x, trial, residual, jacobian, new_chi2)
            nearer_residual, nearer_jacobian = evaluate(between)
            nearer_chi2 = float(nearer_residual @ nearer_residual)
            if nearer_chi2 <= min(chi2, new_chi2):
                trial, new_chi2 = between, nearer_chi2
                new_residual, new_jacobian = nearer_residual, nearer_jacobian
        if new_chi2 <= chi2:
            x, residual, jacobian, chi2 = trial, new_residual, new_jacobian, new_chi2
            damping = max(damping / 10.0, 1e-9)
        else:
            damping *= 10.0
            if damping > _DAMPING_LIMIT:
                break
    at_limit = (x <= lower) | (x >= upper)
    covariance = np.full((len(x), len(x)), np.nan)
    covariance[np.ix_(~at_limit, ~at_limit)] = _covariance(jacobian[:, ~at_limit])
    return Minimum(
        parameters=x,
        covariance=covariance,
        chi2=chi2,
        jacobian=jacobian,
        converged=converged,
        at_limit=at_limit,
    )


def _step(
    x: NDArray[np.float64],
    residual: NDArray[np.float64],
    jacobian: NDArray[np.float64],
    damping: float,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    gradient = jacobian.T @ residual
    # A parameter that is pushed against its limit does not take part in this step.
    free = ~(((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0)))
    curvature = jacobian.T @ jacobian
    curvature[np.diag_indices_from(curvature)] *= 1.0 + damping
    step = np.zeros_like(x)
    step[free] = -np.linalg.lstsq(curvature[np.ix_(free, free)], gradient[free], rcond=1e-14)[0]
    trial = x + step
    if np.any((trial < lower) | (trial > upper)):
        # Cutting the step off would leave the others where they are wrong, or uphill.
        trial = _within(curvature, gradient, x, lower, upper)
    moved = residual + jacobian @ (trial - x)
    return trial, float(residual @ residual - moved @ moved)


def _lowest_between(
    x: NDArray[np.float64],
    trial: NDArray[np.float64],
    residual: NDArray[np.float64],
    jacobian: NDArray[np.float64],
    new_chi2: float,
) -> NDArray[np.float64]:
    """Return where the parabola through both χ², with the slope at the first, is lowest."""
    slope = 2.0 * float(residual @ (jacobian @ (trial - x)))
    bend = new_chi2 - float(residual @ residual) - slope
    part = -slope / (2.0 * bend) if np.isfinite(bend) and bend > 0.0 else 0.5
    return np.asarray(x + float(np.clip(part, 0.05, 1.0)) * (trial - x))


def _within(
    curvature: NDArray[np.float64],
    gradient: NDArray[np.float64],
    x: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return where within limits a step goes down furthest (Stark and Parker 1995)."""
    size = np.sqrt(np.maximum(np.diag(curvature), np.finfo(np.float64).tiny))
    values, vectors = np.linalg.eigh(curvature / np.outer(size, size))
    root = np.sqrt(np.maximum(values, 1e-14 * values[-1]))
    low, high = (lower - x) * size, (upper - x) * size
    movable = high > low
    found = lsq_linear(
        (root[:, None] * vectors.T)[:, movable],
        -(vectors.T @ (gradient / size)) / root,
        (low[movable], high[movable]),
        method="bvls",
    )
    trial = x.copy()
    trial[movable] += found.x / size[movable]
    held = np.zeros(x.shape, dtype=np.intp)
    held[movable] = found.active_mask
    # To the last bit, as what is on its limit counts as known.
    return np.where(held < 0, lower, np.where(held > 0, upper, np.clip(trial, lower, upper)))


def _covariance(jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(jacobian, axis=0)
    n = len(length)
    if not (np.isfinite(length).all() and (length > 0.0).all()):
        return np.full((n, n), np.nan)
    # Columns of unit length, so that the rank does not depend on the units of the parameters.
    scaled = (jacobian / length).T @ (jacobian / length)
    if np.linalg.matrix_rank(scaled, tol=1e-10, hermitian=True) < n:
        return np.full((n, n), np.nan)
    return np.asarray(np.linalg.inv(scaled) / np.outer(length, length))


def slow_terms(q: NDArray[np.float64], *, degree: int) -> NDArray[np.float64]:
    r"""Return Q·P_j(Q), j = 0 … degree, as columns: what cannot come from distances above πn/ΔQ.

    The P_j are Legendre polynomials over the range of q: they span what the ad hoc correction
    polynomial spans, in a basis that stays well conditioned.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    degree : int
        Of the polynomial P; that of Q·P is one more.

    Returns
    -------
    columns : (n_q, degree + 1) float64
    """
    x = 2.0 * (q - q[0]) / (q[-1] - q[0]) - 1.0
    return np.asarray(q[:, None] * np.polynomial.legendre.legvander(x, degree))


def without(columns: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take out of vectors what an orthonormal basis (n, k) can describe; the last axis is n."""
    return np.asarray(columns - (columns @ basis) @ basis.T)
