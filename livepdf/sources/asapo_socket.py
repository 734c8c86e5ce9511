"""ASAP::O: a thread fetches and reads, the intake takes from it. Not tested against a broker."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from livepdf.config.control_sources import Asapo
from livepdf.errors import SourceError
from livepdf.model.frame import SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.asapo_frames import AsapoFeed
from livepdf.sources.asapo_reader import AsapoReader, make_consumer
from livepdf.sources.source import Tap

log = logging.getLogger(__name__)
AGAIN = 0.2
"""s between two questions while there is nothing."""
BATCH = 64


class AsapoSource:
    """Follows the newest stream of one data source."""

    def __init__(
        self,
        settings: Asapo,
        *,
        clock: Callable[[], float] = time.time,
        tap: Tap | None = None,
        consumer: Callable[[Asapo], Any] = make_consumer,
    ) -> None:
        self.description = f"ASAP::O {settings.data_source} of {settings.beamtime}"
        self._settings = settings
        self._clock = clock
        self._tap = tap
        self._make = consumer
        self._feed = AsapoFeed(settings)
        self._reader: AsapoReader | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, list[SourceItem]]] = deque()
        """Bytes of a message, and what it held."""
        self._bytes = 0
        self._trouble = ""

    def open(self) -> None:
        """Make the consumer and start fetching. SourceError where that cannot work."""
        self._reader = AsapoReader(self._settings, self._make(self._settings))
        self._thread = threading.Thread(target=self._run, name="asapo", daemon=True)
        self._thread.start()

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what was fetched, waiting at most ``timeout`` s for the first of it."""
        if self._reader is None:
            raise SourceError(f"{self.description} is not open")
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout)
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._bytes -= sum(size for size, _ in taken)
            self._changed.notify_all()
        return [item for _, items in taken for item in items]

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        if self._trouble or self._reader is None:
            return self._trouble or "waiting: not open yet"
        return self._reader.state

    def lost(self) -> int:
        """Count the frames whose ids exist but never came."""
        return self._feed.lost

    def close(self) -> None:
        """Stop fetching."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._feed.interrupt()
        if self._thread is not None:
            self._thread.join(self._settings.patience + 1.0)
        self._thread = None
        self._feed.close()
        self._trouble = "lost: closed"

    def _run(self) -> None:
        assert self._reader is not None
        limit = self._settings.queue << 20
        try:
            while not self._stop.is_set():
                self._step(self._reader, limit)
        except Exception as error:
            log.exception("fetching from ASAP::O stopped by a defect")
            self._trouble = f"lost: fetching stopped by a defect: {error}"

    def _step(self, reader: AsapoReader, limit: int) -> None:
        parts, size, items = reader.step(), 0, list[SourceItem]()
        if parts is not None:
            raw = RawMessage(channel="stream", received=self._clock(), parts=parts)
            if self._tap is not None:
                self._tap(raw)
            # A payload may be a file that hangs: it must not keep the intake.
            size, items = raw.size, self._feed.feed(raw)
        items += self._feed.tick(now=self._clock())
        with self._changed:
            # What we do not fetch stays with the broker: nothing is lost by waiting.
            self._changed.wait_for(lambda: self._stop.is_set() or self._bytes <= limit)
            if items or size:
                self._waiting.append((size, items))
                self._bytes += size
            self._changed.notify_all()
        if parts is None:
            self._stop.wait(AGAIN)
