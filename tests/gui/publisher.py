"""A daemon as the window sees it: real sockets and wire, a growing particle in closed form."""

import argparse
import queue
import sys
import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np
import zmq

from livepdf.model.breakdown import BreakdownReport
from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.model.laser import LaserReport
from livepdf.model.serial import SerialReport
from livepdf.model.status import Counters, Event, Status
from livepdf.wire import breakdown, laser, serial
from livepdf.wire.codec import decode_request, encode
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import (
    VERSION,
    BreakdownMessage,
    ByeMessage,
    Done,
    EventMessage,
    History,
    HistoryRequest,
    LaserMessage,
    MarkRequest,
    PreviewMessage,
    Refused,
    ResultMessage,
    SerialMessage,
    Snapshot,
    SnapshotRequest,
    StatusMessage,
    Window,
    WindowRequest,
)

R = np.arange(0.0, 30.0, 0.01)
Q = np.linspace(0.4, 24.0, 2000)
SHELLS = np.array([2.13, 2.62, 3.42, 3.98, 4.61, 5.08, 5.62, 6.2, 6.9, 7.4, 8.1, 8.9, 9.6, 10.4])
"""Å, roughly those of a fluorite-like oxide."""
FRAMES = 10
"""Frames per window."""


def growing_result(
    number: int, *, start: float, run: str = "hfo2_growth", period: float = 0.1, of: int = 400
) -> Result:
    """Return window ``number`` of a particle that grows from 1 to 5 nm, with its noise and σ."""
    rng = np.random.default_rng(number)
    share = float(1.0 / (1.0 + np.exp(-(number / of - 0.35) * 12.0)))
    size = 10.0 + 40.0 * share
    gr, gr_sigma = _gr(share, size, rng)
    iq, iq_sigma = _iq(share, size, rng)
    begin = start + number * period
    span = Span(
        scope="window", run=run, number=number, first=number * FRAMES,
        last=number * FRAMES + FRAMES - 1, frames=FRAMES, start=begin, end=begin + period,
        revision=1,
    )  # fmt: skip
    return Result(
        span=span,
        curves=(
            Curve(kind="iq", x=Q, y=iq, sigma=iq_sigma),
            Curve(kind="gr", x=R, y=gr, sigma=gr_sigma),
        ),
        trends=_trends(number, share, size, rng),
        environment=(("temperature", 298.0 + 180.0 * min(number / of * 2.0, 1.0)),),
    )


def _gr(share: float, size: float, rng: np.random.Generator):
    far = np.arange(11.2, 30.0, 0.82)
    shells = np.concatenate([SHELLS, far])
    height = np.concatenate([[6.0, 1.1], 3.2 / np.sqrt(np.arange(2, 14.0)), np.full(far.size, 0.8)])
    ratio = np.clip(R / size, 0.0, 1.0)
    envelope = 1.0 - 1.5 * ratio + 0.5 * ratio**3
    width = 0.09 + 0.02 * (1.0 - share)
    peaks = np.exp(-(((R[:, None] - shells) / width) ** 2) / 2) @ height
    water = 0.5 * np.exp(-(((R - 2.85) / 0.25) ** 2) / 2) * (1.0 - share)
    truth = (peaks - np.convolve(peaks, np.ones(80) / 80, mode="same")) * envelope * share + water
    sigma = 0.05 + 0.12 * np.exp(-R / 6.0)
    noise = np.convolve(rng.normal(size=R.size), np.ones(13) / np.sqrt(13), mode="same")
    return truth + sigma * noise, sigma


