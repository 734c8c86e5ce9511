"""A detector's data port: binds a PUSH socket and sends one series at its own pace."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import zmq

from livepdf.errors import SourceError

_SLICE = 100
"""ms, longest time without a look at the stop signal."""
_LINGER = 2000
"""ms that unsent messages may take when the port closes."""


class DataPort:
    """A bound PUSH socket. Never blocks longer than it was told; use it as a context."""

    def __init__(self, endpoint: str, *, patience: float, queue: int = 20) -> None:
        """Bind.

        Parameters
        ----------
        endpoint : str
            E.g. ``tcp://127.0.0.1:0``; port 0 takes a free one, see ``endpoint``.
        patience : float, s
            How long a message may wait for a reader.
        queue : int
            Messages that wait inside for a slow reader.
        """
        self._patience = patience
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.SNDHWM, queue)
        self._socket.setsockopt(zmq.LINGER, _LINGER)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot bind {endpoint}: {error}") from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """The address with its real port."""

    def send(self, message: bytes, *, stop: threading.Event) -> bool:
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
        deadline = time.monotonic() + self._patience
        while not self._socket.poll(_SLICE, zmq.POLLOUT):
            if stop.is_set():
                return False
            if time.monotonic() > deadline:
                raise SourceError(f"{self.endpoint}: no reader within {self._patience:g} s")
        self._socket.send(message)
        return True

    def offer(self, message: bytes) -> bool:
        """Send one message if there is room for it now; tell whether there was."""
        try:
            self._socket.send(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of the images of a series."""

    images: int
    """That went out."""
    dropped: int
    """That no reader had room for."""
    seconds: float
    """From the first one on."""
    late: float
    """s that the last one went out behind its time."""


def send_series(
    port: DataPort,
    *,
    start: bytes,
    images: Iterable[bytes],
    end: bytes,
    rate: float,
    stop: threading.Event,
    sent: Callable[[int], None],
    drop: bool = False,
) -> Sent:
    """Send a series at ``rate`` Hz.

    The clock starts when a reader took the start message. A late image is sent at once. When
    ``stop`` is set the series ends early, with its end message.

    Parameters
    ----------
    sent : callable
        Told the number of images sent so far after each one.
    drop : bool
        Drop an image that no reader has room for, as a detector does, instead of waiting.
    """
    if not port.send(start, stop=stop):
        return Sent(images=0, dropped=0, seconds=0.0, late=0.0)
    began = time.monotonic()
    count = dropped = 0
    due = began
    for message in images:
        due = began + (count + dropped) / rate
        if stop.wait(max(due - time.monotonic(), 0.0)):
            break
        if drop and not port.offer(message):
            dropped += 1
            continue
        if not drop and not port.send(message, stop=stop):
            break
        count += 1
        sent(count)
    now = time.monotonic()
    # The end goes out even after a stop, if a reader is there to take it.
    port.send(end, stop=stop)
    return Sent(images=count, dropped=dropped, seconds=now - began, late=max(now - due, 0.0))
