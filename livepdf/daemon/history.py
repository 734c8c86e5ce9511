"""The windows of the present run, kept for viewers that come late."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.pins import Pin, with_pin
from livepdf.model.curve import Curve, CurveKind, Result, Span, Trend
from livepdf.model.overview import LAYERS, Overview, RunColumns

_BOOKKEEPING = 4096
"""Bytes reckoned for a window beside its curves."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Consecutive windows with two of their curves stacked."""

    run: str
    spans: tuple[Span, ...]
    trends: tuple[tuple[Trend, ...], ...]
    environment: tuple[tuple[tuple[str, float], ...], ...]
    flags: tuple[tuple[str, ...], ...]
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    iq: NDArray[np.float32]
    """(windows, n_q)"""
    r: NDArray[np.float64]
    """(n_r,) Å"""
    gr: NDArray[np.float32]
    """(windows, n_r)"""
    complete: bool
    """Whether these reach the newest window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """One kind of curve of consecutive windows."""

    first: int
    """Number of the first."""
    x: NDArray[np.float64]
    """(n,) Å or Å⁻¹"""
    y: NDArray[np.float32]
    """(windows, n)"""


class History:
    """Keeps windows up to a number of bytes, in float32; the oldest go first."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._run = ""
        self._windows: deque[tuple[Result, int]] = deque()
        self._bytes = 0
        self._columns = RunColumns("")
        self.whole: Result | None = None
        """The run so far as one curve set; whoever makes it puts it here."""

    @property
    def run(self) -> str:
        """Name of the run whose windows these are."""
        return self._run

    def begin(self, run: str) -> None:
        """Forget the windows of the run before."""
        with self._lock:
            self._run = run
            self._windows.clear()
            self._bytes = 0
            self._columns = RunColumns(run)

    def add(self, result: Result) -> None:
        """Keep a window of the present run."""
        light, size = _light(result)
        with self._lock:
            self._windows.append((light, size))
            self._bytes += size
            self._shrink()
            self._note(light)

    def replace(self, results: Iterable[Result]) -> None:
        """Let newer results take the place of those of the same windows.

        What is not kept any more, or has a newer revision already, stays as it is.
        """
        light = [_light(result) for result in results]
        with self._lock:
            if not self._windows:
                return
            first = self._windows[0][0].span.number
            for result, _ in light:
                if result.span.run == self._run:
                    self._note(result)
            for result, size in light:
                place = result.span.number - first
                if result.span.run != self._run or not 0 <= place < len(self._windows):
                    continue
                old, old_size = self._windows[place]
                if old.span.revision <= result.span.revision:
                    self._windows[place] = (result, size)
                    self._bytes += size - old_size
            self._shrink()

    def overview(self, run: str) -> Overview | None:
        """Return the whole run at the resolution of a screen, None for another run."""
        with self._lock:
            if run != self._run or not len(self._columns):
                return None
            # it is packed and sent while windows come in
            return self._columns.freeze().copy()

    def rows(self, run: str, kind: CurveKind, *, first: int, limit: int) -> Rows | None:
        """Return one kind of curve of consecutive windows that are kept, from ``first`` on.

        None where the run is another, none of these is kept, or they have no such curve.
        """
        with self._lock:
            if run != self._run or not self._windows:
                return None
            start = max(0, first - self._windows[0][0].span.number)
            stop = min(start + limit, len(self._windows))
            chosen = [self._windows[place][0] for place in range(start, stop)]
            oldest = self._windows[0][0].span.number
        curves = [next((c for c in r.curves if c.kind == kind), None) for r in chosen]
        grid = next((curve.x for curve in reversed(curves) if curve is not None), None)
        if grid is None:
            return None
        y = np.full((len(curves), grid.size), np.nan, dtype=np.float32)
        for row, curve in zip(y, curves, strict=True):
            if curve is not None:
                row[:] = _onto(grid, curve)
        return Rows(first=oldest + start, x=grid, y=y)

    def compare(self, pin: Pin | None) -> None:
        """Compare all windows with another reference, or with none."""
        with self._lock:
            run, kept = self._run, [result for result, _ in self._windows]
        for result in kept:
            if result.span.run == run:
                curves = with_pin(result.span, result.curves, pin)
                self.replace([replace(result, curves=curves)])

    def first_after(self, frame: int) -> int:
        """Return the number of the first window with later frames only; -1 for none."""
        with self._lock:
            numbers = (r.span.number for r, _ in self._windows if r.span.first > frame)
            return next(numbers, -1)

    def newest(self) -> Result | None:
        """Return the newest window, None before the first."""
        with self._lock:
            return self._windows[-1][0] if self._windows else None

    def _shrink(self) -> None:
        while self._bytes > self.limit and len(self._windows) > 1:
            self._bytes -= self._windows.popleft()[1]

    def ends(self) -> tuple[int, int]:
        """Return the numbers of the oldest and the newest window, −1 and −1 without any."""
        with self._lock:
            if not self._windows:
                return -1, -1
            return self._windows[0][0].span.number, self._windows[-1][0].span.number

    def window(self, run: str, number: int) -> Result | None:
        """Return one window whole, None where it is not kept."""
        with self._lock:
            if run != self._run or not self._windows:
                return None
            place = number - self._windows[0][0].span.number
            return self._windows[place][0] if 0 <= place < len(self._windows) else None

    def stack(self, run: str, *, first: int, limit: int, largest: int) -> Stack | None:
        """Return windows from ``first`` on, at most ``limit`` of them and ``largest`` bytes.

        None for another run or where no window is kept.
        """
        with self._lock:
            if run != self._run or not self._windows:
                return None
            start = max(0, first - self._windows[0][0].span.number)
            newest = self._windows[-1][0]
            chosen: list[Result] = []
            size = 0
            for place in range(start, min(start + limit, len(self._windows))):
                result, _ = self._windows[place]
                size += 4 * (newest.curve("iq").y.size + newest.curve("gr").y.size)
                if chosen and size > largest:
                    break
                chosen.append(result)
            complete = start + len(chosen) >= len(self._windows)
        return _stacked(run, chosen, newest, complete=complete)

    def _note(self, result: Result) -> None:
        columns = self._columns
        columns.put(result.span, trends=result.trends, environment=result.environment)
        columns.flag(result.span.number, result.flags)
        for curve in result.curves:
            if curve.kind in LAYERS:
                columns.put_curve(result.span.number, curve, revision=result.span.revision)