def _iq(share: float, size: float, rng: np.random.Generator):
    sharp = 0.06 + 1.2 / size
    background = 900.0 * np.exp(-Q / 5.0) + 500.0 * np.exp(-(((Q - 2.0) / 0.6) ** 2)) + 30.0
    places = np.array([2.13, 2.46, 3.48, 4.08, 4.27, 4.93, 5.37, 5.51, 6.05, 6.42, 7.4, 8.2])
    heights = 900.0 * np.exp(-places / 4.0)
    bragg = np.exp(-(((Q[:, None] - places) / sharp) ** 2) / 2) @ heights
    truth = background + share * bragg * 0.08 / sharp
    sigma = np.sqrt(truth / 20.0)
    iq = truth + sigma * rng.normal(size=Q.size)
    iq[700:706] = np.nan
    sigma[700:706] = np.nan
    return iq, sigma


def _trends(number: int, share: float, size: float, rng: np.random.Generator) -> tuple[Trend, ...]:
    nan = float("nan")
    if share < 0.05:
        why = "no ordered domain stands out of the noise yet"
        domain = Trend(name="domain size", unit="Å", value=nan, sigma=nan, reason=why)
    else:
        sigma = 0.2 + 1.2 * (1.0 - share)
        domain = Trend(
            name="domain size",
            unit="Å",
            value=float(size + sigma * rng.normal()),
            sigma=float(sigma),
        )
    values = [domain]
    for place in (2.13, 3.42):
        sigma = 0.002 + 0.01 * (1.0 - share)
        bad = 180 <= number < 195 and place > 3
        reason = "the peak overlaps its neighbour in this window" if bad else ""
        at = float(place) + 0.02 * (1 - share) + float(sigma * rng.normal())
        values.append(
            Trend(
                name=f"peak {place} position", unit="Å", value=nan if bad else at,
                sigma=nan if bad else sigma, reason=reason,
            )
        )  # fmt: skip
        width = 0.09 + 0.02 * (1.0 - share) + float(0.002 * rng.normal())
        values.append(Trend(name=f"peak {place} width", unit="Å", value=width, sigma=0.002))
    return tuple(values)


def ring_image(number: int, share: float) -> np.ndarray:
    """Return a binned detector image: rings on a falling background, gaps and beamstop masked."""
    ny, nx = 260, 248
    y, x = np.mgrid[:ny, :nx]
    radius = np.hypot(y - 131.0, x - 122.0)
    image = 40.0 * np.exp(-radius / 60.0) + 3.0
    for place, height in ((28, 20.0), (33, 8.0), (47, 12.0), (55, 9.0), (71, 5.0), (88, 4.0)):
        image += share * height * np.exp(-(((radius - place) / 1.6) ** 2) / 2)
    image = np.random.default_rng(number).poisson(image * 10) / 10.0
    image[radius < 7] = np.nan
    image[(y >= 128) & (y < 133) & (x > 122)] = np.nan
    image[:, 82:84] = np.nan
    image[:, 164:166] = np.nan
    image[86:89] = image[173:176] = np.nan
    image[40, 40] = 1e6
    return image.astype(np.float32)


