"""Ask HiDRA for its files, receive them, and tell it to stop at the end."""

import json
import socket as network
import time
from collections.abc import Callable

import zmq

from livepdf.config.sources import Hidra, Stream
from livepdf.errors import SourceError
from livepdf.model.frame import SourceItem
from livepdf.sources.hidra_files import HidraFeed
from livepdf.sources.source import Tap
from livepdf.sources.stream_socket import StreamSource

START, STOP = b"START_STREAM", b"STOP_STREAM"
ASK_AGAIN = 10.0
"""s after which an order that was not answered, or was refused, is given once more."""
FAREWELL = 2000
"""ms that HiDRA is given to answer the last order."""
PRIORITY = 1


class HidraSource:
    """Receives files that a HiDRA sender at the beamline reads as they are written."""

    def __init__(
        self,
        settings: Hidra,
        *,
        clock: Callable[[], float] = time.time,
        tap: Tap | None = None,
    ) -> None:
        self.description = f"HiDRA at {settings.signal}"
        self._settings = settings
        self._clock = clock
        self._feed = HidraFeed(settings, apart=True)
        self._tap = tap
        self._stream: StreamSource | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._orders: zmq.Socket[bytes] | None = None
        self._target = ""
        self._ordered = float("-inf")
        self._answer = ""
        """What HiDRA said to the last order; empty while it says nothing."""

    def open(self) -> None:
        """Listen, and ask for files. Raises SourceError where listening cannot work."""
        host, _, port = self._settings.listen.rpartition(":")
        try:
            address = network.gethostbyname(host)
        except OSError as error:
            raise SourceError(f"listen: {host} is no address of this machine: {error}") from error
        self._stream = StreamSource(
            Stream(endpoint=f"tcp://{address}:{port}", idle_timeout=self._settings.idle_timeout),
            name="HiDRA",
            feed=self._feed,
            bind=True,
            clock=self._clock,
            tap=self._tap,
        )
        self._stream.open()
        self._feed.start()
        self._target = f"{host}:{self._stream.endpoint.rpartition(':')[2]}"
        self._context = zmq.Context()
        self._orders = orders = self._context.socket(zmq.REQ)
        orders.setsockopt(zmq.LINGER, 0)
        orders.setsockopt(zmq.REQ_RELAXED, 1)
        orders.setsockopt(zmq.REQ_CORRELATE, 1)
        try:
            orders.connect(self._settings.signal)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot connect to {self._settings.signal}: {error}") from error
        self._order(START)

    def poll(self, timeout: float) -> list[SourceItem]:
        """Drain what is there, waiting at most ``timeout`` s for the first message."""
        if self._stream is None or self._orders is None:
            raise SourceError(f"{self.description} is not open")
        if self._orders.poll(0):
            self._answer = self._orders.recv_multipart()[0].decode(errors="replace")[:100]
        started = self._answer == START.decode()
        if not started and self._clock() - self._ordered > ASK_AGAIN:
            self._order(START)
        return self._stream.poll(timeout)

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        if self._answer == START.decode():
            silent = self._stream is None or not self._feed.run_is_open
            return "connected" if silent or self._stream is None else self._stream.state()
        if not self._answer:
            return f"waiting: no answer from {self._settings.signal}"
        return f"lost: HiDRA refused: {self._answer}"

    def lost(self) -> int:
        """Count the frames that the numbers of the files say existed but never arrived."""
        return self._feed.lost

    def close(self) -> None:
        """Tell HiDRA to stop, else it keeps this target; then let go. May be called twice."""
        if self._orders is not None and self._stream is not None:
            if self._answer == START.decode():
                self._order(STOP)
                self._orders.poll(FAREWELL)
            self._orders.close(linger=0)
        if self._context is not None:
            self._context.term()
        if self._stream is not None:
            self._stream.close()
        self._stream = self._orders = self._context = None
        self._answer = "closed"
        self._feed.close()

    def _order(self, signal: bytes) -> None:
        self._ordered = self._clock()
        targets = [[self._target, PRIORITY, self._settings.pattern]]
        parts = [
            self._settings.version.encode(),
            self._settings.application.encode(),
            signal,
            json.dumps(targets).encode(),
        ]
        if self._orders is not None and self._orders.poll(0, zmq.POLLOUT):
            self._orders.send_multipart(parts, zmq.NOBLOCK)
