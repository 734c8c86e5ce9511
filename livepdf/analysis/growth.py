"""Kinetic laws fitted again and again while a run goes on, and once more when it is over."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import (
    ALL_WINDOWS,
    QDAMP,
    STRUCTURE,
    TEMPERATURE,
    Declared,
    More,
    Need,
)
from livepdf.analysis.kinetics.coarsening import SizeSeries, fit_coarsening
from livepdf.analysis.kinetics.fitting import KineticFit, Solved, predicted, with_intervals
from livepdf.analysis.kinetics.gualtieri import fit_gualtieri
from livepdf.analysis.kinetics.hinge import began
from livepdf.analysis.kinetics.jmak import ConversionSeries, fit_jmak
from livepdf.analysis.kinetics.target import Forecast, forecast, probability_now
from livepdf.analysis.onset import Onset
from livepdf.model.curve import Trend
from livepdf.model.finding import Finding, Found

Floats = NDArray[np.float64]
Law = Literal["jmak", "gualtieri", "coarsening"]

LAWS = Declared(
    name="kinetics",
    gives=("JMAK", "Gualtieri", "coarsening", "start"),
    takes=("conversion", "domain size", ALL_WINDOWS),
    needs=(STRUCTURE, Need(what="laws", key="analysis.kinetics", usual=True)),
    more=(
        More(gives="activation energy", need=TEMPERATURE),
        More(gives="coarsening", need=QDAMP),
        More(gives="time of a target", need=Need(what="a size", key="analysis.target_size")),
    ),
    cost=8.0,
)
"""The cost is that of fits whenever the series has grown by a tenth, spread over its windows."""
_TITLES: dict[Law, str] = {"jmak": "JMAK", "gualtieri": "Gualtieri", "coarsening": "coarsening"}
_SHOWN: dict[Law, tuple[tuple[str, str], ...]] = {
    "jmak": (("n", ""), ("k", "1/s")),
    "gualtieri": (("a", "s"), ("k", "1/s")),
    "coarsening": (("m", ""),),
}
"""Parameters that are followed as trends; the others are in the summary."""
_CURVES: tuple[tuple[str, str, tuple[Law, ...]], ...] = (
    ("conversion fit", "", ("jmak", "gualtieri")),
    ("domain size fit", "Å", ("coarsening",)),
)
"""What the laws say for each window: the name of the trend that they are fitted to and " fit"."""
_MOST = 240
"""Points that a law is fitted to: neighbours are averaged beyond it."""
_OFTEN = 1.1
"""Growth of the series after which the laws are fitted again."""
_GROWING = 0.3
"""Conversion from which sizes belong to growth: before, they are weak and few."""
_LIKELY = 0.95
_IN_A_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What the laws need of one window."""

    number: int
    time: float
    """s since the start of the run."""
    temperature: float
    """K, NaN where unknown."""
    flaw: str
    conversion: Trend | None
    size: Trend | None


