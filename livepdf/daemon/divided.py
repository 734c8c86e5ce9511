"""Another run at people's word: the series that is open ends there, and goes on as the next run."""

import threading
import time
from dataclasses import replace

from livepdf.daemon.pulse import Pulse
from livepdf.model.frame import RunEnd, RunStart, SourceItem

_PART_OF, _PART = "part of series", "part"
"""In the metadata of a run: what the source calls the series, and which part of it this is."""


class Divided:
    """Passes everything on to a source, and divides a series where it is told to."""

    def __init__(self, source: Pulse) -> None:
        self._source = source
        self.description = source.description
        self._lock = threading.Lock()
        self._wanted: str | None = None
        """Name of the run that is to begin, empty for that of the series."""
        self._told: RunStart | None = None
        """How the open series began by the source's word, None where none is open."""
        self._part = 1

    def ask(self, name: str) -> bool:
        """Begin another run before the next frame; any thread may ask. False where none is open."""
        with self._lock:
            if self._told is None:
                return False
            self._wanted = name
            return True

    def go_on(self, start: RunStart) -> None:
        """Remember how the run began that was taken up from an earlier process."""
        series, part = start.metadata.get(_PART_OF), start.metadata.get(_PART)
        if isinstance(series, str) and isinstance(part, int):
            start, self._part = replace(start, series=series), part
        self._told = start

    def open(self) -> None:
        """Open the source; raises SourceError."""
        self._source.open()

    def poll(self, timeout: float) -> list[SourceItem]:
        """Return what came within ``timeout`` s."""
        items = self._source.poll(timeout)
        with self._lock:
            return [*self._between(), *map(self._passed, items)]

    def state(self) -> str:
        """Return how the source is doing, in words."""
        return self._source.state()

    def lost(self) -> int:
        """Return how many frames never arrived."""
        return self._source.lost()

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _between(self) -> list[SourceItem]:
        """Return the end and the beginning that were asked for."""
        told, name, self._wanted = self._told, self._wanted, None
        if told is None or name is None:
            return []
        now, before = time.time(), self._series(told.series)
        self._part += 1
        begins = self._begins(replace(told, name=name or told.name, time=now, expected=None))
        return [RunEnd(series=before, time=now, reason="command"), begins]

    def _passed(self, item: SourceItem) -> SourceItem:
        told = self._told
        if isinstance(item, RunStart):
            self._told = item
            # The start of the same series is that of a run that was taken up, met again.
            self._part = 1 if told is None or told.series != item.series else self._part
            return self._begins(item)
        if told is None or told.series != item.series:
            return item
        if isinstance(item, RunEnd):
            self._told = None
        return item if self._part == 1 else replace(item, series=self._series(told.series))

    def _begins(self, start: RunStart) -> RunStart:
        if self._part == 1:
            return start
        metadata = {**start.metadata, _PART_OF: start.series, _PART: self._part}
        return replace(start, series=self._series(start.series), metadata=metadata)

    def _series(self, series: str) -> str:
        return series if self._part == 1 else f"{series} part {self._part}"
