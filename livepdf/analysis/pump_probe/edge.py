"""Time zero and width of a step over the delay, and whether the arrival tool sharpens it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import erf

_SURE = 5.0
"""σ by which another sign must be better, as shots scatter (Vuong 1989)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edge:
    """A step smeared by a Gaussian; all NaN with a reason where it does not fit."""

    zero: float
    """s"""
    zero_sigma: float
    width: float
    """s, standard deviation of the Gaussian."""
    width_sigma: float
    left: NDArray[np.float64]
    """(n,) of each signal less the step; less the mean where none stands out, else empty."""
    reason: str = ""


def edge(delay: NDArray[np.float64], signal: NDArray[np.float64]) -> Edge:
    """Fit a + b erf((t − t₀) / √2 σ) to the signals of single shots.

    Parameters
    ----------
    delay : (n_shots,) float64, s
    signal : (n_shots,) float64
        What changes with the delay, e.g. the mean of I / I0 over a range of Q.
    """
    known = np.isfinite(delay) & np.isfinite(signal)
    delay, signal = delay[known], signal[known]
    if len(delay) < 50:
        return _no_edge(f"{len(delay)} shots with a delay; an edge needs 50")
    span = float(np.ptp(delay))
    if span == 0:
        return _no_edge("all shots have the same delay")
    start = _start(delay, signal)
    x = (delay - delay.min()) / span
    try:
        best, covariance = curve_fit(
            _step,
            x,
            signal,
            p0=[start[0], start[1], (start[2] - delay.min()) / span, 0.05],
            bounds=([-np.inf, -np.inf, 0.0, 1e-4], [np.inf, np.inf, 1.0, 2.0]),
        )
    except RuntimeError as error:  # what scipy raises when it does not converge
        return _no_edge(f"the fit of the edge failed: {error}")
    sigma = np.sqrt(np.diag(covariance))
    if not np.all(np.isfinite(sigma)) or abs(best[1]) < 4 * sigma[1]:
        return _no_edge("there is no step that stands above the noise", signal - signal.mean())
    return Edge(
        zero=float(best[2] * span + delay.min()),
        zero_sigma=float(sigma[2] * span),
        width=float(best[3] * span),
        width_sigma=float(sigma[3] * span),
        left=signal - _step(x, *best),
    )


def arrival_warning(corrected: Edge, uncorrected: Edge) -> str:
    """Return a warning when the arrival-time tool makes an edge broader than it was."""
    if corrected.reason or uncorrected.reason:
        return ""
    unsure = math.hypot(corrected.width_sigma, uncorrected.width_sigma)
    if corrected.width < uncorrected.width + 3 * unsure:
        return ""
    return (
        f"corrected edge broader than uncorrected: {corrected.width:.3g} s after, "
        f"{uncorrected.width:.3g} s before the correction by the arrival-time tool; its sign is "
        "probably wrong"
    )


def sign_warning(corrected: Edge, opposite: Edge) -> str:
    """Return a warning when shots follow the delay better with the other sign of the tool.

    A broad edge is known badly, so that widths are told apart late; what is left of the shots
    about the two edges tells sooner. Both must be of the same shots.
    """
    if opposite.reason or corrected.left.shape != opposite.left.shape:
        return ""
    worse = corrected.left**2 - opposite.left**2
    if worse.sum() < _SURE * math.sqrt(worse.size) * worse.std():
        return ""
    return (
        "shots follow the delay better with the other sign of the arrival-time tool, in an edge "
        f"{opposite.width:.3g} s wide: its sign is probably wrong"
    )


def bin_edges(delay: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Return (≤ bins + 1,) increasing edges between which about as many shots lie."""
    known = delay[np.isfinite(delay)]
    if len(known) < bins or bins < 1:
        raise ValueError(f"{len(known)} shots with a delay do not fill {bins} bins")
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    if len(edges) < 2:
        raise ValueError("all shots have the same delay: there is only one bin")
    edges[-1] = np.nextafter(edges[-1], np.inf)
    return edges


def _step(
    x: NDArray[np.float64], mean: float, half: float, zero: float, width: float
) -> NDArray[np.float64]:
    stepped: NDArray[np.float64] = mean + half * erf((x - zero) / (math.sqrt(2.0) * width))
    return stepped


def _start(delay: NDArray[np.float64], signal: NDArray[np.float64]) -> Sequence[float]:
    """Mean, half height and place of the step that splits the shots best."""
    order = np.argsort(delay)
    ordered = signal[order]
    n = len(ordered)
    below = np.cumsum(ordered)[:-1]
    count = np.arange(1, n)
    means = below / count, (ordered.sum() - below) / (n - count)
    gain = (means[1] - means[0]) ** 2 * count * (n - count)
    best = int(np.argmax(gain))
    low, high = means[0][best], means[1][best]
    return [(low + high) / 2, (high - low) / 2, delay[order][best]]


def _no_edge(reason: str, left: NDArray[np.float64] | None = None) -> Edge:
    nan = float("nan")
    return Edge(
        zero=nan,
        zero_sigma=nan,
        width=nan,
        width_sigma=nan,
        left=np.zeros(0) if left is None else left,
        reason=reason,
    )
