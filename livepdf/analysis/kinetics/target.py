"""When the domains will have a wanted size, and how likely they have it already."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from livepdf.analysis.kinetics.coarsening import SizeSeries, fit_coarsening
from livepdf.analysis.kinetics.fitting import KineticFit

Floats = NDArray[np.float64]

_DRAWS = 256
_FARTHEST = 5.0
"""Times what was observed: nobody can say what happens later."""
_LIKELY = 0.05
_RECENT = 3
"""Points that say how large the domains are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a size is reached; NaN where there is a reason."""

    target: float
    """Å"""
    reached: float
    """Probability that the domains are that large now."""
    time: float
    """s, median of when they will be, on the clock of the series."""
    low: float
    high: float
    """s, 16 and 84 % of the probability; infinite where that part never gets there."""
    ever: float
    """Probability that the law gets there within five times what was observed."""
    reason: str = ""


def forecast(series: SizeSeries, *, target: float) -> Forecast:
    """Predict by the coarsening law, with the spread that its parameters leave.

    Whatever drives the growth is taken to stay as it is at the last point. Parameters are drawn
    from their covariance by a fixed low-discrepancy sequence: the same data give the same answer.
    """
    nan = float("nan")
    now = probability_now(series, target)
    found = fit_coarsening(series)
    if isinstance(found, KineticFit):
        return Forecast(
            target=target, reached=now, time=nan, low=nan, high=nan, ever=nan, reason=found.reason
        )
    sobol = qmc.Sobol(d=3, scramble=True, rng=np.random.default_rng(0)).random(_DRAWS)
    root = np.linalg.cholesky(found.covariance)
    draws = found.plain(found.minimum.parameters + _normal(sobol) @ root.T)
    times = _arrivals(series, draws, target)
    ever = float(np.isfinite(times).mean())
    if ever < _LIKELY:
        reason = f"growth slows down: {target:g} Å is not in sight"
        return Forecast(
            target=target, reached=now, time=nan, low=nan, high=nan, ever=ever, reason=reason
        )
    low, middle, high = np.quantile(times, (0.16, 0.5, 0.84), method="nearest")
    reason = "" if math.isfinite(middle) else f"more likely than not, {target:g} Å is out of reach"
    return Forecast(
        target=target,
        reached=now,
        time=float(middle) if not reason else nan,
        low=float(low),
        high=float(high),
        ever=ever,
        reason=reason,
    )


def probability_now(series: SizeSeries, target: float) -> float:
    """Return the probability that the last diameters, on average, are beyond the target."""
    weight = 1.0 / series.sigma[-_RECENT:] ** 2
    if not weight.size:
        return float("nan")
    mean = float(weight @ series.diameter[-_RECENT:] / weight.sum())
    return float(ndtr((mean - target) * math.sqrt(weight.sum())))


def _arrivals(series: SizeSeries, draws: Floats, target: float) -> Floats:
    """Return when each drawn law reaches the target; infinite where it does not soon enough."""
    first, last, m = draws.T
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        s = (target**m - first**m) / (last**m - first**m)
    begin, end = float(series.time[0]), float(series.time[-1])
    drive = np.ones(len(series.time)) if series.drive is None else np.maximum(series.drive, 0.0)
    parts = 0.5 * (drive[1:] + drive[:-1]) * np.diff(series.time)
    run = np.concatenate([[0.0], np.cumsum(parts)])
    inside = np.interp(s, run / run[-1], series.time)
    pace = drive[-1] / run[-1]
    beyond = end + (s - 1.0) / pace if pace > 0.0 else np.full_like(s, np.inf)
    arrival = np.where(s <= 1.0, inside, beyond)
    late = ~np.isfinite(s) | (last <= first) | (arrival > begin + _FARTHEST * (end - begin))
    return np.where(late, np.inf, arrival)


def _normal(uniform: Floats) -> Floats:
    return np.asarray(ndtri(np.clip(uniform, 1e-9, 1 - 1e-9)))
