"""Columns of a NeXus file that grow: windows, trends, events."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Result, Trend
from livepdf.model.status import Counters, Event

_CHUNK = 1024
_TEXT_CHUNK = 128
_REASON = 120
_TEXT = 400
_SLOW_VALUES = 16
_REASONS = 64
_COUNTED = ("received", "used", "left_out", "waiting", "lost")
_EMPTY = {"f": np.nan, "i": -1}
"""What a row holds that was never written, by kind of number."""
_ABSENT = Trend(name="", unit="", value=np.nan, sigma=np.nan, reason="not evaluated")


def fixed(text: str, length: int) -> bytes:
    """Return UTF-8 of at most ``length`` bytes: strings of free length cannot grow under SWMR."""
    return text.encode()[:length].decode(errors="ignore").encode()


def extended(dataset: Any, rows: int) -> None:
    """Let a dataset have that many rows at least; new ones are empty."""
    if dataset.shape[0] < rows:
        dataset.resize(rows, axis=0)


def grown(dataset: Any, first: int, values: Sequence[Any]) -> None:
    """Write rows from ``first`` on; the dataset grows where it must to hold them."""
    extended(dataset, first + len(values))
    dataset[first : first + len(values)] = np.asarray(values, dtype=dataset.dtype)


class WindowTable:
    """Which frames each window holds, when it was, and the means of its slow values."""

    def __init__(self, group: Any, *, start: float) -> None:
        self._start = start
        self.time = column(group, "time", np.float64)
        """(windows,) middle of each, s since the start of the run."""
        self.time.attrs.update(units="s", long_name="time (s)")
        self._numbers = {
            name: column(group, name, np.int64)
            for name in ("number", "first", "last", "frames", "revision")
        }
        self._moments = {name: column(group, name, np.float64) for name in ("start", "end")}
        for dataset in self._moments.values():
            dataset.attrs.update(units="s", description="Unix time of the first or last frame")
        self._names: list[str] = []
        self._slow_names = group.create_dataset(
            "environment_names", shape=(_SLOW_VALUES,), dtype="S40"
        )
        self._slow = group.create_dataset(
            "environment",
            shape=(0, _SLOW_VALUES),
            maxshape=(None, _SLOW_VALUES),
            chunks=(_TEXT_CHUNK, _SLOW_VALUES),
            dtype=np.float64,
            fillvalue=np.nan,
        )

    def put(self, first: int, results: Sequence[Result]) -> None:
        """Write windows from row ``first`` on."""
        spans = [result.span for result in results]
        for name, dataset in (self._numbers | self._moments).items():
            grown(dataset, first, [getattr(span, name) for span in spans])
        grown(self.time, first, [(s.start + s.end) / 2 - self._start for s in spans])
        grown(self._slow, first, [self._environment(result) for result in results])

    def _environment(self, result: Result) -> NDArray[np.float64]:
        row = np.full(_SLOW_VALUES, np.nan)
        for name, value in result.environment:
            if name not in self._names and len(self._names) < _SLOW_VALUES:
                self._slow_names[len(self._names)] = fixed(name, 40)
                self._names.append(name)
            if name in self._names:
                row[self._names.index(name)] = value
        return row


class TrendTable:
    """One trend over the windows: value, σ, and the reason where there is none."""

    def __init__(self, parent: Any, *, name: str, unit: str, time: Any) -> None:
        self._name = name
        group = parent.create_group(_plain(name, taken=parent))
        group.attrs.update(NX_class="NXdata", signal="value", axes="time")
        group["title"] = name
        group["time"] = time
        self._value = column(group, "value", np.float64)
        self._errors = column(group, "value_errors", np.float64)
        self._reason = column(group, "reason", f"S{_REASON}")
        for dataset in (self._value, self._errors):
            dataset.attrs.update(units=unit, long_name=f"{name} ({unit})" if unit else name)

    def put(self, first: int, results: Sequence[Result]) -> None:
        """Write the trend of windows from row ``first`` on."""
        trends = [
            next((t for t in result.trends if t.name == self._name), _ABSENT) for result in results
        ]
        grown(self._value, first, [trend.value for trend in trends])
        grown(self._errors, first, [trend.sigma for trend in trends])
        grown(self._reason, first, [fixed(trend.reason, _REASON) for trend in trends])


class ModelTable:
    """G(r) of the fitted structure in the window of the data, one row a window."""

    def __init__(self, data: Any, *, size: int) -> None:
        self._values = growing_rows(data, "G_model", size, np.float32)
        self._values.attrs.update(units="1/angstrom^2", long_name="G of the fitted structure")
        data.attrs["auxiliary_signals"] = ["G_model"]

    def put(self, first: int, results: Sequence[Result]) -> None:
        """Write the models of windows from row ``first`` on; rows without are empty."""
        extended(self._values, first + len(results))
        for row, result in enumerate(results, start=first):
            found = next((curve for curve in result.curves if curve.kind == "gr_model"), None)
            if found is not None:
                self._values[row] = found.y


class EventTable:
    """What happened, in order."""

    def __init__(self, group: Any) -> None:
        self._count = 0
        self._time = column(group, "time", np.float64)
        self._time.attrs.update(units="s", description="Unix time")
        self._frame = column(group, "frame", np.int64)
        self._kind = column(group, "kind", "S16")
        self._text = column(group, "text", f"S{_TEXT}")

    def add(self, event: Event) -> None:
        """Append one event."""
        grown(self._time, self._count, [event.time])
        grown(self._frame, self._count, [event.frame])
        grown(self._kind, self._count, [fixed(event.kind, 16)])
        grown(self._text, self._count, [fixed(event.text, _TEXT)])
        self._count += 1


class CounterTable:
    """Where every frame went."""

    def __init__(self, group: Any) -> None:
        self._group = group
        for name in _COUNTED:
            group.create_dataset(name, data=0)
        group.create_dataset("reason", shape=(_REASONS,), dtype="S40")
        group.create_dataset("refused", data=np.zeros(_REASONS, dtype=np.int64))

    def put(self, counters: Counters) -> None:
        """Replace them."""
        for name in _COUNTED:
            self._group[name][...] = getattr(counters, name)
        refused = sorted(counters.refused.items(), key=lambda item: -item[1])[:_REASONS]
        self._group["reason"][: len(refused)] = [fixed(name, 40) for name, _ in refused]
        self._group["refused"][: len(refused)] = [count for _, count in refused]


def column(group: Any, name: str, dtype: Any) -> Any:
    """Make a dataset that grows by values, (rows,)."""
    kind = np.dtype(dtype)
    return group.create_dataset(
        name,
        shape=(0,),
        maxshape=(None,),
        chunks=(_TEXT_CHUNK if kind.kind == "S" else _CHUNK,),
        dtype=kind,
        fillvalue=_EMPTY.get(kind.kind),
        # Texts repeat or are empty: packed they take next to nothing.
        compression="gzip" if kind.kind == "S" else None,
    )


def curve_pair(group: Any, signal: str, size: int, unit: str) -> tuple[Any, Any]:
    """Make the datasets of a signal and its errors, (rows, size) each."""
    values = growing_rows(group, signal, size, np.float32)
    errors = growing_rows(group, f"{signal}_errors", size, np.float32)
    for dataset in (values, errors):
        dataset.attrs["units"] = unit
    return values, errors


def growing_rows(group: Any, name: str, size: int, dtype: Any) -> Any:
    """Make a dataset that grows by rows, (windows, size), packed.

    One row is one chunk: a chunk that grew from flush to flush would leave its older, shorter
    copies in the file, as nothing is reclaimed under SWMR.
    """
    return group.create_dataset(
        name,
        shape=(0, size),
        maxshape=(None, size),
        chunks=(1, size),
        dtype=dtype,
        fillvalue=np.nan,
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )


def _plain(name: str, *, taken: Any) -> str:
    """Return a name that HDF5 and NeXus take, not yet in the group."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "trend"
    number, chosen = 1, plain
    while chosen in taken:
        number += 1
        chosen = f"{plain}_{number}"
    return chosen
