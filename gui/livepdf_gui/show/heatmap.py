"""The map of all windows over time, in 255 colours; only what changed is coloured anew."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.pyramid import Layer
from livepdf_gui.show.choice import MapKind
from livepdf_gui.show.columns import History
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.state import MapDetail

_RELEVEL = 10
"""New columns after which the colour levels are looked at again."""
_LOWEST_R = 1.2
"""Å; what lies below is no distance between atoms and sets no colour scale."""
_DIVERGING = ("gr", "dgr", "fq")
FINEST = 600
"""Windows in view up to which every one of them is shown by itself, point by point."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detail:
    """A part of the map at full resolution, in the same colours."""

    image: NDArray[np.uint8]
    """(points, windows)"""
    first: int
    """Number of the first window."""
    first_y: float
    height: float
    x: NDArray[np.float64]
    values: NDArray[np.float32]
    """(windows, points)"""
    key: tuple[object, ...]


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
    layer: Layer
    reference: NDArray[np.float32] | None
    """(rows,) subtracted from every column."""
    detail: Detail | None

    def value(self, number: int, height: float) -> tuple[float, float, bool] | None:
        """Return place and value at a window and r or Q, and whether that is the window's own."""
        close = self.detail
        if close is not None and 0 <= number - close.first < close.values.shape[0]:
            i = int(np.abs(close.x - height).argmin())
            return float(close.x[i]), float(close.values[number - close.first, i]), True
        row = self.layer.row(number)
        if row is None or not self.layer.edges[0] <= height <= self.layer.edges[1]:
            return None
        i = int(np.abs(self.layer.x - height).argmin())
        less = 0.0 if self.reference is None else float(self.reference[i])
        return float(self.layer.x[i]), float(row[i]) - less, self.binning == 1


