"""Curves of a run averaged to what a screen can show: memory that does not grow with the run."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 2048, 512
"""Most columns (windows side by side) and rows (points of a curve) that are kept."""

STAMPS = itertools.count(1)
"""Tell what changed. Of the whole process: one who joined anew must not take it for the old."""

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One kind of curve over the whole run, as it was at one moment."""

    grid: NDArray[np.float64]
    """(n,) of the curves themselves."""
    x: NDArray[np.float64]
    """(rows,) middle of the points that a row is the mean of, Å or Å⁻¹."""
    edges: tuple[float, float]
    """Where the first row begins and the last one ends."""
    each: int
    """Windows in a column: column c holds windows c·each to (c + 1)·each − 1."""
    means: NDArray[np.float32]
    """(columns, rows), NaN where nothing is. A view: a column may be newer than its stamp tells
    here, and is then told again by a newer stamp."""
    held: NDArray[np.int64]
    """(columns,) how many windows are in a column."""
    stamps: NDArray[np.int64]
    """(columns,) changes whenever the column does."""

    def row(self, number: int) -> NDArray[np.float32] | None:
        """Return the column that holds a window, None where there is none."""
        column = number // self.each
        if not 0 <= column < self.held.size or not self.held[column]:
            return None
        mean: NDArray[np.float32] = self.means[column]
        return mean


class _Sums:
    """Sum and number of what is finite, (columns, rows), and what each column holds."""

    def __init__(self, columns: int, rows: int) -> None:
        self.total = np.zeros((columns, rows), dtype=np.float32)
        self.count = np.zeros((columns, rows), dtype=np.int32)
        self.means = np.full((columns, rows), np.nan, dtype=np.float32)
        self.held = np.zeros(columns, dtype=np.int64)
        self.stamps = np.zeros(columns, dtype=np.int64)
        self.revision = np.zeros(columns, dtype=np.int64)

    def add(self, column: int, row: NDArray[np.float32]) -> None:
        finite = np.isfinite(row)
        self.total[column][finite] += row[finite]
        self.count[column] += finite
        self.divide(column)

    def divide(self, column: int | slice) -> None:
        count = self.count[column]
        np.divide(self.total[column], count, out=self.means[column], where=count > 0)

    def wider(self, columns: int) -> "_Sums":
        made, old = _Sums(columns, self.total.shape[1]), self.held.size
        made.total[:old], made.count[:old], made.held[:old] = self.total, self.count, self.held
        made.stamps[:old], made.revision[:old] = self.stamps, self.revision
        made.means[:old] = self.means
        return made

    def halved(self, stamp: int) -> "_Sums":
        made, half = _Sums(self.held.size, self.total.shape[1]), self.held.size // 2
        made.total[:half] = self.total[0::2] + self.total[1::2]
        made.count[:half] = self.count[0::2] + self.count[1::2]
        made.held[:half] = self.held[0::2] + self.held[1::2]
        made.revision[:half] = np.maximum(self.revision[0::2], self.revision[1::2])
        made.stamps[:] = stamp
        made.divide(slice(0, half))
        return made


@dataclass(slots=True, eq=False)
class _Fresh:
    """A column by a newer revision, until all of its windows are there."""

    revision: int
    numbers: set[int]
    sums: _Sums

    def add(self, number: int, row: NDArray[np.float32]) -> None:
        if number not in self.numbers:
            self.numbers.add(number)
            self.sums.add(0, row)