class Laws:
    """Keeps the series of a run and what its laws say."""

    def __init__(self, laws: Sequence[Law], *, target: float | None) -> None:
        self._laws = tuple(laws)
        self._target = target
        self._points: dict[int, Point] = {}
        self._begin = math.nan
        self._due = 1.0
        self._fits: dict[Law, Solved | KineticFit] = {}
        self._forecast: Forecast | None = None
        self._reached = 0
        self._told = False
        self._news: list[str] = []

    def begin(self, time: float) -> None:
        """Say when the clock of the reaction starts, s."""
        self._begin = time

    def add(self, point: Point) -> None:
        """Take the next window."""
        self._points[point.number] = point
        if len(self._points) >= self._due:
            self._due = max(len(self._points) + 1.0, _OFTEN * len(self._points))
            self._fit()
        if self._target is not None and not self._told and point.size is not None:
            self._look_at_target(self._target)

    def fill(self, number: int, trends: Sequence[Trend]) -> None:
        """Take the values of a window that was added without them."""
        if number in self._points:
            found = {trend.name: trend for trend in trends}
            self._points[number] = replace(
                self._points[number],
                conversion=found.get("conversion"),
                size=found.get("domain size"),
            )

    def trends(self) -> tuple[Trend, ...]:
        """Return what the laws said when they were last fitted, and their curves at the newest."""
        shown = []
        for law in self._laws:
            fit = self._fits.get(law)
            for name, unit in _SHOWN[law]:
                shown.append(_quantity(f"{_TITLES[law]} {name}", unit, name, fit))
        return (*shown, *self._curves(), *self._ahead())

    def news(self) -> tuple[str, ...]:
        """Return what has happened since the last time."""
        news, self._news = tuple(self._news), []
        return news

    def summary(self, *, onset: Onset | None, reason: str) -> tuple[Finding, ...]:
        """Return every law with 95 % intervals, and when it began."""
        found = [self._onset(onset, reason), self._start()]
        for law in self._laws:
            fit = self._solve(law)
            told = with_intervals(fit) if isinstance(fit, Solved) else fit
            found.append(_finding(_TITLES[law] if told.reason else told.law, told))
        return tuple(found)

    def _fit(self) -> None:
        self._fits = {law: self._solve(law) for law in self._laws}
        if self._target is None:
            return
        series = self._sizes()
        if series is None:
            self._forecast = None
            return
        self._forecast = forecast(series, target=self._target)

    def _look_at_target(self, target: float) -> None:
        series = self._sizes()
        likely = series is not None and probability_now(series, target) > _LIKELY
        self._reached = self._reached + 1 if likely else 0
        if self._reached >= _IN_A_ROW:
            self._told = True
            self._news.append(f"the domains have {target:g} Å: probability above 95 %")

    def _solve(self, law: Law) -> Solved | KineticFit:
        if law == "coarsening":
            sizes = self._sizes()
            if sizes is None:
                return KineticFit(law=_TITLES[law], reason="no sizes yet")
            return fit_coarsening(sizes)
        series = self._conversions()
        if series is None:
            return KineticFit(law=_TITLES[law], reason="no conversion yet")
        if law == "jmak":
            # The end is fitted where it is seen: a scale that is a per cent off must not bend n.
            free = fit_jmak(series, plateau=True)
            return free if isinstance(free, Solved) else fit_jmak(series)
        if not math.isfinite(self._begin):
            return KineticFit(law=_TITLES[law], reason="no onset yet")
        return fit_gualtieri(series, begin=self._begin)

    def _usable(self, kind: Literal["conversion", "size"]) -> list[tuple[Point, Trend]]:
        pairs = [(p, getattr(p, kind)) for _, p in sorted(self._points.items()) if not p.flaw]
        return [(p, t) for p, t in pairs if t is not None and t.sigma > 0.0]

    def _conversions(self) -> ConversionSeries | None:
        usable = self._usable("conversion")
        if len(usable) < 2:
            return None
        columns = _thinned(usable)
        heat = columns[3]
        return ConversionSeries(
            time=columns[0],
            conversion=columns[1],
            sigma=columns[2],
            temperature=heat if np.isfinite(heat).all() else None,
        )

    def _sizes(self) -> SizeSeries | None:
        amount = {p.number: t.value for p, t in self._usable("conversion")}
        usable = [(p, t) for p, t in self._usable("size") if amount.get(p.number, 1.0) >= _GROWING]
        if len(usable) < 2:
            return None
        time, size, sigma, _ = _thinned(usable)
        moments = np.array([p.time for p, _ in usable])
        amounts = np.array([min(amount.get(p.number, 1.0), 1.0) for p, _ in usable])
        return SizeSeries(
            time=time, diameter=size, sigma=sigma, drive=np.interp(time, moments, amounts)
        )

    def _curves(self) -> tuple[Trend, ...]:
        shown = []
        for name, unit, able in _CURVES:
            fits = {law: self._fits.get(law) for law in self._laws if law in able}
            if fits:
                found = [(law, fit) for law, fit in fits.items() if isinstance(fit, Solved)]
                law, fit = found[0] if found else next(iter(fits.items()))
                shown.append(self._curve(name, unit, law, fit))
        return tuple(shown)

    def _curve(self, name: str, unit: str, law: Law, fit: Solved | KineticFit | None) -> Trend:
        nan = float("nan")
        if not isinstance(fit, Solved):
            reason = "not fitted yet" if fit is None else fit.reason
            return _plain(name, unit, nan, nan, reason)
        point = self._points[max(self._points)]
        drive = point.temperature
        if law == "coarsening":
            amount = point.conversion
            drive = math.nan if amount is None else min(amount.value, 1.0)
        value, sigma = predicted(fit, time=point.time, drive=drive)
        reason = "" if math.isfinite(value) else "what drives the law is not known here"
        return _plain(name, unit, value, sigma, reason)

    def _ahead(self) -> tuple[Trend, ...]:
        if self._target is None:
            return ()
        when, chance = f"time of {self._target:g} Å", f"chance of {self._target:g} Å"
        told, nan = self._forecast, float("nan")
        if told is None:
            reason = "no sizes yet"
            return tuple(_plain(n, u, nan, nan, reason) for n, u in ((when, "s"), (chance, "")))
        spread = 0.5 * (told.high - told.low)
        reason = told.reason or ("" if math.isfinite(spread) else "its upper end is out of sight")
        return (
            _plain(when, "s", told.time, spread, reason),
            _plain(chance, "", told.reached, 0.0, "" if math.isfinite(told.reached) else "no size"),
        )

    def _onset(self, onset: Onset | None, reason: str) -> Finding:
        if onset is None:
            return Finding(law="onset", reason=reason)
        found = Found(
            name="time",
            unit="s",
            value=onset.middle,
            sigma=onset.sigma,
            low=onset.earliest,
            high=onset.latest,
        )
        return Finding(law="onset", found=(found,))

    def _start(self) -> Finding:
        series = self._conversions()
        if series is None:
            return Finding(law="start", reason="no conversion")
        told = began(time=series.time, amplitude=series.conversion, sigma=series.sigma)
        if told.reason:
            return Finding(law="start", reason=told.reason, points=len(series.time))
        found = Found(
            name="t0", unit="s", value=told.time, sigma=told.sigma, low=told.low, high=told.high
        )
        return Finding(law="start", found=(found,), chi2=told.chi2, points=len(series.time))


