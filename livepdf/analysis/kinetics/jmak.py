"""Conversion after Johnson, Mehl, Avrami and Kolmogorov, on the true temperature history."""

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
from livepdf.analysis.kinetics.heat import equivalent_time

Floats = NDArray[np.float64]

LAW = "JMAK"
_FEWEST = 8
_RISING = (0.03, 0.97)
"""Part of the plateau between which a point says how fast it goes."""
_RISE_POINTS = 4
_REACHED = 0.5
"""Part of the plateau that must be reached: before it, n, k and the end trade with one another."""
_VAGUE = 0.35
_WARMING = 15.0
"""K over the rise below which an activation energy cannot be told from the rate."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConversionSeries:
    """Conversion over time, gaps left out."""

    time: Floats
    """(n,) s, rising."""
    conversion: Floats
    """(n,)"""
    sigma: Floats
    """(n,)"""
    temperature: Floats | None = None
    """(n,) K, where it is known at every point."""

    def __post_init__(self) -> None:
        shapes = {self.time.shape, self.conversion.shape, self.sigma.shape}
        if self.temperature is not None:
            shapes.add(self.temperature.shape)
        if len(shapes) > 1:
            raise ValueError(f"time, conversion, sigma and temperature differ in shape: {shapes}")
        if np.any(np.diff(self.time) <= 0):
            raise ValueError("time must rise")


def fit_jmak(
    series: ConversionSeries,
    *,
    start: float | None = None,
    activation: float | None = None,
    plateau: bool = False,
) -> Solved | KineticFit:
    r"""Fit n, k and what else the data carry.

    .. math:: X = X_\infty \left\{1 - \exp\left[-(k\,\theta(t))^n\right]\right\}, \quad
        \theta = \int k(T)/k(T_r)\,dt

    Without a temperature θ = t − t₀. With one that changes during the rise, k follows Arrhenius
    (isokinetic: the exponent does not change with temperature) and t₀ is not needed, as nothing
    happens in the cold; k is that at the temperature of half conversion.

    Parameters
    ----------
    series : ConversionSeries
    start : float, optional
        s; holds t₀. Free, it is almost the same thing as n (correlation −0.97).
    activation : float, optional
        kJ/mol; holds the activation energy.
    plateau : bool
        Also fit the end X∞; 1 where not.

    Returns
    -------
    fit : Solved, or a KineticFit with the reason where the data do not carry the law
    """
    reason = _too_little(series, plateau=plateau)
    if reason:
        return refused(LAW, reason, points=len(series.time))
    problem, starts = _problem(series, start=start, activation=activation, plateau=plateau)
    solved = solve(problem, starts=starts)
    if solved.fit.reason:
        return solved.fit
    for name in ("n", "k"):
        quantity = solved.fit[name]
        if not quantity.sigma < _VAGUE * quantity.value:
            return refused(
                LAW,
                f"the data do not carry {name}: {quantity.value:.2g} ± {quantity.sigma:.1g}",
                points=len(series.time),
            )
    return solved


def _too_little(series: ConversionSeries, *, plateau: bool) -> str:
    if len(series.time) < _FEWEST:
        return f"{len(series.time)} points, {_FEWEST} wanted"
    end = _end(series) if plateau else 1.0
    if plateau and not _levelled(series):
        return "the conversion has not levelled off: its end is not known"
    smooth = _smoothed(series)
    if smooth.max() < _REACHED * end:
        return f"less than {100 * _REACHED:.0f} % has reacted"
    if series.conversion[: max(2, len(smooth) // 20)].mean() > _REACHED * end:
        return "the rise was over before the first point"
    part = smooth / end
    rising = int(((part > _RISING[0]) & (part < _RISING[1])).sum())
    if rising < _RISE_POINTS:
        return f"{rising} points within the rise, {_RISE_POINTS} wanted: it is faster than them"
    return ""


def _problem(
    series: ConversionSeries, *, start: float | None, activation: float | None, plateau: bool
) -> tuple[Problem, list[Floats]]:
    time, duration = series.time, float(series.time[-1] - series.time[0])
    half, end = _half(series, _end(series) if plateau else 1.0), _end(series)
    warm = series.temperature is not None and (activation is not None or _warms(series))
    parameters = [
        Parameter(name="n", unit="", lower=0.2, upper=10.0, log=True),
        Parameter(name="k", unit="1/s", lower=1e-3 / duration, upper=1e3 / duration, log=True),
    ]
    if warm and activation is None:
        parameters.append(Parameter(name="Ea", unit="kJ/mol", lower=1.0, upper=600.0))
    elif not warm and start is None:
        first = float(time[0]) - duration
        parameters.append(Parameter(name="t0", unit="s", lower=first, upper=float(time[-1])))
    if plateau:
        parameters.append(Parameter(name="end", unit="", lower=0.05, upper=20.0, log=True))
    names = [parameter.name for parameter in parameters]
    reference = _reference(series, half)

    def law(values: Floats, time: Floats, temperature: Floats | None) -> Floats:
        given = dict(zip(names, values, strict=True))
        if warm and temperature is not None:
            energy = given["Ea"] if activation is None else activation
            theta = equivalent_time(time, temperature, activation=energy, reference=reference)
        else:
            theta = np.maximum(time - given.get("t0", start if start is not None else 0.0), 0.0)
        # Beyond exp(−50) nothing is left to react.
        power = np.minimum((given["k"] * theta) ** given["n"], 50.0)
        return np.asarray(given.get("end", 1.0) * -np.expm1(-power))

    def beyond(moment: float, drive: float) -> Curve:
        later, heat = np.append(time, moment), series.temperature
        history = None if heat is None else np.append(heat, drive)
        return lambda values: law(values, later, history)[-1:]

    problem = Problem(
        law=LAW,
        parameters=tuple(parameters),
        curve=lambda values: law(values, time, series.temperature),
        beyond=beyond,
        data=series.conversion,
        sigma=series.sigma,
    )
    began = float(time[0]) if start is None else start
    starts = []
    for n in (1.0, 2.0, 3.5):
        for energy in (40.0, 100.0) if warm and activation is None else (0.0,):
            for early in (0.2, 0.7) if "t0" in names else (0.0,):
                since = began if "t0" not in names else half - (1.0 - early) * (half - began)
                told = {"n": n, "Ea": energy, "t0": since, "end": end}
                if warm and series.temperature is not None:
                    theta = equivalent_time(
                        time,
                        series.temperature,
                        activation=energy if activation is None else activation,
                        reference=reference,
                    )
                    scale = float(np.interp(half, time, theta))
                else:
                    scale = half - since
                told["k"] = np.log(2.0) ** (1 / n) / max(scale, 1e-6 * duration)
                starts.append(np.array([told[name] for name in names]))
    return problem, starts


def _smoothed(series: ConversionSeries) -> Floats:
    width = max(1, min(5, len(series.time) // 10))
    padded = np.pad(series.conversion, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1.0 / width), mode="valid")


def _end(series: ConversionSeries) -> float:
    last = max(2, len(series.time) // 10)
    return max(float(series.conversion[-last:].mean()), 0.05)


def _levelled(series: ConversionSeries) -> bool:
    last = max(4, len(series.time) // 5)
    smooth = _smoothed(series)
    span = max(float(smooth.max() - smooth.min()), 1e-9)
    slope = float(np.polyfit(np.linspace(0.0, 1.0, last), smooth[-last:], 1)[0])
    return abs(slope) < 0.1 * span


def _half(series: ConversionSeries, end: float) -> float:
    above = np.flatnonzero(_smoothed(series) >= 0.5 * end)
    return float(series.time[above[0]] if above.size else series.time[-1])


def _reference(series: ConversionSeries, half: float) -> float:
    if series.temperature is None:
        return 298.15
    return float(np.interp(half, series.time, series.temperature))


def _warms(series: ConversionSeries) -> bool:
    if series.temperature is None:
        return False
    part = _smoothed(series) / _end(series)
    rising = (part > _RISING[0]) & (part < _RISING[1])
    return bool(rising.any() and np.ptp(series.temperature[rising]) > _WARMING)
