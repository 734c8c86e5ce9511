"""The two sockets of a viewer: one to ask by, one that results come through."""

from collections.abc import Iterator, Sequence

import zmq

from livepdf.wire.keys import ClientKey
from livepdf.wire.unpack import reachable

_MOST_WAITING = 200
"""Results that wait for a viewer that looks away, 40 MB at most; others are fetched later."""


class Line:
    """Opens, renews and closes both; never waits."""

    def __init__(
        self, endpoint: str, *, context: zmq.Context[zmq.Socket[bytes]], key: ClientKey | None
    ) -> None:
        self.endpoint = endpoint
        self.results_address = ""
        """What results come from; empty before any."""
        self._context = context
        self._key = key
        self._requests: zmq.Socket[bytes] | None = None
        self._results: zmq.Socket[bytes] | None = None

    @property
    def subscribed(self) -> bool:
        """Whether results can come."""
        return self._results is not None

    def close(self) -> None:
        """Close both; nothing is waited for."""
        for socket in (self._requests, self._results):
            if socket is not None:
                socket.close(linger=0)
        self._requests = self._results = None

    def reopen(self) -> None:
        """Ask by a new socket: what a dead daemon swallowed must not block its successor."""
        if self._requests is not None:
            self._requests.close(linger=0)
        self._requests = self._opened(zmq.DEALER)
        self._requests.connect(self.endpoint)

    def subscribe(self, address: str) -> None:
        """Have results come from an address as the daemon names it."""
        if self._results is not None:
            self._results.close(linger=0)
        self._results = self._opened(zmq.SUB)
        self._results.setsockopt(zmq.RCVHWM, _MOST_WAITING)
        self._results.setsockopt(zmq.SUBSCRIBE, b"")
        self._results.connect(reachable(address, self.endpoint))
        self.results_address = address

    def send(self, parts: Sequence[bytes | memoryview]) -> bool:
        """Send a request; tell whether there was room for it."""
        if self._requests is None:
            self.reopen()
        assert self._requests is not None
        try:
            self._requests.send_multipart(parts, flags=zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def wait(self, timeout: float) -> None:
        """Wait up to ``timeout`` s for anything to come."""
        poller = zmq.Poller()
        for socket in (self._requests, self._results):
            if socket is not None:
                poller.register(socket, zmq.POLLIN)
        poller.poll(int(timeout * 1000))

    def replies(self) -> Iterator[list[bytes]]:
        """Yield the replies that are here; the line may be renewed meanwhile."""
        while self._requests is not None:
            try:
                yield self._requests.recv_multipart(flags=zmq.NOBLOCK)
            except zmq.Again:
                return

    def published(self) -> Iterator[list[bytes]]:
        """Yield the results that are here; the line may be renewed meanwhile."""
        while self._results is not None:
            try:
                yield self._results.recv_multipart(flags=zmq.NOBLOCK)
            except zmq.Again:
                return

    def _opened(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        if self._key is not None:
            self._key.use(socket)
        return socket
