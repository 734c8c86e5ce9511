"""Where over delay, fluence or shot number a value begins to change, and how sure that is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

_WIDTHS = (0.0, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6, 1.0)
"""Parts of the range over which the change may take place, equally likely beforehand."""
_POWERS = (0.5, 0.7, 1.0, 1.25, 1.6, 2.0)
"""Of the way from one level to the other, 1 − exp(−t^p): it may begin steeply or slowly."""
_FINER = 18
_STEADY = (0.8, 1.0, 1.3)
"""The same for what is steady in 10^x."""
_PLACES = 200
_HELD = 0.985
"""Part of what is believed that the interval holds: no way of changing that is tried is quite the
true one, so that this much covers the truth in 95 % of simulated runs (`tests/long/onsets.py`)."""
_SURE = 150.0
"""Odds that count as very strong (Kass and Raftery 1995)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Where a value begins to change; NaN with a reason where it does not."""

    start: float
    """Median of what is believed after the data."""
    low: float
    """95 % interval."""
    high: float
    odds: float
    """Of a change against none, both equally likely beforehand."""
    before: float
    after: float
    """Levels of the likeliest change."""
    reason: str = ""


def change_point(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    sigma: NDArray[np.float64],
    growth: float = 0.0,
) -> ChangePoint:
    """Find the one beginning of a change from a level to another.

    The value is a up to ``start``, then approaches b by 1 − exp(−(t / width)^p), width and p
    summed over; a, b and one factor for all σ are integrated out (Zellner 1971), so that scatter
    beyond σ widens the interval, and so does not knowing how the change goes.

    Parameters
    ----------
    x : (n,) float64
        E.g. the logarithm of the delay: all places along it are equally likely beforehand.
    y, sigma : (n,) float64
    growth : float
        ln 10 where x is the decimal logarithm of a time or a dose that changes are steady in: t may
        then also grow as 10^x from the start on. 0 for any other axis.

    Raises
    ------
    ValueError
        Shapes differ or a σ is not positive.
    """
    if not x.shape == y.shape == sigma.shape:
        raise ValueError(f"x, y and σ differ: {x.shape}, {y.shape}, {sigma.shape}")
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(sigma)
    x, y, sigma = x[known], y[known], sigma[known]
    if np.any(sigma <= 0):
        raise ValueError("σ must be positive")
    if len(x) < 8 or np.ptp(x) == 0:
        return _none(f"{len(x)} values; a change needs 8 at different places")
    places = np.linspace(x.min(), x.max(), _PLACES)
    shapes = _shapes(x, places, growth)
    evidence, levels = _evidence(shapes, y / sigma, sigma)
    flat = _flat(y / sigma, sigma)
    prior = np.log(evidence.size)
    odds = float(np.exp(np.clip(logsumexp(evidence) - prior - flat, -700, 700)))
    if odds < _SURE:
        return _none(f"no change stands above the scatter (odds {odds:.2g})", odds=odds)
    places, believed = _closer(x, y, sigma, places, evidence, growth)
    start, low, high = _quantiles(places, believed, (0.5, 0.5 * (1 - _HELD), 0.5 * (1 + _HELD)))
    best = np.unravel_index(int(np.argmax(evidence)), evidence.shape)
    before, step = levels[best]
    return ChangePoint(
        start=start,
        low=low,
        high=high,
        odds=odds,
        before=float(before),
        after=float(before + step),
    )


def _closer(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    sigma: NDArray[np.float64],
    places: NDArray[np.float64],
    evidence: NDArray[np.float64],
    growth: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Look again, as finely, where the start may be; return places and what is believed of each."""
    told = logsumexp(evidence, axis=0)
    likely = np.flatnonzero(told > told.max() - 14)
    step = places[1] - places[0]
    fine = np.linspace(
        max(places[likely[0]] - step, x.min()), min(places[likely[-1]] + step, x.max()), _PLACES
    )
    told = logsumexp(_evidence(_shapes(x, fine, growth), y / sigma, sigma)[0], axis=0)
    return fine, np.exp(told - logsumexp(told))


