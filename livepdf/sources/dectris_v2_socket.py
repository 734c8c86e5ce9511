"""DECTRIS Stream V2 over ZeroMQ: drain the socket, hand the messages on."""

import time
from collections.abc import Callable

import zmq
from zmq.utils.monitor import recv_monitor_message

from livepdf.config.sources import DectrisStreamV2
from livepdf.errors import SourceError
from livepdf.model.frame import SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.dectris_v2_frames import dectris_v2_feed
from livepdf.sources.source import Tap

RECEIVE_QUEUE = 256
"""Messages that ZeroMQ may hold here; more stay with the sender, which may drop them."""
BATCH_MESSAGES, BATCH_BYTES = 256, 128 << 20
"""Most that one poll takes, so that timeouts are looked at while a flood goes on."""
OVERSIZE = 4
"""A message this many times too large costs the connection; a smaller one is only refused."""
SILENCE = 10.0
"""s without a message after which an open series is said to stall."""
KEEPALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 10,
    zmq.TCP_KEEPALIVE_INTVL: 60,
    zmq.TCP_KEEPALIVE_CNT: 1,
}
CONNECTED = zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.CONNECTED
BROKEN = zmq.Event.DISCONNECTED | zmq.Event.HANDSHAKE_FAILED_PROTOCOL


class DectrisV2Source:
    """Pulls the stream of one detector control unit; the only reader it may have."""

    def __init__(
        self,
        settings: DectrisStreamV2,
        *,
        clock: Callable[[], float] = time.time,
        tap: Tap | None = None,
    ) -> None:
        self.description = f"DECTRIS Stream V2 from {settings.endpoint}"
        self._settings = settings
        self._clock = clock
        self._largest = settings.largest_message << 20
        self._tap = tap
        self._frames = dectris_v2_feed(settings)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._state = "waiting: not open yet"
        self._newest = 0.0

    def open(self) -> None:
        """Connect; ZeroMQ goes on trying by itself. Raises SourceError for a bad address."""
        self._context = zmq.Context()
        self._socket = socket = self._context.socket(zmq.PULL)
        for option, value in KEEPALIVE.items():
            socket.setsockopt(option, value)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
        socket.setsockopt(zmq.MAXMSGSIZE, OVERSIZE * self._largest)
        self._monitor = socket.get_monitor_socket(CONNECTED | BROKEN)
        try:
            socket.connect(self._settings.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot connect to {self._settings.endpoint}: {error}") from error
        self._state = f"waiting: connecting to {self._settings.endpoint}"

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what is there, waiting at most ``timeout`` s for the first message."""
        if self._socket is None:
            raise SourceError(f"{self.description} is not open")
        items: list[SourceItem] = []
        if self._socket.poll(int(timeout * 1000)):
            items = self._drain(self._socket)
        self._watch_connection()
        return items + self._frames.tick(now=self._clock())

    def state(self) -> str:
        """Return ``connected``, ``waiting: …``, ``stalled: …`` or ``lost: …``."""
        silent = self._clock() - self._newest
        if self._state == "connected" and self._frames.run_is_open and silent > SILENCE:
            return f"stalled: no message for {silent:.0f} s in the middle of a series"
        return self._state

    def lost(self) -> int:
        """Count the frames that the numbering says existed but never arrived."""
        return self._frames.lost

    def close(self) -> None:
        """Close the socket; messages that ZeroMQ had fetched already are gone."""
        if self._socket is not None:
            self._socket.disable_monitor()
            self._socket.close(linger=0)
        if self._monitor is not None:
            self._monitor.close(linger=0)
        if self._context is not None:
            self._context.term()
        self._socket = self._monitor = self._context = None
        self._state = "lost: closed"

    def _drain(self, socket: "zmq.Socket[bytes]") -> list[SourceItem]:
        items: list[SourceItem] = []
        taken = 0
        for _ in range(BATCH_MESSAGES):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._state = "connected"
            self._newest = self._clock()
            items += self._message(parts)
            taken += sum(map(len, parts))
            if taken > BATCH_BYTES:
                break
        return items

    def _message(self, parts: list[bytes]) -> list[SourceItem]:
        raw = RawMessage(channel="stream", received=self._clock(), parts=tuple(parts))
        if self._tap is not None:
            self._tap(raw)
        if raw.size > self._largest:
            detail = f"{raw.size} bytes, largest_message is {self._largest}"
            return [self._frames.refuse("too large", detail, now=raw.received)]
        return self._frames.feed(raw)

    def _watch_connection(self) -> None:
        while self._monitor is not None and self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
            if event & CONNECTED:
                self._state = "connected"
            elif event & BROKEN:
                address = self._settings.endpoint
                run = " in the middle of a series" if self._frames.run_is_open else ""
                self._state = f"lost: {address} closed the connection{run}; trying again"
