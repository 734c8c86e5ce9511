"""From messages of ASAP::O to runs and frames: a stream is a run, its ids are the frames."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from livepdf.config.control_sources import Asapo
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, PackedImage, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.fields import json_map, number, text, whole
from livepdf.sources.files import read_frames
from livepdf.sources.ordering import Arrival, SeriesId
from livepdf.sources.reader import FileReader
from livepdf.sources.seedee import FORMAT_KEY, seedee_image
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.slow_values import slow_values

FIRST_ID = 1
SUFFIXES = {".tif", ".tiff", ".cbf", ".edf", ".h5", ".nxs"}
"""Of files that may lie whole in a payload."""


def pack_message(stream: str, meta: Mapping[str, Any], payload: bytes) -> tuple[bytes, ...]:
    """Write a message down as it is recorded: stream and metadata as JSON, then the payload."""
    return json.dumps({"stream": stream, "meta": meta}, default=str).encode(), payload


def pack_end(stream: str) -> tuple[bytes, ...]:
    """Write down that a stream is finished."""
    return (json.dumps({"stream": stream, "finished": True}).encode(),)


class AsapoFeed:
    """Takes messages in the order that they were fetched."""

    def __init__(self, settings: Asapo) -> None:
        self._settings = settings
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(
            Patience(gap=settings.gap_timeout, header=0.0, idle=settings.idle_timeout, resume=True)
        )
        self._reader = FileReader()
        self._folder = Path(tempfile.mkdtemp(prefix="livepdf-asapo-"))
        self._let_go = weakref.finalize(self, _let_go, self._reader, self._folder)

    @property
    def lost(self) -> int:
        """Frames whose ids exist but never came."""
        return self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a run has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one message; whatever is in it, nothing is raised."""
        now = raw.received
        try:
            if not raw.parts:
                raise FrameError("malformed", "an empty message")
            head = json_map(raw.parts[0])
            series = SeriesId(number=None, unique=text(head.get("stream"), longest=200))
            if head.get("finished") is True:
                return _items(self._tracker.end(series, now=now))
            return self._message(series, head.get("meta"), raw)
        except FrameError as error:
            return [self.refuse(error.reason, error.detail, now=now)]

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        return _items(self._tracker.tick(now=now))

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that is none, on the run that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def interrupt(self) -> None:
        """Let `feed` end in another thread, where it reads a file that hangs."""
        self._reader.interrupt()

    def close(self) -> None:
        """End the reading process; may be called twice."""
        self._let_go()

    def _message(self, series: SeriesId, meta: object, raw: RawMessage) -> list[SourceItem]:
        if not isinstance(meta, Mapping) or len(raw.parts) != 2 or not series.unique:
            raise FrameError("malformed", "no message of ASAP::O")
        index = whole(meta, "_id", least=FIRST_ID) - FIRST_ID
        now = raw.received
        found = self._frame(series, index, meta, raw)
        settled: Settled[Frame | FrameRefused] = []
        if not self._tracker.knows(series):
            # Who joins a stream late does not count what was there before as lost.
            start = RunStart(
                series="",
                name=series.unique,
                time=found.time,
                metadata={"stream": series.unique, "first frame seen": index},
            )
            settled += self._tracker.start(series, start, now=now, first=index)
        arrival = Arrival(series=series, index=index, content=found, size=raw.size)
        return _items(settled + self._tracker.frame(arrival, now=now))

    def _frame(
        self, series: SeriesId, index: int, meta: Mapping[str, Any], raw: RawMessage
    ) -> Frame | FrameRefused:
        name, user = text(meta.get("name"), longest=300), meta.get("meta")
        user = user if isinstance(user, Mapping) else {}
        stamp = number(meta.get("timestamp"))
        slow = slow_values(user)
        try:
            image, exposure = self._image(name, user, raw)
        except FrameError as error:
            return FrameRefused(
                series=str(series),
                reason=error.reason,
                detail=f"{name}: {error.detail}",
                time=raw.received,
                index=index,
            )
        return Frame(
            series=str(series),
            index=index,
            image=image,
            received=raw.received,
            time=stamp * 1e-9 if stamp is not None and stamp > 0 else raw.received,
            exposure=exposure,
            monitor=slow.monitor,
            environment=slow.environment,
            origin=name or f"{series}/{index + FIRST_ID}",
        )

    def _image(
        self, name: str, user: Mapping[str, Any], raw: RawMessage
    ) -> tuple[PackedImage, float | None]:
        payload = raw.parts[1]
        if FORMAT_KEY in user:
            return seedee_image(user[FORMAT_KEY], payload), None
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in SUFFIXES:
            raise FrameError("unknown message", f"neither seedee nor a file of images: {name!r}")
        return self._file_image(suffix, payload, raw.received)

    def _file_image(
        self, suffix: str, payload: bytes | memoryview, now: float
    ) -> tuple[PackedImage, float | None]:
        path = self._folder / f"message{suffix}"
        try:
            path.write_bytes(payload)
        except OSError as error:
            raise FrameError("unreadable", str(error)) from error
        found = list(
            read_frames(
                path,
                reader=self._reader,
                series="",
                read_timeout=self._settings.read_timeout,
                clock=lambda: now,
            )
        )
        path.unlink(missing_ok=True)
        first = found[0]
        if isinstance(first, FrameRefused):
            raise FrameError(first.reason, first.detail)
        if len(found) > 1:
            raise FrameError("unsupported shape", f"{len(found)} images in one message")
        return first.image, first.exposure


def _let_go(reader: FileReader, folder: Path) -> None:
    reader.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _items(settled: Settled[Frame | FrameRefused]) -> list[SourceItem]:
    return [
        replace(item.arrival.content, series=item.run) if isinstance(item, Ready) else item
        for item in settled
    ]