class MapBuffer:
    """Keeps the coloured map of one kind of curve."""

    def __init__(self, kind: MapKind) -> None:
        self.kind = kind
        self._of: tuple[object, ...] = ()
        self._reference: NDArray[np.float32] | None = None
        self._seen = np.zeros(0, dtype=np.int64)
        self._image = np.zeros((0, 0), dtype=np.uint8)
        self._levels: Range = (0.0, 0.0)
        self._changed = 0
        self._unlevelled = 0
        """Columns that came since the levels were last looked at."""
        self._detail: tuple[tuple[object, ...], Detail | None] = ((), None)

    def view(
        self,
        history: History | None,
        *,
        reference: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
        detail: MapDetail | None = None,
    ) -> MapView | None:
        """Bring the map up to date with the history.

        Parameters
        ----------
        reference : x and y of a curve, optional
            What ΔG is the difference to; without it there is no map of ΔG.
        """
        layer = None if history is None else history.layers.get(_source(self.kind))
        if history is None or layer is None or not layer.held.any():
            return None
        if self.kind == "dgr" and reference is None:
            return None
        columns = self._touched(history, layer, reference)
        if columns.size:
            self._quantise(layer, columns)
            self._changed += 1
        low, high = layer.edges
        return MapView(
            kind=self.kind,
            image=self._image[:, : layer.held.size],
            first_x=0.0,
            width=float(layer.held.size * layer.each),
            first_y=low,
            height=high - low,
            levels=self._levels,
            diverging=self.kind in _DIVERGING,
            binning=layer.each,
            changed=self._changed,
            layer=layer,
            reference=self._reference,
            detail=self._close(history.run, detail, reference),
        )

    def _touched(
        self,
        history: History,
        layer: Layer,
        reference: tuple[NDArray[np.floating], NDArray[np.floating]] | None,
    ) -> NDArray[np.int64]:
        """Return the columns that changed; all of them where the run, grid or reference did."""
        compared = reference if self.kind == "dgr" else None
        of = (history.run, layer.x.tobytes(), _mark(compared))
        if of != self._of:
            self._of, self._levels = of, (0.0, 0.0)
            self._seen = np.zeros(0, dtype=np.int64)
            self._reference = _onto(layer.x, compared)
            self._image = np.zeros((layer.x.size, 0), dtype=np.uint8)
        count = layer.held.size
        if count > self._image.shape[1]:
            wider = np.zeros((layer.x.size, max(count, 2 * self._image.shape[1])), dtype=np.uint8)
            wider[:, : self._image.shape[1]] = self._image
            self._image = wider
        seen = np.zeros(count, dtype=np.int64)
        kept = min(count, self._seen.size)
        seen[:kept] = self._seen[:kept]
        self._seen = layer.stamps
        return np.flatnonzero(seen != layer.stamps)

    def _quantise(self, layer: Layer, columns: NDArray[np.int64]) -> None:
        self._unlevelled += columns.size
        if self._unlevelled >= _RELEVEL or self._levels == (0.0, 0.0):
            self._unlevelled = 0
            levels = self._wanted_levels(layer)
            if _differ(levels, self._levels):
                self._levels = levels
                columns = np.arange(layer.held.size)
        means = layer.means[columns]
        if self._reference is not None:
            means = means - self._reference
        self._image[:, columns] = coloured(means, self._levels).T

    def _wanted_levels(self, layer: Layer) -> Range:
        sample = layer.means[:: max(1, layer.held.size // 64)]
        if self._reference is not None:
            sample = sample - self._reference
        if self.kind in ("gr", "dgr"):
            low_rows = int(np.searchsorted(layer.x, _LOWEST_R))
            sample = sample[:, low_rows:] if low_rows < sample.shape[1] else sample
        finite = sample[np.isfinite(sample)]
        if finite.size == 0:
            return (-1.0, 1.0) if self.kind in _DIVERGING else (0.0, 1.0)
        if self.kind in _DIVERGING:
            top = float(np.percentile(np.abs(finite), 98.5)) or 1.0
            return -top, top
        low, high = np.percentile(finite, [0.5, 99.5])
        return float(low), float(high if high > low else low + 1.0)

    def _close(
        self,
        run: str,
        detail: MapDetail | None,
        reference: tuple[NDArray[np.floating], NDArray[np.floating]] | None,
    ) -> Detail | None:
        if detail is None or detail.run != run or detail.kind != _source(self.kind):
            return None
        key = (id(detail), self._levels, _mark(reference) if self.kind == "dgr" else b"")
        if key == self._detail[0]:
            return self._detail[1]
        values = detail.y
        less = _onto(detail.x, reference) if self.kind == "dgr" else None
        if less is not None:
            values = values - less
        step = float(detail.x[-1] - detail.x[0]) / max(detail.x.size - 1, 1)
        close = Detail(
            image=np.ascontiguousarray(coloured(values, self._levels).T),
            first=detail.first,
            first_y=float(detail.x[0]) - step / 2,
            height=step * detail.x.size,
            x=detail.x,
            values=values,
            key=key,
        )
        self._detail = (key, close)
        return close


def wanted_detail(view: MapView | None, low: float, high: float) -> tuple[int, int] | None:
    """Return first window and how many to fetch for a zoomed view, None where nothing is gained."""
    if view is None or high - low > FINEST:
        return None
    finer = view.binning > 1 or view.layer.grid.size > view.layer.x.size
    first = max(int(low), 0)
    count = min(int(np.ceil(high)), int(view.width)) - first
    if not finer or count < 1:
        return None
    close = view.detail
    if close is not None:
        last = close.first + close.values.shape[0]
        if close.first <= first and first + count <= last:
            return None
    return first, count


def coloured(values: NDArray[np.floating], levels: Range) -> NDArray[np.uint8]:
    """Return 1 to 255 between two levels, 0 where there is no value."""
    low, high = levels
    finite = np.isfinite(values)
    scaled = np.clip((np.where(finite, values, low) - low) / (high - low), 0.0, 1.0)
    return np.where(finite, 1 + np.rint(scaled * 254), 0).astype(np.uint8)


def _source(kind: MapKind) -> MapKind:
    return "gr" if kind == "dgr" else kind


def _mark(reference: tuple[NDArray[np.floating], NDArray[np.floating]] | None) -> bytes:
    """Return what tells one reference from another; the last digits may differ."""
    return b"" if reference is None else np.round(reference[1], 5).tobytes()


def _onto(
    x: NDArray[np.float64], reference: tuple[NDArray[np.floating], NDArray[np.floating]] | None
) -> NDArray[np.float32] | None:
    if reference is None:
        return None
    moved = np.interp(x, *reference, left=np.nan, right=np.nan)
    return np.asarray(moved, dtype=np.float32)


def _differ(wanted: Range, kept: Range) -> bool:
    """Tell whether the levels moved enough to be worth another colour for everything."""
    span = kept[1] - kept[0]
    return span <= 0 or any(abs(w - k) > 0.12 * span for w, k in zip(wanted, kept, strict=True))
