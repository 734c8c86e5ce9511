"""NTNDArray structures, and the runs that a channel without start and end is cut into."""

import random
from typing import Any

import lz4.block
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepdf.config.control_sources import EpicsPva
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.simulate.ntndarray import TYPE, ntndarray
from livepdf.sources.ntndarray import Array, parse
from livepdf.sources.pva_frames import ACQUIRE, IMAGES, pva_feed
from livepdf.sources.pva_raw import Update, pack_link, pack_update, unpack_message
from tests.sources.fuzz import damaged

IMAGE = np.arange(6 * 8, dtype="<u2").reshape(6, 8)
T0 = 1_700_000_000.0


def update(**changes: Any) -> Update:
    fields = {**ntndarray(IMAGE, unique_id=1, time=T0), **changes}
    found = unpack_message(pack_update(fields, type_spec=TYPE))
    assert isinstance(found, Update)
    return found


def refusal(**changes: Any) -> str:
    with pytest.raises(FrameError) as caught:
        parse(update(**changes))
    return caught.value.reason


def pixels(array: Array) -> Any:
    image = array.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


def compressed(codec: str, blob: bytes, scalar: int = 6) -> dict[str, Any]:
    return {
        "value": np.frombuffer(blob, "u1"),
        "codec": {"name": codec, "parameters": scalar},
    }


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4"])
def test_every_pixel_type_survives_with_and_without_a_codec(dtype: str) -> None:
    image = IMAGE.astype(dtype)
    for codec in ("", "bslz4") if dtype != "i1" else ("",):
        fields = ntndarray(image, unique_id=5, time=T0, codec=codec)
        found = unpack_message(pack_update(fields, type_spec=TYPE))
        assert isinstance(found, Update)
        array = parse(found)
        np.testing.assert_array_equal(pixels(array), image)
        assert (array.unique_id, array.server_time) == (5, T0)


def test_a_bare_lz4_block_and_one_with_the_header_of_hdf5_are_both_read() -> None:
    block = lz4.block.compress(IMAGE.tobytes(), store_size=False)
    size = IMAGE.nbytes
    header = size.to_bytes(8, "big") + size.to_bytes(4, "big") + len(block).to_bytes(4, "big")
    for codec, blob in (("lz4", block), ("lz4", header + block), ("lz4hdf5", header + block)):
        np.testing.assert_array_equal(pixels(parse(update(**compressed(codec, blob)))), IMAGE)


def test_jpeg_is_refused_because_it_changes_counts() -> None:
    with pytest.raises(FrameError, match="jpeg changes counts") as caught:
        parse(update(**compressed("jpeg", b"\xff\xd8\xff")))
    assert caught.value.reason == "unsupported compression"


def test_what_cannot_be_an_image_is_refused_with_its_reason() -> None:
    axis = {"size": 4, "offset": 0, "fullSize": 4, "binning": 1, "reverse": False}
    block = lz4.block.compress(IMAGE.tobytes(), store_size=False)
    assert refusal(dimension=[]) == "no image"
    assert refusal(value=None) == "no image"
    assert refusal(dimension=[axis] * 3) == "unsupported shape"
    assert refusal(dimension=[axis] * 2) == "wrong size"
    assert refusal(dimension=[{**axis, "size": 1 << 29}] * 2) == "too large"
    assert refusal(attribute=[{"name": "ColorMode", "value": 2}]) == "unsupported shape"
    assert refusal(uniqueId=None) == "malformed"
    assert refusal(value=IMAGE.reshape(-1) > 3) == "unsupported dtype"
    assert refusal(**compressed("lz4", block, scalar=11)) == "unsupported dtype"
    assert refusal(**compressed("lz4", b"")) == "no image"
    assert refusal(**compressed("zfp", block)) == "unsupported compression"
    assert refusal(**compressed("blosc", b"\x02\x01" + bytes(30))) == "wrong size"
    assert refusal(**compressed("lz4hdf5", bytes(20))) == "wrong size"


def test_axes_of_one_pixel_do_not_count() -> None:
    axes = [{"size": n} for n in (1, 8, 6)]
    assert parse(update(dimension=axes)).image.shape == (6, 8)


@settings(deadline=None)
@given(fields=st.dictionaries(st.text(max_size=8), st.integers() | st.floats() | st.text()))
def test_writing_an_update_down_loses_nothing(fields: dict[str, Any]) -> None:
    pixels = np.arange(7, dtype="<i4")
    found = unpack_message(pack_update({**fields, "value": pixels}, type_spec=TYPE))
    assert isinstance(found, Update)
    same = {key: value for key, value in fields.items() if key != "value"}
    assert repr(found.fields) == repr(same)
    assert bytes(found.pixels) == pixels.tobytes()
    assert found.dtype == pixels.dtype


