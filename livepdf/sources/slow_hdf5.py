"""Slow values in datasets of an HDF5 file that may still be written."""

import time
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from livepdf.config.slow import SlowHdf5
from livepdf.sources.slow_reading import Reading, taken
from livepdf.sources.slow_table import newest_file

MOST_ROWS = 20_000
"""Taken at one look; the rest waits for the next."""


class Hdf5Feed:
    """Opens the file at every look: a file that is kept open may keep its writer out."""

    def __init__(self, settings: SlowHdf5, *, clock: Callable[[], float] = time.time) -> None:
        self.description = f"HDF5 {settings.path}"
        self._settings = settings
        self._clock = clock
        self._identity: tuple[int, int] | None = None
        self._rows = 0
        self._state = "waiting: not open yet"

    def open(self) -> None:
        """Nothing to do: the file may appear later."""

    def poll(self, timeout: float) -> list[Reading]:  # noqa: ARG002  (a file is looked at, at once)
        """Return the rows that were added since the last look."""
        try:
            file = newest_file(self._settings.path)
            if file is None:
                self._state = f"waiting: {self._settings.path} is not there"
                return []
            status = file.stat()
            anew = (status.st_dev, status.st_ino) != self._identity
            if anew:
                self._identity, self._rows = (status.st_dev, status.st_ino), 0
            with _opened(str(file)) as opened:
                readings = self._added(opened, live=not anew)
        except (OSError, KeyError, ValueError, TypeError) as error:
            # Locked, cut, or without the datasets: all of it may pass while somebody writes.
            self._state = f"waiting: {str(error)[:120]}"
            return []
        self._state = "connected"
        return readings

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        return self._state

    def close(self) -> None:
        """Nothing to do."""

    def _added(self, file: Any, *, live: bool) -> list[Reading]:
        settings, now = self._settings, self._clock()
        columns = [file[value.of] for value in settings.value]
        times = file[settings.time] if settings.time is not None else None
        every = [*columns, *([] if times is None else [times])]
        end = min(int(column.shape[0]) for column in every)
        if end < self._rows:
            self._rows = 0
        rows = slice(self._rows, min(end, self._rows + MOST_ROWS))
        stamps = None if times is None else np.asarray(times[rows], np.float64)
        # A row that was made room for but not written yet has no time.
        if stamps is not None and (stamps <= 0).any():
            rows = slice(rows.start, rows.start + int(np.argmax(stamps <= 0)))
        readings = [
            Reading(
                name=value.name,
                value=taken(value, float(number)),
                received=now,
                time=None if stamps is None else float(stamps[place]),
                frame=rows.start + place if stamps is None else None,
                live=live,
            )
            for value, column in zip(settings.value, columns, strict=True)
            for place, number in enumerate(np.asarray(column[rows], np.float64))
        ]
        self._rows = rows.stop
        return readings


def _opened(path: str) -> Any:
    try:
        return h5py.File(path, "r", swmr=True)
    except (OSError, ValueError):
        return h5py.File(path, "r")
