"""Growth of the domains: Lifshitz, Slyozov and Wagner's law with the exponent left free."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.kinetics.fitting import (
    Curve,
    KineticFit,
    Parameter,
    Problem,
    Solved,
    refused,
    solve,
)

Floats = NDArray[np.float64]

LAW = "coarsening"
_FEWEST = 6
_GROWN = 5.0
"""Growth over its σ below which nothing is said about how it goes."""
_VAGUE = 0.5
_PER_LENGTH = 1e4
_LOWER, _UPPER = 0.3, 12.0
"""Of the exponent. 2 is diffusion or an interface that sets the pace, 3 ripening in solution, 4
ripening along surfaces."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeSeries:
    """Diameter over time, gaps left out."""

    time: Floats
    """(n,) s, rising."""
    diameter: Floats
    """(n,) Å"""
    sigma: Floats
    """(n,) Å"""
    drive: Floats | None = None
    """(n,) how fast it could go at each moment, relative: k(T), times what there is to grow."""

    def __post_init__(self) -> None:
        if not self.time.shape == self.diameter.shape == self.sigma.shape:
            raise ValueError("time, diameter and sigma differ in shape")
        if self.drive is not None and self.drive.shape != self.time.shape:
            raise ValueError("time and drive differ in shape")
        if np.any(np.diff(self.time) <= 0):
            raise ValueError("time must rise")


def fit_coarsening(series: SizeSeries, *, exponent: float | None = None) -> Solved | KineticFit:
    r"""Fit the first and the last diameter and the exponent between them.

    .. math:: D^m = D_0^m + K \int k(T) X\,dt = D_0^m + (D_1^m - D_0^m)\,s(t)

    with s from 0 at the first point to 1 at the last. K follows from the three and is not fitted:
    with m it would be the same thing twice.

    Parameters
    ----------
    series : SizeSeries
    exponent : float, optional
        Holds m.
    """
    n = len(series.time)
    if n < _FEWEST:
        return refused(LAW, f"{n} points, {_FEWEST} wanted", points=n)
    ends = max(2, n // 5)
    first, last = _mean(series, slice(0, ends)), _mean(series, slice(-ends, None))
    if last[0] - first[0] < _GROWN * float(np.hypot(first[1], last[1])):
        return refused(LAW, "the domains have not grown beyond their uncertainty", points=n)
    s = progress(series)
    parameters = [
        Parameter(name="D0", unit="Å", lower=1.0, upper=_PER_LENGTH, log=True),
        Parameter(name="D1", unit="Å", lower=1.0, upper=_PER_LENGTH, log=True),
    ]
    if exponent is None:
        parameters.append(Parameter(name="m", unit="", lower=_LOWER, upper=_UPPER, log=True))

    def curve(values: Floats) -> Floats:
        m = exponent if exponent is not None else values[2]
        return grown(s, first=values[0], last=values[1], exponent=m)

    def beyond(moment: float, drive: float) -> Curve:
        ahead = progress_beyond(series, moment, drive=drive)
        return lambda values: grown(
            ahead,
            first=values[0],
            last=values[1],
            exponent=exponent if exponent is not None else values[2],
        )

    problem = Problem(
        law=LAW,
        parameters=tuple(parameters),
        curve=curve,
        beyond=beyond,
        data=series.diameter,
        sigma=series.sigma,
    )
    low, high = float(series.diameter[:ends].min()), float(series.diameter[-ends:].max())
    starts = [
        np.array([low, high, *([] if exponent is not None else [m])]) for m in (1.0, 3.0, 6.0)
    ]
    solved = solve(problem, starts=starts)
    if solved.fit.reason or exponent is not None:
        return solved.fit if solved.fit.reason else solved
    m = solved.fit["m"]
    if not m.sigma < _VAGUE * m.value:
        return refused(LAW, f"the data do not carry m: {m.value:.2g} ± {m.sigma:.1g}", points=n)
    return solved


def progress(series: SizeSeries) -> Floats:
    """Return s at each point, from 0 to 1."""
    drive = np.ones(len(series.time)) if series.drive is None else np.maximum(series.drive, 0.0)
    parts = 0.5 * (drive[1:] + drive[:-1]) * np.diff(series.time)
    run = np.concatenate([[0.0], np.cumsum(parts)])
    if not run[-1] > 0.0:
        raise ValueError("nothing drives the growth at any point")
    return np.asarray(run / run[-1])


def progress_beyond(series: SizeSeries, moment: float, *, drive: float) -> Floats:
    """Return s at a moment after the last point, (1,), from the drive there; see `progress`."""
    known = np.ones(len(series.time)) if series.drive is None else np.maximum(series.drive, 0.0)
    run = float(np.sum(0.5 * (known[1:] + known[:-1]) * np.diff(series.time)))
    there = 1.0 if series.drive is None else max(drive, 0.0)
    more = 0.5 * (known[-1] + there) * (moment - float(series.time[-1]))
    return np.array([1.0 + more / run])


def grown(s: Floats, *, first: float, last: float, exponent: float) -> Floats:
    """Return the diameter where the growth has got to s; s beyond 1 goes on."""
    start, end = first**exponent, last**exponent
    return np.asarray(np.maximum(start + (end - start) * s, 1e-12) ** (1.0 / exponent))


def _mean(series: SizeSeries, part: slice) -> tuple[float, float]:
    weight = 1.0 / series.sigma[part] ** 2
    return float(weight @ series.diameter[part] / weight.sum()), float(weight.sum() ** -0.5)
