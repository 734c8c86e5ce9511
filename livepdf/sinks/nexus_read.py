"""Windows back from a NeXus file of ours: their sums, which frames they hold, slow values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from livepdf.model.curve import Span
from livepdf.model.marks import NO_MARKS, Marks
from livepdf.model.sums import Sums
from livepdf.sinks.nexus_quality import read_marks

_ARRAYS = ("signal", "variance", "weight", "pixels")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """One window as it was added up."""

    span: Span
    sums: Sums
    environment: tuple[tuple[str, float], ...]
    marks: Marks = NO_MARKS


def read_windows(file: Any, rows: Sequence[int]) -> dict[int, Stored]:
    """Return the windows in some rows by their number; rows that are empty are left out.

    Parameters
    ----------
    file : h5py.File
        Open; it may be the writer's own.
    """
    entry = file["entry"]
    windows = entry["windows"]
    there = [row for row in rows if row < windows["number"].shape[0]]
    if not there:
        return {}
    # A fancy index of h5py is slow: one stretch is read and rows are picked from it.
    part = slice(min(there), max(there) + 1)
    columns = {name: windows[name][part] for name in windows if windows[name].ndim == 1}
    slow, names = windows["environment"][part], windows["environment_names"][:]
    arrays = {name: entry["sums"][name][part] for name in (*_ARRAYS, "monitor", "exposure")}
    run = entry["title"].asstr()[()]
    found = {}
    for row in (row - part.start for row in there):
        if columns["frames"][row] > 0:
            stored = _stored(run, row, columns, arrays, _slow(names, slow[row]))
            if "quality" in entry:
                stored = replace(stored, marks=read_marks(entry["quality"], part.start + row))
            found[stored.span.number] = stored
    return found


def read_closed(path: Path, *, first: int, numbers: Sequence[int]) -> dict[int, Stored]:
    """Return windows of a file that is closed, its first row being window ``first``.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    with h5py.File(path, "r") as file:
        return read_windows(file, [number - first for number in numbers if number >= first])


def _stored(
    run: str, row: int, columns: Any, arrays: Any, environment: tuple[tuple[str, float], ...]
) -> Stored:
    span = Span(
        scope="window",
        run=run,
        **{n: int(columns[n][row]) for n in ("number", "first", "last", "frames", "revision")},
        start=float(columns["start"][row]),
        end=float(columns["end"][row]),
    )
    sums = Sums(
        **{name: np.array(arrays[name][row]) for name in _ARRAYS},
        frames=span.frames,
        monitor=float(arrays["monitor"][row]),
        exposure=float(arrays["exposure"][row]),
    )
    return Stored(span=span, sums=sums, environment=environment)


def _slow(names: Any, values: Any) -> tuple[tuple[str, float], ...]:
    pairs = zip(names, values, strict=True)
    return tuple((name.decode(), float(v)) for name, v in pairs if name and np.isfinite(v))