@dataclass
class _Kept:
    results: list[Result] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Publisher:
    """Answers requests and publishes what it is told, in one thread that owns both sockets."""

    def __init__(
        self, *, address: str = "tcp://127.0.0.1:*", run: str = "hfo2_growth", beat: float = 0.1
    ) -> None:
        self.run, self._beat = run, beat
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._results = self._context.socket(zmq.PUB)
        for socket in (self._router, self._results):
            socket.setsockopt(zmq.LINGER, 0)
        self._router.bind(address)
        self._results.bind("tcp://127.0.0.1:*")
        self.endpoint = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        self._orders: queue.SimpleQueue = queue.SimpleQueue()
        self._kept = _Kept()
        self._sequence = 0
        self.marks: list[str] = []
        self.visited = threading.Event()
        """Set once a viewer has the history."""
        self.status = Status(state="running", time=time.time(), counters=Counters(), run=run)
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def say(self, result: Result) -> None:
        """Publish a window and keep it for those who come late."""
        self._orders.put(result)

    def keep(self, result: Result) -> None:
        """Keep a window that was published before anybody listened."""
        self._kept.results.append(result)

    def happened(self, event: Event) -> None:
        """Publish an event."""
        self._orders.put(event)

    def show(self, number: int, image: np.ndarray) -> None:
        """Publish a detector image."""
        self._orders.put((number, image))

    def report(self, report: object) -> None:
        """Publish what is known of shots."""
        self._orders.put(report)

    def stop(self, *, bye: bool = True) -> None:
        """Close both sockets, with a word or as if killed."""
        self._orders.put("bye" if bye else "die")
        self._thread.join()
        self._context.term()

    def _loop(self) -> None:
        spoken = 0.0
        while True:
            if time.monotonic() - spoken > self._beat:
                spoken = time.monotonic()
                now = replace(self.status, time=time.time(), windows=len(self._kept.results))
                self._publish(lambda s, now=now: StatusMessage(sequence=s, status=now))
            if self._router.poll(10):
                self._answer()
            while not self._orders.empty():
                order = self._orders.get()
                if order in ("bye", "die") if isinstance(order, str) else False:
                    if order == "bye":
                        self._publish(lambda s: ByeMessage(sequence=s, reason="told to"))
                    # linger lets the last word leave
                    self._results.close(linger=200)
                    self._router.close()
                    return
                self._carry_out(order)

    def _carry_out(self, order: object) -> None:
        match order:
            case Result():
                if order.span.scope == "window":
                    self._kept.results.append(order)
                headers, arrays = _packed(order)
                self._publish(
                    lambda s: ResultMessage(
                        sequence=s, span=order.span, curves=headers, trends=order.trends,
                        environment=order.environment,
                    ),
                    arrays,
                )  # fmt: skip
            case Event():
                self._kept.events.append(order)
                self._publish(lambda s: EventMessage(sequence=s, event=order))
            case LaserReport():
                header, arrays = laser.take_apart(order)
                self._publish(lambda s: LaserMessage(sequence=s, header=header), arrays)
            case SerialReport():
                told, arrays = serial.take_apart(order)
                self._publish(lambda s: SerialMessage(sequence=s, header=told), arrays)
            case BreakdownReport():
                said, arrays = breakdown.take_apart(order)
                self._publish(lambda s: BreakdownMessage(sequence=s, header=said), arrays)
            case (int() as number, image):
                self._publish(
                    lambda s: PreviewMessage(
                        sequence=s, run=self.run, frame=number, time=time.time(), image=0, binning=8
                    ),
                    [image],
                )

    def _publish(self, make, arrays=()) -> None:
        self._sequence += 1
        self._results.send_multipart(encode(make(self._sequence), arrays))

    def _answer(self) -> None:
        sender, key, *parts = self._router.recv_multipart()
        reply, arrays = self._reply(decode_request(parts))
        self._router.send_multipart([sender, key, *encode(reply, arrays)])

    def _reply(self, request):
        kept = self._kept.results
        match request:
            case SnapshotRequest():
                return self._snapshot(), []
            case HistoryRequest():
                rows = kept[request.first : request.first + request.limit]
                self.visited.set()
                complete = request.first + request.limit >= len(kept)
                return _history(self.run, rows, complete), _stacked(rows)
            case WindowRequest(number=number) if number < len(kept):
                headers, arrays = _packed(kept[number])
                whole = kept[number]
                window = Window(
                    span=whole.span, curves=headers, trends=whole.trends,
                    environment=whole.environment,
                )  # fmt: skip
                return window, arrays
            case MarkRequest(text=text):
                self.marks.append(text)
                self._carry_out(Event(kind="mark", time=time.time(), text=text, run=self.run))
                return Done(), []
        return Refused(why="not there", text="no such window"), []

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            version=VERSION, sequence=self._sequence,
            results=self._results.getsockopt_string(zmq.LAST_ENDPOINT), software="livepdf test",
            status=self.status, events=tuple(self._kept.events),
            first_window=0 if self._kept.results else -1,
            last_window=len(self._kept.results) - 1, profile="synthetic PILATUS 2M",
            sample="HfO2 in water", composition="HfO2", masked=0.083,
        )  # fmt: skip


