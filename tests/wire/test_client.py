"""The client against a daemon that a test can make misbehave, on real sockets."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import zmq

from livepdf.errors import SilenceError, SourceError
from livepdf.model.curve import Span
from livepdf.model.status import Counters, Status
from livepdf.wire.client import Client
from livepdf.wire.codec import decode_request, encode
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import (
    VERSION,
    Refused,
    ResultMessage,
    Snapshot,
    SnapshotRequest,
    StatusMessage,
)


class Stub:
    """Answers snapshots and beats; publishes whatever a test hands it."""

    def __init__(self, *, version: int = VERSION) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._router = self.context.socket(zmq.ROUTER)
        self._pub = self.context.socket(zmq.PUB)
        self.address = bound(self._router)
        self._results = bound(self._pub)
        self._version = version
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def publish(self, parts: list[bytes]) -> None:
        with self._lock:
            self._pub.send_multipart(parts)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.context.destroy(linger=0)

    def _serve(self) -> None:
        while not self._stop.is_set():
            self.publish([bytes(p) for p in encode(StatusMessage(sequence=1, status=status()))])
            while self._router.poll(50):
                sender, key, *parts = self._router.recv_multipart()
                known = isinstance(decode_request(parts), SnapshotRequest)
                reply = self._snapshot() if known else Refused(why="not allowed", text="a stub")
                self._router.send_multipart([sender, key, *encode(reply)])

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            version=self._version,
            sequence=0,
            results=self._results,
            software="stub",
            status=status(),
            events=(),
            first_window=-1,
            last_window=-1,
            profile="p",
            sample="s",
            composition="Ni",
            masked=0.0,
        )


def bound(socket: "zmq.Socket[bytes]") -> str:
    socket.bind("tcp://127.0.0.1:0")
    return socket.getsockopt_string(zmq.LAST_ENDPOINT)


def status() -> Status:
    return Status(state="running", time=1.0, counters=Counters(), run="r")


def result(*, buffer: int = 1, number: int = 0) -> list[bytes]:
    span = Span(
        scope="window",
        run="r",
        number=number,
        first=number,
        last=number,
        frames=1,
        start=0.0,
        end=1.0,
        revision=1,
    )
    curves = (
        CurveHeader(kind="iq", x=0, y=buffer, sigma=1),
        CurveHeader(kind="gr", x=0, y=buffer, sigma=1),
    )
    message = ResultMessage(sequence=2, span=span, curves=curves, trends=(), environment=())
    return [bytes(part) for part in encode(message, [np.arange(4.0), np.ones(4)])]


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.close()


def follow(client: Client, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15.0
    while not until():
        assert time.monotonic() < deadline, client.mirror
        client.poll(0.1)


@pytest.mark.parametrize("hostile", [[b"noise"], [b""], result(buffer=9), result()[:1]])
def test_a_message_that_makes_no_sense_is_said_and_the_next_one_is_taken(
    stub: Stub, hostile: list[bytes]
) -> None:
    client = Client(stub.address)
    client.connect()
    said: list[str] = []

    stub.publish(hostile)
    follow(client, lambda: said.append(client.mirror.connection) or "connected" not in said[-1])  # type: ignore[func-returns-value]
    stub.publish(result())
    follow(client, lambda: client.mirror.latest is not None)
    client.close()

    assert "cannot be read" in said[-1] or "does not fit together" in said[-1]


def test_a_daemon_of_another_version_is_not_misread() -> None:
    stub = Stub(version=VERSION + 1)
    client = Client(stub.address)
    with pytest.raises(SourceError, match=f"version {VERSION + 1}"):
        client.connect(1.0)
    client.close()
    stub.close()


def test_a_refusal_reaches_who_asked_and_is_no_silence(stub: Stub) -> None:
    client = Client(stub.address)
    client.connect()
    with pytest.raises(SourceError, match="a stub") as refused:
        client.window(3)
    with pytest.raises(SilenceError, match="no reply"):
        client.window(3, timeout=0.0)
    client.close()

    assert not isinstance(refused.value, SilenceError)


def test_the_newest_window_of_a_stream_without_pauses_is_there_at_once(stub: Stub) -> None:
    client = Client(stub.address)
    client.connect()
    done = threading.Event()

    def stream() -> None:
        number = 0
        while not done.wait(0.005):
            stub.publish(result(number=number))
            number += 1

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        since = time.monotonic()
        first = client.latest(timeout=30.0)
        took = time.monotonic() - since
        second = first
        # On a busy machine the stream itself may stand still for a moment.
        while second.span.number == first.span.number and time.monotonic() < since + 60.0:
            second = client.latest(timeout=30.0)
    finally:
        done.set()
        thread.join()
        client.close()

    assert second.span.number > first.span.number
    # a catch-up of half a second; it used to be the time-out
    assert took < 20.0


def test_nobody_there_is_said_within_the_time_given() -> None:
    client = Client("tcp://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(SourceError, match="no livepdf answers"):
        client.connect(0.5)
    client.close()

    assert time.monotonic() - started < 3.0