def _onto(grid: NDArray[np.float64], curve: Curve) -> NDArray[np.floating]:
    if curve.x is grid or np.array_equal(curve.x, grid):
        return curve.y
    return np.interp(grid, curve.x, curve.y, left=np.nan, right=np.nan)


def _stacked(run: str, chosen: list[Result], newest: Result, *, complete: bool) -> Stack:
    return Stack(
        run=run,
        spans=tuple(result.span for result in chosen),
        trends=tuple(result.trends for result in chosen),
        environment=tuple(result.environment for result in chosen),
        flags=tuple(result.flags for result in chosen),
        q=newest.curve("iq").x,
        iq=_rows(chosen, "iq", newest),
        r=newest.curve("gr").x,
        gr=_rows(chosen, "gr", newest),
        complete=complete,
    )


def _light(result: Result) -> tuple[Result, int]:
    light = replace(result, curves=tuple(_single(curve) for curve in result.curves))
    return light, _BOOKKEEPING + sum(c.y.nbytes + c.sigma.nbytes for c in light.curves)


def _rows(chosen: list[Result], kind: CurveKind, newest: Result) -> NDArray[np.float32]:
    grid = newest.curve(kind).x
    rows = np.empty((len(chosen), grid.size), dtype=np.float32)
    for row, result in zip(rows, chosen, strict=True):
        row[:] = _onto(grid, result.curve(kind))
    return rows


def _single(curve: Curve) -> Curve:
    # The arrays are the same for readers: only their precision is given up.
    return Curve(
        kind=curve.kind,
        x=curve.x,
        y=curve.y.astype(np.float32),
        sigma=curve.sigma.astype(np.float32),
    )
