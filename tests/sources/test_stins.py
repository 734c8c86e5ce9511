"""STINS: how the streaming-receiver counts, packs and splits; series told apart without headers."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.model.frame import FrameRefused, RunStart, SourceItem
from livepdf.simulate.stins import image_parts, run_messages
from livepdf.simulate.stream2 import Series
from livepdf.sources.stins import parse
from tests.sources.conftest import Recording, kinds
from tests.sources.streams import feed_of, frames, pixels, play

PIXELS = np.arange(4 * 64, dtype=np.uint16).reshape(4, 64)
SERIES = Series(
    series_id=1,
    unique_id="",
    images=5,
    shape=(4, 64),
    energy=35.0,
    distance_m=0.3,
    pixel_m=172e-6,
    beam=(3.0, 4.0),
    frame_time=0.1,
    blind=PIXELS < 0,
    armed=datetime(2025, 1, 2, tzinfo=UTC),
)
IMAGES = [PIXELS + number for number in range(5)]


def series(first: int, *, base: int = 0, **more: Any) -> list[list[bytes]]:
    return list(run_messages(SERIES, IMAGES, first_message=first, first_frame=base, **more))


def shown(items: Sequence[SourceItem]) -> list[tuple[str, int]]:
    """Which frames came out, and of which series."""
    return [(frame.series, frame.index) for frame in frames(items)]


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bare", [False, True])
def test_a_series_is_read_however_it_counts_and_packs(base: int, packed: bool, bare: bool) -> None:
    items = play(feed_of("stins"), series(210, base=base, packed=packed, bare=bare, ends=2))

    assert kinds(items) == ["RunStart"] + ["Frame"] * 5 + ["RunEnd"]
    assert [frame.index for frame in frames(items)] == list(range(5))
    assert [frame.origin for frame in frames(items)] == [f"210/{base + n}" for n in range(5)]
    for frame, image in zip(frames(items), IMAGES, strict=True):
        np.testing.assert_array_equal(pixels(frame), image)


@pytest.mark.parametrize("packed", [False, True])
def test_several_modules_are_stacked_or_one_is_chosen(packed: bool) -> None:
    modules = np.stack([PIXELS, PIXELS + 1000, PIXELS + 2000])
    message = image_parts(SERIES, message=1, frame=0, image=modules, packed=packed)

    [stacked] = frames(play(feed_of("stins"), [message], after=5.0))
    [second] = frames(play(feed_of("stins", module=1), [message], after=5.0))
    items = play(feed_of("stins", module=3), [message], after=5.0)

    np.testing.assert_array_equal(pixels(stacked), modules.reshape(12, 64))
    np.testing.assert_array_equal(pixels(second), modules[1])
    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["channel missing"]


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("lost", [1, 2])
def test_images_lost_after_the_header_are_counted(base: int, lost: int) -> None:
    messages = series(10, base=base)
    feed = feed_of("stins")

    items = play(feed, messages[:1] + messages[1 + lost :], after=5.0)

    assert [frame.index for frame in frames(items)] == list(range(lost, 5))
    assert feed.lost == lost


@pytest.mark.parametrize("base", [0, 1])
def test_a_header_that_comes_after_images_still_begins_their_series(base: int) -> None:
    head, first, second, *rest = series(10, base=base)
    feed = feed_of("stins")

    items = play(feed, [first, second, head, *rest], after=5.0)

    assert kinds(items) == ["RunStart"] + ["Frame"] * 5 + ["RunEnd"]
    assert isinstance(items[0], RunStart)
    assert "header" not in items[0].metadata
    assert feed.lost == 0


@pytest.mark.parametrize("base", [0, 1])
def test_a_series_whose_header_was_lost_is_told_from_the_one_before(base: int) -> None:
    messages = series(10, base=base) + series(17, base=base)[1:]

    items = play(feed_of("stins"), messages, after=5.0)

    runs = [item for item in items if isinstance(item, RunStart)]
    assert len(runs) == 2
    assert runs[1].metadata["header"] == "missing"
    assert len(frames(items)) == 10


@pytest.mark.parametrize("base", [0, 1])
def test_a_reader_that_comes_late_takes_the_series_up(base: int) -> None:
    items = play(feed_of("stins"), series(10, base=base)[3:], after=5.0)

    start = items[0]
    assert isinstance(start, RunStart)
    assert start.metadata["first frame seen"] == 2 + base
    assert len(frames(items)) == 3


@pytest.mark.parametrize("base", [0, 1])
def test_stragglers_of_the_series_before_are_refused(base: int) -> None:
    before, after = series(10, base=base), series(17, base=base)

    items = play(feed_of("stins"), [*before, *after[:3], before[2], *after[3:]], after=5.0)

    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["stale series"]
    assert len(frames(items)) == 10


def test_a_sender_that_was_restarted_counts_anew() -> None:
    items = play(feed_of("stins"), series(500) + series(0) + series(0), after=5.0)

    assert len([item for item in items if isinstance(item, RunStart)]) == 3
    assert len(frames(items)) == 15
    assert len({frame.series for frame in frames(items)}) == 3


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unsupported compression", {"compression": "zstd"}),
        ("unsupported dtype", {"type": "object"}),
        ("malformed", {"shape": [64]}),
        ("malformed", {"shape": 64}),
        ("wrong size", {"shape": [8, 64]}),
        ("wrong size", {"type": "uint32"}),
        ("too large", {"shape": [1 << 40, 64]}),
    ],
)
def test_an_unusable_image_is_refused_under_its_number(
    reason: str, changes: dict[str, Any]
) -> None:
    head, blob = image_parts(SERIES, message=1, frame=0, image=PIXELS)
    message = [json.dumps({**json.loads(head), **changes}).encode(), blob]

    items = play(feed_of("stins"), [message], after=5.0)

    assert [(i.reason, i.index) for i in items if isinstance(i, FrameRefused)] == [(reason, 0)]


@pytest.mark.parametrize(
    "parts",
    [[], [b""], [b"{}"], [b'{"htype":"image","msg_number":1}', b"x"], [b'{"msg_number":1}']],
)
def test_what_is_no_message_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(FrameError):
        parse(parts)


def test_a_cut_blob_of_a_real_stream_is_refused_and_the_next_frame_flows(
    recording: Callable[[str], Recording],
) -> None:
    messages = recording("stins_balder_eiger1m_uint32_bslz4")
    messages[2] = [messages[2][0], messages[2][1][:5000]]
    messages[3] = [messages[3][0], b"\0" * 8 + messages[3][1][8:]]

    items = play(feed_of("stins"), messages)

    refused = [item for item in items if isinstance(item, FrameRefused)]
    assert [(i.reason, i.index) for i in refused] == [("wrong size", 1), ("wrong size", 2)]
    assert len(frames(items)) == 39
