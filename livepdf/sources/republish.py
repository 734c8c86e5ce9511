"""Pass a stream on, unchanged, to a file writer that may be slow or absent.

A stream that is pushed has one reader. Where livepdf is that reader, the file writer takes the
stream from here. It never slows the intake: what it does not take in time is dropped and counted.
"""

import logging
import time
from collections import deque

import zmq
from zmq.utils.monitor import recv_monitor_message

from livepdf.errors import SourceError
from livepdf.model.raw import RawMessage

log = logging.getLogger(__name__)

SEND_QUEUE = 64
"""Messages that ZeroMQ may hold beside ours."""
FAREWELL = 2.0
"""s that the writer is given for what is left when the source closes."""
SAY_AGAIN = 10.0
"""s between two warnings."""
JOINED = zmq.Event.HANDSHAKE_SUCCEEDED
LEFT = zmq.Event.DISCONNECTED


class Republisher:
    """A bound PUSH socket, fed by the intake's own thread."""

    def __init__(self, endpoint: str, *, limit: int) -> None:
        """Make it; ``limit`` is the most bytes that may wait for a slow writer."""
        self.endpoint = endpoint
        """Once open, with its real port."""
        self._limit = limit
        self._queue: deque[RawMessage] = deque()
        self.waiting_bytes = 0
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._warned = float("-inf")
        self.writers = 0
        """Readers connected now; more than one would share the messages out."""
        self.sent = 0
        """Messages handed to the writer's connection."""
        self.dropped = 0
        """Messages that no writer got: none was there, or it was too slow."""

    @property
    def waiting(self) -> int:
        """Messages that wait for a slow writer."""
        return len(self._queue)

    def open(self) -> None:
        """Bind. Raises SourceError where that cannot be."""
        self._context = zmq.Context()
        self._socket = socket = self._context.socket(zmq.PUSH)
        socket.setsockopt(zmq.SNDHWM, SEND_QUEUE)
        socket.setsockopt(zmq.LINGER, int(1000 * FAREWELL))
        self._monitor = socket.get_monitor_socket(JOINED | LEFT)
        try:
            socket.bind(self.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot re-publish on {self.endpoint}: {error}") from error
        self.endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def take(self, raw: RawMessage) -> None:
        """Take one message; returns at once whatever the writer does."""
        self._count_writers()
        if not self.writers and not self._queue:
            self._drop("no file writer is connected")
        elif self.waiting_bytes + raw.size > self._limit:
            self._drop("the file writer is too slow")
        else:
            self._queue.append(raw)
            self.waiting_bytes += raw.size
        self.flush()

    def flush(self) -> None:
        """Hand over what the writer can take now."""
        self._count_writers()
        socket = self._socket
        while socket is not None and self._queue and socket.poll(0, zmq.POLLOUT):
            raw = self._queue.popleft()
            self.waiting_bytes -= raw.size
            socket.send_multipart(raw.parts, zmq.NOBLOCK, copy=False)
            self.sent += 1

    def summary(self) -> str:
        """Say how it stands."""
        who = {0: "no file writer", 1: "a file writer"}.get(
            self.writers, f"{self.writers} readers, of which each gets a part"
        )
        return f"re-published to {who}: {self.sent} messages, {self.dropped} dropped"

    def close(self) -> None:
        """Give the writer a moment for the rest, then let go."""
        deadline = time.monotonic() + FAREWELL
        socket = self._socket
        while socket is not None and self._queue and self.writers:
            left = deadline - time.monotonic()
            if left <= 0 or not socket.poll(int(1000 * left), zmq.POLLOUT):
                break
            self.flush()
        self.dropped += len(self._queue)
        self._queue.clear()
        self.waiting_bytes = 0
        if socket is not None:
            log.info("%s", self.summary())
            socket.disable_monitor()
            socket.close()
        if self._monitor is not None:
            self._monitor.close(linger=0)
        if self._context is not None:
            self._context.term()
        self._socket = self._monitor = self._context = None

    def _drop(self, why: str) -> None:
        self.dropped += 1
        if time.monotonic() - self._warned >= SAY_AGAIN:
            self._warned = time.monotonic()
            log.warning("not re-published: %s (%d messages so far)", why, self.dropped)

    def _count_writers(self) -> None:
        while self._monitor is not None and self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
            self.writers = max(self.writers + (1 if event & JOINED else -1), 0)
            if self.writers > 1:
                log.warning("%d readers on %s share the stream out", self.writers, self.endpoint)
