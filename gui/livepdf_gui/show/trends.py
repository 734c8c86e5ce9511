"""Trends over the windows as strips, one quantity each, with ±1σ bands and gaps with reasons."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History, TrendColumn
from livepdf_gui.show.joined import JoinedTrend, joined, places, sharing
from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.words import with_sigma

_MOST_STRIPS = 3
_RECENT = 1000
"""Windows that are looked at first for the newest value."""
FIT = " fit"
"""Ends the name of a trend that was fitted to the trend of the name before it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """One quantity over time."""

    name: str
    unit: str
    places: NDArray[np.float64]
    """(n,) middle on the time axis of each window, or of each so many in a long run."""
    value: NDArray[np.float64]
    """(n,) means where windows share a point."""
    low: NDArray[np.float64]
    """(n,) lowest value − σ."""
    high: NDArray[np.float64]
    """(n,) highest value + σ."""
    each: int
    """Windows that share a point."""
    fit: NDArray[np.float64] | None
    """(n,) what was fitted to it, e.g. by kinetics; None where nothing was."""
    fit_newest: str
    """Its last value in words, or why there is none; empty where nothing was fitted."""
    withheld: NDArray[np.float64]
    """Places of the windows whose value is withheld."""
    newest: str
    """Last value in words, or why there is none."""
    has_value: bool
    y_range: Range
    column: TrendColumn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """A slow value of the sample environment, e.g. temperature."""

    name: str
    unit: str
    """Empty where nothing tells it."""
    places: NDArray[np.float64]
    value: NDArray[np.float64]
    each: int
    """Windows that share a point."""
    y_range: Range


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrendsView:
    """All strips to draw, and what else could be drawn."""

    strips: tuple[Strip, ...]
    names: tuple[str, ...]
    overlay: Overlay | None
    overlay_names: tuple[str, ...]


def default_trends(history: History) -> tuple[str, ...]:
    """Choose what is shown unasked: sizes first, then where the first peaks are."""
    ranked = sorted(history.trends, key=_rank)
    return tuple(ranked[:_MOST_STRIPS])


def trends_view(
    history: History | None,
    choice: Choice,
    *,
    before: TrendsView | None,
    points: defaultdict[str, JoinedTrend] | None = None,
) -> TrendsView:
    """Resolve history and wishes into strips.

    Parameters
    ----------
    before
        Ranges lean on it.
    points
        By name, as they were before; brought up to date.
    """
    if history is None:
        return TrendsView(strips=(), names=(), overlay=None, overlay_names=())
    wanted = choice.trends if choice.trends is not None else default_trends(history)
    old = {s.name: s.y_range for s in before.strips if s.has_value} if before else {}
    kept = defaultdict(JoinedTrend) if points is None else points
    shown = [name for name in wanted if name in history.trends]
    return TrendsView(
        strips=tuple(_strip(history, n, old.get(n), kept[n]) for n in shown),
        names=tuple(history.trends),
        overlay=_overlay(history, choice, before),
        overlay_names=tuple(history.environment),
    )


def readout(view: TrendsView, strip: Strip, number: int) -> str:
    """Tell the value of one window, or why it is withheld."""
    column = strip.column
    if not 0 <= number < column.value.size:
        return ""
    value = column.value[number]
    if np.isfinite(value):
        words = f"{strip.name} = {with_sigma(float(value), float(column.sigma[number]))} "
        words += strip.unit
    else:
        reason = column.reason(number)
        words = f"{strip.name}: withheld: {reason}" if reason else f"{strip.name}: no value"
    slow = view.overlay
    if slow is not None and number // slow.each < slow.value.size:
        value = slow.value[number // slow.each]
        words += f"   {slow.name} = {value:.1f} {slow.unit}" if np.isfinite(value) else ""
    return words


def _strip(history: History, name: str, old: Range | None, points: JoinedTrend) -> Strip:
    column = history.trends[name]
    points.follow(column)
    known = np.isfinite(points.value)
    bounds = np.concatenate([points.low[known], points.high[known]])
    wanted = spread(bounds, below=0.5, above=99.5)
    fitted = history.trends.get(f"{name}{FIT}")
    middles = places(column.value.size, points.each)
    return Strip(
        name=name,
        unit=column.unit,
        places=middles,
        value=points.value,
        low=points.low,
        high=points.high,
        each=points.each,
        fit=None if fitted is None else joined(fitted.value, points.each, "mean"),
        fit_newest="" if fitted is None else _newest(fitted),
        withheld=middles[points.withheld],
        newest=_newest(column),
        has_value=bool(known.any()),
        y_range=(0.0, 1.0) if wanted is None else sticky(old, wanted, fill=0.5),
        column=column,
    )


def _newest(column: TrendColumn) -> str:
    for start in (-_RECENT, -column.value.size):
        part = slice(max(start, -column.value.size), None)
        known = np.flatnonzero(np.isfinite(column.value[part]) | (column.code[part] > 0))
        if known.size:
            return _said(column, int(known[-1]) + column.value.size + part.start)
    return "no value yet"


def _said(column: TrendColumn, number: int) -> str:
    if np.isfinite(column.value[number]):
        both = with_sigma(float(column.value[number]), float(column.sigma[number]))
        return f"{both} {column.unit}".strip()
    return f"withheld: {column.reason(number)}"


def _overlay(history: History, choice: Choice, before: TrendsView | None) -> Overlay | None:
    names = tuple(history.environment)
    name = choice.overlay if choice.overlay is not None else next(iter(names), "")
    if name not in history.environment:
        return None
    each = sharing(history.environment[name].size)
    value = joined(history.environment[name], each, "mean")
    wanted = spread(value)
    if wanted is None:
        return None
    old = before.overlay if before and before.overlay and before.overlay.name == name else None
    return Overlay(
        name=name,
        unit=slow_unit(name),
        places=places(history.environment[name].size, each),
        value=value,
        each=each,
        y_range=sticky(old.y_range if old else None, wanted, fill=0.5),
    )


def slow_unit(name: str) -> str:
    """Return the unit of a slow value where its name tells it: temperatures are in K."""
    return "K" if name.lower().startswith("temperature") else ""


HELP = {
    "S(Q) tail": "Mean of S − 1 above 0.8 qmax: vanishes within a few σ where the scale, the "
    "background and the composition are right.",
    "low-r residual": "Ripples of G below 0.75 of the first bond, where there are no atoms, in "
    "parts of the size of G beyond: they come from a wrong background or scale, or from noise.",
    "advised qmax": "Beyond it a plain transform gains more noise than shape.",
}
"""What the numbers mean that tell how good the reduction is."""


def _rank(name: str) -> int:
    if name in HELP or name.endswith(FIT):
        return 4
    for rank, word in enumerate(("size", "conversion", "lattice")):
        if word in name:
            return rank
    return 3 if not name.endswith("position") else 2
