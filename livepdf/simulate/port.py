"""The socket of a detector, whichever way it gives its messages away."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self

import zmq

from livepdf.errors import SourceError

Way = Literal["push", "pub", "rep"]
"""Pushed to one reader, published to all, or handed out on request."""
_KINDS = {"push": zmq.PUSH, "pub": zmq.PUB, "rep": zmq.REP}
_SLICE = 100
"""ms, longest time without a look at the stop signal."""
_LINGER = 2000
"""ms that unsent messages may take when the port closes."""


class Port:
    """A bound socket that sends messages of several parts; use it as a context."""

    def __init__(
        self, endpoint: str, *, way: Way = "push", patience: float, queue: int = 20
    ) -> None:
        """Bind.

        Parameters
        ----------
        endpoint : str
            E.g. ``tcp://127.0.0.1:0``; port 0 takes a free one, see ``endpoint``.
        patience : float, s
            How long a message may wait for a reader.
        queue : int
            Messages that wait inside for a slow reader.

        Raises
        ------
        SourceError
            When the address cannot be bound.
        """
        self.way = way
        self._patience = patience
        self._context = zmq.Context()
        # XPUB publishes like PUB, and hears of its readers.
        self._socket = self._context.socket(zmq.XPUB if way == "pub" else _KINDS[way])
        self._socket.setsockopt(zmq.SNDHWM, queue)
        self._socket.setsockopt(zmq.LINGER, _LINGER)
        if way == "pub":
            # A publisher that waits for its slowest reader, as no real one does: for replays
            # that are to be whole.
            self._socket.setsockopt(zmq.XPUB_NODROP, 1)
        self._readers = 0
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot bind {endpoint}: {error}") from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """The address with its real port."""

    def send(self, parts: Sequence[bytes | memoryview], *, stop: threading.Event) -> bool:
        """Send one message as soon as a reader takes it.

        Returns
        -------
        bool
            False when ``stop`` was set before that.

        Raises
        ------
        SourceError
            No reader took it in time.
        """
        if not self._wait_for_room(stop):
            return False
        self._socket.send_multipart(parts, copy=False)
        return True

    def send_last(self, part: bytes, *, stop: threading.Event) -> None:
        """Send a message of one part, and wait until it and all before it have left.

        A port that closes gives up what a slow reader has not taken within two seconds. So it does
        when ``stop`` was or is set.

        Raises
        ------
        SourceError
            No reader took it in time.
        """
        if not self._wait_for_room(stop):
            return
        message = zmq.Frame(part, track=True, copy=False, copy_threshold=0)
        tracker, deadline = message.tracker, time.monotonic() + self._patience
        self._socket.send(message, copy=False)
        del message
        while tracker is not None and not tracker.done and not stop.wait(_SLICE / 1e4):
            if time.monotonic() > deadline:
                raise SourceError(f"{self.endpoint}: not taken within {self._patience:g} s")

    def offer(self, parts: Sequence[bytes | memoryview]) -> bool:
        """Push one message if there is room for it now; tell whether there was."""
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def wait_for_reader(self, *, stop: threading.Event) -> bool:
        """Wait until somebody reads, so that a clock can start; tell whether somebody does.

        Raises
        ------
        SourceError
            Nobody came in time.
        """
        deadline = time.monotonic() + self._patience
        while not self._is_read():
            if stop.is_set():
                return False
            if time.monotonic() > deadline:
                raise SourceError(f"{self.endpoint}: no reader within {self._patience:g} s")
        return True

    def close(self) -> None:
        """Close; what readers have not taken within two seconds is dropped."""
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_for_room(self, stop: threading.Event) -> bool:
        """Wait until a reader can take a message; tell whether one can, and raise as `send`."""
        deadline = time.monotonic() + self._patience
        while not self._may_send():
            if stop.is_set():
                return False
            if time.monotonic() > deadline:
                raise SourceError(f"{self.endpoint}: no reader within {self._patience:g} s")
        return True

    def _may_send(self) -> bool:
        """Whether a reader can take a message now; waits a moment for one."""
        if self.way == "push":
            return bool(self._socket.poll(_SLICE, zmq.POLLOUT))
        if self.way == "rep":
            if not self._socket.poll(_SLICE, zmq.POLLIN):
                return False
            self._socket.recv_multipart()
            return True
        return self._is_read() and bool(self._socket.poll(_SLICE, zmq.POLLOUT))

    def _is_read(self) -> bool:
        """Whether there is a reader; waits a moment for one."""
        if self.way == "push":
            return bool(self._socket.poll(_SLICE, zmq.POLLOUT))
        if self.way == "rep":
            return bool(self._socket.poll(_SLICE, zmq.POLLIN))
        wanted = 0 if self._readers else _SLICE
        while self._socket.poll(wanted, zmq.POLLIN):
            wanted = 0
            self._readers += 1 if self._socket.recv()[:1] == b"\x01" else -1
        return self._readers > 0
