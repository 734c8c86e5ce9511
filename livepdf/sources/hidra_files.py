"""Files received from HiDRA turned into frames: each is read by the process that may be killed."""

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
from livepdf.sources.files import read_frames
from livepdf.sources.hidra import Assembly, ReceivedFile, parse
from livepdf.sources.naming import Naming, Place
from livepdf.sources.ordering import Arrival
from livepdf.sources.reader import FileReader
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled

CHUNK_PATIENCE = 10.0
"""s to wait for the rest of a file."""
LATEST = 2.0**33
"""Unix seconds that a file system can hold."""
GAP = 2.0
"""s to wait for a missing number."""


class HidraFeed:
    """Takes chunks; each file becomes frames as soon as it is whole."""

    def __init__(self, settings: Hidra) -> None:
        self._settings = settings
        self._assembly = Assembly(settings.keep << 20)
        self._reader = FileReader()
        self._folder = Path(tempfile.mkdtemp(prefix="livepdf-hidra-"))
        self._naming = Naming(self._folder)
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(
            Patience(gap=GAP, header=0.0, idle=settings.idle_timeout, resume=True)
        )
        self._let_go = weakref.finalize(self, _let_go, self._reader, self._folder)

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
        return [] if file is None else self._frames(file, now)

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        lost = self._assembly.give_up(now=now, patience=CHUNK_PATIENCE)
        refused: list[SourceItem] = [
            self.refuse("incomplete", f"{path}: chunks are missing", now=now) for path in lost
        ]
        return refused + _items(self._tracker.tick(now=now))

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that is none, on the series that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def start(self) -> None:
        """Start the reading process, so that the first file need not wait for it."""
        self._reader.start()

    def close(self) -> None:
        """End the reading process and remove its files; may be called twice."""
        self._let_go()

    def _frames(self, file: ReceivedFile, now: float) -> list[SourceItem]:
        path = self._folder.joinpath(*file.path.parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            if file.modified is not None and 0 < file.modified < LATEST:
                os.utime(path, (file.modified, file.modified))
        except OSError as error:
            return [self.refuse("unreadable", f"{file.path}: {error}", now=now)]
        place = self._place(path)
        items: list[SourceItem] = []
        for found in read_frames(
            path,
            reader=self._reader,
            series=str(place.series),
            first=place.index,
            read_timeout=self._settings.read_timeout,
            clock=lambda: now,
        ):
            if isinstance(found, Frame | FrameRefused):
                items += self._take(found, place, size=len(file.content), now=now)
        path.unlink(missing_ok=True)
        return items

    def _place(self, path: Path) -> Place:
        if path.suffix.lower() not in HDF5:
            return self._naming.take(path)
        place = self._naming.whole(path, anew=False)
        return self._naming.whole(path, anew=True) if self._tracker.knows(place.series) else place

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


def _let_go(reader: FileReader, folder: Path) -> None:
    reader.kill()
    shutil.rmtree(folder, ignore_errors=True)
