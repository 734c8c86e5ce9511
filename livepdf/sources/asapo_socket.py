"""ASAP::O: a thread fetches, the intake takes from it. Not tested against a real broker."""

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
        self._waiting: deque[RawMessage] = deque()
        self._bytes = 0
        self._trouble = ""

    def open(self) -> None:
        """Make the consumer and start fetching. SourceError where that cannot work."""
        self._reader = AsapoReader(self._settings, self._make(self._settings))
        self._thread = threading.Thread(target=self._run, name="asapo", daemon=True)
        self._thread.start()

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what was fetched, waiting at most ``timeout`` s for the first message."""
        if self._reader is None:
            raise SourceError(f"{self.description} is not open")
        items: list[SourceItem] = []
        for raw in self._take(timeout):
            if self._tap is not None:
                self._tap(raw)
            items += self._feed.feed(raw)
        return items + self._feed.tick(now=self._clock())

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
        if self._thread is not None:
            self._thread.join(self._settings.patience + 1.0)
        self._thread = None
        self._feed.close()
        self._trouble = "lost: closed"

    def _take(self, timeout: float) -> list[RawMessage]:
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout)
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._bytes -= sum(raw.size for raw in taken)
            self._changed.notify_all()
        return taken

    def _run(self) -> None:
        assert self._reader is not None
        limit = self._settings.queue << 20
        try:
            while not self._stop.is_set():
                parts = self._reader.step()
                if parts is None:
                    self._stop.wait(AGAIN)
                    continue
                raw = RawMessage(channel="stream", received=self._clock(), parts=parts)
                with self._changed:
                    # What we do not fetch stays with the broker: nothing is lost by waiting.
                    self._changed.wait_for(lambda: self._stop.is_set() or self._bytes <= limit)
                    self._waiting.append(raw)
                    self._bytes += raw.size
                    self._changed.notify_all()
        except Exception as error:
            log.exception("fetching from ASAP::O stopped by a defect")
            self._trouble = f"lost: fetching stopped by a defect: {error}"
