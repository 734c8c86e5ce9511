"""A plot in words and numbers: what to draw, decided before anything is drawn."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.shots_axis import Axis
from livepdf_gui.show.theme import Level

Array = NDArray[np.floating]
Style = Literal["line", "points", "joined"]
"""A curve, points alone, points with a line from one to the next."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One curve, or points with their errors; all in places of the axes, NaN leaves a gap."""

    name: str
    """In the legend; empty leaves it out."""
    x: Array
    y: Array
    low: Array | None = None
    """Lower end of the σ band or of the error bars."""
    high: Array | None = None
    colour: int = 0
    """Place among the colours of the theme."""
    style: Style = "line"
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A stretch of the x axis that means something, e.g. the interval of an onset."""

    low: float
    high: float
    words: str = ""
    level: Level = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line across the plot at one place of the x axis."""

    at: float
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """What one plot draws."""

    x_axis: Axis
    y_axis: Axis
    series: tuple[Series, ...]
    x_range: Range
    y_range: Range
    zones: tuple[Zone, ...] = ()
    rules: tuple[Rule, ...] = ()
    zero: bool = False
    """Whether there is a line at y = 0."""
    note: str = ""
    """Written above the plot, so that a picture of the panel still says so."""
    level: Level = "quiet"
    """How urgent the note is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """A panel of plots that share the x axis, with its words."""

    title: str
    lesson: str
    """The physics, in one sentence."""
    over: str = ""
    """What it accumulates over, or how it is to be read."""
    aside: str = ""
    empty: str = ""
    """Said in place of the plots where there is nothing to draw."""
    charts: tuple[Chart, ...] = field(default=())


def band(y: Array, sigma: Array) -> tuple[Array, Array]:
    """Return the edges of the ±1σ band; NaN where either is."""
    return y - sigma, y + sigma


def steps(edges: Array, values: Array) -> tuple[Array, Array]:
    """Return the outline of a histogram: (2n,) places and heights."""
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def y_range_of(
    series: tuple[Series, ...],
    *,
    before: Range | None = None,
    within: Range | None = None,
    zero: bool = False,
    below: float = 0.0,
    above: float = 100.0,
) -> Range:
    """Return a range that holds all series with their errors; it leans on the one before.

    Parameters
    ----------
    within
        Only what lies between two places of the x axis counts.
    zero
        Whether 0 belongs to it.
    below, above
        Percentiles: what is beyond them sets no range.
    """
    parts = [np.zeros(1)] if zero else []
    for one in series:
        inside = np.ones(one.x.shape, dtype=np.bool_)
        if within is not None:
            inside = (one.x >= within[0]) & (one.x <= within[1])
        for values in (one.y, one.low, one.high):
            if values is not None:
                parts.append(np.asarray(values, dtype=np.float64)[inside])
    wanted = spread(np.concatenate(parts), below=below, above=above) if parts else None
    if wanted is None:
        return (0.0, 1.0)
    # numbers of any size: a margin of the size of 1 would hide those of 1e-6
    low, high = wanted
    if high <= low:
        half = 0.1 * abs(high) or 1.0
        return low - half, high + half
    return sticky(before, wanted)


def readout(chart: Chart, place: float, *, digits: int = 4) -> str:
    """Tell the values under the cursor: of every named series the point that is nearest."""
    words = []
    for one in chart.series:
        known = np.isfinite(one.x)
        if not one.name or not known.any():
            continue
        i = int(np.flatnonzero(known)[np.abs(one.x[known] - place).argmin()])
        if not np.isfinite(one.y[i]):
            words.append(f"{one.name}: no value")
            continue
        value = chart.y_axis.value(float(one.y[i]))
        words.append(f"{one.name}: {value:.{digits}g}{_error_words(chart, one, i, value)}")
    return "   ".join(words)


def _error_words(chart: Chart, one: Series, i: int, value: float) -> str:
    if one.low is None or one.high is None or not np.isfinite(one.low[i] + one.high[i]):
        return ""
    low, high = (chart.y_axis.value(float(v)) for v in (one.low[i], one.high[i]))
    half = (high - low) / 2
    if abs((high + low) / 2 - value) <= 0.02 * half:
        return f" ± {half:.2g}"
    return f" ({low:.3g} to {high:.3g})"
