"""Series and their failures, row by row, on recorded and edited messages; time is a number."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import numpy as np
import pytest

from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.sources.dectris_v2_frames import DectrisV2Frames
from livepdf.sources.series import Patience
from tests.sources.conftest import end_message, image_message, kinds, start_message

PATIENCE = Patience(gap=2.0, header=2.0, idle=60.0)


def play(
    messages: list[bytes], *, channel: str | None = None, patience: Patience = PATIENCE
) -> tuple[list[SourceItem], DectrisV2Frames]:
    """Feed messages 0.1 s apart, then let a second go by."""
    frames = DectrisV2Frames(channel=channel, patience=patience)
    items: list[SourceItem] = []
    for number, message in enumerate(messages):
        items += frames.message(message, now=0.1 * number)
        items += frames.tick(now=0.1 * number)
    return items + frames.tick(now=0.1 * len(messages) + 1), frames


def indices(items: list[SourceItem]) -> list[int]:
    return [item.index for item in items if isinstance(item, Frame)]


def reasons(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused)]


def runs(items: list[SourceItem]) -> list[str]:
    return [item.series for item in items if isinstance(item, RunStart)]


def ends(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, RunEnd)]


def edited(message: bytes, **changes: Any) -> bytes:
    """Change keys of a real message; cbor2 encodes it anew."""
    return cbor2.dumps({**cbor2.loads(message), **changes})


def test_a_whole_series_is_a_start_its_frames_and_an_end(si1m: list[bytes]) -> None:
    items, frames = play(si1m)

    assert kinds(items) == ["RunStart"] + ["Frame"] * 10 + ["RunEnd"]
    assert indices(items) == list(range(10))
    assert ends(items) == ["end"]
    assert frames.lost == 0


def test_the_mask_of_the_start_ignores_what_is_not_zero(si1m: list[bytes]) -> None:
    start = play(si1m[:1])[0][0]

    assert isinstance(start, RunStart)
    assert start.mask is not None
    assert start.mask.shape == (1065, 1030)
    # The gap pixels alone are NODATA in every frame; the mask covers most of them.
    assert 38_000 < np.count_nonzero(start.mask) < 39_000
    assert start.metadata["channel"] == "threshold_1"


def test_images_before_their_start_wait_for_it(si1m: list[bytes]) -> None:
    items, _ = play([si1m[1], si1m[2], si1m[0], *si1m[3:]])

    assert kinds(items) == ["RunStart"] + ["Frame"] * 10 + ["RunEnd"]
    assert indices(items) == list(range(10))


def test_images_whose_start_never_comes_are_taken_without_it(si1m: list[bytes]) -> None:
    frames = DectrisV2Frames(channel=None, patience=PATIENCE)
    held = [item for message in si1m[1:4] for item in frames.message(message, now=10.0)]
    items = frames.tick(now=12.0) + frames.message(si1m[4], now=12.1)

    assert held == []
    assert kinds(items) == ["RunStart"] + ["Frame"] * 4
    assert isinstance(items[0], RunStart)
    assert items[0].metadata["header"] == "missing"


def test_a_restart_in_mid_series_says_which_frame_was_the_first_seen(si1m: list[bytes]) -> None:
    items, frames = play(si1m[5:])

    start = items[0]
    assert isinstance(start, RunStart)
    assert start.metadata["first frame seen"] == 4
    assert indices(items) == [4, 5, 6, 7, 8, 9]
    assert ends(items) == ["end"]
    assert frames.lost == 0  # the former reader had them


def test_a_series_without_an_end_is_over_after_silence(si1m: list[bytes]) -> None:
    items, frames = play(si1m[:-1])

    assert ends(items) == []
    assert ends(frames.tick(now=100.0)) == ["idle"]


def test_frames_after_a_long_pause_open_the_series_again() -> None:
    items, frames = play([start_message(), image_message(0)])
    items += frames.tick(now=100.0)
    items += frames.message(image_message(1), now=101.0)

    assert kinds(items) == ["RunStart", "Frame", "RunEnd", "RunStart", "Frame"]
    assert runs(items) == ["7-A", "7-A+1"]
    assert frames.lost == 0


def test_a_second_end_changes_nothing(si1m: list[bytes]) -> None:
    items, _ = play([*si1m, si1m[-1]])

    assert kinds(items).count("RunEnd") == 1


def test_a_second_start_changes_nothing(si1m: list[bytes]) -> None:
    items, _ = play([si1m[0], *si1m])

    assert kinds(items).count("RunStart") == 1


def test_an_early_end_ends_the_series() -> None:
    items, frames = play([start_message(number_of_images=100_000), image_message(0), end_message()])

    assert kinds(items) == ["RunStart", "Frame", "RunEnd"]
    assert frames.lost == 0  # what was announced is no promise


def test_lost_frames_are_counted_and_later_ones_flow_after_the_wait(si1m: list[bytes]) -> None:
    items, frames = play([*si1m[:5], *si1m[7:-1]])
    assert indices(items) == [0, 1, 2, 3]

    items += frames.tick(now=3.0)
    items += frames.message(si1m[-1], now=3.1)
    items += frames.tick(now=6.0)

    assert indices(items) == [0, 1, 2, 3, 6, 7, 8, 9]
    assert frames.lost == 2
    assert ends(items) == ["end"]


def test_a_frame_that_comes_after_it_was_given_up_is_refused_and_no_longer_lost() -> None:
    frames = DectrisV2Frames(channel=None, patience=PATIENCE)
    for message in (start_message(), image_message(0), image_message(2)):
        frames.message(message, now=0.0)
    assert indices(frames.tick(now=2.0)) == [2]
    assert frames.lost == 1

    assert reasons(frames.message(image_message(1), now=2.1)) == ["late"]
    assert reasons(frames.message(image_message(1), now=2.2)) == ["duplicate"]
    assert frames.lost == 0


def test_frames_out_of_order_come_out_in_order_each_once(si1m: list[bytes]) -> None:
    images = si1m[1:-1]
    for seed in range(10):
        random.Random(seed).shuffle(images)
        items, frames = play([si1m[0], *images, si1m[-1]])
        assert indices(items) == list(range(10))
        assert ends(items) == ["end"]
        assert frames.lost == 0


def test_an_end_that_overtook_frames_waits_for_them() -> None:
    items, _ = play(
        [
            start_message(number_of_images=3),
            *map(image_message, (0, 2)),
            end_message(),
            image_message(1),
        ]
    )

    assert indices(items) == [0, 1, 2]
    assert ends(items) == ["end"]


def test_a_frame_sent_twice_is_used_once(si1m: list[bytes]) -> None:
    items, _ = play([*si1m[:4], si1m[3], *si1m[4:]])

    assert indices(items) == list(range(10))
    assert reasons(items) == ["duplicate"]


def test_images_of_an_older_series_are_refused(si1m: list[bytes]) -> None:
    stale = edited(si1m[1], series_id=15, series_unique_id="OLD")

    items, _ = play([*si1m[:4], stale, *si1m[4:7], stale, *si1m[7:]])

    assert indices(items) == list(range(10))
    assert reasons(items) == ["stale series"] * 2


def test_images_after_the_end_of_their_series_are_refused(si1m: list[bytes]) -> None:
    items, _ = play([*si1m, si1m[4]])

    assert reasons(items) == ["stale series"]


def test_the_same_number_with_a_new_unique_id_is_a_new_series(si1m: list[bytes]) -> None:
    other = [edited(message, series_unique_id="NEW") for message in si1m]

    items, _ = play(si1m[:6] + other)

    assert len(set(runs(items))) == 2
    assert ends(items) == ["next start", "end"]


def test_two_recordings_on_end_are_two_series(si1m: list[bytes], si16m: list[bytes]) -> None:
    items, _ = play([*si1m[:-1], *si16m])

    assert ends(items) == ["next start", "end"]
    assert len(set(runs(items))) == 2


def test_a_recording_played_twice_is_two_series_with_two_names(si1m: list[bytes]) -> None:
    items, _ = play(si1m + si1m)

    assert len(set(runs(items))) == 2
    assert indices(items) == list(range(10)) * 2


def test_a_newer_series_without_a_start_ends_the_one_before() -> None:
    frames = DectrisV2Frames(channel=None, patience=PATIENCE)
    items: list[SourceItem] = []
    for message in (start_message(), image_message(0), image_message(5, series_id=8)):
        items += frames.message(message, now=0.0)
    items += frames.tick(now=2.0)

    assert kinds(items) == ["RunStart", "Frame", "RunEnd", "RunStart", "Frame"]
    assert ends(items) == ["next start"]


def test_numbers_that_restart_after_a_reboot_do_not_stop_a_series_with_a_start() -> None:
    items, _ = play(
        [
            start_message(),
            image_message(0),
            start_message(series_id=1, series_unique_id="B"),
            image_message(0, series_id=1, series_unique_id="B"),
        ]
    )

    assert runs(items) == ["7-A", "1-B"]
    assert indices(items) == [0, 0]


def test_a_cut_blob_is_refused_and_the_next_frame_flows(si1m: list[bytes]) -> None:
    fields = cbor2.loads(si1m[3])
    array = fields["data"]["threshold_1"].value
    blob = array[1].value.value[2]
    packed = cbor2.CBORTag(56500, ["bslz4", 4, blob[:10]])
    cut = edited(
        si1m[3],
        data={"threshold_1": cbor2.CBORTag(40, [list(array[0]), cbor2.CBORTag(70, packed)])},
    )

    items, frames = play([*si1m[:3], cut, *si1m[4:]])

    assert reasons(items) == ["wrong size"]
    assert indices(items) == [0, 1, 3, 4, 5, 6, 7, 8, 9]
    assert frames.lost == 0  # it did arrive


def test_the_chosen_channel_is_taken_and_a_missing_one_is_an_error() -> None:
    def two(low: int, high: int) -> dict[str, cbor2.CBORTag]:
        values = {"threshold_1": low, "threshold_2": high}
        return {
            name: cbor2.CBORTag(40, [[1, 2], cbor2.CBORTag(64, bytes([value, value]))])
            for name, value in values.items()
        }

    start = start_message(channels=["threshold_1", "threshold_2"])
    both = image_message(0, data=two(1, 9))
    one = image_message(1)

    chosen, _ = play([start, both, one], channel="threshold_2")
    default, _ = play([start, both, one])

    assert [bytes(f.image.blob)[0] for f in chosen if isinstance(f, Frame)] == [9]
    assert reasons(chosen) == ["channel missing"]
    assert [bytes(f.image.blob)[0] for f in default if isinstance(f, Frame)] == [1, 1]


def test_garbage_is_counted_and_passed_over(si1m: list[bytes]) -> None:
    garbage = [b"", b"garbage", b"\xff" * 1000, cbor2.dumps({"type": "telemetry"})]

    items, _ = play([*si1m[:4], *garbage, *si1m[4:]])

    assert sorted(reasons(items)) == ["malformed"] * 3 + ["unknown message"]
    assert indices(items) == list(range(10))


def test_a_damaged_number_far_ahead_does_not_stop_the_stream() -> None:
    messages = [start_message(), image_message(0), image_message(5000), image_message(1 << 39)]
    items, _ = play(messages + [image_message(n) for n in range(1, 60)])

    assert indices(items) == list(range(60))
    assert reasons(items) == ["implausible index"]


def test_what_is_held_back_is_bounded() -> None:
    patience = replace(PATIENCE, held_bytes=20_000)
    items, frames = play(
        [start_message()] + [image_message(n) for n in range(3, 100)], patience=patience
    )

    assert indices(items) == list(range(3, 100))
    assert frames.lost == 3


def test_a_headerless_flood_is_bounded() -> None:
    patience = replace(PATIENCE, held_bytes=2_000)

    items, _ = play([image_message(n) for n in range(100)], patience=patience)

    assert indices(items) == list(range(100))


def test_every_message_of_a_damaged_stream_is_accounted_for() -> None:
    random_number = random.Random(8)
    stream = [start_message()] + [image_message(n) for n in range(500)] + [end_message()]
    frames = DectrisV2Frames(channel=None, patience=PATIENCE)
    items: list[SourceItem] = []
    sent = 0
    for number, message in enumerate(stream):
        damaged = bytearray(message)
        if 0 < number <= 500 and random_number.random() < 0.5:
            damaged[random_number.randrange(len(damaged))] = random_number.randrange(256)
        sent += 1
        items += frames.message(bytes(damaged), now=number * 0.01)
    for later in (10.0, 100.0, 200.0):
        items += frames.tick(now=later)

    found = kinds(items)
    told = found.count("Frame") + found.count("FrameRefused")
    # A damaged type key may read "start" or "end"; none does with this seed.
    assert told == sent - 2


@pytest.mark.parametrize("mask", [b"junk", cbor2.CBORTag(40, [[2, 3], b""])])
def test_a_mask_that_cannot_be_read_is_said_and_the_run_goes_on(mask: object) -> None:
    items, _ = play([start_message(pixel_mask={"threshold_1": mask}), image_message(0)])

    start = items[0]
    assert isinstance(start, RunStart)
    assert start.mask is None
    assert "unreadable" in str(start.metadata["pixel_mask"])
    assert indices(items) == [0]


def test_a_late_start_of_a_series_taken_without_it_does_not_begin_it_again(
    si1m: list[bytes], recording: Callable[[str], Any]
) -> None:
    frames = DectrisV2Frames(channel=None, patience=PATIENCE)
    items = frames.message(si1m[1], now=0.0) + frames.tick(now=3.0)
    items += frames.message(si1m[0], now=3.1) + frames.message(si1m[2], now=3.2)

    assert kinds(items) == ["RunStart", "Frame", "Frame"]
