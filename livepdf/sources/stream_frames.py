"""From the parsed messages of any stream to runs and frames; the state of the series, no socket."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, PackedImage, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.fields import Part
from livepdf.sources.ordering import Arrival, SeriesId
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.slow_values import NO_VALUES, SlowValues

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesBegins:
    """A series is announced, or has plainly begun."""

    series: SeriesId
    start: RunStart
    """Its ``series`` is made unique later."""
    first: int = 0
    """Number of its first frame."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """One image of a series, or why there is none."""

    series: SeriesId
    index: int
    image: PackedImage | FrameError
    time: float | None = None
    """Unix seconds by the detector's clock."""
    exposure: float | None = None
    """s"""
    slow: SlowValues = NO_VALUES
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEnds:
    """The sender says that a series is over."""

    series: SeriesId


StreamEvent = SeriesBegins | Exposure | SeriesEnds | FrameError
"""What a message tells; a FrameError counts a part of it as refused."""


class Reader(Protocol):
    """Understands the messages of one protocol; may remember what former ones said."""

    def read(
        self, parts: Sequence[Part], *, now: float, current: SeriesId | None
    ) -> list[StreamEvent]:
        """Read one message that came at ``now`` while the series ``current`` was open.

        Raises FrameError where it is none of the protocol.
        """


class StreamFrames:
    """Turns raw messages into what the intake is handed."""

    def __init__(self, reader: Reader, patience: Patience) -> None:
        self._reader = reader
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(patience)

    @property
    def lost(self) -> int:
        """Frames that the numbering says existed but never arrived."""
        return self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a series has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one raw message; whatever is in it, nothing is raised."""
        try:
            events = self._reader.read(raw.parts, now=raw.received, current=self._tracker.current)
        except FrameError as error:
            return [self.refuse(error.reason, error.detail, now=raw.received)]
        items: list[SourceItem] = []
        for event in events:
            items += self._take(event, raw)
        return items

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        return _items(self._tracker.tick(now=now))

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that is none, on the series that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def _take(self, event: StreamEvent, raw: RawMessage) -> list[SourceItem]:
        now = raw.received
        match event:
            case Exposure():
                content = _content(event, now)
                arrival = Arrival(
                    series=event.series, index=event.index, content=content, size=raw.size
                )
                return _items(self._tracker.frame(arrival, now=now))
            case SeriesBegins():
                settled = self._tracker.start(event.series, event.start, now=now, first=event.first)
                if not settled:
                    log.info("series %s: its start came twice, or too late", event.series)
                return _items(settled)
            case SeriesEnds():
                return _items(self._tracker.end(event.series, now=now))
            case FrameError():
                return [self.refuse(event.reason, event.detail, now=now)]


def _content(event: Exposure, now: float) -> Frame | FrameRefused:
    if isinstance(event.image, FrameError):
        return FrameRefused(
            series=str(event.series),
            reason=event.image.reason,
            detail=event.image.detail,
            time=now,
            index=event.index,
        )
    return Frame(
        series=str(event.series),
        index=event.index,
        image=event.image,
        received=now,
        time=now if event.time is None else event.time,
        exposure=event.exposure,
        monitor=event.slow.monitor,
        environment=event.slow.environment,
        origin=event.origin or f"{event.series}/{event.index}",
    )


def _items(settled: Settled[Frame | FrameRefused]) -> list[SourceItem]:
    return [
        replace(item.arrival.content, series=item.run) if isinstance(item, Ready) else item
        for item in settled
    ]
