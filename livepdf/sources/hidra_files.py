"""Files received from HiDRA turned into frames: each is read by a process that may be killed."""

import contextlib
import itertools
import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path

from livepdf.config.sources import Hidra
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.batch import HDF5
from livepdf.sources.file_queue import FileQueue, Wanted
from livepdf.sources.hidra import Assembly, ReceivedFile, parse
from livepdf.sources.naming import Naming, Place
from livepdf.sources.ordering import Arrival, SeriesId
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled

CHUNK_PATIENCE = 10.0
"""s to wait for the rest of a file."""
LATEST = 2.0**33
"""Unix seconds that a file system can hold."""
GAP = 2.0
"""s to wait for a missing number."""


class HidraFeed:
    """Takes chunks; each file becomes frames once it is whole and read."""

    def __init__(self, settings: Hidra, *, apart: bool = False) -> None:
        """Make it; with ``apart`` files are read beside, and `tick` brings their frames."""
        self._room = settings.keep << 20
        self._assembly = Assembly(self._room)
        self._files = FileQueue(read_timeout=settings.read_timeout, apart=apart)
        self._whole: set[SeriesId] = set()
        """Series that are files of their own and were taken already."""
        self._folder = Path(tempfile.mkdtemp(prefix="livepdf-hidra-"))
        self._numbers = itertools.count()
        self._naming = Naming(self._folder)
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(
            Patience(gap=GAP, header=0.0, idle=settings.idle_timeout, resume=True)
        )
        self._let_go = weakref.finalize(self, _let_go, self._files, self._folder)

    @property
    def lost(self) -> int:
        """Frames that the numbers of the files say existed but never arrived."""
        return self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a series has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one message; whatever is in it, nothing is raised."""
        now = raw.received
        try:
            chunk = parse(raw.parts)
            file = None if chunk is None else self._assembly.add(chunk, now=now)
        except FrameError as error:
            return [self.refuse(error.reason, error.detail, now=now)]
        refused = [] if file is None else self._read(file, now)
        return [*refused, *self._taken(now)]

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        lost = self._assembly.give_up(now=now, patience=CHUNK_PATIENCE)
        refused: list[SourceItem] = [
            self.refuse("incomplete", f"{path}: chunks are missing", now=now) for path in lost
        ]
        return [*refused, *self._taken(now), *_items(self._tracker.tick(now=now))]

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that is none, on the series that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def start(self) -> None:
        """Start the reading process, so that the first file need not wait for it."""
        self._files.start()

    def close(self) -> None:
        """End the reading process and remove its files; may be called twice."""
        self._let_go()

    def _read(self, file: ReceivedFile, now: float) -> list[SourceItem]:
        """Have a file read; return why it cannot be."""
        if self._files.waiting_bytes > self._room:
            detail = f"{file.path}: {self._files.waiting_bytes >> 20} MiB wait to be read"
            return [self.refuse("queue full", detail, now=now)]
        # In a folder of its own: the same name may come again before this file is read.
        path = self._folder / str(next(self._numbers)) / file.path.name
        try:
            path.parent.mkdir()
            path.write_bytes(file.content)
            if file.modified is not None and 0 < file.modified < LATEST:
                os.utime(path, (file.modified, file.modified))
        except OSError as error:
            return [self.refuse("unreadable", f"{file.path}: {error}", now=now)]
        place = self._place(self._folder.joinpath(*file.path.parts))
        self._files.put(Wanted(path=path, place=place, size=len(file.content), received=now))
        return []

    def _taken(self, now: float) -> list[SourceItem]:
        """Return what the files that were read since hold."""
        items: list[SourceItem] = []
        for wanted, found in self._files.take():
            with contextlib.suppress(OSError):
                wanted.path.parent.rmdir()
            for content in found:
                items += self._take(content, wanted.place, size=wanted.size, now=now)
        return items

    def _place(self, path: Path) -> Place:
        if path.suffix.lower() not in HDF5:
            return self._naming.take(path)
        place = self._naming.whole(path, anew=False)
        if place.series in self._whole or self._tracker.knows(place.series):
            place = self._naming.whole(path, anew=True)
        self._whole.add(place.series)
        return place

    def _take(
        self, found: Frame | FrameRefused, place: Place, *, size: int, now: float
    ) -> list[SourceItem]:
        settled: Settled[Frame | FrameRefused] = []
        if not self._tracker.knows(place.series):
            start = RunStart(
                series=str(place.series),
                name=place.name,
                time=found.time,
                metadata={"files": str(place.series), "source": "HiDRA"},
            )
            settled += self._tracker.start(place.series, start, now=now)
        index = place.index if found.index is None else found.index
        arrival = Arrival(series=place.series, index=index, content=found, size=size)
        return _items(settled + self._tracker.frame(arrival, now=now))


def _items(settled: Settled[Frame | FrameRefused]) -> list[SourceItem]:
    return [
        _renamed(item.arrival.content, item.run) if isinstance(item, Ready) else item
        for item in settled
    ]


def _renamed(content: Frame | FrameRefused, run: str) -> Frame | FrameRefused:
    return content if content.series == run else replace(content, series=run)


def _let_go(files: FileQueue, folder: Path) -> None:
    files.close()
    shutil.rmtree(folder, ignore_errors=True)