class Channel:
    """Feeds updates as a channel would, at made-up times."""

    def __init__(self, **settings: Any) -> None:
        table = {"kind": "epics-pva", "channel": "det:image", **settings}
        self.feed = pva_feed(EpicsPva.model_validate(table))
        self.now = T0

    def link(self, state: Any) -> list[SourceItem]:
        return self._feed(IMAGES, pack_link(state))

    def image(self, number: int, *, time: float | None = None, **changes: Any) -> list[SourceItem]:
        self.now += 1
        stamp = self.now if time is None else time
        image = changes.pop("image", IMAGE)
        fields = ntndarray(image, unique_id=number, time=stamp, **changes)
        return self._feed(IMAGES, pack_update(fields, type_spec=TYPE))

    def acquire(self, value: object) -> list[SourceItem]:
        return self._feed(ACQUIRE, pack_update({"value": value}, type_spec=None))

    def tick(self, later: float = 0.0) -> list[SourceItem]:
        self.now += later
        return self.feed.tick(now=self.now)

    def _feed(self, channel: str, parts: Any) -> list[SourceItem]:
        return self.feed.feed(RawMessage(channel=channel, received=self.now, parts=parts))


def summary(items: list[SourceItem]) -> list[object]:
    kinds: dict[type, Any] = {
        Frame: lambda i: i.index,
        RunStart: lambda _: "start",
        RunEnd: lambda i: i.reason,
        FrameRefused: lambda i: i.reason,
    }
    return [kinds[type(item)](item) for item in items]


def connected(**settings: Any) -> Channel:
    channel = Channel(**settings)
    channel.link("connected")
    assert summary(channel.image(100)) == ["stale first image"]
    return channel


def test_a_gap_is_waited_for_then_counted_and_later_frames_flow() -> None:
    channel = connected()
    assert summary(channel.image(101)) == ["start", 0]
    assert summary(channel.image(104)) == []
    assert summary(channel.tick(0.6)) == [3]
    assert channel.feed.lost == 2


def test_a_late_image_fills_its_gap() -> None:
    channel = connected()
    channel.image(101)
    assert summary(channel.image(103)) == []
    assert summary(channel.image(102, time=channel.now - 0.5)) == [1, 2]
    assert channel.feed.lost == 0


def test_an_image_that_comes_twice_counts_once() -> None:
    channel = connected()
    channel.image(101)
    again = channel.now
    channel.now -= 1
    assert summary(channel.image(101, time=again)) == ["duplicate"]


def test_the_counter_wraps_without_a_gap() -> None:
    channel = Channel()
    last = (1 << 31) - 1
    channel.image(last - 1)
    assert summary(channel.image(last)) == ["start", 0]
    assert summary(channel.image(-(1 << 31))) == [1]
    assert summary(channel.image(-(1 << 31) + 1)) == [2]
    assert channel.feed.lost == 0


def test_a_counter_that_was_reset_begins_a_run() -> None:
    channel = connected()
    channel.image(101)
    channel.image(102)
    assert summary(channel.image(1)) == ["next start", "start", 0]
    assert channel.feed.lost == 0


def test_images_of_another_size_begin_a_run() -> None:
    channel = connected()
    channel.image(101)
    assert summary(channel.image(102, image=IMAGE[:3])) == ["next start", "start", 0]
    wide = IMAGE[:3].astype("<u4")
    assert summary(channel.image(103, image=wide)) == ["next start", "start", 0]


def test_a_reconnected_channel_goes_on_where_it_was() -> None:
    channel = connected()
    channel.image(101)
    again = channel.now
    channel.link("disconnected")
    channel.link("connected")
    assert summary(channel.image(101, time=again)) == ["duplicate"]
    assert summary(channel.image(103)) == []
    assert summary(channel.tick(0.6)) == [2]
    assert channel.feed.lost == 1


def test_silence_ends_a_run_and_the_next_image_begins_one() -> None:
    channel = connected(idle_timeout=10.0)
    channel.image(101)
    assert summary(channel.tick(11)) == ["idle"]
    assert summary(channel.image(102)) == ["start", 0]


def test_the_acquire_pv_ends_a_run_after_the_last_images_had_time_to_come() -> None:
    channel = connected(acquire="det:Acquire")
    channel.acquire(True)
    channel.image(101)
    assert channel.acquire(False) == []
    channel.now -= 0.9
    assert summary(channel.image(102)) == [1]
    assert summary(channel.tick(0.2)) == []
    assert summary(channel.tick(0.4)) == ["end"]


def test_an_attribute_that_changes_begins_a_run_of_that_name() -> None:
    channel = connected(series="FileName")
    (start, _) = channel.image(101, attributes={"FileName": "sno2"})
    _, other, _ = channel.image(102, attributes={"FileName": "hfo2"})
    assert isinstance(start, RunStart)
    assert isinstance(other, RunStart)
    assert (start.name, other.name) == ("sno2", "hfo2")


def test_damaged_updates_are_counted_and_nothing_else() -> None:
    rng = random.Random(2)
    fields = ntndarray(IMAGE, unique_id=7, time=T0, codec="bslz4")
    good = [bytes(part) for part in pack_update(fields, type_spec=TYPE)]
    tally = damaged(Channel().feed, good, channel=IMAGES, count=1000, rng=rng)
    assert sum(tally.values()) == 1000
    assert tally["malformed"] > 100
