"""Messages exchanged with dranspose, MAX IV's own framework: its parsers read ours, we read its."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
import zmq
from dranspose.data.stream1 import Stream1Data, Stream1End, Stream1Start
from dranspose.event import StreamData
from dranspose.middlewares import eiger_legacy, stream1

from livepdf.simulate.stins import run_messages as stins_messages
from livepdf.simulate.stream1 import run_messages as v1_messages
from livepdf.simulate.stream2 import Series
from livepdf.sources.open_source import make_source
from tests.sources.conftest import Recording, kinds, wait_for
from tests.sources.streams import feed_of, frames, pixels, play, settings

IMAGES = [np.arange(48, dtype=np.uint32).reshape(6, 8) + number for number in range(3)]
SERIES = Series(
    series_id=14,
    unique_id="",
    images=3,
    shape=(6, 8),
    energy=60.0,
    distance_m=0.3,
    pixel_m=172e-6,
    beam=(3.0, 4.0),
    frame_time=0.1,
    blind=IMAGES[0] % 7 == 0,
    armed=datetime(2025, 1, 2, tzinfo=UTC),
)


def test_dranspose_reads_the_stins_messages_that_we_send() -> None:
    messages = stins_messages(SERIES, IMAGES, first_message=210, first_frame=1, packed=False)

    packets = [stream1.parse(StreamData(typ="STINS", frames=parts)) for parts in messages]

    assert isinstance(packets[0], Stream1Start)
    assert isinstance(packets[-1], Stream1End)
    assert [packet.msg_number for packet in packets] == [210, 211, 212, 213, 214]
    for packet, image in zip(packets[1:-1], IMAGES, strict=True):
        assert isinstance(packet, Stream1Data)
        np.testing.assert_array_equal(packet.data, image)


def test_dranspose_reads_the_legacy_messages_that_we_send() -> None:
    # Its parser wants every appendix, which detectors send only when told to.
    messages = list(v1_messages(SERIES, IMAGES, appendix=b"{}", image_appendix=b"{}"))

    packets = [
        eiger_legacy.parse(StreamData(typ="EIGER_LEGACY", frames=parts)) for parts in messages
    ]

    assert packets[0].info["nimages"] == 3
    assert [packet.frame for packet in packets[1:-1]] == [0, 1, 2]
    assert packets[1].data["shape"] == [8, 6]
    assert packets[-1].htype == "dseries_end-1.0"


@pytest.fixture
def pushing() -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind("tcp://127.0.0.1:0")
        yield socket


def test_we_read_the_messages_that_dranspose_makes(pushing: zmq.Socket[bytes]) -> None:
    packets = [Stream1Start(msg_number=374, filename="/data/scan-1_pilatus.h5")]
    for number, image in enumerate(IMAGES):
        packet = Stream1Data(
            msg_number=375 + number, frame=number, shape=[6, 8], type="uint32", compression="none"
        )
        packet.data = image
        packets.append(packet)
    packets.append(Stream1End(msg_number=378))
    source = make_source(settings("stins", endpoint=pushing.getsockopt_string(zmq.LAST_ENDPOINT)))
    source.open()

    for packet in packets:
        pushing.send_multipart(packet.to_stream_data().get_bytes().frames)
    items = wait_for(lambda: source.poll(0.1), lambda got: "RunEnd" in kinds(got))
    source.close()

    assert kinds(items) == ["RunStart", "Frame", "Frame", "Frame", "RunEnd"]
    for frame, image in zip(frames(items), IMAGES, strict=True):
        np.testing.assert_array_equal(pixels(frame), image)


def test_both_read_the_same_out_of_a_real_stream(
    recording: Callable[[str], Recording],
) -> None:
    messages = recording("stins_danmax_orca_uint16_none")
    theirs = [stream1.parse(StreamData(typ="STINS", frames=parts)) for parts in messages]

    ours = frames(play(feed_of("stins"), messages))

    images = [packet.data for packet in theirs if isinstance(packet, Stream1Data)]
    assert len(ours) == len(images) == 11
    for frame, image in zip(ours, images, strict=True):
        np.testing.assert_array_equal(pixels(frame), image)

    cut = "dectris_v1_eiger2_cdte9m_all_3frames_BLOBS_CUT_AT_20000B"
    legacy = [
        eiger_legacy.parse(StreamData(typ="EIGER_LEGACY", frames=parts)) for parts in recording(cut)
    ]
    start = play(feed_of("dectris-stream-v1"), recording(cut))[0]
    assert json.loads(str(start.metadata["user_data"])) == legacy[0].appendix  # type: ignore[union-attr]
    assert start.metadata["photon_energy"] == legacy[0].info["photon_energy"]  # type: ignore[union-attr]
