"""A daemon's stand-in with a long history, as the wire shows it."""

import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np
import zmq

from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.model.overview import RunColumns
from livepdf.model.status import Counters, Event, Status
from livepdf.wire.codec import decode_request, encode
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import (
    VERSION,
    History,
    HistoryRequest,
    MapReply,
    MapRequest,
    PreviewMessage,
    Refused,
    ResultMessage,
    Snapshot,
    SnapshotRequest,
    StatusMessage,
    Window,
    WindowRequest,
)
from livepdf.wire.overview import OverviewRequest, pack_overview

Q, WINDOW_Q, R = np.linspace(0.4, 28.0, 2000), np.linspace(0.8, 24.0, 1500), np.arange(3000) * 0.01
FRAMES = 25
RUN = "two_hours"
_TRENDS = ("domain size", "lattice a", "conversion", "Hf-O position", "Hf-O width", "S(Q) tail")


def _results(count: int) -> list[Result]:
    """Return windows with noise, of a particle that grows."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(count):
        envelope = np.exp(-R / (5.0 + 0.05 * number))
        gr = envelope * np.sin(2.7 * R) * 3 + 0.05 * rng.normal(size=R.size)
        fq = np.sin(3 * WINDOW_Q) + 0.05 * rng.normal(size=WINDOW_Q.size)
        iq = 900 * np.exp(-Q / 5) + rng.normal(size=Q.size) + 30
        curves = (
            Curve(kind="iq", x=Q, y=iq, sigma=np.ones(Q.size)),
            Curve(kind="sq", x=WINDOW_Q, y=1 + fq / WINDOW_Q, sigma=np.full(WINDOW_Q.size, 0.05)),
            Curve(kind="fq", x=WINDOW_Q, y=fq, sigma=np.full(WINDOW_Q.size, 0.05)),
            Curve(kind="gr", x=R, y=gr, sigma=np.full(R.size, 0.05)),
        )
        trends = tuple(
            Trend(name=n, unit="Å", value=10 + rng.normal() + 0.01 * number, sigma=1.0)
            for n in _TRENDS
        )
        span = _span(number, 0.0)
        found.append(
            Result(span=span, curves=curves, trends=trends, environment=(("temperature", 400.0),))
        )
    return found


def _span(number: int, start: float) -> Span:
    return Span(
        scope="window", run=RUN, number=number, first=FRAMES * number,
        last=FRAMES * number + FRAMES - 1, frames=FRAMES, start=start + 0.1 * number,
        end=start + 0.1 * number + 0.1, revision=1,
    )  # fmt: skip


@dataclass
class StandIn:
    """A daemon with a long history, as the wire shows it; one thread owns both sockets."""

    windows: int
    ready: threading.Event = field(default_factory=threading.Event)
    rate: float = 0.0
    """Windows per second; zero waits."""
    made: int = 0
    stop: bool = False

    def start(self) -> str:
        self._context = zmq.Context()
        self._router, self._pub = self._context.socket(zmq.ROUTER), self._context.socket(zmq.PUB)
        self._pub.setsockopt(zmq.SNDHWM, 200)
        for socket in (self._router, self._pub):
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind("tcp://127.0.0.1:*")
        self._samples = _results(64)
        self._packed = [_pack(r) for r in self._samples]
        self._begin = time.time() - 0.1 * self.windows
        self._columns = RunColumns(RUN)
        for number in range(self.windows):
            self._keep(number)
        self._image = np.random.default_rng(0).poisson(30.0, (500, 490)).astype(np.float32)
        self.made = self.windows
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return str(self._router.getsockopt_string(zmq.LAST_ENDPOINT))

    def end(self) -> None:
        self.stop = True
        self._thread.join()
        self._context.destroy(linger=0)

    def _keep(self, number: int) -> None:
        sample = self._samples[number % 64]
        self._columns.put(
            _span(number, self._begin), trends=sample.trends, environment=sample.environment
        )
        for curve in sample.curves:
            if curve.kind in ("iq", "fq", "gr"):
                self._columns.put_curve(number, curve, revision=1)

    def _run(self) -> None:
        spoken, begun, since, rate = 0.0, time.monotonic(), self.made, 0.0
        sequence = 0
        while not self.stop:
            now = time.monotonic()
            if self.rate != rate:
                rate, begun, since = self.rate, now, self.made
            if now - spoken > 0.5:
                spoken = now
                sequence += 1
                self._send(StatusMessage(sequence=sequence, status=self._status()), [])
                self._send(
                    PreviewMessage(sequence=sequence, run=RUN, frame=self.made, time=time.time(),
                                   image=0, binning=4),
                    [self._image + np.float32(sequence % 7)],
                )  # fmt: skip
            due = since + int((now - begun) * rate)
            while self.made < due and not self.stop:
                self._publish(self.made)
                self.made += 1
            while self._router.poll(2):
                self._answer()

    def _publish(self, number: int) -> None:
        headers, arrays = self._packed[number % 64]
        sample = self._samples[number % 64]
        span = _span(number, self._begin)
        for scope in ("window", "run"):
            message = ResultMessage(
                sequence=number, span=replace(span, scope=scope), curves=headers,
                trends=sample.trends, environment=sample.environment,
            )  # fmt: skip
            self._send(message, arrays)
        self._keep(number)

    def _send(self, message, arrays) -> None:
        self._pub.send_multipart(encode(message, arrays), copy=False)

    def _status(self) -> Status:
        frames = FRAMES * self.made
        return Status(
            state="running", time=time.time(), run=RUN, rate=250.0, lag=0.1, newest=time.time(),
            counters=Counters(received=frames, used=frames), windows=self.made, revision=1,
            source="stand-in", source_state="connected",
        )  # fmt: skip

    def _answer(self) -> None:
        sender, key, *parts = self._router.recv_multipart()
        match decode_request(parts):
            case SnapshotRequest():
                events = tuple(
                    Event(kind="mark", time=self._begin + 60.0 * n, text=f"mark {n}", run=RUN,
                          frame=FRAMES * 600 * n) for n in range(12)
                )  # fmt: skip
                reply = Snapshot(
                    version=VERSION, sequence=0,
                    results=self._pub.getsockopt_string(zmq.LAST_ENDPOINT), software="stand-in",
                    status=self._status(), events=events, first_window=0,
                    last_window=self.made - 1, profile="p", sample="HfO2", composition="HfO2",
                    masked=0.08,
                )  # fmt: skip
                message = encode(reply)
            case HistoryRequest(first=first, limit=limit):
                message = encode(*self._history(first, min(first + limit, self.made)))
            case OverviewRequest():
                message = encode(*pack_overview(self._columns.freeze()))
                self.ready.set()
            case WindowRequest(number=number):
                headers, arrays = self._packed[number % 64]
                sample = self._samples[number % 64]
                message = encode(
                    Window(span=_span(number, self._begin), curves=headers, trends=sample.trends,
                           environment=sample.environment), arrays,
                )  # fmt: skip
            case MapRequest(first=first, limit=limit, kind=kind):
                rows = [self._samples[n % 64].curve(kind) for n in range(first, first + limit)]
                y = np.array([c.y for c in rows], dtype=np.float32)
                message = encode(
                    MapReply(run=RUN, kind=kind, first=first, x=0, y=1), [rows[0].x, y]
                )
            case _:
                message = encode(Refused(why="unknown", text="a stand-in"))
        self._router.send_multipart([sender, key, *message])

    def _history(self, first: int, end: int):
        numbers = range(first, end)
        kept = [self._samples[n % 64] for n in numbers]
        stacked = {
            kind: np.array([one.curve(kind).y for one in kept], dtype=np.float32)
            for kind in ("iq", "gr")
        }
        reply = History(
            run=RUN, spans=tuple(_span(n, self._begin) for n in numbers),
            trends=tuple(one.trends for one in kept),
            environment=tuple(one.environment for one in kept),
            q=0, iq=1, r=2, gr=3, complete=end >= self.made,
        )  # fmt: skip
        return reply, [Q, stacked["iq"], R, stacked["gr"]]


def _pack(result: Result):
    arrays = []
    headers = []
    for curve in result.curves:
        place = len(arrays)
        headers.append(CurveHeader(kind=curve.kind, x=place, y=place + 1, sigma=place + 2))
        arrays += [curve.x, curve.y, curve.sigma]
    return tuple(headers), arrays
