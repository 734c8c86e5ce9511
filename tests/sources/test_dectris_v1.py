"""The legacy stream: byte-exact vectors, its encodings, and what simulators do otherwise."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.model.frame import FrameRefused, RunStart
from livepdf.simulate.stream1 import Detail, image_parts, run_messages
from livepdf.simulate.stream2 import Series, bitshuffle_lz4
from livepdf.sources.dectris_v1 import End, Header, Image, parse
from tests.sources.conftest import kinds
from tests.sources.streams import feed_of, frames, pixels, play

PIXELS = np.arange(48, dtype=np.uint32).reshape(6, 8)
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
    blind=PIXELS % 7 == 0,
    armed=datetime(2025, 1, 2, tzinfo=UTC),
)
IMAGES = [PIXELS + number for number in range(3)]


def image_message(blob: bytes, *, encoding: str, **changes: Any) -> list[bytes]:
    description = {
        "htype": "dimage_d-1.0",
        "shape": [8, 6],
        "type": "uint32",
        "encoding": encoding,
        "size": len(blob),
    }
    description.update(changes)
    number = {"htype": "dimage-1.0", "frame": 0, "hash": "0", "series": 14}
    return [json.dumps(number).encode(), json.dumps(description).encode(), blob]


@pytest.fixture
def vectors(data_path: Callable[[str], Path]) -> dict[str, Any]:
    return dict(json.loads(data_path("protocols/vectors.json").read_text()))


def test_the_byte_exact_vectors_behave_as_listed(vectors: dict[str, Any]) -> None:
    messages = {
        name: [bytes.fromhex(part) for part in parts] for name, parts in vectors["v1"].items()
    }

    bare = parse(messages["header_none"])
    assert isinstance(bare, Header)
    assert (bare.series, bare.settings) == (14, None)
    basic = parse(messages["header_basic_appendix"])
    assert isinstance(basic, Header)
    assert basic.settings is not None
    assert basic.settings["trigger_mode"] == "ints"
    assert basic.appendix.startswith("free text, not JSON")
    assert isinstance(parse(messages["end"]), End)
    items = play(feed_of("dectris-stream-v1"), messages.values())
    [frame] = frames(items)
    wanted = np.reshape(vectors["expect_u4_3x6"], (3, 6))
    np.testing.assert_array_equal(pixels(frame), wanted)


@pytest.mark.parametrize("detail", ["none", "basic", "all"])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("appendix", [None, b"", b"\xff no text", b'{"a": 1}'])
def test_every_form_of_header_begins_one_series(
    detail: Detail, split: bool, appendix: bytes | None
) -> None:
    messages = run_messages(
        SERIES, IMAGES, detail=detail, split_header=split, appendix=appendix, ends=2
    )

    items = play(feed_of("dectris-stream-v1"), messages)

    assert kinds(items) == ["RunStart", "Frame", "Frame", "Frame", "RunEnd"]
    start = items[0]
    assert isinstance(start, RunStart)
    assert ("nimages" in start.metadata) == (detail != "none")
    if detail == "all":
        np.testing.assert_array_equal(start.mask, SERIES.blind)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("<", lambda a: a.tobytes()),
        (">", lambda a: a.astype(a.dtype.newbyteorder(">")).tobytes()),
        ("lz4<", lambda a: lz4.block.compress(a.tobytes(), store_size=False)),
        ("bs{bits}-lz4<", bitshuffle_lz4),
        ("bs{bits}lz4<", bitshuffle_lz4),
    ],
)
def test_every_encoding_gives_the_pixels_back(
    dtype: str, encoding: str, pack: Callable[[Any], bytes]
) -> None:
    array = PIXELS.astype(dtype)
    name = encoding.format(bits=8 * array.dtype.itemsize)
    message = image_message(pack(array), encoding=name, type=array.dtype.name)

    [frame] = frames(play(feed_of("dectris-stream-v1"), [message], after=5.0))

    np.testing.assert_array_equal(pixels(frame), array)


def test_an_appendix_to_an_image_gives_slow_values() -> None:
    appendix = json.dumps({"temperature": 523.0, "monitor": 1e6}).encode()
    message = image_parts(SERIES, index=0, image=PIXELS, appendix=appendix)

    [frame] = frames(play(feed_of("dectris-stream-v1"), [message], after=5.0))

    assert frame.monitor == 1e6
    assert frame.environment == {"temperature": 523.0}


GOOD = bitshuffle_lz4(PIXELS)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("wrong size", image_message(b"\0" * 12 + GOOD[12:], encoding="bs32-lz4<")),
        ("wrong size", image_message(b"\0" * 8, encoding="bs32-lz4<")),
        ("wrong size", image_message(b"\xff" * 8 + GOOD[8:], encoding="bs32-lz4<")),
        ("wrong element size", image_message(GOOD, encoding="bs16-lz4<")),
        ("truncated", image_message(GOOD[:20], encoding="bs32-lz4<", size=len(GOOD))),
        ("truncated", image_message(b"\0" * 100, encoding="<")),
        ("wrong size", image_message(b"\0" * 1000, encoding="<")),
        ("unsupported compression", image_message(GOOD, encoding="bs32<")),
        ("unsupported compression", image_message(GOOD, encoding="adsc")),
        ("unsupported dtype", image_message(GOOD, encoding="<", type="complex64")),
        ("malformed", image_message(GOOD, encoding="<", shape=[8])),
        ("malformed", image_message(GOOD, encoding="<", shape="[x,y,(z)]")),
        ("malformed", image_message(GOOD, encoding="<", shape=[8, -6])),
        ("too large", image_message(GOOD, encoding="<", shape=[1 << 20, 1 << 20])),
        ("wrong size", image_message(b"\0" * 9, encoding="lz4<", shape=[1 << 14, 1 << 14])),
    ],
)
def test_an_unusable_image_is_refused_under_its_number(reason: str, message: list[bytes]) -> None:
    parsed = parse(message)
    assert isinstance(parsed, Image)
    assert isinstance(parsed.image, FrameError)
    assert parsed.image.reason == reason

    items = play(feed_of("dectris-stream-v1"), [message], after=5.0)

    [refused] = [item for item in items if isinstance(item, FrameRefused)]
    assert (refused.reason, refused.index) == (reason, 0)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [b"\xff\xfe"],
        [b"[1]"],
        [b"[" * 100_000],
        [b'{"htype":"dimage-1.0","frame":-1,"series":1}'],
        [b'{"htype":"dimage-1.0","frame":true,"series":1}'],
        [b'{"htype":"dimage-1.0","frame":' + b"9" * 5000 + b',"series":1}'],
        [b'{"htype":"dheader-1.0","series":"x"}'],
        [b'{"htype":"dnews-1.0"}'],
        [b'{"a":1}'],
    ],
)
def test_what_is_no_message_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(FrameError):
        parse(parts)


def test_messages_that_were_joined_on_the_way_are_taken_apart() -> None:
    header, first, second, third, end = run_messages(SERIES, IMAGES)

    items = play(feed_of("dectris-stream-v1"), [header + first, second, third + end])

    assert kinds(items) == ["RunStart", "Frame", "Frame", "Frame", "RunEnd"]
    for frame, image in zip(frames(items), IMAGES, strict=True):
        np.testing.assert_array_equal(pixels(frame), image)


def test_triggered_series_announce_their_frames_rightly() -> None:
    header = {"htype": "dheader-1.0", "header_detail": "basic", "series": 1}
    for mode, wanted in (("ints", 30), ("exts", 30), ("inte", 10), ("exte", 10)):
        settings = {"nimages": 3, "ntrigger": 10, "trigger_mode": mode}
        message = [json.dumps(header).encode(), json.dumps(settings).encode()]
        start = play(feed_of("dectris-stream-v1"), [message])[0]
        assert isinstance(start, RunStart)
        assert start.expected == wanted