def _quantiles(
    places: NDArray[np.float64], believed: NDArray[np.float64], parts: tuple[float, ...]
) -> tuple[float, ...]:
    """Return where the believed probability below reaches each part, between the places."""
    below = np.cumsum(believed) - 0.5 * believed
    return tuple(float(np.interp(part, below, places)) for part in parts)


def _shapes(
    x: NDArray[np.float64], places: NDArray[np.float64], growth: float
) -> NDArray[np.float64]:
    """(n_ways, n_places, n) from 0 to 1 at the last of x: levels are those that were seen."""
    widths = np.maximum(np.array(_WIDTHS) * np.ptp(x), 1e-6 * np.ptp(x) / len(x))
    since = np.clip(x - places[:, None], 0.0, None)
    rises: list[tuple[NDArray[np.float64], tuple[float, ...]]] = [
        (since / widths[:, None, None], _POWERS)
    ]
    if growth > 0:
        finer = np.geomspace(0.02, 1.0, _FINER) * np.ptp(x)
        faster = np.expm1(np.minimum(growth * finer, 50.0))[:, None, None]
        rises.append((np.expm1(np.minimum(growth * since, 50.0)) / faster, _STEADY))
    shapes = np.concatenate(
        [
            -np.expm1(-np.minimum(np.clip(rise, 0.0, 1e3) ** power, 700.0))
            for rise, powers in rises
            for power in powers
        ]
    )
    highest = shapes.max(axis=-1, keepdims=True)
    return np.asarray(np.divide(shapes, highest, out=np.zeros_like(shapes), where=highest > 0))


def _evidence(
    shapes: NDArray[np.float64], scaled: NDArray[np.float64], sigma: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log evidence of each shape and its two levels (…, 2): mean before, step."""
    weight = 1 / sigma
    one = np.broadcast_to(weight, shapes.shape)
    step = shapes * weight
    aa, ab, bb = float(weight @ weight), (one * step).sum(axis=-1), (step**2).sum(axis=-1)
    ya, yb = float(weight @ scaled), step @ scaled
    determinant = aa * bb - ab**2
    # A shape that is constant over the data says nothing of a change.
    usable = determinant > 1e-9 * aa * np.maximum(bb, 1e-300)
    determinant = np.where(usable, determinant, 1.0)
    a, b = (bb * ya - ab * yb) / determinant, (aa * yb - ab * ya) / determinant
    left = np.maximum(scaled @ scaled - a * ya - b * yb, 1e-12)
    n = len(scaled)
    found = -0.5 * np.log(determinant) - 0.5 * (n - 2) * np.log(left) + _unit(n, 2, scaled)
    return np.where(usable, found, -np.inf), np.stack([a, b], axis=-1)


def _flat(scaled: NDArray[np.float64], sigma: NDArray[np.float64]) -> float:
    weight = 1 / sigma
    a = float(weight @ scaled / (weight @ weight))
    left = max(float(scaled @ scaled - a * (weight @ scaled)), 1e-12)
    n = len(scaled)
    return float(
        -0.5 * np.log(weight @ weight) - 0.5 * (n - 1) * np.log(left) + _unit(n, 1, scaled)
    )


def _unit(n: int, levels: int, scaled: NDArray[np.float64]) -> float:
    """Return what makes evidences of one and two levels comparable.

    Each level may be anywhere within ten times the spread of the data; the factor of σ has the
    prior 1 / s.
    """
    width = 10 * max(float(np.std(scaled)), 1e-12)
    return float(
        gammaln(0.5 * (n - levels)) - 0.5 * (n - levels) * np.log(np.pi) - levels * np.log(width)
    )


def _none(reason: str, *, odds: float = float("nan")) -> ChangePoint:
    nan = float("nan")
    return ChangePoint(
        start=nan, low=nan, high=nan, odds=odds, before=nan, after=nan, reason=reason
    )
