"""The history of a run as columns: grown by the thread that follows, read as views by the rest."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Span, Trend
from livepdf.wire.mirror import Environment, Mirror, RunWindows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrendColumn:
    """One trend over all windows."""

    unit: str
    value: NDArray[np.float64]
    """(windows,) NaN where withheld or absent."""
    sigma: NDArray[np.float64]
    """(windows,)"""
    code: NDArray[np.int16]
    """(windows,) place of the reason in ``reasons``; 0 is none."""
    reasons: tuple[str, ...]

    def reason(self, number: int) -> str:
        """Return why the value of that window is withheld, empty where it is not."""
        return self.reasons[int(self.code[number])]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """All windows of a run as they were at one moment; window number = row."""

    run: str
    q: NDArray[np.float64]
    r: NDArray[np.float64]
    iq: NDArray[np.float32]
    """(windows, n_q)"""
    gr: NDArray[np.float32]
    """(windows, n_r)"""
    spans: tuple[Span | None, ...]
    start: NDArray[np.float64]
    """(windows,) Unix seconds, NaN where the window is not here."""
    end: NDArray[np.float64]
    """(windows,)"""
    stamps: NDArray[np.int64]
    """(windows,) changes whenever the window is written; 0 where it is not here."""
    trends: dict[str, TrendColumn]
    environment: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.spans)


_Number = TypeVar("_Number", np.float64, np.int64, np.int16)


class _Column(Generic[_Number]):
    """An array that doubles when it is full; older views stay as they were."""

    def __init__(self, fill: float, dtype: type[_Number]) -> None:
        self._fill = fill
        self._data: NDArray[_Number] = np.full(64, fill, dtype=dtype)

    def set(self, row: int, value: float) -> None:
        while row >= self._data.size:
            self._data = np.concatenate([self._data, np.full_like(self._data, self._fill)])
        self._data[row] = value

    def view(self, rows: int) -> NDArray[_Number]:
        while rows > self._data.size:
            self._data = np.concatenate([self._data, np.full_like(self._data, self._fill)])
        return self._data[:rows]


class _TrendColumns:
    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.reasons = {"": 0}
        self.value = _Column(np.nan, np.float64)
        self.sigma = _Column(np.nan, np.float64)
        self.code = _Column(0, np.int16)

    def set(self, row: int, trend: Trend) -> None:
        self.value.set(row, trend.value)
        self.sigma.set(row, trend.sigma)
        self.code.set(row, self.reasons.setdefault(trend.reason, len(self.reasons)))

    def view(self, rows: int) -> TrendColumn:
        return TrendColumn(
            unit=self.unit,
            value=self.value.view(rows),
            sigma=self.sigma.view(rows),
            code=self.code.view(rows),
            reasons=tuple(self.reasons),
        )


def _absent(name: str, unit: str) -> Trend:
    return Trend(name=name, unit=unit, value=np.nan, sigma=np.nan)


class RecordedWindows(RunWindows):
    """The windows of a run, kept as columns too, so that no redraw walks over the whole run."""

    def __init__(self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]) -> None:
        super().__init__(run, q=q, r=r)
        self._stamp = 0
        self._stamps = _Column(0, np.int64)
        self._start = _Column(np.nan, np.float64)
        self._end = _Column(np.nan, np.float64)
        self._columns: dict[str, _TrendColumns] = {}
        self._slow: dict[str, _Column[np.float64]] = {}

    def put(
        self,
        span: Span,
        *,
        iq: NDArray[np.floating],
        gr: NDArray[np.floating],
        trends: tuple[Trend, ...],
        environment: Environment,
    ) -> None:
        """Keep one window; the same window again replaces the older."""
        super().put(span, iq=iq, gr=gr, trends=trends, environment=environment)
        row = span.number
        self._stamp += 1
        self._stamps.set(row, self._stamp)
        self._start.set(row, span.start)
        self._end.set(row, span.end)
        gone = self._columns.keys() - {trend.name for trend in trends}
        for name in gone:
            # A newer revision follows other values: what an older one found holds no more.
            unit = self._columns[name].unit
            self._columns[name].set(row, _absent(name, unit))
        for trend in trends:
            self._columns.setdefault(trend.name, _TrendColumns(trend.unit)).set(row, trend)
        for name, value in environment:
            self._slow.setdefault(name, _Column(np.nan, np.float64)).set(row, value)

    def freeze(self) -> History:
        """Return what is here now; only the stamps are copied, the curves are views."""
        rows = len(self)
        return History(
            run=self.run,
            q=self.q,
            r=self.r,
            iq=self.iq,
            gr=self.gr,
            spans=tuple(self.spans),
            start=self._start.view(rows),
            end=self._end.view(rows),
            stamps=self._stamps.view(rows).copy(),
            trends={name: column.view(rows) for name, column in self._columns.items()},
            environment={name: column.view(rows) for name, column in self._slow.items()},
        )


class RecordingMirror(Mirror):
    """A mirror whose windows are recorded as columns."""

    def make_windows(
        self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]
    ) -> RunWindows:
        """Return the empty windows of a new run."""
        return RecordedWindows(run, q=q, r=r)
