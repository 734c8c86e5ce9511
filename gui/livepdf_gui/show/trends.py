"""Trends over the windows as strips, one quantity each, with ±1σ bands and gaps with reasons."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History, TrendColumn
from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.words import with_sigma

_MOST_STRIPS = 3
_MOST_POINTS = 1500


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
    if slow is not None and number // slow.each < slow.value.size:
        value = slow.value[number // slow.each]
        words += f"   {slow.name} = {value:.1f} {slow.unit}" if np.isfinite(value) else ""
    return words


def _sharing(windows: int) -> int:
    """Return how many windows share a point, so that none is drawn finer than a screen."""
    each = 1
    while windows > _MOST_POINTS * each:
        each *= 2
    return each


def _places(windows: int, each: int) -> NDArray[np.float64]:
    return np.asarray((np.arange(-(-windows // each)) + 0.5) * each, dtype=np.float64)


def _joined(
    values: NDArray[np.float64], each: int, how: Literal["mean", "low", "high"]
) -> NDArray[np.float64]:
    """Return mean, lowest or highest of so many neighbours; NaN where none is known."""
    if each == 1:
        return values
    padded = np.full(-(-values.size // each) * each, np.nan)
    padded[: values.size] = values
    blocks = padded.reshape(-1, each)
    finite = np.isfinite(blocks)
    some = finite.any(axis=1)
    if how == "mean":
        total = np.where(finite, blocks, 0.0).sum(axis=1)
        return np.where(some, total / np.maximum(finite.sum(axis=1), 1), np.nan)
    if how == "low":
        return np.where(some, np.where(finite, blocks, np.inf).min(axis=1), np.nan)
    return np.where(some, np.where(finite, blocks, -np.inf).max(axis=1), np.nan)


def _strip(history: History, name: str, old: Range | None) -> Strip:
    column = history.trends[name]
    each = _sharing(column.value.size)
    shown = np.isfinite(column.value)
    room = np.where(np.isfinite(column.sigma), column.sigma, 0.0)
    lowest, highest = column.value - room, column.value + room
    wanted = spread(np.concatenate([lowest[shown], highest[shown]]), below=0.5, above=99.5)
    withheld = np.unique(np.flatnonzero(~shown & (column.code > 0)) // each)
    fitted = history.trends.get(f"{name} fit")
    return Strip(
        name=name,
        unit=column.unit,
        places=_places(column.value.size, each),
        value=_joined(column.value, each, "mean"),
        low=_joined(lowest, each, "low"),
        high=_joined(highest, each, "high"),
        each=each,
        fit=None if fitted is None else _joined(fitted.value, each, "mean"),
        withheld=np.asarray((withheld + 0.5) * each, dtype=np.float64),
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
        places=_places(value.size, _sharing(value.size)),
        value=_joined(value, _sharing(value.size), "mean"),
        each=_sharing(value.size),
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
    if name in HELP or name.endswith(" fit"):
        return 4
    for rank, word in enumerate(("size", "conversion", "lattice")):
        if word in name:
            return rank
    return 3 if not name.endswith("position") else 2
