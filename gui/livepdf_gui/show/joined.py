"""Trends of long runs with many windows to a point; only what changed is joined anew."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.model.overview import BLOCK, TrendColumn

MOST_POINTS = 1500
"""No more are drawn: a screen has no more."""

Floats = NDArray[np.float64]


def sharing(windows: int) -> int:
    """Return how many windows share a point, so that none is drawn finer than a screen."""
    each = 1
    while windows > MOST_POINTS * each:
        each *= 2
    return each


def places(windows: int, each: int) -> Floats:
    """Return the middles of the points on the time axis."""
    return np.asarray((np.arange(-(-windows // each)) + 0.5) * each, dtype=np.float64)


def joined(values: Floats, each: int, how: Literal["mean", "low", "high"]) -> Floats:
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


class JoinedTrend:
    """The points of one trend, as they were when it was last looked at."""

    def __init__(self) -> None:
        self.each = 0
        """Windows that share a point."""
        self.value, self.low, self.high = (np.zeros(0) for _ in range(3))
        """Mean, lowest value − σ, highest value + σ of each point, NaN where there is none."""
        self.withheld: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        """Whether any value of a point is withheld."""
        self._stamps: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def follow(self, column: TrendColumn) -> None:
        """Bring the points up to date."""
        windows, each = column.value.size, sharing(column.value.size)
        first, last = self._changed(column, each)
        self.each = each
        self._make_room(-(-windows // each))
        if first >= last:
            return
        rows = slice(first * each, min(last * each, windows))
        value = column.value[rows]
        shown = np.isfinite(value)
        room = np.where(np.isfinite(column.sigma[rows]), column.sigma[rows], 0.0)
        points = slice(first, last)
        self.value[points] = joined(value, each, "mean")
        self.low[points] = joined(value - room, each, "low")
        self.high[points] = joined(value + room, each, "high")
        withheld = np.where(~shown & (column.code[rows] > 0), 1.0, 0.0)
        self.withheld[points] = joined(withheld, each, "high") > 0

    def _changed(self, column: TrendColumn, each: int) -> tuple[int, int]:
        """Return the first point that changed and the one after the last."""
        points = -(-column.value.size // each)
        stamps, old = column.stamps, self._stamps
        self._stamps = np.zeros(0, dtype=np.int64) if stamps is None else stamps
        if stamps is None or each != self.each or stamps.size < old.size:
            return 0, points
        before = np.zeros(stamps.size, dtype=np.int64)
        before[: old.size] = old
        blocks = np.flatnonzero(before != stamps)
        if not blocks.size:
            return points, points
        last = -(-(int(blocks[-1]) + 1) * BLOCK // each)
        return int(blocks[0]) * BLOCK // each, min(last, points)

    def _make_room(self, points: int) -> None:
        """Copy what is kept: views of the last look stay as they were."""
        for name in ("value", "low", "high"):
            grown = np.full(points, np.nan)
            old = getattr(self, name)[:points]
            grown[: old.size] = old
            setattr(self, name, grown)
        withheld = np.zeros(points, dtype=np.bool_)
        withheld[: min(self.withheld.size, points)] = self.withheld[:points]
        self.withheld = withheld
