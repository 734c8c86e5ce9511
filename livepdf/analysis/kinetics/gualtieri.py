"""Conversion by nucleation and growth told apart, after Gualtieri."""

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
from livepdf.analysis.kinetics.jmak import ConversionSeries

Floats = NDArray[np.float64]

LAW = "Gualtieri"
DIMENSIONS = (1, 2, 3)
"""Of growth: needles, plates, and what grows to all sides."""
_FEWEST = 10
_VAGUE = 0.5
_UNDECIDED = 4.0
"""Rise of χ² below which another dimension describes the data as well."""
_REACHED = 0.6


def fit_gualtieri(
    series: ConversionSeries, *, begin: float, dimension: int | None = None
) -> Solved | KineticFit:
    r"""Fit when nuclei form (a ± b) and how fast they grow (k).

    .. math:: X = \frac{1 - \exp\left[-(k_g t)^n\right]}{1 + \exp\left[-(t - a)/b\right]}, \quad
        P_N \propto \exp\left[-\frac{(t - a)^2}{2 b^2}\right]

    after A. F. Gualtieri, Phys. Chem. Minerals 28 (2001) 719. a, b and k tell nucleation from
    growth only where nucleation is the slower or n is known, so n is a whole number: the best of
    1, 2 and 3, or none where two of them do as well.

    Parameters
    ----------
    series : ConversionSeries
    begin : float, s
        When the clock of the law starts, e.g. the heater.
    dimension : int, optional
        Holds n.
    """
    since = series.time - begin
    if len(since) < _FEWEST:
        return refused(LAW, f"{len(since)} points, {_FEWEST} wanted", points=len(since))
    if series.conversion.max() < _REACHED:
        reason = f"less than {100 * _REACHED:.0f} % has reacted"
        return refused(LAW, reason, points=len(since))
    tried = DIMENSIONS if dimension is None else (dimension,)
    fits = {n: solve(_problem(series, since, n), starts=_starts(series, since, n)) for n in tried}
    good = {n: fit for n, fit in fits.items() if not fit.fit.reason}
    if not good:
        best = min(fits.values(), key=lambda fit: fit.minimum.chi2)
        return best.fit
    chosen = min(good, key=lambda n: good[n].minimum.chi2)
    found = good[chosen]
    rival = [n for n in good if n != chosen and _as_good(good[n], found)]
    if rival:
        words = " and ".join(str(n) for n in sorted([chosen, *rival]))
        return refused(
            LAW, f"growth in {words} dimensions describes the data alike", points=len(since)
        )
    # a counts from the start of the clock and may be near 0: its own size is no measure.
    for quantity in found.fit.quantities[1:]:
        if not quantity.sigma < _VAGUE * quantity.value:
            return refused(LAW, f"the data do not carry {quantity.name}", points=len(since))
    return found


def _problem(series: ConversionSeries, since: Floats, n: int) -> Problem:
    duration = float(np.ptp(since))

    def law(values: Floats, elapsed: Floats) -> Floats:
        a, b, k = values
        growth = -np.expm1(-np.minimum((k * np.maximum(elapsed, 0.0)) ** n, 50.0))
        return np.asarray(growth / (1.0 + np.exp(np.clip(-(elapsed - a) / b, -50.0, 50.0))))

    def beyond(moment: float, drive: float) -> Curve:  # noqa: ARG001  no temperature in this law
        elapsed = since[-1:] + (moment - series.time[-1])
        return lambda values: law(values, elapsed)

    return Problem(
        law=f"{LAW}, n = {n}",
        parameters=(
            Parameter(name="a", unit="s", lower=-duration, upper=2.0 * duration),
            Parameter(name="b", unit="s", lower=1e-3 * duration, upper=2.0 * duration, log=True),
            Parameter(name="k", unit="1/s", lower=1e-3 / duration, upper=1e3 / duration, log=True),
        ),
        curve=lambda values: law(values, since),
        beyond=beyond,
        data=series.conversion,
        sigma=series.sigma,
    )


def _starts(series: ConversionSeries, since: Floats, n: int) -> list[Floats]:
    above = np.flatnonzero(series.conversion >= 0.5)
    half = max(float(since[above[0]]), 1e-3 * float(np.ptp(since)))
    return [
        np.array([share * half, width * half, np.log(2.0) ** (1 / n) / half * faster])
        for share in (0.3, 0.9)
        for width in (0.1, 0.4)
        for faster in (1.0, 2.0)
    ]


def _as_good(one: Solved, best: Solved) -> bool:
    return one.minimum.chi2 - best.minimum.chi2 < _UNDECIDED * best.wider
