"""Jungfraujoch: Stream V2 with more in it. No program of it can be run here; these are made."""

import json
from collections.abc import Callable
from pathlib import Path

import cbor2
import numpy as np
import pytest

from livepdf.model.frame import FrameRefused, RunStart
from tests.sources.conftest import end_message, image_message, kinds, start_message
from tests.sources.streams import feed_of, frames, pixels, play

MORE = {
    "magic_number": 0x52320000,
    "detector_distance": 0.1,
    "error_value": 65535,
    "spots": [{"x": 1.0, "y": 2.0, "I": 7}],
    "indexing_result": False,
    "data": {"default": cbor2.CBORTag(40, [[2, 3], cbor2.CBORTag(69, bytes(12))])},
}
BESIDE = [
    cbor2.dumps({"type": "calibration", "series_id": 7, "data": {}}),
    cbor2.dumps({"type": "metadata", "series_id": 7, "images": []}),
]


@pytest.mark.parametrize("pattern", ["sub", "pull"])
def test_extra_keys_and_messages_are_passed_over(pattern: str) -> None:
    start = start_message(channels=["default"], image_scale_factor=2.0)
    images = [image_message(number, **MORE) for number in range(3)]
    feed = feed_of("jungfraujoch", pattern=pattern)

    items = play(feed, [[m] for m in (start, *BESIDE, *images, *BESIDE, end_message())])

    assert kinds(items) == ["RunStart", "Frame", "Frame", "Frame", "RunEnd"]
    assert isinstance(items[0], RunStart)
    assert items[0].metadata["channel"] == "default"


def test_a_preview_leaves_images_out_without_loss_or_wait() -> None:
    images = [image_message(number, **MORE) for number in (0, 50, 100)]
    feed = feed_of("jungfraujoch")

    items = play(feed, [[m] for m in (start_message(channels=["default"]), *images)], after=0.0)

    assert [frame.index for frame in frames(items)] == [0, 50, 100]
    assert feed.lost == 0


def test_a_stream_of_all_images_counts_what_is_missing() -> None:
    images = [image_message(number, **MORE) for number in (0, 5)]
    feed = feed_of("jungfraujoch", pattern="pull")

    play(feed, [[m] for m in (start_message(channels=["default"]), *images)], after=5.0)

    assert feed.lost == 4


def test_other_unknown_messages_are_still_counted() -> None:
    items = play(feed_of("jungfraujoch"), [[cbor2.dumps({"type": "news", "series_id": 7})]])

    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["unknown message"]


def test_the_byte_exact_vectors_are_read_as_well(data_path: Callable[[str], Path]) -> None:
    vectors = json.loads(data_path("protocols/vectors.json").read_text())
    messages = [[bytes.fromhex(text)] for text in vectors["v2"].values()]

    items = play(feed_of("jungfraujoch", channel="threshold_2"), messages)

    wanted = np.reshape(vectors["expect_u4_3x6"], (3, 6))
    np.testing.assert_array_equal(pixels(frames(items)[0]), wanted)
