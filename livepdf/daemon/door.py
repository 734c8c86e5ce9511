"""Who may connect: one thread looks at every key, counts who is there, and shows people out."""

import socket as sockets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from livepdf.daemon.connection import Connection
from livepdf.daemon.keyring import Keyring
from livepdf.wire.messages import Role

Side = Literal["requests", "results"]
LOCAL = "local"
"""Whoever comes over loopback where no keys are set up."""
_ZAP = "inproc://zeromq.zap.01"
"""Where libzmq asks whether a peer may come in."""
_VERSION = b"1.0"
_WATCHED = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED
_HANDSHAKE = 3000
"""ms after which a peer that does not even greet is sent away."""
STALL = 30.0
"""s without reading anything, with something waiting, after which a peer is sent away."""
_LOOK = 1.0
"""s between two looks at who is connected."""


class Door:
    """Lets peers in by key, up to a number of them; any thread may ask it."""

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        keyring: Keyring | None,
        *,
        limit: int,
        stall: float = STALL,
    ) -> None:
        """Make it and start its thread.

        Parameters
        ----------
        keyring : Keyring, optional
            Without, everybody who reaches the sockets comes in as a controller.
        limit : int
            Peers of each socket.
        stall : float
            s without reading after which a peer is sent away; it may come again.
        """
        self.keyring = keyring
        self._context = context
        self._limit = limit
        self._lock = threading.Lock()
        self._stall = stall
        self._looked = time.monotonic()
        self._peers: dict[Side, dict[int, Connection]] = {"requests": {}, "results": {}}
        self._monitors: dict[zmq.Socket[bytes], Side] = {}
        self._turned_away: Counter[str] = Counter()
        self._bell, self._rope = sockets.socketpair()
        self._zap = context.socket(zmq.REP)
        self._zap.setsockopt(zmq.LINGER, 0)
        self._zap.bind(_ZAP)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def guard(self, socket: "zmq.Socket[bytes]", side: Side) -> None:
        """Put the door before a socket; call it before the socket is bound."""
        socket.zap_domain = side.encode()
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE)
        if self.keyring is not None:
            socket.curve_server = True
            socket.curve_secretkey = self.keyring.server.secret.encode()
        address = f"inproc://door.{side}"
        socket.monitor(address, _WATCHED)
        monitor = self._context.socket(zmq.PAIR)
        monitor.setsockopt(zmq.LINGER, 0)
        monitor.connect(address)
        self._monitors[monitor] = side

    def open(self) -> None:
        """Begin; every socket has been guarded."""
        self._thread.start()

    def role(self, user: str) -> Role | None:
        """Return what a peer may do that was let in as ``user``; None where no longer."""
        if self.keyring is None:
            return "controller"
        return self.keyring.role(user)

    def peers(self, side: Side) -> int:
        """Return how many are connected."""
        with self._lock:
            return len(self._peers[side])

    def turn_away(self, reason: str) -> None:
        """Count something that was refused."""
        with self._lock:
            self._turned_away[reason] += 1

    def turned_away(self) -> Mapping[str, int]:
        """Return what was refused since the start, by reason."""
        with self._lock:
            return dict(self._turned_away)

    def close(self) -> None:
        """End the thread and let go of the sockets; once more does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._rope.send(b"!")
        if self._thread.is_alive():
            self._thread.join()
        for socket in (self._zap, *self._monitors):
            socket.close(linger=0)
        self._bell.close()
        self._rope.close()

    def _run(self) -> None:
        poller = zmq.Poller()
        for socket in (self._zap, *self._monitors, self._bell):
            poller.register(socket, zmq.POLLIN)
        while not self._stopping.is_set():
            for ready, _ in poller.poll(int(1000 * _LOOK)):
                if ready is self._zap:
                    self._note_all()
                    self._answer()
                elif ready in self._monitors:
                    self._note(ready)
            now = time.monotonic()
            if now - self._looked >= _LOOK:
                self._looked = now
                self._show_out(now)

    def _note_all(self) -> None:
        """Note whoever has come before a question is answered, so that nobody too many is let in.

        A connection is told of before its peer is asked about, but on another socket.
        """
        for monitor in self._monitors:
            while monitor.poll(0):
                self._note(monitor)

    def _note(self, monitor: "zmq.Socket[bytes]") -> None:
        if not monitor.poll(0):
            return
        message = recv_monitor_message(monitor)
        peers, handle = self._peers[self._monitors[monitor]], int(message["value"])
        came = message["event"] == zmq.EVENT_ACCEPTED
        connection = Connection(handle) if came else None
        with self._lock:
            if connection is None:
                peers.pop(handle, None)
            elif len(peers) < self._limit:
                peers[handle] = connection
            else:
                # ZeroMQ lets whoever is told to try later hang until the greeting times out.
                connection.cut()
                self._turned_away["too many clients"] += 1

    def _show_out(self, now: float) -> None:
        """End the connections of those who do not read, or whose key has been revoked."""
        for side in self._peers.values():
            for connection in list(side.values()):
                if connection.stalled(now) > self._stall and connection.cut():
                    self.turn_away("does not read")
        if self.keyring is not None and self.keyring.lost_a_key():
            # ZeroMQ does not tell which connection showed which key: all begin anew, and those
            # whose key is still good are back at once and fetch what they missed.
            for connection in list(self._peers["results"].values()):
                connection.cut()

    def _answer(self) -> None:
        version, number, _, _, _, mechanism, *shown = self._zap.recv_multipart()
        code, text, user = self._decide(mechanism, shown)
        if version != _VERSION:
            code, text, user = b"500", b"unknown version", b""
        self._zap.send_multipart([_VERSION, number, code, text, user, b""])

    def _decide(self, mechanism: bytes, shown: list[bytes]) -> tuple[bytes, bytes, bytes]:
        user = LOCAL
        if self.keyring is not None:
            user = z85.encode(shown[0]).decode() if mechanism == b"CURVE" else ""
            if self.keyring.role(user) is None:
                self.turn_away("unknown key")
                return b"400", b"unknown key", b""
        return b"200", b"OK", user.encode()
