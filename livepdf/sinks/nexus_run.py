"""A finished run out of its NeXus file: settings, windows, trends and events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.model.curve import Span
from livepdf.model.finding import Finding
from livepdf.model.status import Event
from livepdf.sinks.nexus_findings import read_findings
from livepdf.sinks.nexus_read import Stored, read_windows

_BLOCK = 64
"""Windows that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredTrend:
    """One trend over all windows of a run."""

    name: str
    unit: str
    value: NDArray[np.float64]
    """(windows,), NaN where withheld."""
    sigma: NDArray[np.float64]
    """(windows,)"""
    reasons: tuple[str, ...]
    """Why each is withheld; empty where it is not."""


class StoredRun:
    """Opens the results of a run for reading; use it with ``with``.

    A file that is still written to shows what was there at its last flush.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises
        ------
        FileError
            When it cannot be read or is none of ours.
        """
        self.path = path
        try:
            self._file: Any = h5py.File(path, "r", swmr=True)
        except OSError as error:
            raise FileError(f"{path}: {error}") from None
        try:
            self._entry: Any = self._file["entry"]
            self._process: Any = self._entry["livepdf"]
            self._entry["sums"], self._entry["trends"]
        except KeyError:
            self._file.close()
            raise FileError(f"{path}: no results of livepdf in it") from None

    def __enter__(self) -> "StoredRun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def run(self) -> str:
        """Name of the run."""
        return str(self._entry["title"].asstr()[()])

    @property
    def start(self) -> float:
        """Unix seconds."""
        exact = self._process.get("start")
        if exact is not None:
            return float(exact[()])
        return datetime.fromisoformat(self._entry["start_time"].asstr()[()]).timestamp()

    @property
    def wavelength(self) -> float:
        """Of the photons, Å."""
        return float(self._entry["azint1d/instrument/monochromator/wavelength"][()])

    @property
    def q(self) -> NDArray[np.float64]:
        """(n_q,) Å⁻¹ of the sums."""
        return np.asarray(self._entry["sums/Q"][:], dtype=np.float64)

    @property
    def correlation(self) -> tuple[float, ...]:
        """Of the noise of bins 1, 2, … apart."""
        stored = self._entry["sums"].get("correlation")
        return () if stored is None else tuple(float(value) for value in stored[:])

    @property
    def folder(self) -> Path:
        """Where relative paths of profile and recipe begin."""
        folder = self._text("folder")
        return Path(folder) if folder else self.path.parent

    @property
    def profile(self) -> str:
        """Text of the profile."""
        return self._text("profile")

    @property
    def recipe(self) -> str:
        """Text of the recipe."""
        return self._text("recipe")

    @property
    def revision(self) -> int:
        """Number of the plan."""
        return int(self._process["revision"][()])

    def __len__(self) -> int:
        """Return the number of rows, some of which may be empty."""
        return int(self._entry["windows/number"].shape[0])

    def windows(self) -> Iterator[Stored]:
        """Yield the windows with their sums, oldest first."""
        for first in range(0, len(self), _BLOCK):
            block = read_windows(self._file, range(first, min(first + _BLOCK, len(self))))
            yield from (block[number] for number in sorted(block))

    def numbers(self) -> NDArray[np.int64]:
        """Return the number of the window in each row, -1 in empty ones."""
        return np.asarray(self._entry["windows/number"][:], dtype=np.int64)

    def times(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Unix seconds of the first and the last frame of each window."""
        windows = self._entry["windows"]
        return np.asarray(windows["start"][:]), np.asarray(windows["end"][:])

    def frames(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the index of the first and of the last frame of each window."""
        windows = self._entry["windows"]
        return np.asarray(windows["first"][:]), np.asarray(windows["last"][:])

    def environment(self) -> dict[str, NDArray[np.float64]]:
        """Return the means of the slow values of each window, by name."""
        windows = self._entry["windows"]
        names = [name.decode() for name in windows["environment_names"][:]]
        values = np.asarray(windows["environment"][:])
        return {name: values[:, column] for column, name in enumerate(names) if name}

    def trends(self) -> list[StoredTrend]:
        """Return all trends, in the order in which the run had them."""
        groups = [self._entry["trends"][name] for name in self._entry["trends"]]
        return [_trend(group, len(self)) for group in groups]

    @property
    def sample(self) -> str:
        """Name and composition."""
        found = self._entry["sample"]
        name, formula = (str(found[key].asstr()[()]) for key in ("name", "chemical_formula"))
        return f"{name} ({formula})" if name else formula

    def pdf(self) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        """Return r in Å, and G(r) and its σ of each row, (windows, n_r) Å⁻²."""
        data = self._entry["pdf"]
        rows = len(self)
        return np.asarray(data["r"][:]), data["G"][:rows], data["G_errors"][:rows]

    def iq(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return Q in Å⁻¹, and I(Q) of each row, (windows, n_q)."""
        data = self._entry["azint1d/data"]
        return self.q, data["I"][: len(self)]

    def spans(self) -> list[Span | None]:
        """Return which frames each row was made from, None where it is empty."""
        windows, rows, run = self._entry["windows"], range(len(self)), self.run
        whole = {n: windows[n][:] for n in ("number", "first", "last", "frames", "revision")}
        start, end = self.times()
        return [
            None
            if whole["frames"][row] < 1
            else Span(
                scope="window",
                run=run,
                **{name: int(values[row]) for name, values in whole.items()},
                start=float(start[row]),
                end=float(end[row]),
            )
            for row in rows
        ]

    def counters(self) -> tuple[tuple[str, int], ...]:
        """Return where the frames went, refused ones by reason."""
        group = self._entry["counters"]
        named = [(name, int(group[name][()])) for name in ("received", "used", "waiting", "lost")]
        reasons = zip(group["reason"][:], group["refused"][:], strict=True)
        named += [(f"refused: {why.decode()}", int(count)) for why, count in reasons if count]
        return tuple(named)

    def software(self) -> tuple[tuple[str, str], ...]:
        """Return program and version of all that made the results."""
        group = self._process["software"]
        return tuple((name, str(group[name].asstr()[()])) for name in group)

    def findings(self) -> tuple[Finding, ...]:
        """Return what the whole run said: onset and kinetics."""
        group = self._entry.get("kinetics")
        return () if group is None else read_findings(group)

    def events(self) -> list[Event]:
        """Return what happened, in order."""
        table, run = self._entry["events"], self.run
        columns = (table["kind"][:], table["time"][:], table["text"][:], table["frame"][:])
        return [
            Event(
                kind=kind.decode(),
                time=float(time),
                text=text.decode(),
                run=run,
                frame=int(frame),
            )
            for kind, time, text, frame in zip(*columns, strict=True)
        ]

    def _text(self, name: str) -> str:
        stored = self._process.get(name)
        return "" if stored is None else str(stored.asstr()[()])


def _trend(group: Any, rows: int) -> StoredTrend:
    reasons = [reason.decode() for reason in group["reason"][:rows]]
    return StoredTrend(
        name=str(group["title"].asstr()[()]),
        unit=str(group["value"].attrs["units"]),
        value=np.asarray(group["value"][:rows], dtype=np.float64),
        sigma=np.asarray(group["value_errors"][:rows], dtype=np.float64),
        reasons=tuple(reasons),
    )
