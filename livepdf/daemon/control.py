"""The requests socket: every request gets a reply, a bad one a reason, a flood next to nothing."""

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Literal

import msgspec
import zmq
from numpy.typing import NDArray

from livepdf.daemon.asides import window_reply
from livepdf.daemon.baton import Baton
from livepdf.daemon.door import LOCAL, Door
from livepdf.daemon.history import History, Stack
from livepdf.daemon.tape import Tape
from livepdf.daemon.thrift import Rates, Thrift
from livepdf.daemon.views import Views
from livepdf.wire.codec import WireError, decode_request, encode
from livepdf.wire.messages import (
    LARGEST_REQUEST,
    Done,
    HistoryRequest,
    MarkRequest,
    NextRunRequest,
    PauseRequest,
    Refused,
    Request,
    ResetRequest,
    Role,
    ShutdownRequest,
    Snapshot,
    SnapshotRequest,
    WindowRequest,
)
from livepdf.wire.messages import History as HistoryReply
from livepdf.wire.overview import MapReply, MapRequest, OverviewRequest, pack_overview
from livepdf.wire.tuning import RecipeRequest, TuningRequest
from livepdf.wire.views import (
    AnglesRequest,
    ControlRequest,
    ExportRequest,
    FrameRequest,
    RecordRequest,
    StructureRequest,
    TogetherRequest,
)

log = logging.getLogger(__name__)
Answer = tuple[msgspec.Struct, list[NDArray[Any]]]
Why = Literal["malformed", "not allowed", "too much"]

_LARGEST_REPLY = 64 << 20
_LARGEST_LIMIT = 5000
_LONGEST_MARK = 400
_LONGEST_NAME = 100
_POLL = 200
_MOST_PENDING = 64
"""Requests that may be thought about at once."""
_BURST = 500.0
"""Requests that one client may make at once."""
_SHARE, _SAVED = 0.05, 2.0
"""Of a core that all requests together may take for long, and s of it that may be saved up."""
_MOST_OWED = 64 << 20
"""Bytes of replies that wait for one client to read them; it gets no further large ones then."""
_WATERMARK = 1000
_MOST_PEERS = 100
"""Whose unread replies are remembered before it is looked which of them are read."""
VIEWER = (
    *(SnapshotRequest, HistoryRequest, WindowRequest, RecipeRequest),
    *(OverviewRequest, MapRequest, AnglesRequest, StructureRequest, ExportRequest),
    *(FrameRequest, TogetherRequest),
)
"""What a viewer may ask; everything else needs a controller."""


