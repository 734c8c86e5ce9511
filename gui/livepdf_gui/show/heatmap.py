"""The map of all windows over time, binned to what a screen can show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.choice import MapKind
from livepdf_gui.show.columns import History
from livepdf_gui.show.ranges import Range

_COLUMNS = 1024
_ROWS = 420
_RELEVEL = 10
"""New columns after which the colour levels are looked at again."""
_LOWEST_R = 1.2
"""Å; what lies below is no distance between atoms and sets no colour scale."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapView:
    """An indexed image: 0 is absent, 1 to 255 run from the lower to the upper level."""

    kind: MapKind
    image: NDArray[np.uint8]
    """(rows, columns), row 0 at the lowest r or Q."""
    first_x: float
    width: float
    """In windows."""
    first_y: float
    height: float
    """Å or Å⁻¹."""
    levels: Range
    diverging: bool
    binning: int
    """Windows per column."""
    changed: int
    """Grows when the image was redrawn."""


class MapBuffer:
    """Keeps the binned map of one kind of curve; only what changed is computed anew."""

    def __init__(self, kind: MapKind) -> None:
        self.kind = kind
        self._run = ""
        self._grid = np.zeros(0)
        self._seen = np.zeros(0, dtype=np.int64)
        self._binning = 1
        """Windows per column."""
        self._points = 1
        """Points of the curve per row."""
        self._means = np.zeros((0, 0), dtype=np.float32)
        self._image = np.zeros((0, 0), dtype=np.uint8)
        self._levels: Range = (0.0, 0.0)
        self._changed = 0
        self._unlevelled = 0
        """Columns that came since the levels were last looked at."""

    def view(self, history: History | None) -> MapView | None:
        """Bring the map up to date with the history."""
        if history is None or not history.stamps.any():
            return None
        grid, rows = (history.r, history.gr) if self.kind == "gr" else (history.q, history.iq)
        self._fit(history, grid)
        touched = self._touched(history)
        if touched.size:
            self._bin(rows, history.stamps > 0, touched)
            self._quantise(touched)
            self._changed += 1
        step = float(grid[-1] - grid[0]) / max(grid.size - 1, 1)
        columns = (len(history) - 1) // self._binning + 1
        return MapView(
            kind=self.kind,
            image=self._image[:, :columns],
            first_x=0.0,
            width=float(columns * self._binning),
            first_y=float(grid[0]) - step / 2,
            height=float(self._means.shape[0] * self._points * step),
            levels=self._levels,
            diverging=self.kind == "gr",
            binning=self._binning,
            changed=self._changed,
        )

    def _fit(self, history: History, grid: NDArray[np.float64]) -> None:
        """Start anew where the run or the grid changed, or where windows must share columns."""
        new = (
            history.run != self._run
            or len(history) < self._seen.size
            or not np.array_equal(grid, self._grid)
        )
        if new:
            self._run, self._grid = history.run, grid
            self._points = -(-grid.size // _ROWS)
            self._binning, self._levels = 1, (0.0, 0.0)
        coarser = False
        while len(history) > _COLUMNS * self._binning:
            self._binning, coarser = 2 * self._binning, True
        if new or coarser:
            self._seen = np.zeros(0, dtype=np.int64)
            self._allocate(64)
        columns = (len(history) - 1) // self._binning + 1
        if columns > self._means.shape[1]:
            self._allocate(max(columns, 2 * self._means.shape[1]))

    def _allocate(self, columns: int) -> None:
        """Make room; what was there is kept unless all of it is to be averaged anew."""
        height = -(-self._grid.size // self._points)
        means = np.full((height, columns), np.nan, dtype=np.float32)
        image = np.zeros((height, columns), dtype=np.uint8)
        if self._seen.size:
            width = self._means.shape[1]
            means[:, :width], image[:, :width] = self._means, self._image
        self._means, self._image = means, image

    def _touched(self, history: History) -> NDArray[np.int64]:
        """Return the columns in which a window came or was replaced."""
        seen = np.zeros(len(history), dtype=np.int64)
        seen[: self._seen.size] = self._seen
        self._seen = history.stamps
        return np.unique(np.flatnonzero(seen != history.stamps) // self._binning)

    def _bin(
        self, rows: NDArray[np.float32], here: NDArray[np.bool_], columns: NDArray[np.int64]
    ) -> None:
        """Average the windows of each touched column, then neighbouring points."""
        for column in columns:
            part = slice(column * self._binning, (column + 1) * self._binning)
            block = rows[part][here[part]]
            if block.shape[0]:
                self._means[:, column] = _rows_of(_mean(block), self._points)

    def _quantise(self, columns: NDArray[np.int64]) -> None:
        self._unlevelled += columns.size
        if self._unlevelled >= _RELEVEL or self._levels == (0.0, 0.0):
            self._unlevelled = 0
            levels = self._wanted_levels()
            if _differ(levels, self._levels):
                self._levels = levels
                columns = np.arange(self._means.shape[1])
        low, high = self._levels
        means = self._means[:, columns]
        finite = np.isfinite(means)
        scaled = np.clip((np.where(finite, means, low) - low) / (high - low), 0.0, 1.0)
        self._image[:, columns] = np.where(finite, 1 + np.rint(scaled * 254), 0).astype(np.uint8)

    def _wanted_levels(self) -> Range:
        sample = self._means[:, :: max(1, self._means.shape[1] // 64)]
        if self.kind == "gr":
            low_rows = int(np.searchsorted(self._grid, _LOWEST_R)) // self._points
            sample = sample[low_rows:] if low_rows < sample.shape[0] else sample
        finite = sample[np.isfinite(sample)]
        if finite.size == 0:
            return (-1.0, 1.0) if self.kind == "gr" else (0.0, 1.0)
        if self.kind == "gr":
            top = float(np.percentile(np.abs(finite), 98.5)) or 1.0
            return -top, top
        low, high = np.percentile(finite, [0.5, 99.5])
        return float(low), float(high if high > low else low + 1.0)


def _mean(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average over axis 0 what is finite; NaN where nothing is."""
    finite = np.isfinite(block)
    number = finite.sum(axis=0)
    total = np.where(finite, block, 0.0).sum(axis=0, dtype=np.float32)
    mean = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _rows_of(curve: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    """Average neighbouring points; the last row may hold fewer of them."""
    padded = np.full(-(-curve.size // points) * points, np.nan, dtype=np.float32)
    padded[: curve.size] = curve
    return _mean(padded.reshape(-1, points).T)


def _differ(wanted: Range, kept: Range) -> bool:
    """Tell whether the levels moved enough to be worth another colour for everything."""
    span = kept[1] - kept[0]
    return span <= 0 or any(abs(w - k) > 0.12 * span for w, k in zip(wanted, kept, strict=True))
