"""A stream over ZeroMQ: drain the socket, hand the messages on; knows no byte of any format."""

import time
from collections.abc import Callable

import zmq
from zmq.utils.monitor import recv_monitor_message

from livepdf.config.sources import Pattern, Stream
from livepdf.errors import SourceError
from livepdf.model.frame import RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.cbor_views import LONG
from livepdf.sources.republish import Republisher
from livepdf.sources.source import Feed, Tap

CHANNEL = "stream"
"""What the raw messages of a source with one socket say they came through."""
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
SOCKETS = {"pull": zmq.PULL, "sub": zmq.SUB, "req": zmq.REQ}


class StreamSource:
    """Receives one stream; of a stream that is pushed it must be the only reader."""

    def __init__(
        self,
        settings: Stream,
        *,
        name: str,
        feed: Feed,
        pattern: Pattern = "pull",
        request: bytes = b"",
        bind: bool = False,
        clock: Callable[[], float] = time.time,
        tap: Tap | None = None,
    ) -> None:
        """Make it; it is not open yet.

        Parameters
        ----------
        settings
            Addresses and limits.
        name
            The protocol, for people.
        feed
            What understands the messages.
        pattern
            How the sender gives its messages away.
        request
            What asks for the next message, where each has to be asked for.
        bind
            Whether the sender connects to us.
        tap
            Told every raw message before anything else happens to it.
        """
        self.description = f"{name} from {settings.endpoint}"
        self.endpoint: str = settings.endpoint
        """Once open and bound, with its real port."""
        self._settings = settings
        self._pattern = pattern
        self._request = request
        self._bind = bind
        self._clock = clock
        self._largest = settings.largest_message << 20
        self._tap = tap
        self.opening: RawMessage | None = None
        """What the newest series began with."""
        self._feed = feed
        self.republished = (
            Republisher(settings.republish, limit=settings.republish_queue << 20)
            if settings.republish is not None
            else None
        )
        """What passes the stream on to a file writer, where that is wanted."""
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._state = "waiting: not open yet"
        self._newest = 0.0
        self._asked = False

    def open(self) -> None:
        """Connect; ZeroMQ goes on trying by itself. Raises SourceError for a bad address."""
        self._context = zmq.Context()
        self._socket = socket = self._context.socket(SOCKETS[self._pattern])
        for option, value in KEEPALIVE.items():
            socket.setsockopt(option, value)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
        socket.setsockopt(zmq.MAXMSGSIZE, OVERSIZE * self._largest)
        if self._pattern == "sub":
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        elif self._pattern == "req":
            # A request that a broken connection swallowed may be sent again.
            socket.setsockopt(zmq.REQ_RELAXED, 1)
        self._monitor = socket.get_monitor_socket(CONNECTED | BROKEN)
        try:
            if self._bind:
                socket.bind(self._settings.endpoint)
                self.endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
            else:
                socket.connect(self._settings.endpoint)
            if self.republished is not None:
                self.republished.open()
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot connect to {self._settings.endpoint}: {error}") from error
        except SourceError:
            self.close()
            raise
        self._state = f"waiting: connecting to {self._settings.endpoint}"

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what is there, waiting at most ``timeout`` s for the first message."""
        if self._socket is None:
            raise SourceError(f"{self.description} is not open")
        items: list[SourceItem] = []
        self._ask(self._socket)
        if self._socket.poll(int(timeout * 1000)):
            items = self._drain(self._socket)
        if self.republished is not None:
            self.republished.flush()
        self._watch_connection()
        return items + self._feed.tick(now=self._clock())

    def state(self) -> str:
        """Return ``connected``, ``waiting: …``, ``stalled: …`` or ``lost: …``."""
        silent = self._clock() - self._newest
        if self._state == "connected" and self._feed.run_is_open and silent > SILENCE:
            return f"stalled: no message for {silent:.0f} s in the middle of a series"
        if self.republished is not None:
            return f"{self._state}; {self.republished.summary()}"
        return self._state

    def lost(self) -> int:
        """Count the frames that the numbering says existed but never arrived."""
        return self._feed.lost

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
        if self.republished is not None:
            self.republished.close()
        self._state = "lost: closed"

    def _ask(self, socket: "zmq.Socket[bytes]") -> None:
        # Only one request may be open: after a silence its answer is still owed.
        if self._request and not self._asked and socket.poll(0, zmq.POLLOUT):
            socket.send(self._request, zmq.NOBLOCK)
            self._asked = True

    def _drain(self, socket: "zmq.Socket[bytes]") -> list[SourceItem]:
        items: list[SourceItem] = []
        taken = 0
        for _ in range(BATCH_MESSAGES):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            self._asked = False
            self._ask(socket)
            self._state = "connected"
            # An image stays in the memory that ZeroMQ received it in.
            parts = tuple(f.bytes if len(f) < LONG else f.buffer for f in frames)
            raw = RawMessage(channel=CHANNEL, received=self._clock(), parts=parts)
            self._newest = raw.received
            items += self._message(raw)
            taken += raw.size
            if taken > BATCH_BYTES:
                break
        return items

    def _message(self, raw: RawMessage) -> list[SourceItem]:
        if self.republished is not None:
            self.republished.take(raw)
        if self._tap is not None:
            self._tap(raw)
        if raw.size > self._largest:
            detail = f"{raw.size} bytes, largest_message is {self._largest}"
            return [self._feed.refuse("too large", detail, now=raw.received)]
        items = self._feed.feed(raw)
        if any(isinstance(item, RunStart) for item in items):
            self.opening = raw
        return items

    def _watch_connection(self) -> None:
        while self._monitor is not None and self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
            if event & CONNECTED:
                self._state = "connected"
            elif event & BROKEN:
                address = self._settings.endpoint
                # Between two series a detector may be switched off: nothing is lost by that.
                kind, when = "waiting", ""
                if self._feed.run_is_open:
                    kind, when = "lost", " in the middle of a series"
                self._state = f"{kind}: {address} closed the connection{when}; trying again"
                self._asked = False