class Desk:
    """What requests may ask of the daemon."""

    def __init__(
        self,
        *,
        snapshot: Callable[[Role], Snapshot],
        history: History,
        mark: Callable[[str], None],
        pause: Callable[[bool], None],
        reset: Callable[[], None],
        divide: Callable[[str], bool],
        shutdown: Callable[[], None],
        tune: "Callable[[TuningRequest], Future[Answer]]",
        views: Views,
        tape: Tape | None,
        baton: Baton,
    ) -> None:
        self._snapshot = snapshot
        self._history = history
        self._mark = mark
        self._pause = pause
        self._reset = reset
        self._divide = divide
        self._shutdown = shutdown
        self._tune = tune
        self._views = views
        self._tape = tape
        self._baton = baton

    def answer(self, request: Request, role: Role, peer: bytes = b"") -> "Answer | Future[Answer]":
        """Carry a request out and return the reply with its buffers, or what will be that."""
        if role != "controller" and not isinstance(request, VIEWER):
            text = "this key is a viewer's: it sees everything and changes nothing"
            return Refused(why="not allowed", text=text), []
        if held := self._baton.refusal(peer, request):
            return Refused(why="not allowed", text=held), []
        match request:
            case SnapshotRequest():
                return self._snapshot(role), []
            case HistoryRequest():
                return self._windows(request)
            case WindowRequest():
                return self._one_window(request)
            case OverviewRequest():
                return self._overview(request)
            case MapRequest():
                return self._map(request)
            case AnglesRequest() | StructureRequest() | ExportRequest():
                return self._views.ask(request)
            case FrameRequest() | TogetherRequest():
                return self._views.ask(request)
            case RecordRequest():
                if self._tape is None:
                    return _not_there("only a stream is recorded, and this source is none")
                return self._tape.ask(request)
            case ControlRequest():
                return self._baton.ask(peer, request), []
            case MarkRequest():
                return self._put_mark(request)
            case PauseRequest():
                self._pause(request.paused)
            case ResetRequest():
                self._reset()
            case NextRunRequest():
                return self._next_run(request)
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
        return window_reply(result)

    def _overview(self, request: OverviewRequest) -> Answer:
        overview = self._history.overview(request.run)
        if overview is None:
            return _not_there(f"no windows of run {request.run!r:.100} are kept")
        return pack_overview(overview)

    def _map(self, request: MapRequest) -> Answer:
        if not 1 <= request.limit <= _LARGEST_LIMIT or request.first < 0:
            text = f"wanted first of 0 or more and limit of 1 to {_LARGEST_LIMIT}"
            return Refused(why="too much", text=text), []
        found = self._history.rows(
            request.run, request.kind, first=request.first, limit=request.limit
        )
        if found is None:
            return _not_there(f"windows from {request.first} on are not kept with {request.kind}")
        reply = MapReply(run=request.run, kind=request.kind, first=found.first, x=0, y=1)
        return reply, [found.x, found.y]

    def _put_mark(self, request: MarkRequest) -> Answer:
        text = _plain_words(request.text)
        if not text:
            return Refused(why="malformed", text="a mark needs a text"), []
        if len(text) > _LONGEST_MARK:
            return Refused(why="too much", text=f"a mark has at most {_LONGEST_MARK} letters"), []
        self._mark(text)
        return Done(), []

    def _next_run(self, request: NextRunRequest) -> Answer:
        if not self._divide(_plain_words(request.name)[:_LONGEST_NAME]):
            return _not_there("no run is open: the next one begins by itself with its first frame")
        return Done(), []


