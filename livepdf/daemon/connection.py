"""One TCP connection that ZeroMQ holds, as the kernel sees it: does its peer read, how to end it.

ZeroMQ tells the number of the socket and nothing else, and may close it at any moment. So each look
takes a handle of its own, and goes by the addresses of both ends whether it is still the same.
"""

import contextlib
import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator

_INFO = 136
"""Bytes of Linux's struct tcp_info that are read."""
_ACKNOWLEDGED = 120
"""Where in them stands how many bytes the peer has taken, 64 bits (RFC 4898)."""


class Connection:
    """A peer of one of our sockets, from the moment that it was accepted."""

    def __init__(self, handle: int) -> None:
        """Remember who is at both ends; ``handle`` is the number of ZeroMQ's socket."""
        self._handle = handle
        self._ends = _ends(handle)
        self._taken = -1
        self._since = 0.0

    def stalled(self, now: float) -> float:
        """Return for how many s its peer has taken nothing of what waits for it.

        0 where nothing waits, or where that cannot be known; ``now`` in s of a steady clock.
        """
        with self._held() as held:
            waiting, taken = (0, 0) if held is None else _flow(held)
        if not waiting or taken != self._taken:
            self._taken, self._since = taken, now
        return now - self._since

    def cut(self) -> bool:
        """End it; ZeroMQ notices and lets go. Tell whether it was still there."""
        with self._held() as held:
            if held is None:
                return False
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            return True

    @contextlib.contextmanager
    def _held(self) -> Iterator[socket.socket | None]:
        """Hold the connection so that its number cannot become another's meanwhile."""
        try:
            held = socket.socket(fileno=os.dup(self._handle))
        except OSError:
            yield None
            return
        with held:
            same = self._ends is not None and _ends(held.fileno()) == self._ends
            yield held if same else None


def _ends(handle: int) -> tuple[object, object] | None:
    """Return the addresses of both ends of a TCP connection, None for anything else."""
    try:
        held = socket.socket(fileno=os.dup(handle))
    except OSError:
        return None
    with held:
        if held.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        try:
            return held.getsockname(), held.getpeername()
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.EINVAL):
                raise
            return None


def _flow(held: socket.socket) -> tuple[int, int]:
    """Return how many bytes wait for the peer, and how many it has ever taken."""
    try:
        info = held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO)
        waiting = fcntl.ioctl(held.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0, 0
    if len(info) < _ACKNOWLEDGED + 8:
        return 0, 0
    return struct.unpack("i", waiting)[0], struct.unpack_from("=Q", info, _ACKNOWLEDGED)[0]
