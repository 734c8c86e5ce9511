"""Whatever comes to the requests socket, the daemon answers or drops it and goes on."""

import random
from collections.abc import Callable, Iterator

import msgspec
import pytest
import zmq

from livepdf.wire.codec import decode_reply, encode
from livepdf.wire.messages import (
    HistoryRequest,
    MarkRequest,
    Refused,
    Snapshot,
    SnapshotRequest,
    WindowRequest,
)
from tests.daemon.conftest import Bench

Start = Callable[..., Bench]
KEY = b"12345678"


@pytest.fixture
def dealer() -> Iterator["zmq.Socket[bytes]"]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, 5000)
    yield socket
    socket.close()
    context.term()


def ask(socket: "zmq.Socket[bytes]", request: msgspec.Struct) -> object:
    socket.send_multipart([KEY, *encode(request)])
    key, *parts = socket.recv_multipart()
    assert key == KEY
    return decode_reply(parts)[0]


def test_requests_out_of_range_are_refused_with_the_reason(
    bench: Start, dealer: "zmq.Socket[bytes]"
) -> None:
    dealer.connect(bench().service.address)

    for request, why in [
        (HistoryRequest(run="nothing"), "not there"),
        (HistoryRequest(run="", first=-1), "too much"),
        (HistoryRequest(run="", limit=10**9), "too much"),
        (WindowRequest(run="", number=-(2**62)), "not there"),
        (MarkRequest(text="   "), "malformed"),
        (MarkRequest(text="x" * 5000), "too much"),
    ]:
        reply = ask(dealer, request)
        assert isinstance(reply, Refused), request
        assert reply.why == why


def test_garbage_is_refused_and_the_next_request_is_served(
    bench: Start, dealer: "zmq.Socket[bytes]"
) -> None:
    dealer.connect(bench().service.address)
    chance = random.Random(1)
    good = encode(SnapshotRequest())[0]
    hostile: list[list[bytes]] = [
        [],
        [KEY],
        [b""],
        [KEY, b""],
        [KEY, b"\xc1" * 100],
        [KEY, b"\x91" * 100_000],
        [KEY, bytes(good), b"surplus"],
        [KEY, bytes(good)] * 50,
        [KEY, b"\xde\xff\xff"],
        [KEY, bytes(good)[:-3]],
    ]
    for _ in range(200):
        flipped = bytearray(good)
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
        hostile.append([KEY, bytes(flipped)])
    for parts in hostile:
        if parts:
            dealer.send_multipart(parts)

    dealer.send_multipart([b"the last", *encode(SnapshotRequest())])
    while True:
        key, *parts = dealer.recv_multipart()
        reply, _ = decode_reply(parts)
        assert isinstance(reply, Refused | Snapshot)
        if key == b"the last":
            break

    assert isinstance(reply, Snapshot)


def test_a_message_too_large_costs_its_sender_the_line_and_nobody_else(
    bench: Start, dealer: "zmq.Socket[bytes]"
) -> None:
    address = bench().service.address
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    bully = context.socket(zmq.DEALER)
    bully.setsockopt(zmq.LINGER, 0)
    bully.connect(address)
    bully.send_multipart([KEY, bytes(8 << 20)])

    dealer.connect(address)
    assert isinstance(ask(dealer, SnapshotRequest()), Snapshot)
    context.destroy(linger=0)


def test_a_viewer_that_never_reads_keeps_nobody_waiting(
    bench: Start, dealer: "zmq.Socket[bytes]"
) -> None:
    address = bench().service.address
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    deaf = context.socket(zmq.DEALER)
    deaf.setsockopt(zmq.LINGER, 0)
    deaf.setsockopt(zmq.RCVHWM, 1)
    deaf.connect(address)
    for _ in range(3000):
        deaf.send_multipart([KEY, *encode(SnapshotRequest())])

    dealer.connect(address)
    assert isinstance(ask(dealer, SnapshotRequest()), Snapshot)
    context.destroy(linger=0)
