"""Trends over the windows as strips, one quantity each, with ±1σ bands and gaps with reasons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History, TrendColumn
from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.words import with_sigma

_MOST_STRIPS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """One quantity over time."""

    name: str
    unit: str
    places: NDArray[np.float64]
    """(n,) middle of each window on the time axis."""
    value: NDArray[np.float64]
    sigma: NDArray[np.float64]
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
    history: History | None, choice: Choice, *, before: TrendsView | None
) -> TrendsView:
    """Resolve history and wishes into strips; ranges lean on the view before."""
    if history is None:
        return TrendsView(strips=(), names=(), overlay=None, overlay_names=())
    wanted = choice.trends if choice.trends is not None else default_trends(history)
    old = {s.name: s.y_range for s in before.strips if s.has_value} if before else {}
    return TrendsView(
        strips=tuple(_strip(history, n, old.get(n)) for n in wanted if n in history.trends),
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
    if slow is not None and number < slow.value.size and np.isfinite(slow.value[number]):
        words += f"   {slow.name} = {slow.value[number]:.1f} {slow.unit}"
    return words


def _strip(history: History, name: str, old: Range | None) -> Strip:
    column = history.trends[name]
    places = np.arange(column.value.size, dtype=np.float64) + 0.5
    shown = np.isfinite(column.value)
    room = np.where(np.isfinite(column.sigma), column.sigma, 0.0)
    ends = np.concatenate([(column.value - room)[shown], (column.value + room)[shown]])
    wanted = spread(ends, below=0.5, above=99.5)
    return Strip(
        name=name,
        unit=column.unit,
        places=places,
        value=column.value,
        sigma=column.sigma,
        withheld=places[~shown & (column.code > 0)],
        newest=_newest(column),
        has_value=bool(shown.any()),
        y_range=(0.0, 1.0) if wanted is None else sticky(old, wanted, fill=0.5),
        column=column,
    )


def _newest(column: TrendColumn) -> str:
    known = np.flatnonzero(np.isfinite(column.value) | (column.code > 0))
    if not known.size:
        return "no value yet"
    number = int(known[-1])
    if np.isfinite(column.value[number]):
        both = with_sigma(float(column.value[number]), float(column.sigma[number]))
        return f"{both} {column.unit}".strip()
    return f"withheld: {column.reason(number)}"


def _overlay(history: History, choice: Choice, before: TrendsView | None) -> Overlay | None:
    names = tuple(history.environment)
    name = choice.overlay if choice.overlay is not None else next(iter(names), "")
    if name not in history.environment:
        return None
    value = history.environment[name]
    wanted = spread(value)
    if wanted is None:
        return None
    old = before.overlay if before and before.overlay and before.overlay.name == name else None
    return Overlay(
        name=name,
        unit=slow_unit(name),
        places=np.arange(value.size, dtype=np.float64) + 0.5,
        value=value,
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
    if name in HELP:
        return 3
    if "size" in name:
        return 0
    return 1 if name.endswith("position") else 2