def _packed(result: Result):
    arrays = [a for c in result.curves for a in (c.x, c.y, c.sigma)]
    headers = tuple(
        CurveHeader(kind=c.kind, x=3 * i, y=3 * i + 1, sigma=3 * i + 2)
        for i, c in enumerate(result.curves)
    )
    return headers, arrays


def _history(run: str, rows: list[Result], complete: bool) -> History:
    return History(
        run=run, spans=tuple(r.span for r in rows), trends=tuple(r.trends for r in rows),
        environment=tuple(r.environment for r in rows), q=0, iq=1, r=2, gr=3, complete=complete,
    )  # fmt: skip


def _stacked(rows: list[Result]) -> list[np.ndarray]:
    iq = np.array([r.curve("iq").y for r in rows], dtype=np.float32).reshape(len(rows), Q.size)
    gr = np.array([r.curve("gr").y for r in rows], dtype=np.float32).reshape(len(rows), R.size)
    return [Q, iq, R, gr]


def example_status(frames: int, *, problems: tuple[str, ...] = ()) -> Status:
    """Return a status whose counters add up, with a few refusals."""
    refused = {"truncated": 3, "saturated": 14} if frames > 100 else {}
    used = frames - sum(refused.values()) - 6
    return Status(
        state="running", time=time.time(), run="hfo2_growth_240C",
        counters=Counters(received=frames, used=used, refused=refused, waiting=6, lost=2),
        source="Stream V2 at tcp://10.10.4.7:31001", source_state="connected", rate=100.0,
        lag=0.118, newest=time.time() - 0.1, queue_bytes=37_000_000, queue_limit=2_000_000_000,
        windows=frames // FRAMES, revision=1,
        output="/data/visitor/2026/hfo2/processed/hfo2_growth_240C.nxs", problems=problems,
    )  # fmt: skip


def main() -> int:
    """Serve a growing particle at a steady rate, to look at the window or to measure it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--history", type=int, default=250)
    parser.add_argument("--duration", type=float, default=30.0)
    parser.add_argument("--problem", action="append", default=[])
    given = parser.parse_args()
    run = "hfo2_growth_240C"
    publisher = Publisher(run=run, beat=0.5)
    start = time.time() - given.history / given.rate
    period = 1.0 / given.rate
    made = [growing_result(n, start=start, run=run, period=period) for n in range(given.history)]
    for result in made:
        publisher.keep(result)
    publisher.happened(Event(kind="run start", time=start, text="", run=run))
    publisher.happened(Event(kind="mark", time=start + 6, text="heater on, 240 °C", run=run))
    publisher.happened(Event(kind="onset", time=start + 9.5, text="first Bragg peaks", run=run))
    sys.stdout.write(f"ready {publisher.endpoint}\n")
    sys.stdout.flush()
    ahead = [
        growing_result(given.history + n, start=start, run=run, period=period) for n in range(60)
    ]
    began, number = time.monotonic(), given.history
    pause = threading.Event()
    while time.monotonic() - began < given.duration:
        base = ahead[(number - given.history) % 60]
        span = replace(
            base.span, number=number, first=number * FRAMES, last=number * FRAMES + FRAMES - 1,
            start=start + number * period, end=start + (number + 1) * period,
        )  # fmt: skip
        publisher.status = example_status((number + 1) * FRAMES, problems=tuple(given.problem))
        publisher.say(replace(base, span=span))
        publisher.say(
            replace(
                base, span=replace(span, scope="run", number=0, first=0, frames=number * FRAMES)
            )
        )
        if number % max(int(given.rate / 2), 1) == 0:
            publisher.show(number * FRAMES, ring_image(number, 0.9))
        number += 1
        pause.wait(max(began + (number - given.history) * period - time.monotonic(), 0.0))
    publisher.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