class Pyramid:
    """Grows window by window; where they outnumber the columns, neighbours share one.

    A window that comes again, by a newer revision, replaces what was there once all others of
    its column have come again too. Written by one thread.
    """

    def __init__(self, x: NDArray[np.float64], *, columns: int = COLUMNS, rows: int = ROWS) -> None:
        if columns < 64 or columns % 2:
            raise ValueError(f"{columns} columns, wanted an even number of 64 or more")
        self.grid = x
        """(n,) of the curves that are put in."""
        self.each = 1
        self._most = columns
        self._points = max(1, -(-x.size // rows))
        starts = np.arange(0, x.size, self._points)
        self._x = np.add.reduceat(x, starts) / np.diff(np.append(starts, x.size))
        self._seen = np.zeros(64, dtype=np.bool_)
        self._sums = _Sums(64, self._x.size)
        self._fresh: dict[int, _Fresh] = {}
        self._columns = 0
        self._stamp = 0

    def put(self, number: int, y: Floats, *, revision: int) -> None:
        """Take the curve of one window, (n,) on the grid; NaN where there is nothing."""
        row = thinned(y, self._points)
        self._make_room(number)
        column = number // self.each
        self._stamp = next(STAMPS)
        sums = self._sums
        if self._seen[number]:
            self._renew(column, number, row, revision)
            return
        self._seen[number] = True
        sums.add(column, row)
        sums.held[column] += 1
        sums.stamps[column] = self._stamp
        if column in self._fresh or 0 < sums.revision[column] < revision:
            self._renew(column, number, row, revision)
        else:
            sums.revision[column] = revision

    def freeze(self) -> Layer:
        """Return what is here now."""
        n, sums = self._columns, self._sums
        return Layer(
            grid=self.grid,
            x=self._x,
            edges=_edges(self.grid, self._points),
            each=self.each,
            means=sums.means[:n],
            held=sums.held[:n].copy(),
            stamps=sums.stamps[:n].copy(),
        )

    def absorb(
        self,
        *,
        means: NDArray[np.float32],
        held: NDArray[np.int64],
        each: int,
        seen: NDArray[np.bool_],
        revision: int,
    ) -> None:
        """Begin with what another pyramid of the same grid froze.

        Parameters
        ----------
        means : (columns, rows) float32
        held : (columns,) int64
        each : int
            Windows in a column.
        seen : (windows,) bool
            Which windows are in it.
        """
        columns = held.size
        if means.shape != (columns, self._x.size) or columns > self._most:
            raise ValueError(f"means of {means.shape} for {columns} columns of {self._x.size}")
        self.each, self._columns = each, columns
        self._seen = np.zeros(max(64, seen.size), dtype=np.bool_)
        self._seen[: seen.size] = seen
        sums = _Sums(max(64, columns), self._x.size)
        finite = np.isfinite(means)
        sums.count[:columns] = np.where(finite, held[:, None], 0)
        sums.total[:columns] = np.where(finite, means, 0.0) * sums.count[:columns]
        sums.held[:columns], sums.revision[:columns] = held, revision
        sums.means[:columns] = means
        self._stamp = next(STAMPS)
        sums.stamps[:columns] = self._stamp
        self._sums = sums
        self._fresh.clear()

    def on(self, x: NDArray[np.float64]) -> "Pyramid":
        """Return the same on another grid: interpolated, NaN beyond its ends."""
        moved, old = Pyramid(x, columns=self._most), self.freeze()
        means = np.full((old.held.size, moved._x.size), np.nan, dtype=np.float32)
        for row, before in zip(means, old.means, strict=True):
            row[:] = np.interp(moved._x, old.x, before, left=np.nan, right=np.nan)
        newest = int(self._sums.revision.max(initial=0))
        moved.absorb(means=means, held=old.held, each=old.each, seen=self._seen, revision=newest)
        return moved

    def _make_room(self, number: int) -> None:
        while number >= self._most * self.each:
            self._halve()
        while number >= self._seen.size:
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])
        column = number // self.each
        while column >= self._sums.held.size:
            self._sums = self._sums.wider(min(2 * self._sums.held.size, self._most))
        self._columns = max(self._columns, column + 1)

    def _renew(self, column: int, number: int, row: NDArray[np.float32], revision: int) -> None:
        fresh, sums = self._fresh.get(column), self._sums
        if fresh is None or fresh.revision < revision:
            fresh = self._fresh[column] = _Fresh(revision, set(), _Sums(1, row.size))
        elif fresh.revision > revision:
            return
        fresh.add(number, row)
        if len(fresh.numbers) >= sums.held[column]:
            sums.total[column], sums.count[column] = fresh.sums.total[0], fresh.sums.count[0]
            sums.means[column] = np.nan
            sums.divide(column)
            sums.revision[column], sums.stamps[column] = revision, self._stamp
            del self._fresh[column]

    def _halve(self) -> None:
        """Let neighbouring columns share one, and what is half renewed with them."""
        if self._sums.held.size % 2:
            self._sums = self._sums.wider(self._sums.held.size + 1)
        pairs = sorted({column // 2 for column in self._fresh})
        joined = {pair: self._joined(pair) for pair in pairs}
        self._stamp = next(STAMPS)
        self._sums = self._sums.halved(self._stamp)
        self.each, self._columns = 2 * self.each, -(-self._columns // 2)
        self._fresh = joined

    def _joined(self, pair: int) -> _Fresh:
        """Return what is renewed of two neighbours; one that is done counts whole."""
        revision = max(f.revision for c in (2 * pair, 2 * pair + 1) if (f := self._fresh.get(c)))
        both = _Fresh(revision, set(), _Sums(1, self._x.size))
        for column in (2 * pair, 2 * pair + 1):
            part = self._fresh.get(column)
            if part is not None and part.revision == revision:
                both.numbers |= part.numbers
                both.sums.total += part.sums.total
                both.sums.count += part.sums.count
            elif part is None and self._sums.revision[column] == revision:
                first = column * self.each
                here = np.flatnonzero(self._seen[first : first + self.each]) + first
                both.numbers |= {int(number) for number in here}
                both.sums.total += self._sums.total[column]
                both.sums.count += self._sums.count[column]
        return both


def thinned(y: Floats, points: int) -> NDArray[np.float32]:
    """Return the means of so many neighbouring points each, NaN where none is finite."""
    if points == 1:
        return y.astype(np.float32)
    padded = np.full(-(-y.size // points) * points, np.nan, dtype=np.float32)
    padded[: y.size] = y
    blocks = padded.reshape(-1, points)
    finite = np.isfinite(blocks)
    number = finite.sum(axis=1)
    total = np.where(finite, blocks, np.float32(0.0)).sum(axis=1, dtype=np.float32)
    mean = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _edges(grid: NDArray[np.float64], points: int) -> tuple[float, float]:
    step = float(grid[-1] - grid[0]) / max(grid.size - 1, 1)
    rows = -(-grid.size // points)
    first = float(grid[0]) - step / 2
    return first, first + rows * points * step
