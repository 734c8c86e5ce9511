"""What goes wrong between a detector and its reader, on the recorded streams of three protocols."""

import random
from collections.abc import Callable

import pytest

from livepdf.model.frame import FrameRefused, RunEnd, RunStart, SourceItem
from tests.sources.conftest import Recording, kinds
from tests.sources.streams import digest, feed_of, frames, play

V1, V2, STINS = "dectris-stream-v1", "dectris-stream-v2", "stins"
END_OF_V1 = [b'{"htype":"dseries_end-1.0","series":14}']
COUNT = 9
"""Frames taken of each recording."""


@pytest.fixture(params=[V1, V2, STINS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def whole(kind: str, recording: Callable[[str], Recording]) -> Recording:
    """A header, nine frames and an end, as recorded; the end of the legacy one is ours."""
    if kind == V1:
        return [*recording("dectris_v1_eiger1_si1m_all_9frames"), END_OF_V1]
    if kind == V2:
        messages = recording("dectris_v2_eiger1_si1m_all_10frames")
        return [*messages[: COUNT + 1], messages[-1]]
    messages = recording("stins_balder_eiger1m_uint32_bslz4")
    return [*messages[: COUNT + 1], messages[-1]]


def indices(items: list[SourceItem]) -> list[int]:
    return [frame.index for frame in frames(items)]


def reasons(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused)]


def starts(items: list[SourceItem]) -> list[RunStart]:
    return [item for item in items if isinstance(item, RunStart)]


def ends(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, RunEnd)]


def test_an_image_before_the_start_waits_for_it(kind: str, whole: Recording) -> None:
    feed = feed_of(kind)
    items = play(feed, [whole[1], whole[0], *whole[2:]])

    assert kinds(items) == ["RunStart"] + ["Frame"] * COUNT + ["RunEnd"]
    assert indices(items) == list(range(COUNT))
    assert "header" not in starts(items)[0].metadata
    assert feed.lost == 0


def test_a_series_without_its_start_is_taken_and_flagged(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind), whole[1:], after=3.0)

    assert starts(items)[0].metadata["header"] == "missing"
    assert starts(items)[0].mask is None
    assert indices(items) == list(range(COUNT))


def test_a_series_without_an_end_is_over_after_a_silence(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind, idle_timeout=30.0), whole[:-1], after=31.0)

    assert indices(items) == list(range(COUNT))
    assert ends(items) == ["idle"]


def test_a_doubled_end_ends_one_series_once(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind), [*whole, whole[-1]])

    assert (len(starts(items)), ends(items)) == (1, ["end"])


def test_a_reader_restarted_in_mid_series_adopts_it(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind), whole[5:], after=3.0)

    assert starts(items)[0].metadata["first frame seen"] == 4
    assert indices(items) == list(range(4, COUNT))


def test_lost_frames_are_counted_and_later_ones_flow(kind: str, whole: Recording) -> None:
    feed = feed_of(kind)
    items = play(feed, whole[:5] + whole[7:-1], after=3.0)

    assert indices(items) == [0, 1, 2, 3, 6, 7, 8]
    assert feed.lost == 2


def test_disordered_frames_come_out_in_order_and_none_twice(kind: str, whole: Recording) -> None:
    for seed in range(5):
        middle = whole[2:7]
        random.Random(seed).shuffle(middle)
        feed = feed_of(kind)

        items = play(feed, [*whole[:2], *middle, *whole[7:]])

        assert indices(items) == list(range(COUNT))
        assert (feed.lost, reasons(items)) == (0, [])


def test_a_frame_sent_twice_counts_once(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind), [*whole[:4], whole[3], *whole[4:]])

    assert indices(items) == list(range(COUNT))
    assert reasons(items) == ["duplicate"]


def test_a_new_start_without_an_end_begins_another_series(kind: str, whole: Recording) -> None:
    items = play(feed_of(kind), whole[:-1] + whole, after=3.0)

    assert len(starts(items)) == len({start.series for start in starts(items)}) == 2
    assert ends(items) == ["next start", "end"]
    assert indices(items) == [*range(COUNT), *range(COUNT)]


def test_a_cut_message_is_refused_and_the_next_frame_flows(kind: str, whole: Recording) -> None:
    place = 0 if kind == V2 else (2 if kind == V1 else 1)
    cut = list(whole[3])
    cut[place] = cut[place][:4000]
    feed = feed_of(kind)

    items = play(feed, [*whole[:3], cut, *whole[4:-1]], after=3.0)

    assert len(reasons(items)) == 1
    assert indices(items) == [0, 1, *range(3, COUNT)]
    # Of a cut CBOR message not even the number can be read: it is refused and missing.
    assert feed.lost == (1 if kind == V2 else 0)


def test_garbage_between_frames_is_counted_and_passed_over(kind: str, whole: Recording) -> None:
    rubbish = [[b""], [b"\xff" * 20], [b"{}"], [b"\xa0"], [b"null", b""], [b"\xd9\xd9\xf7"]]

    items = play(feed_of(kind), [*whole[:3], *rubbish, *whole[3:]])

    assert len(reasons(items)) == len(rubbish)
    assert indices(items) == list(range(COUNT))


def test_a_source_stopped_and_fed_again_gives_the_same_frames(kind: str, whole: Recording) -> None:
    once, again = (frames(play(feed_of(kind), whole)) for _ in range(2))

    assert [digest(frame, "<u4") for frame in once] == [digest(frame, "<u4") for frame in again]
    assert [frame.time for frame in once] == [frame.time for frame in again]


def test_one_image_of_a_series_nobody_announced_does_not_end_the_open_one(
    kind: str, whole: Recording
) -> None:
    if kind == V1:
        stray = [b'{"htype":"dimage-1.0","frame":0,"series":99}', *whole[1][1:]]
    elif kind == V2:
        place = whole[1][0].index(b"series_id") + len(b"series_id")
        stray = [whole[1][0][:place] + b"\x17" + whole[1][0][place + 1 :]]
    else:
        stray = [whole[1][0].replace(b": 2970", b": 9999"), *whole[1][1:]]

    feed = feed_of(kind, gap_timeout=0.3)
    items = play(feed, [*whole[:3], stray, *whole[3:]])

    assert indices(items) == list(range(COUNT))
    assert reasons(items) == ["stray series"]
    assert (len(starts(items)), ends(items)) == (1, ["end"])


def test_images_of_the_series_before_are_refused_and_counted(kind: str, whole: Recording) -> None:
    if kind == V1:
        old = [[part.replace(b'"series":14', b'"series":13') for part in m] for m in whole[1:3]]
    elif kind == V2:
        place = whole[1][0].index(b"series_id") + len(b"series_id")
        old = [[m[0][:place] + b"\x03" + m[0][place + 1 :]] for m in whole[1:3]]
    else:
        old = [[m[0].replace(b": 29", b": 19"), *m[1:]] for m in whole[1:3]]

    items = play(feed_of(kind), [*whole[:4], old[0], whole[4], old[1], *whole[5:]])

    assert reasons(items) == ["stale series", "stale series"]
    assert indices(items) == list(range(COUNT))
    assert ends(items) == ["end"]
