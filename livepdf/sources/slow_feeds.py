"""All feeds of slow values: each read by a thread of its own, joined to frames on demand."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan

from livepdf.config.slow import Slow, SlowHdf5, SlowJson, SlowPva, SlowTable
from livepdf.errors import SourceError
from livepdf.model.frame import Frame
from livepdf.model.status import FeedStatus
from livepdf.sources.slow_beside import Beside
from livepdf.sources.slow_clock import ClockOffset
from livepdf.sources.slow_hdf5 import Hdf5Feed
from livepdf.sources.slow_join import Joined, Readings
from livepdf.sources.slow_json import JsonFeed
from livepdf.sources.slow_pva import PvaFeed
from livepdf.sources.slow_reading import Reading, SlowSource
from livepdf.sources.slow_table import TableFeed
from livepdf.sources.slow_values import MONITOR

log = logging.getLogger(__name__)
POLL = 0.2
"""s that a thread waits for a message before it looks whether to stop."""
LONGEST_REASON = 30


class _Feed:
    """One feed: its readings, its clock, its books."""

    def __init__(self, settings: Slow, source: SlowSource) -> None:
        self.settings = settings
        self.source = source
        self._lock = threading.Lock()
        self._readings = {value.name: Readings() for value in settings.value}
        self._clock = ClockOffset()
        self._newest: dict[str, float] = {}
        self._latest = nan
        self._joined = 0
        self._missing: Counter[str] = Counter()
        self.defect = ""
        self.taken = 0

    @property
    def by_frame(self) -> bool:
        match self.settings:
            case SlowHdf5():
                return self.settings.time is None
            case SlowTable() | SlowJson():
                return self.settings.frame is not None
            case _:
                return False

    def take(self, readings: Sequence[Reading]) -> None:
        with self._lock:
            self.taken += len(readings)
            for reading in readings:
                if reading.live and reading.time is not None:
                    self._clock.add(stamp=reading.time, received=reading.received)
                # Kept by the feed's own clock, so that a better estimate moves all of them.
                own = reading.received - self._offset() if reading.time is None else reading.time
                self._readings[reading.name].add(reading.value, time=own, frame=reading.frame)
                self._newest[reading.name] = reading.value
                self._latest = own if reading.frame is None else reading.received - self._offset()

    def values(self, frame: Frame, *, time: float) -> dict[str, Joined]:
        """Return the value of each name for a frame that was taken at ``time`` by our clock."""
        settings = self.settings
        with self._lock:
            if self.by_frame:
                return {name: r.of_frame(frame.index) for name, r in self._readings.items()}
            own = time - self._offset()
            return {
                name: readings.at(own, how=settings.join, tolerance=settings.tolerance)
                for name, readings in self._readings.items()
            }

    def book(self, found: dict[str, Joined]) -> None:
        with self._lock:
            self._joined += any(not joined.reason for joined in found.values())
            for joined in found.values():
                if joined.reason:
                    self._missing[_kind_of(joined.reason)] += 1

    def status(self, now: float) -> FeedStatus:
        with self._lock:
            offset = self._offset()
            age = now - self._latest - offset
            state = self.defect or self.source.state()
            if state == "connected" and age > self.settings.tolerance:
                state = f"stalled: silent for {age:.0f} s"
            return FeedStatus(
                name=self.source.description,
                state=state,
                clock_offset=self._clock.offset,
                clock_uncertainty=self._clock.uncertainty,
                clock_used=offset,
                age=age,
                newest=tuple(self._newest.items()),
                joined=self._joined,
                missing=dict(self._missing),
            )

    def _offset(self) -> float:
        clock = self.settings.clock
        if clock == "same":
            return 0.0
        return self._clock.correction if clock == "estimate" else float(clock)


class SlowFeeds:
    """Reads all feeds of a profile and joins their values to frames; any thread may ask."""

    def __init__(self, feeds: Sequence[Slow], *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._feeds = [_Feed(settings, make_slow(settings, clock=clock)) for settings in feeds]
        self._frames = ClockOffset()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.wait = max((settings.wait for settings in feeds), default=0.0)
        """s that a frame waits at most."""

    def __bool__(self) -> bool:
        return bool(self._feeds)

    @property
    def names(self) -> tuple[str, ...]:
        """What the feeds give, ``monitor`` among it where one gives I0."""
        return tuple(v.name for feed in self._feeds for v in feed.settings.value)

    @property
    def readings(self) -> int:
        """How many readings have come: while it stays the same, no join can give anything new."""
        return sum(feed.taken for feed in self._feeds)

    def open(self) -> None:
        """Connect all and start reading. SourceError where one cannot work."""
        for feed in self._feeds:
            feed.source.open()
            thread = threading.Thread(
                target=self._read, args=(feed,), name=feed.source.description[:60], daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def see(self, frame: Frame) -> None:
        """Learn from a frame how far the detector's clock is from ours."""
        if frame.time != frame.received:
            stamp = frame.time + (frame.exposure or 0.0)
            self._frames.add(stamp=stamp, received=frame.received)

    def join(self, frame: Frame) -> Beside:
        """Return the frame with its values; those that are not there are NaN, with a reason."""
        return self._join(frame, book=False)

    def close_books(self, frame: Frame) -> Beside:
        """Join for the last time, and count what was missing."""
        return self._join(frame, book=True)

    def status(self) -> tuple[FeedStatus, ...]:
        """Say how each feed is doing."""
        now = self._clock()
        return tuple(feed.status(now) for feed in self._feeds)

    def problems(self) -> tuple[str, ...]:
        """Say which feeds give nothing now, for people."""
        return tuple(
            f"{status.name}: {status.state}"
            for status in self.status()
            if status.state != "connected"
        )

    def close(self) -> None:
        """Stop reading and let go of everything; may be called twice."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5.0)
        self._threads = []
        for feed in self._feeds:
            feed.source.close()

    def _join(self, frame: Frame, *, book: bool) -> Beside:
        middle = frame.time + (frame.exposure or 0.0) / 2 + self._frames.correction
        environment, monitor = dict(frame.environment), frame.monitor
        reasons: list[tuple[str, str]] = []
        settled = True
        for feed in self._feeds:
            found = feed.values(frame, time=middle)
            if book:
                feed.book(found)
            for name, joined in found.items():
                settled = settled and joined.settled
                if joined.reason:
                    reasons.append((name, joined.reason))
                if name == MONITOR:
                    monitor = None if joined.reason else joined.value
                else:
                    environment[name] = joined.value
        beside = replace(frame, environment=environment, monitor=monitor)
        return Beside(frame=beside, reasons=tuple(reasons), settled=settled)

    def _read(self, feed: _Feed) -> None:
        pause = getattr(feed.settings, "poll", 0.0)
        try:
            while not self._stop.is_set():
                feed.take(feed.source.poll(POLL))
                self._stop.wait(pause)
        except Exception as error:
            # A feed that fails costs its values, not the run.
            log.exception("%s stopped by a defect", feed.source.description)
            feed.defect = f"lost: stopped by a defect: {error}"


def make_slow(settings: Slow, *, clock: Callable[[], float] = time.time) -> SlowSource:
    """Make the feed that the settings describe; it is not open yet."""
    match settings:
        case SlowTable():
            return TableFeed(settings, clock=clock)
        case SlowHdf5():
            return Hdf5Feed(settings, clock=clock)
        case SlowPva():
            return PvaFeed(settings, clock=clock)
        case SlowJson():
            return JsonFeed(settings, clock=clock)
    raise SourceError(f"no feed of kind {settings!r}")


def _kind_of(reason: str) -> str:
    """Return a reason without its numbers, to count under."""
    words = [word for word in reason.split() if not word[:1].isdigit()]
    return " ".join(words)[:LONGEST_REASON].removesuffix(" for s")
