"""What one message of Stream V2 says: real messages, published vectors, hostile bytes."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.numerics.unpack import unpack
from livepdf.sources.dectris_v2 import End, Image, Start, Unknown, parse
from livepdf.sources.typed_array import DTYPE, packed_image
from tests.sources.conftest import end_message, image_message, start_message


def pixels_of(image: PackedImage) -> np.ndarray:
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


@pytest.fixture
def vectors(data_path: Callable[[str], Path]) -> dict[str, Any]:
    return json.loads(data_path("protocols/vectors.json").read_text())


def tagged(
    value: object, *, dtype_tag: int = 70, shape: object = (3, 6), order: int = 40
) -> cbor2.CBORTag:
    return cbor2.CBORTag(order, [shape, cbor2.CBORTag(dtype_tag, value)])


def test_a_real_start_says_what_its_header_says(si1m: list[bytes]) -> None:
    start = parse(si1m[0])

    assert isinstance(start, Start)
    assert str(start.series) == "16-01HRCJF83SA63WH8M5X1VBKFJM"
    assert start.channels == ("threshold_1",)
    assert set(start.masks) == {"threshold_1"}
    assert isinstance(start.metadata["user_data"], str)


def test_the_time_of_an_image_is_the_date_of_the_series_plus_its_start(si1m: list[bytes]) -> None:
    image = parse(si1m[2])
    raw = cbor2.loads(si1m[2])

    assert isinstance(image, Image)
    offset = raw["start_time"][0] / raw["start_time"][1]
    assert image.time == pytest.approx(raw["series_date"].timestamp() + offset, abs=1e-6)
    assert image.exposure == pytest.approx(0.994, abs=1e-3)


def test_exposure_is_stop_minus_start_where_no_real_time_is_sent() -> None:
    image = parse(image_message(0, real_time=None, start_time=[3, 2], stop_time=[5, 2]))

    assert isinstance(image, Image)
    assert image.exposure == 1.0


def test_published_vectors_decode_in_both_channels(vectors: dict[str, Any]) -> None:
    expected = np.array(vectors["expect_u4_3x6"], dtype="<u4").reshape(3, 6)
    packed = parse(bytes.fromhex(vectors["v2"]["v2_image_bslz4_and_lz4"]))
    assert isinstance(packed, Image)
    for channel in ("threshold_1", "threshold_2"):
        np.testing.assert_array_equal(pixels_of(packed_image(packed.data[channel])), expected)


def test_raw_arrays_of_either_byte_order_decode_without_the_magic_number(
    vectors: dict[str, Any],
) -> None:
    raw = parse(bytes.fromhex(vectors["v2"]["v2_image_raw_u2_le_and_be_no_magic"]))
    assert isinstance(raw, Image)
    for array in raw.data.values():
        np.testing.assert_array_equal(pixels_of(packed_image(array)), [[0, 1, 2], [3, 4, 65535]])


def test_start_and_end_vectors_are_read(vectors: dict[str, Any]) -> None:
    start = parse(bytes.fromhex(vectors["v2"]["v2_start"]))
    end = parse(bytes.fromhex(vectors["v2"]["v2_end"]))

    assert isinstance(start, Start)
    assert start.channels == ("threshold_1", "threshold_2")
    assert start.metadata["user_data"] == '{"sample":"x"}'
    assert end == End(series=start.series)


@pytest.mark.parametrize(("tag", "name"), DTYPE.items())
def test_every_typed_array_gives_its_pixels(tag: int, name: str) -> None:
    pixels = np.arange(18).astype(name).reshape(3, 6)

    image = packed_image(tagged(pixels.tobytes(), dtype_tag=tag))

    np.testing.assert_array_equal(pixels_of(image), pixels)


def test_a_column_major_array_comes_out_in_rows() -> None:
    pixels = np.arange(18, dtype="<u4").reshape(3, 6)

    image = packed_image(tagged(pixels.tobytes(order="F"), order=1040))

    np.testing.assert_array_equal(pixels_of(image), pixels)


def test_an_image_stays_packed(si1m: list[bytes]) -> None:
    image = parse(si1m[1])
    assert isinstance(image, Image)

    packed = packed_image(image.data["threshold_1"])

    assert packed.algorithm == "bslz4"
    assert packed.shape == (1065, 1030)
    assert len(packed.blob) < 30_000


HEADER = (72).to_bytes(8, "big") + (64).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (tagged(b"x" * 71), "wrong size"),
        (tagged(b"x" * 72, dtype_tag=83), "unsupported dtype"),
        (tagged(b"x" * 72, dtype_tag=87), "unsupported dtype"),
        (tagged(b"x" * 72, dtype_tag=99), "unsupported dtype"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 2, HEADER])), "wrong element size"),
        (tagged(cbor2.CBORTag(56500, ["lz4", 2, HEADER])), "wrong element size"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 0, HEADER])), "wrong element size"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 4, b"\0" * 12])), "wrong size"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 4, HEADER[:8]])), "wrong size"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 4, b"\xff" * 40])), "wrong size"),
        (tagged(cbor2.CBORTag(56500, ["trpx", 4, HEADER])), "unsupported compression"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 4, "text"])), "malformed"),
        (tagged(cbor2.CBORTag(56500, ["bslz4", 4])), "malformed"),
        (tagged(b"x" * 72, shape=(18,)), "malformed"),
        (tagged(b"x" * 72, shape=(-3, -6)), "malformed"),
        (tagged(b"x" * 72, shape=(3.0, 6.0)), "malformed"),
        (tagged(b"x" * 72, shape=(1 << 40, 1 << 40)), "too large"),
        (tagged(None), "malformed"),
        (tagged(b"x" * 72, order=41), "malformed"),
        (b"x" * 72, "malformed"),
    ],
)
def test_an_array_that_does_not_add_up_is_refused_unopened(array: object, reason: str) -> None:
    with pytest.raises(FrameError) as refusal:
        packed_image(array)
    assert refusal.value.reason == reason


def test_a_header_that_no_compression_can_keep_is_refused() -> None:
    claimed = 4 * 10_000 * 10_000
    blob = claimed.to_bytes(8, "big") + (8192).to_bytes(4, "big") + b"\0" * 100
    array = tagged(cbor2.CBORTag(56500, ["bslz4", 4, blob]), shape=(10_000, 10_000))

    with pytest.raises(FrameError, match="cannot hold"):
        packed_image(array)


def test_unknown_types_and_extra_keys_are_tolerated() -> None:
    assert parse(cbor2.dumps({"type": "telemetry", "x": 1})) == Unknown(type="telemetry")
    assert isinstance(parse(image_message(0, hardware={"a": [1, {}]}, zoo=cbor2.undefined)), Image)


def test_key_order_does_not_matter() -> None:
    fields = cbor2.loads(image_message(3))

    image = parse(cbor2.dumps(dict(reversed(fields.items()))))

    assert isinstance(image, Image)
    assert image.index == 3


@pytest.mark.parametrize("user_data", ['{"a": 1}', {"a": 1}, [1, 2], 7, b"\xff", None])
def test_user_data_may_be_anything(user_data: object) -> None:
    start = parse(start_message(user_data=user_data))
    assert isinstance(start, Start)


@pytest.mark.parametrize("key", ["type", "series_id", "image_id", "number_of_images", "channels"])
def test_an_integer_too_large_to_print_is_no_trap(key: str) -> None:
    huge = 1 << 20_000
    for message in (start_message(**{key: huge}), image_message(0, **{key: huge})):
        assert readable(message) in (True, False)
    assert not readable(image_message(0, data={"threshold_1": tagged(b"", shape=(huge, 1))}))
    assert readable(start_message(user_data=[huge], saturation_value=huge, channels=[huge]))


def test_a_date_without_a_zone_or_out_of_range_costs_only_the_time() -> None:
    for date in (12, "yesterday", datetime.max.replace(tzinfo=UTC)):
        image = parse(image_message(0, series_date=date, start_time=[1 << 70, 1]))
        assert isinstance(image, Image)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0",
        b"hello",
        b"\xd9\xd9\xf7",
        b"\xd9\xd9\xf7\xa1",
        b"\xbb" + b"\xff" * 8,
        b"\xa1\x61a\x9b" + b"\x7f" * 8,
        b"\xa1\x61a\x5b\x00\x00\x7f" + b"\xff" * 5,
        b"\xa1\x61a" + b"\x81" * 100_000,
        b"\xa1\x61a" + b"\xc1" * 100_000,
        cbor2.dumps([1, 2]),
        end_message()[:-3],
        image_message(0, image_id="0"),
        image_message(0, image_id=-1),
        image_message(0, image_id=True),
        image_message(0, series_id=None),
    ],
)
def test_bytes_that_are_no_message_are_refused(message: bytes) -> None:
    with pytest.raises(FrameError) as refusal:
        parse(message)
    assert refusal.value.reason in ("malformed", "too large")


def test_an_image_without_data_says_so() -> None:
    for data in (None, {}, 5):
        with pytest.raises(FrameError, match="no image"):
            parse(image_message(0, data=data))


def readable(message: bytes) -> bool:
    """Read all of a message; False when it was refused, anything else escapes."""
    try:
        parsed = parse(message)
        if isinstance(parsed, Image):
            for array in parsed.data.values():
                packed_image(array)
    except FrameError:
        return False
    return True


def test_a_damaged_message_is_read_or_refused_but_never_breaks_anything(
    si1m: list[bytes], vectors: dict[str, Any]
) -> None:
    random_number = random.Random(20)
    small = [bytes.fromhex(v) for v in vectors["v2"].values()]
    outcomes = []
    for _ in range(500):
        message = bytearray(random_number.choice([*small, si1m[1], si1m[-1]]))
        for _ in range(random_number.choice((1, 2, 8))):
            message[random_number.randrange(min(len(message), 400))] = random_number.randrange(256)
        if random_number.random() < 0.3:
            del message[random_number.randrange(len(message)) :]
        outcomes.append(readable(bytes(message)))

    assert 50 < sum(outcomes) < 450