class Control:
    """Serves the requests socket from one thread.

    A client that asks too fast is read and not answered; when all together take more than their
    share of the daemon's time, the socket is left alone for a while, and ZeroMQ takes from each
    client in turn after that.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        address: str,
        *,
        door: Door,
        rate: float,
    ) -> None:
        self._door = door
        self._rates = Rates(rate=rate, burst=max(_BURST, rate))
        self._thrift = Thrift(share=_SHARE, saved=_SAVED)
        self._owed: dict[bytes, list[tuple[zmq.MessageTracker, int]]] = {}
        self._warned: dict[bytes, float] = {}
        self._socket = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_REQUEST)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.setsockopt(zmq.RCVHWM, _WATERMARK)
        self._socket.setsockopt(zmq.SNDHWM, _WATERMARK)
        door.guard(self._socket, "requests")
        try:
            self._socket.bind(address)
        except zmq.ZMQError:
            self._socket.close(linger=0)
            raise
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """Address that clients are given."""
        self.beats = 0
        """Grows while the thread goes on."""
        self._pending = 0
        self._ready: deque[tuple[list[bytes], Future[Answer]]] = deque()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)

    def serve(self, desk: Desk, stop: threading.Event) -> None:
        """Answer until the stop; then close."""
        poller, resting = zmq.Poller(), zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        for both in (poller, resting):
            both.register(self._bell, zmq.POLLIN)
        while not stop.is_set():
            debt = self._thrift.debt(time.monotonic())
            wait = min(_POLL, 1 + int(1000 * debt))
            events = dict(resting.poll(wait) if debt else poller.poll(_POLL))
            began = time.thread_time()
            if self._bell.fileno() in events:
                self._bell.recv(4096)
            while self._ready:
                route, thought = self._ready.popleft()
                self._pending -= 1
                self._reply(route, *thought.result())
            if self._socket in events:
                self._answer_one(desk)
            self._thrift.spend(time.thread_time() - began, time.monotonic())
            self.beats += 1
        self._socket.close()
        self._bell.close()
        self._rope.close()

    def close(self) -> None:
        """Close a socket that was never served."""
        self._socket.close(linger=0)
        self._bell.close()
        self._rope.close()

    def _answer_one(self, desk: Desk) -> None:
        sender, *frames = self._socket.recv_multipart(copy=False)
        if not frames:
            return
        peer, now = sender.bytes, time.monotonic()
        route = [peer, frames[0].bytes]
        if not self._rates.allow(peer, now):
            self._refuse_flood(route, now)
            return
        role = self._door.role(_user(frames[0]))
        if role is None:
            self._refuse(route, "not allowed", "this key is not valid any more")
            return
        try:
            request = decode_request([frame.bytes for frame in frames[1:]])
        except WireError as error:
            self._refuse(route, "malformed", str(error)[:500])
            return
        if self._pending >= _MOST_PENDING:
            self._refuse(route, "too much", f"{self._pending} requests are being thought about")
            return
        if not isinstance(request, SnapshotRequest) and self._owes(peer) > _MOST_OWED:
            self._refuse(route, "too much", "read the replies to what you asked before")
            return
        answer = desk.answer(request, role, peer)
        if isinstance(answer, Future):
            self._pending += 1
            answer.add_done_callback(lambda done: self._thought(route, done))
        else:
            self._reply(route, *answer)

    def _refuse(self, route: list[bytes], why: Why, text: str) -> None:
        self._reply(route, Refused(why=why, text=text), [])

    def _refuse_flood(self, route: list[bytes], now: float) -> None:
        """Count a request of a client that asks too fast; tell it so now and then."""
        peer = route[0]
        self._door.turn_away("too fast")
        if now - self._warned.get(peer, -1.0) >= 1.0:
            self._warned = {k: at for k, at in self._warned.items() if now - at < 1.0}
            self._warned[peer] = now
            self._send(route, Refused(why="too much", text="too many requests in a second"), [])

    def _owes(self, peer: bytes) -> int:
        """Return how many bytes of replies a client has not read yet."""
        left = [(t, size) for t, size in self._owed.pop(peer, []) if not t.done]
        if left:
            self._owed[peer] = left
        return sum(size for _, size in left)

    def _thought(self, route: list[bytes], done: "Future[Answer]") -> None:
        """Ring for the thread that serves: another one has the answer now."""
        self._ready.append((route, done))
        with contextlib.suppress(OSError):
            self._rope.send(b"!")

    def _reply(self, route: list[bytes], reply: msgspec.Struct, arrays: list[NDArray[Any]]) -> None:
        if isinstance(reply, Refused):
            self._door.turn_away(reply.why)
        self._send(route, reply, arrays)

    def _send(
        self, route: list[bytes], reply: msgspec.Struct, arrays: Sequence[NDArray[Any]]
    ) -> None:
        size = sum(array.nbytes for array in arrays)
        try:
            # A viewer that does not take its replies loses them: nobody waits for it.
            tracker = self._socket.send_multipart(
                [*route, *encode(reply, arrays)], flags=zmq.NOBLOCK, copy=False, track=size > 0
            )
        except zmq.ZMQError as error:
            log.debug("a reply was not taken: %s", error)
            return
        if tracker is not None and size:
            if len(self._owed) >= _MOST_PEERS:
                # Clients that have left never ask again: what they owed was let go of long since.
                for peer in list(self._owed):
                    self._owes(peer)
            self._owed.setdefault(route[0], []).append((tracker, size))


def _user(frame: zmq.Frame) -> str:
    """Return by what name the door let the sender in."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return LOCAL


def _plain_words(text: str) -> str:
    """Return a line of text; what moves a terminal's cursor or hides words has no place in it."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST_MARK])
    return " ".join(shown.split())


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
