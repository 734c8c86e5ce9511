import threading
import time
from collections.abc import Iterator

import pytest
import zmq

from livepdf.errors import SourceError
from livepdf.simulate.port import Port
from livepdf.simulate.sender import send_series

LOCAL = "tcp://127.0.0.1:0"


@pytest.fixture
def reader() -> Iterator[zmq.Socket[bytes]]:
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.setsockopt(zmq.RCVTIMEO, 10_000)
    yield socket
    socket.close(linger=0)
    context.term()


def test_a_series_arrives_whole_in_order_and_at_its_rate(reader: zmq.Socket[bytes]) -> None:
    counts: list[int] = []
    with Port(LOCAL, patience=10.0) as port:
        reader.connect(port.endpoint)
        began = time.monotonic()
        sent = send_series(
            port,
            start=b"start",
            images=(str(i).encode() for i in range(11)),
            end=b"end",
            rate=50.0,
            stop=threading.Event(),
            sent=counts.append,
        )
        took = time.monotonic() - began

    assert (sent.images, sent.dropped) == (11, 0)
    assert counts == list(range(1, 12))
    assert [reader.recv() for _ in range(13)] == [
        b"start",
        *[str(i).encode() for i in range(11)],
        b"end",
    ]
    assert took >= 10 / 50.0


def test_without_a_reader_it_gives_up_after_its_patience() -> None:
    with Port(LOCAL, patience=0.2) as port, pytest.raises(SourceError, match="no reader"):
        port.send([b"start"], stop=threading.Event())


def test_a_stop_ends_the_wait_for_a_reader() -> None:
    stop = threading.Event()
    stop.set()

    with Port(LOCAL, patience=60.0) as port:
        assert not port.send([b"start"], stop=stop)


def test_a_stopped_series_still_has_its_end(reader: zmq.Socket[bytes]) -> None:
    stop = threading.Event()
    with Port(LOCAL, patience=10.0) as port:
        reader.connect(port.endpoint)
        sent = send_series(
            port,
            start=b"start",
            images=(b"image" for _ in range(1000)),
            end=b"end",
            rate=1000.0,
            stop=stop,
            sent=lambda count: stop.set() if count == 5 else None,
        )

    assert sent.images == 5
    assert [reader.recv() for _ in range(7)] == [b"start", *[b"image"] * 5, b"end"]


def test_an_address_that_is_taken_is_refused_by_name() -> None:
    with Port(LOCAL, patience=1.0) as port, pytest.raises(SourceError, match=port.endpoint):
        Port(port.endpoint, patience=1.0)


def test_a_reader_that_is_slow_to_begin_gets_the_end_too(reader: zmq.Socket[bytes]) -> None:
    # Far more than sockets of the system hold, and longer than a port that closes would wait.
    image, taken = bytes(4_000_000), list[bytes]()
    done = threading.Event()

    def read() -> None:
        done.wait(3.0)
        taken.extend(reader.recv() for _ in range(14))

    reading = threading.Thread(target=read)
    with Port(LOCAL, patience=60.0) as port:
        reader.setsockopt(zmq.RCVHWM, 1)
        reader.connect(port.endpoint)
        reading.start()
        send_series(
            port,
            start=b"start",
            images=(image for _ in range(12)),
            end=b"end",
            rate=1000.0,
            stop=threading.Event(),
            sent=lambda _: None,
        )
    reading.join(30.0)

    assert [len(message) for message in taken[1:-1]] == [len(image)] * 12
    assert taken[-1] == b"end"
