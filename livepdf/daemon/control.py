"""The requests socket: every request gets a reply, a bad one a reason."""

import logging
import threading
from collections.abc import Callable
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

log = logging.getLogger(__name__)
Answer = tuple[msgspec.Struct, list[NDArray[Any]]]

_LARGEST_REQUEST = 1 << 20
_LARGEST_REPLY = 64 << 20
_LARGEST_LIMIT = 5000
_LONGEST_MARK = 400
_POLL = 200


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
    ) -> None:
        self._snapshot = snapshot
        self._history = history
        self._mark = mark
        self._pause = pause
        self._reset = reset
        self._shutdown = shutdown

    def answer(self, request: Request) -> Answer:
        """Carry a request out and return the reply with its buffers."""
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

    def serve(self, desk: Desk, stop: threading.Event) -> None:
        """Answer until the stop; then close."""
        while not stop.is_set():
            if self._socket.poll(_POLL):
                self._answer_one(desk)
        self._socket.close()

    def close(self) -> None:
        """Close a socket that was never served."""
        self._socket.close(linger=0)

    def _answer_one(self, desk: Desk) -> None:
        sender, *parts = self._socket.recv_multipart()
        if not parts:
            return
        key, body = parts[0], parts[1:]
        try:
            reply, arrays = desk.answer(decode_request(body))
        except WireError as error:
            reply, arrays = Refused(why="malformed", text=str(error)[:500]), []
        try:
            # A viewer that does not take its replies loses them: nobody waits for it.
            self._socket.send_multipart(
                [sender, key, *encode(reply, arrays)], flags=zmq.NOBLOCK, copy=False
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
    )
    return reply, list[NDArray[Any]](arrays)
