"""The requests socket: every request gets a reply, a bad one a reason."""

import contextlib
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec
import zmq
from numpy.typing import NDArray

from livepdf.daemon.history import History, Stack
from livepdf.daemon.publish import curve_buffers
from livepdf.model.curve import Result
from livepdf.wire.codec import WireError, decode_request, encode
from livepdf.wire.messages import (
    Done,
    HistoryRequest,
    MarkRequest,
    PauseRequest,
    Refused,
    Request,
    ResetRequest,
    ShutdownRequest,
    Snapshot,
    SnapshotRequest,
    Window,
    WindowRequest,
)
from livepdf.wire.messages import History as HistoryReply
from livepdf.wire.tuning import TuningRequest

log = logging.getLogger(__name__)
Answer = tuple[msgspec.Struct, list[NDArray[Any]]]

_LARGEST_REQUEST = 1 << 20
_LARGEST_REPLY = 64 << 20
_LARGEST_LIMIT = 5000
_LONGEST_MARK = 400
_POLL = 200
_MOST_PENDING = 64
"""Requests that may be thought about at once."""


class Desk:
    """What requests may ask of the daemon."""

    def __init__(
        self,
        *,
        snapshot: Callable[[], Snapshot],
        history: History,
        mark: Callable[[str], None],
        pause: Callable[[bool], None],
        reset: Callable[[], None],
        shutdown: Callable[[], None],
        tune: "Callable[[TuningRequest], Future[Answer]]",
    ) -> None:
        self._snapshot = snapshot
        self._history = history
        self._mark = mark
        self._pause = pause
        self._reset = reset
        self._shutdown = shutdown
        self._tune = tune

    def answer(self, request: Request) -> "Answer | Future[Answer]":
        """Carry a request out and return the reply with its buffers, or what will be that."""
        match request:
            case SnapshotRequest():
                return self._snapshot(), []
            case HistoryRequest():
                return self._windows(request)
            case WindowRequest():
                return self._one_window(request)
            case MarkRequest():
                return self._put_mark(request)
            case PauseRequest():
                self._pause(request.paused)
            case ResetRequest():
                self._reset()
            case ShutdownRequest():
                self._shutdown()
            case _:
                return self._tune(request)
        return Done(), []

    def _windows(self, request: HistoryRequest) -> Answer:
        if not 1 <= request.limit <= _LARGEST_LIMIT or request.first < 0:
            text = f"wanted first of 0 or more and limit of 1 to {_LARGEST_LIMIT}"
            return Refused(why="too much", text=text), []
        stack = self._history.stack(
            request.run, first=request.first, limit=request.limit, largest=_LARGEST_REPLY
        )
        if stack is None:
            return _not_there(f"no windows of run {request.run!r:.100} are kept")
        return _history_reply(stack)

    def _one_window(self, request: WindowRequest) -> Answer:
        result = self._history.window(request.run, request.number)
        if result is None:
            return _not_there(f"window {request.number} of run {request.run!r:.100} is not kept")
        return _window_reply(result)

    def _put_mark(self, request: MarkRequest) -> Answer:
        text = " ".join(request.text.split())
        if not text:
            return Refused(why="malformed", text="a mark needs a text"), []
        if len(text) > _LONGEST_MARK:
            return Refused(why="too much", text=f"a mark has at most {_LONGEST_MARK} letters"), []
        self._mark(text)
        return Done(), []


class Control:
    """Serves the requests socket from one thread."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", address: str) -> None:
        self._socket = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_REQUEST)
        self._socket.setsockopt(zmq.LINGER, 500)
        try:
            self._socket.bind(address)
        except zmq.ZMQError:
            self._socket.close(linger=0)
            raise
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """Address that clients are given."""
        self._pending = 0
        self._ready: deque[tuple[list[bytes], Future[Answer]]] = deque()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)

    def serve(self, desk: Desk, stop: threading.Event) -> None:
        """Answer until the stop; then close."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._bell, zmq.POLLIN)
        while not stop.is_set():
            events = dict(poller.poll(_POLL))
            if self._bell.fileno() in events:
                self._bell.recv(4096)
            while self._ready:
                route, thought = self._ready.popleft()
                self._pending -= 1
                self._reply(route, *thought.result())
            if self._socket in events:
                self._answer_one(desk)
        self._socket.close()
        self._bell.close()
        self._rope.close()

    def close(self) -> None:
        """Close a socket that was never served."""
        self._socket.close(linger=0)
        self._bell.close()
        self._rope.close()

    def _answer_one(self, desk: Desk) -> None:
        sender, *parts = self._socket.recv_multipart()
        if not parts:
            return
        route = [sender, parts[0]]
        try:
            request = decode_request(parts[1:])
        except WireError as error:
            self._reply(route, Refused(why="malformed", text=str(error)[:500]), [])
            return
        if self._pending >= _MOST_PENDING:
            text = f"{self._pending} requests are being thought about"
            self._reply(route, Refused(why="too much", text=text), [])
            return
        answer = desk.answer(request)
        if isinstance(answer, Future):
            self._pending += 1
            answer.add_done_callback(lambda done: self._thought(route, done))
        else:
            self._reply(route, *answer)

    def _thought(self, route: list[bytes], done: "Future[Answer]") -> None:
        """Ring for the thread that serves: another one has the answer now."""
        self._ready.append((route, done))
        with contextlib.suppress(OSError):
            self._rope.send(b"!")

    def _reply(self, route: list[bytes], reply: msgspec.Struct, arrays: list[NDArray[Any]]) -> None:
        try:
            # A viewer that does not take its replies loses them: nobody waits for it.
            self._socket.send_multipart(
                [*route, *encode(reply, arrays)], flags=zmq.NOBLOCK, copy=False
            )
        except zmq.ZMQError as error:
            log.debug("a reply was not taken: %s", error)


def _not_there(text: str) -> Answer:
    return Refused(why="not there", text=text), []


def _history_reply(stack: Stack) -> Answer:
    buffers: list[NDArray[Any]] = [stack.q, stack.iq, stack.r, stack.gr]
    reply = HistoryReply(
        run=stack.run,
        spans=stack.spans,
        trends=stack.trends,
        environment=stack.environment,
        flags=stack.flags,
        q=0,
        iq=1,
        r=2,
        gr=3,
        complete=stack.complete,
    )
    return reply, buffers


def _window_reply(result: Result) -> Answer:
    headers, arrays = curve_buffers(result.curves)
    reply = Window(
        span=result.span,
        curves=headers,
        trends=result.trends,
        environment=result.environment,
        flags=result.flags,
        quality=result.quality,
        left_out=result.left_out,
    )
    return reply, list[NDArray[Any]](arrays)
