"""The recorded stream through a real socket."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from livepdf.config.sources import DectrisStreamV2
from livepdf.errors import SourceError
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart
from livepdf.numerics.unpack import unpack
from livepdf.sources.open_source import make_source
from livepdf.sources.source import Source
from tests.sources.conftest import end_message, image_message, kinds, start_message, wait_for


@pytest.fixture
def detector() -> Iterator[zmq.Socket[bytes]]:
    """A PUSH socket on a free port, as a detector control unit binds it."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind("tcp://127.0.0.1:0")
        yield socket


@pytest.fixture
def source(detector: zmq.Socket[bytes]) -> Iterator[Source]:
    endpoint = detector.getsockopt_string(zmq.LAST_ENDPOINT)
    settings = DectrisStreamV2(
        kind="dectris-stream-v2", endpoint=endpoint, gap_timeout=0.2, largest_message=16
    )
    source = make_source(settings)
    source.open()
    yield source
    source.close()


def test_a_recorded_stream_arrives_with_every_pixel_and_is_ended(
    detector: zmq.Socket[bytes],
    source: Source,
    si1m: list[bytes],
    data_path: Callable[[str], Path],
) -> None:
    expected = json.loads(data_path("protocols/expected.json").read_text())
    for message in si1m:
        detector.send(message)

    items = wait_for(lambda: source.poll(0.1), lambda got: "RunEnd" in kinds(got))

    assert kinds(items) == ["RunStart"] + ["Frame"] * 10 + ["RunEnd"]
    for frame in items:
        if not isinstance(frame, Frame):
            continue
        wanted = expected["dectris_v2_eiger1_si1m_all_10frames.cborseq"][
            f"{frame.index}/threshold_1"
        ]
        pixels = unpack(
            frame.image.blob,
            algorithm=frame.image.algorithm,
            shape=frame.image.shape,
            dtype=frame.image.dtype,
        )
        digest = hashlib.sha256(np.ascontiguousarray(pixels, wanted["dtype"]).tobytes())
        assert digest.hexdigest() == wanted["sha256"]
    start, end = items[0], items[-1]
    assert isinstance(start, RunStart)
    assert isinstance(end, RunEnd)
    assert (end.series, end.reason) == (start.series, "end")
    assert source.lost() == 0


def test_messages_with_foreign_parts_or_none_or_too_many_bytes_are_refused(
    detector: zmq.Socket[bytes], source: Source
) -> None:
    detector.send(start_message())
    detector.send_multipart([image_message(0), b"appendix"])
    detector.send_multipart([image_message(1), image_message(2)])
    detector.send(b"")
    detector.send(b"\0" * (17 << 20))
    detector.send(image_message(3))
    detector.send(end_message())

    items = wait_for(lambda: source.poll(0.1), lambda got: "RunEnd" in kinds(got))

    refused = [item.reason for item in items if isinstance(item, FrameRefused)]
    assert refused == ["malformed", "too large"]
    assert kinds(items).count("Frame") == 4


def test_a_gap_in_the_socket_is_given_up_by_polling_alone(
    detector: zmq.Socket[bytes], source: Source
) -> None:
    for message in (start_message(), image_message(0), image_message(2)):
        detector.send(message)

    wait_for(lambda: source.poll(0.05), lambda got: kinds(got).count("Frame") == 2)

    assert source.lost() == 1


def test_the_state_follows_the_connection(detector: zmq.Socket[bytes], source: Source) -> None:
    assert source.state().startswith("waiting")

    detector.send(start_message())
    wait_for(lambda: source.poll(0.05), lambda got: kinds(got) == ["RunStart"])
    assert source.state() == "connected"

    detector.close()
    wait_for(lambda: source.poll(0.05), lambda _: source.state().startswith("lost"))
    assert "in the middle of a series" in source.state()


def test_a_series_that_falls_silent_is_said_to_stall(detector: zmq.Socket[bytes]) -> None:
    now = [1000.0]
    endpoint = detector.getsockopt_string(zmq.LAST_ENDPOINT)
    settings = DectrisStreamV2(kind="dectris-stream-v2", endpoint=endpoint)
    source = make_source(settings, clock=lambda: now[0])
    source.open()
    detector.send(start_message())
    wait_for(lambda: source.poll(0.05), lambda got: kinds(got) == ["RunStart"])

    now[0] += 30

    assert source.state() == "stalled: no message for 30 s in the middle of a series"
    source.close()


def test_an_image_owns_its_bytes(detector: zmq.Socket[bytes], source: Source) -> None:
    for message in (start_message(), image_message(0), image_message(1)):
        detector.send(message)

    items = wait_for(lambda: source.poll(0.05), lambda got: kinds(got).count("Frame") == 2)
    source.close()

    first = [np.frombuffer(f.image.blob, "<u2")[0] for f in items if isinstance(f, Frame)]
    assert first == [0, 1]


def test_a_bad_address_is_a_source_error() -> None:
    source = make_source(DectrisStreamV2(kind="dectris-stream-v2", endpoint="tcp://no port at all"))
    with pytest.raises(SourceError, match="cannot connect"):
        source.open()
