"""EPICS PVA through p4p: updates arrive on its threads, the intake takes them from here."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from livepdf.config.control_sources import EpicsPva
from livepdf.errors import SourceError
from livepdf.model.frame import SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.pva_client import PvaClient
from livepdf.sources.pva_frames import ACQUIRE, IMAGES, PvaFrames
from livepdf.sources.pva_raw import pack_link, pack_update
from livepdf.sources.source import Tap

SERVER_QUEUE = 32
"""Updates that the server is asked to hold for us before it drops the oldest."""
BATCH_MESSAGES, BATCH_BYTES = 64, 128 << 20
"""Most that one poll takes, so that timeouts are looked at while a flood goes on."""
SILENCE = 10.0
"""s without an image after which an open run is said to stall."""


class PvaSource:
    """Follows one NTNDArray channel; any number of readers may do so."""

    def __init__(
        self,
        settings: EpicsPva,
        *,
        clock: Callable[[], float] = time.time,
        tap: Tap | None = None,
    ) -> None:
        self.description = f"EPICS PVA channel {settings.channel}"
        self._settings = settings
        self._clock = clock
        self._tap = tap
        self._limit = settings.queue << 20
        self._frames = PvaFrames(settings)
        self._client: PvaClient | None = None
        self._changed = threading.Condition()
        self._waiting: deque[RawMessage] = deque()
        self._bytes = 0
        self._closed = False
        self._connected: bool | None = None
        self._newest = 0.0

    def open(self) -> None:
        """Ask for the channel; it may appear later. SourceError where p4p is not installed."""
        self._closed = False
        self._client = PvaClient(
            addresses=self._settings.addresses, broadcast=self._settings.broadcast
        )
        request = f"record[queueSize={SERVER_QUEUE}]field()"
        try:
            self._client.follow(self._settings.channel, self._image, request=request)
            if self._settings.acquire is not None:
                self._client.follow(self._settings.acquire, self._acquire)
        except (ValueError, RuntimeError) as error:
            self.close()
            raise SourceError(f"cannot follow {self._settings.channel}: {error}") from error

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what is there, waiting at most ``timeout`` s for the first update."""
        if self._client is None:
            raise SourceError(f"{self.description} is not open")
        items: list[SourceItem] = []
        for raw in self._take(timeout):
            if self._tap is not None:
                self._tap(raw)
            items += self._frames.feed(raw)
        return items + self._frames.tick(now=self._clock())

    def state(self) -> str:
        """Return ``connected``, ``waiting: …``, ``stalled: …`` or ``lost: …``."""
        if self._closed:
            return "lost: closed"
        if self._connected is None:
            return f"waiting: no server has {self._settings.channel} yet"
        if not self._connected:
            run = " in the middle of a run" if self._frames.run_is_open else ""
            return f"lost: {self._settings.channel} disappeared{run}; waiting for it"
        silent = self._clock() - self._newest
        if self._frames.run_is_open and silent > SILENCE:
            return f"stalled: no image for {silent:.0f} s in the middle of a run"
        return "connected"

    def lost(self) -> int:
        """Count the images that the numbering says existed but never arrived."""
        return self._frames.lost

    def close(self) -> None:
        """Let the channel go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._client is not None:
            self._client.close()
        self._client = None

    def _take(self, timeout: float) -> list[RawMessage]:
        taken: list[RawMessage] = []
        size = 0
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout)
            while self._waiting and len(taken) < BATCH_MESSAGES and size < BATCH_BYTES:
                raw = self._waiting.popleft()
                size += raw.size
                taken.append(raw)
            self._bytes -= size
            self._changed.notify_all()
        return taken

    def _image(self, value: Any) -> None:
        """Take an update on a thread of p4p's; None where the channel has gone."""
        self._connected = value is not None
        if value is None:
            self._put(IMAGES, pack_link("disconnected"))
            return
        self._newest = self._clock()
        self._put(IMAGES, pack_update(value.todict(), type_spec=value.type().aspy()))

    def _acquire(self, value: Any) -> None:
        if value is not None:
            self._put(ACQUIRE, pack_update(value.todict(), type_spec=value.type().aspy()))

    def _put(self, channel: str, parts: tuple[bytes | memoryview, ...]) -> None:
        raw = RawMessage(channel=channel, received=self._clock(), parts=parts)
        with self._changed:
            # While we hold p4p's thread, the server drops images: their numbers tell how many.
            self._changed.wait_for(lambda: self._closed or self._bytes <= self._limit)
            if not self._closed:
                self._waiting.append(raw)
                self._bytes += raw.size
                self._changed.notify_all()
