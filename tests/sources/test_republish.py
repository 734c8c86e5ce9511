"""livepdf owns the stream of a detector and passes it on to a file writer, byte for byte."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zmq

from livepdf.config.sources import DectrisStreamV2
from livepdf.errors import SourceError
from livepdf.model.raw import RawMessage
from livepdf.sources.dectris_v2_frames import dectris_v2_feed
from livepdf.sources.republish import SEND_QUEUE, Republisher
from livepdf.sources.stream_socket import StreamSource
from tests.sources.conftest import end_message, image_message, kinds, start_message, wait_for
from tests.sources.streams import raw

LOCAL = "tcp://127.0.0.1:0"


Make = Callable[[int], "zmq.Socket[bytes]"]


@pytest.fixture
def make_socket() -> Iterator[Make]:
    """Return a function that makes sockets; all are closed at the end."""
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())

        def make(kind: int) -> zmq.Socket[bytes]:
            socket = stack.enter_context(context.socket(kind))
            socket.setsockopt(zmq.LINGER, 0)
            return socket

        yield make


@pytest.fixture
def detector(make_socket: Make) -> zmq.Socket[bytes]:
    socket = make_socket(zmq.PUSH)
    socket.bind(LOCAL)
    return socket


@pytest.fixture
def open_source(detector: zmq.Socket[bytes]) -> Iterator[Callable[..., StreamSource]]:
    opened: list[StreamSource] = []

    def make(taps: list[RawMessage] | None = None) -> StreamSource:
        settings = DectrisStreamV2(
            kind="dectris-stream-v2",
            endpoint=detector.getsockopt_string(zmq.LAST_ENDPOINT),
            republish=LOCAL,
            gap_timeout=0.2,
        )
        source = StreamSource(
            settings,
            name="DECTRIS Stream V2",
            feed=dectris_v2_feed(settings),
            tap=None if taps is None else taps.append,
        )
        source.open()
        opened.append(source)
        return source

    yield make
    for source in opened:
        source.close()


def writer_of(source: StreamSource, make_socket: Make) -> zmq.Socket[bytes]:
    """Connect as a file writer does, and wait until the connection stands."""
    socket = make_socket(zmq.PULL)
    socket.setsockopt(zmq.RCVTIMEO, 10_000)
    assert source.republished is not None
    socket.connect(source.republished.endpoint)
    wait_for(lambda: source.poll(0.02), lambda _: source.republished.writers == 1)
    return socket


def test_a_file_writer_gets_every_message_byte_for_byte(
    detector: zmq.Socket[bytes],
    open_source: Callable[..., StreamSource],
    make_socket: Make,
    si1m: list[bytes],
) -> None:
    taps: list[RawMessage] = []
    source = open_source(taps)
    writer = writer_of(source, make_socket)
    garbage = [[b"\xff\x00", b"", b"odd"], [b""]]
    sent = [[message] for message in si1m] + garbage
    for parts in sent:
        detector.send_multipart(parts)

    items = wait_for(lambda: source.poll(0.1), lambda got: kinds(got).count("FrameRefused") == 2)
    source.poll(0.0)

    assert kinds(items).count("Frame") == 10
    assert [writer.recv_multipart() for _ in sent] == sent
    assert [[bytes(part) for part in message.parts] for message in taps] == sent
    assert source.republished is not None
    assert (source.republished.sent, source.republished.dropped) == (len(sent), 0)
    assert source.state().startswith("connected; re-published to a file writer")


def test_an_absent_writer_costs_nothing_but_is_counted(
    detector: zmq.Socket[bytes], open_source: Callable[..., StreamSource]
) -> None:
    source = open_source()
    for message in (start_message(), *map(image_message, range(10)), end_message()):
        detector.send(message)

    items = wait_for(lambda: source.poll(0.1), lambda got: "RunEnd" in kinds(got))

    assert kinds(items).count("Frame") == 10
    assert source.republished is not None
    assert (source.republished.sent, source.republished.dropped) == (0, 12)
    assert "no file writer: 0 messages, 12 dropped" in source.state()


def test_a_writer_that_stops_reading_never_holds_the_intake_up(
    make_socket: Make,
) -> None:
    limit = 4 << 20
    republisher = Republisher(LOCAL, limit=limit)
    republisher.open()
    writer = make_socket(zmq.PULL)
    writer.setsockopt(zmq.RCVHWM, 1)
    writer.setsockopt(zmq.RCVBUF, 1 << 16)
    writer.connect(republisher.endpoint)
    deadline = 200
    while not republisher.writers and deadline:
        writer.poll(50)
        republisher.flush()
        deadline -= 1
    messages = [raw([number.to_bytes(4, "big"), b"\0" * (1 << 18)]) for number in range(400)]

    for message in messages:
        republisher.take(message)

    assert republisher.dropped > 0
    assert republisher.sent + republisher.dropped + republisher.waiting == 400
    assert republisher.waiting_bytes <= limit

    # What it did not lose comes in order once it reads again, and nothing twice.
    writer.setsockopt(zmq.RCVTIMEO, 500)
    numbers = []
    while len(numbers) < 400 - republisher.dropped:
        republisher.flush()
        numbers.append(int.from_bytes(writer.recv_multipart()[0], "big"))
    assert numbers == list(range(len(numbers)))
    assert SEND_QUEUE < len(numbers) < 400
    republisher.close()


def test_two_readers_of_one_stream_are_warned_of(
    open_source: Callable[..., StreamSource],
    make_socket: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = open_source()
    writer_of(source, make_socket)
    second = make_socket(zmq.PULL)
    assert source.republished is not None
    second.connect(source.republished.endpoint)

    wait_for(lambda: source.poll(0.02), lambda _: source.republished.writers == 2)

    assert "2 readers, of which each gets a part" in source.state()
    assert "share the stream out" in caplog.text


def test_a_port_that_is_taken_is_a_source_error(
    detector: zmq.Socket[bytes], open_source: Callable[..., StreamSource]
) -> None:
    taken = detector.getsockopt_string(zmq.LAST_ENDPOINT)
    republisher = Republisher(taken, limit=1)
    with pytest.raises(SourceError, match="cannot re-publish"):
        republisher.open()