def _thinned(usable: Sequence[tuple[Point, Trend]]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return time, value, σ and temperature; neighbours are averaged where there are many."""
    time = np.array([p.time for p, _ in usable])
    value = np.array([t.value for _, t in usable])
    sigma = np.array([t.sigma for _, t in usable])
    heat = np.array([p.temperature for p, _ in usable])
    size = -(-len(usable) // _MOST)
    if size == 1:
        return time, value, sigma, heat
    starts = np.arange(0, len(usable), size)
    weight = sigma**-2.0
    total = np.add.reduceat(weight, starts)
    return (
        np.add.reduceat(weight * time, starts) / total,
        np.add.reduceat(weight * value, starts) / total,
        total**-0.5,
        np.add.reduceat(weight * heat, starts) / total,
    )


def _quantity(title: str, unit: str, name: str, fit: Solved | KineticFit | None) -> Trend:
    nan = float("nan")
    if fit is None:
        return _plain(title, unit, nan, nan, "not fitted yet")
    told = fit.fit if isinstance(fit, Solved) else fit
    if told.reason:
        return _plain(title, unit, nan, nan, told.reason)
    found = told[name]
    return _plain(title, unit, found.value, found.sigma, "")


def _plain(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    nan = float("nan")
    shown = (nan, nan) if reason else (float(value), float(sigma))
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)


def _finding(law: str, fit: KineticFit) -> Finding:
    return Finding(
        law=law,
        found=tuple(
            Found(name=q.name, unit=q.unit, value=q.value, sigma=q.sigma, low=q.low, high=q.high)
            for q in fit.quantities
        ),
        correlations=fit.correlations(),
        chi2=fit.chi2,
        points=fit.points,
        reason=fit.reason,
    )
