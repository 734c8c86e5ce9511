"""A map of differences over delay, fluence or shot number, centred on zero; unknown is grey."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.heatmap import coloured
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.shots_axis import Axis

_COLUMNS, _ROWS = 900, 500
"""Pixels of the image at most: a screen shows no more."""
_LEAST_SURE = 3.0
"""σ at which the colours of a map in σ end at least: noise alone stays pale."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What a map is made of."""

    x: NDArray[np.float64]
    """(n,) Å⁻¹ or Å, equidistant."""
    value: NDArray[np.float32]
    """(n_bins, n), NaN where there is nothing."""
    sigma: NDArray[np.float32]
    """(n_bins, n)"""
    edges: NDArray[np.float64]
    """(n_bins + 1,) limits of the bins, in the unit of the axis."""
    reasons: tuple[str, ...]
    """(n_bins,) why a bin is blank; empty where it is shown."""
    lowest: float
    """Below this in x, nothing sets the colours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShotsMap:
    """An indexed image, 0 is absent, and what to write around it."""

    title: str
    lesson: str
    over: str
    aside: str
    empty: str
    axis: Axis
    y_label: str
    symbol: str
    unit: str
    in_sigma: bool
    image: NDArray[np.uint8]
    """(rows, columns), row 0 at the lowest x."""
    bounds: Range
    """Places of the first and the last edge."""
    heights: Range
    levels: Range
    measured: Measured | None
    chosen: float | None = None
    """Place of the bin that the other panels show."""

    def at(self, place: float, height: float) -> tuple[int, int] | None:
        """Return bin and point under the cursor, None outside."""
        found = self.measured
        if found is None or not self.bounds[0] <= place < self.bounds[1]:
            return None
        placed = self.axis.place(found.edges)
        number = int(np.searchsorted(placed, place, side="right")) - 1
        return number, int(np.abs(found.x - height).argmin())


def image_of(
    found: Measured, axis: Axis, *, in_sigma: bool, before: ShotsMap | None
) -> tuple[NDArray[np.uint8], Range, Range, Range]:
    """Colour a map, centred on zero; bins with a reason are absent.

    Returns
    -------
    image : (rows, columns) uint8
    bounds, heights : places and x of its edges
    levels : values of the first and the last colour
    """
    shown = np.array([not reason for reason in found.reasons], dtype=np.bool_)
    values = np.where(shown[:, None], found.value, np.nan).astype(np.float64)
    if in_sigma:
        known = found.sigma > 0
        values = np.divide(values, found.sigma, out=np.full(values.shape, np.nan), where=known)
    rows, x = coarser(values, found.x)
    wanted = _levels(values[:, found.x >= found.lowest], in_sigma=in_sigma)
    levels = wanted
    if before is not None and before.in_sigma == in_sigma and before.symbol:
        kept = before.levels
        if kept[1] > 0 and abs(wanted[1] - kept[1]) < 0.12 * kept[1]:
            levels = kept
    placed = axis.place(found.edges)
    bounds = (float(placed[0]), float(placed[-1]))
    step = float(x[1] - x[0]) if x.size > 1 else 1.0
    heights = (float(x[0]) - step / 2, float(x[-1]) + step / 2)
    image = np.ascontiguousarray(coloured(rows[_column_bins(placed)], levels).T)
    return image, bounds, heights, levels


def coarser(
    values: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average neighbouring points until a screen has room for them; NaN only where all are."""
    each = -(-x.size // _ROWS)
    if each <= 1:
        return values, x
    count = x.size // each
    cut = values[:, : count * each].reshape(values.shape[0], count, each)
    known = np.isfinite(cut)
    total, here = np.where(known, cut, 0.0).sum(axis=2), known.sum(axis=2)
    mean = np.divide(total, here, out=np.full(total.shape, np.nan), where=here > 0)
    return mean, x[: count * each].reshape(count, each).mean(axis=1)


def reading(view: ShotsMap, where: str, height: str, number: int, point: int) -> str:
    """Tell what is under the cursor; a blank bin tells why it is blank."""
    found = view.measured
    if found is None:
        return ""
    if found.reasons[number]:
        return f"{where}   blank: {found.reasons[number]}"
    value, sigma = float(found.value[number, point]), float(found.sigma[number, point])
    if not np.isfinite(value):
        return f"{where}   {height}   no pixel"
    known = np.isfinite(sigma) and sigma > 0
    spread = f" ± {sigma:.2g} {view.unit} ({value / sigma:+.1f} σ)" if known else f" {view.unit}"
    return f"{where}   {height}   {view.symbol} = {value:.3g}{spread}"


def blank_words(reasons: Sequence[str]) -> str:
    """Say how many bins are blank, and why most of them are; empty where none is."""
    blank = [reason for reason in reasons if reason]
    if not blank:
        return ""
    most = max(set(blank), key=blank.count)
    return f"{len(blank)} of {len(reasons)} bins blank: {most}"


def _column_bins(placed: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bin of each column; one column a bin where they are equally wide."""
    widths = np.diff(placed)
    if np.ptp(widths) <= 1e-6 * widths.max():
        return np.arange(widths.size)
    middles = placed[0] + (np.arange(_COLUMNS) + 0.5) * (placed[-1] - placed[0]) / _COLUMNS
    bins = np.searchsorted(placed, middles, side="right") - 1
    return np.asarray(np.clip(bins, 0, widths.size - 1))


def _levels(values: NDArray[np.float64], *, in_sigma: bool) -> Range:
    finite = np.abs(values[np.isfinite(values)])
    top = float(np.percentile(finite, 98.5)) if finite.size else 1.0
    top = max(top, _LEAST_SURE) if in_sigma else top or 1.0
    return -top, top
