"""A whole run in columns: what every window gave, with its curves averaged to fit a screen."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve, CurveKind, Span, Trend
from livepdf.model.pyramid import STAMPS, Layer, Pyramid

Environment = tuple[tuple[str, float], ...]
LAYERS: tuple[CurveKind, ...] = ("iq", "fq", "gr")
"""Kinds of curves that are kept over the whole run."""
BLOCK = 64
"""Windows of a trend that share a stamp."""
_SPAN = ("start", "end", "first", "last", "frames", "revision")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrendColumn:
    """One trend over all windows."""

    unit: str
    value: NDArray[np.float64]
    """(windows,) NaN where withheld or absent."""
    sigma: NDArray[np.float64]
    """(windows,)"""
    code: NDArray[np.uint16]
    """(windows,) place of the reason in ``reasons``; 0 is none."""
    reasons: Sequence[str]
    """Only ever grows, and before a code refers to what is new."""
    stamps: NDArray[np.int64] | None = None
    """(windows / `BLOCK`, rounded up) changes with any value of a block; None where unknown."""

    def reason(self, number: int) -> str:
        """Return why the value of that window is withheld, empty where it is not."""
        return self.reasons[int(self.code[number])]

    def copy(self) -> "TrendColumn":
        """Return the same, which no writer reaches."""
        return replace(
            self,
            value=self.value.copy(),
            sigma=self.sigma.copy(),
            code=self.code.copy(),
            reasons=tuple(self.reasons),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overview:
    """All windows of a run as they were at one moment; window number = row."""

    run: str
    spans: NDArray[np.float64]
    """(6, windows) start, end, first, last, frames, revision; NaN where the window is not here."""
    trends: dict[str, TrendColumn] = field(default_factory=dict)
    environment: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """(windows,) each, NaN where absent."""
    layers: dict[CurveKind, Layer] = field(default_factory=dict)
    flag_code: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, dtype=np.uint16))
    """(windows,) place of what is wrong with each in ``flag_sets``; 0 is nothing."""
    flag_sets: Sequence[tuple[str, ...]] = ((),)

    def copy(self) -> "Overview":
        """Return the same with spans, trends, slow values and flags that no writer reaches."""
        return replace(
            self,
            spans=self.spans.copy(),
            trends={name: column.copy() for name, column in self.trends.items()},
            environment={name: values.copy() for name, values in self.environment.items()},
            flag_code=self.flag_code.copy(),
            flag_sets=tuple(self.flag_sets),
        )

    def flags(self, number: int) -> tuple[str, ...]:
        """Return what is wrong with frames of a window."""
        if not 0 <= number < self.flag_code.size:
            return ()
        return self.flag_sets[int(self.flag_code[number])]

    def __len__(self) -> int:
        return int(self.spans.shape[1])

    @property
    def start(self) -> NDArray[np.float64]:
        """(windows,) Unix seconds of the first frame of each."""
        start: NDArray[np.float64] = self.spans[0]
        return start

    @property
    def end(self) -> NDArray[np.float64]:
        """(windows,) Unix seconds of the last frame of each."""
        end: NDArray[np.float64] = self.spans[1]
        return end

    @property
    def here(self) -> NDArray[np.bool_]:
        """(windows,) whether the window is known."""
        known: NDArray[np.bool_] = np.isfinite(self.spans[0])
        return known

    def trends_of(self, number: int) -> tuple[Trend, ...]:
        """Return what was measured in one window; none for one that is not here."""
        if not 0 <= number < len(self):
            return ()
        return tuple(
            Trend(
                name=name,
                unit=column.unit,
                value=float(column.value[number]),
                sigma=float(column.sigma[number]),
                reason=column.reason(number),
            )
            for name, column in self.trends.items()
        )

    def environment_of(self, number: int) -> Environment:
        """Return the slow values of one window that are known."""
        known = (
            (name, float(v[number])) for name, v in self.environment.items() if number < v.size
        )
        return tuple((name, value) for name, value in known if value == value)

    def span(self, number: int) -> Span | None:
        """Return what one window was made from, None where it is not here."""
        if not 0 <= number < len(self) or not np.isfinite(self.spans[0, number]):
            return None
        start, end, first, last, frames, revision = self.spans[:, number]
        return Span(
            scope="window",
            run=self.run,
            number=number,
            first=int(first),
            last=int(last),
            frames=int(frames),
            start=float(start),
            end=float(end),
            revision=int(revision),
        )


_Word = TypeVar("_Word", bound=Hashable)


class _Words(Generic[_Word]):
    """What is said, each thing once, in the order in which it was first said."""

    def __init__(self, said: Sequence[_Word]) -> None:
        self.said = list(said)
        self._places = {word: place for place, word in enumerate(said)}

    def place(self, word: _Word) -> int:
        place = self._places.get(word)
        if place is None:
            # a reader of the list meets the word before any place that refers to it
            self.said.append(word)
            place = self._places[word] = len(self.said) - 1
        return place


_Number = TypeVar("_Number", np.float64, np.uint16, np.int64)


class _Column(Generic[_Number]):
    """An array that doubles when it is full; older views stay as they were."""

    def __init__(self, fill: float, dtype: type[_Number]) -> None:
        self._fill = fill
        self._data: NDArray[_Number] = np.full(64, fill, dtype=dtype)

    def set(self, row: int, value: float) -> None:
        self._reach(row + 1)
        self._data[row] = value

    def fill(self, values: NDArray[_Number]) -> None:
        self._reach(values.size)
        self._data[: values.size] = values

    def view(self, rows: int) -> NDArray[_Number]:
        self._reach(rows)
        return self._data[:rows]

    def _reach(self, rows: int) -> None:
        while rows > self._data.size:
            self._data = np.concatenate([self._data, np.full_like(self._data, self._fill)])


class _TrendColumns:
    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._reasons = _Words([""])
        self.value = _Column(np.nan, np.float64)
        self.sigma = _Column(np.nan, np.float64)
        self.code = _Column(0, np.uint16)
        self._stamps = _Column(0, np.int64)

    def set(self, row: int, value: float, sigma: float, reason: str) -> None:
        self._stamps.set(row // BLOCK, next(STAMPS))
        # nobody is to read a value beside the uncertainty of another
        self.value.set(row, np.nan)
        self.sigma.set(row, sigma)
        self.code.set(row, self._reasons.place(reason))
        self.value.set(row, value)

    def fill(self, column: TrendColumn) -> None:
        self._reasons = _Words(column.reasons)
        self.value.fill(column.value)
        self.sigma.fill(column.sigma)
        self.code.fill(column.code)
        blocks = -(-column.value.size // BLOCK)
        self._stamps.fill(np.full(blocks, next(STAMPS), dtype=np.int64))

    def view(self, rows: int) -> TrendColumn:
        return TrendColumn(
            unit=self.unit,
            value=self.value.view(rows),
            sigma=self.sigma.view(rows),
            code=self.code.view(rows),
            reasons=self._reasons.said,
            stamps=self._stamps.view(-(-rows // BLOCK)).copy(),
        )


class RunColumns:
    """The windows of one run, kept so that no look at them walks over the whole run.

    Written by one thread; what `freeze` returned may be read by others.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self._rows = 0
        self._whole = 0
        self._spans = np.full((len(_SPAN), 64), np.nan)
        self._trends: dict[str, _TrendColumns] = {}
        self._slow: dict[str, _Column[np.float64]] = {}
        self._layers: dict[CurveKind, Pyramid] = {}
        self._revisions: dict[CurveKind, int] = {}
        self._flags = _Column(0, np.uint16)
        self._flag_sets: _Words[tuple[str, ...]] = _Words([()])

    def __len__(self) -> int:
        """Return the highest number known plus one."""
        return self._rows

    def put(self, span: Span, *, trends: tuple[Trend, ...], environment: Environment) -> None:
        """Keep what one window gave beside its curves; the same window again replaces it."""
        row = span.number
        while row >= self._spans.shape[1]:
            self._spans = np.hstack([self._spans, np.full_like(self._spans, np.nan)])
        self._rows = max(self._rows, row + 1)
        self._spans[:, row] = [getattr(span, name) for name in _SPAN]
        for name in self._trends.keys() - {trend.name for trend in trends}:
            # A newer revision follows other values: what an older one found holds no more.
            self._trends[name].set(row, np.nan, np.nan, "")
        for trend in trends:
            column = self._trends.setdefault(trend.name, _TrendColumns(trend.unit))
            column.set(row, trend.value, trend.sigma, trend.reason)
        for name, value in environment:
            self._slow.setdefault(name, _Column(np.nan, np.float64)).set(row, value)

    def put_curve(self, number: int, curve: Curve, *, revision: int) -> None:
        """Keep a curve of one window; those of a newer revision bring their grid along."""
        kind = curve.kind
        layer = self._layers.get(kind)
        if layer is None:
            layer = self._layers[kind] = Pyramid(curve.x)
        y = curve.y
        if layer.grid is not curve.x and not np.array_equal(layer.grid, curve.x):
            if revision >= self._revisions.get(kind, 0):
                layer = self._layers[kind] = layer.on(curve.x)
            else:
                y = np.interp(layer.grid, curve.x, curve.y, left=np.nan, right=np.nan)
        self._revisions[kind] = max(revision, self._revisions.get(kind, 0))
        layer.put(number, y, revision=revision)

    def flag(self, number: int, flags: tuple[str, ...]) -> None:
        """Note what is wrong with frames of one window."""
        self._flags.set(number, self._flag_sets.place(flags))

    def absent(self, first: int) -> int | None:
        """Return the number of the oldest window from ``first`` on that is not here."""
        number = max(first, self._whole)
        while number < self._rows and np.isfinite(self._spans[0, number]):
            number += 1
        # what is here stays here: the next look begins where this one ended
        self._whole = number
        return number if number < self._rows else None

    def freeze(self) -> Overview:
        """Return what is here now.

        The arrays are views: a window that is replaced later is replaced in them too.
        `Overview.copy` gives one that stays.
        """
        rows = self._rows
        return Overview(
            run=self.run,
            spans=self._spans[:, :rows],
            trends={name: column.view(rows) for name, column in self._trends.items()},
            environment={name: column.view(rows) for name, column in self._slow.items()},
            layers={kind: layer.freeze() for kind, layer in self._layers.items()},
            flag_code=self._flags.view(rows),
            flag_sets=self._flag_sets.said,
        )

    def absorb(self, overview: Overview) -> None:
        """Begin with what others found of the same run.

        Raises
        ------
        ValueError
            When its arrays do not fit together.
        """
        rows = len(overview)
        self._rows, self._whole = rows, 0
        self._spans = np.full((len(_SPAN), max(64, rows)), np.nan)
        self._spans[:, :rows] = overview.spans
        here = overview.here
        revision = int(np.nanmax(overview.spans[5])) if here.any() else 0
        self._trends, self._slow = {}, {}
        self._flags = _Column(0, np.uint16)
        self._flags.fill(overview.flag_code)
        self._flag_sets = _Words(overview.flag_sets)
        for name, column in overview.trends.items():
            self._trends[name] = _TrendColumns(column.unit)
            self._trends[name].fill(column)
        for name, values in overview.environment.items():
            self._slow[name] = _Column(np.nan, np.float64)
            self._slow[name].fill(values)
        for kind, layer in overview.layers.items():
            pyramid = self._layers[kind] = Pyramid(layer.grid)
            pyramid.absorb(
                means=layer.means, held=layer.held, each=layer.each, seen=here, revision=revision
            )
            self._revisions[kind] = revision
