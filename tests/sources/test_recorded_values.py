"""Every recorded stream decodes to the pixels that others decoded from it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.model.frame import RunEnd, RunStart
from tests.sources.conftest import Recording
from tests.sources.streams import digest, feed_of, frames, pixels, play, zipped

Find = Callable[[str], Path]
RECORDINGS = {
    "dectris_v1_eiger1_si1m_all_9frames": ("dectris-stream-v1", 9),
    "dectris_v2_eiger1_si1m_all_10frames": ("dectris-stream-v2", 10),
    "dectris_v2_eiger2_si16m_start_image_end": ("dectris-stream-v2", 1),
    "stins_balder_eiger1m_uint32_bslz4": ("stins", 41),
    "stins_danmax_orca_uint16_none": ("stins", 11),
}
ZIPPED = {
    "stream1_eiger1m_4frames": ("dectris-stream-v1", 4),
    "stream2_eiger1m_5frames": ("dectris-stream-v2", 5),
    "stins_balder_eiger1m_10frames": ("stins", 10),
    "stins_danmax_orca_11frames": ("stins", 11),
}


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_a_recording_decodes_to_its_published_pixels(
    name: str, recording: Callable[[str], Recording], data_path: Find
) -> None:
    kind, count = RECORDINGS[name]
    published = json.loads(data_path("protocols/expected.json").read_text())[f"{name}.cborseq"]
    wanted = [
        published[key] for key in sorted(published, key=lambda key: int(key.partition("/")[0]))
    ]

    items = play(feed_of(kind), recording(name))

    assert isinstance(items[0], RunStart)
    assert [frame.index for frame in frames(items)] == list(range(count))
    for frame, values in zip(frames(items), wanted, strict=True):
        image = pixels(frame)
        valid = image[image != np.iinfo(image.dtype).max]
        assert list(frame.image.shape) == values["shape"]
        assert digest(frame, values["dtype"]) == values["sha256"]
        assert image.size - valid.size == values["nodata"]
        assert valid.sum() == values["total"]


@pytest.mark.parametrize("name", sorted(ZIPPED))
def test_a_stream_kept_part_by_part_decodes_to_its_published_pixels(
    name: str, data_path: Find
) -> None:
    kind, count = ZIPPED[name]
    messages, index = zipped(data_path, name)

    items = play(feed_of(kind), messages)

    assert len(frames(items)) == count == len(index["expected_frames"])
    for frame, values in zip(frames(items), index["expected_frames"], strict=True):
        little = np.dtype(values["dtype"]).newbyteorder("<").str
        assert list(frame.image.shape) == values["shape"]
        assert digest(frame, little) == values["sha256"]


def test_every_published_recording_of_a_stream_is_in_these_tests(data_path: Find) -> None:
    published = json.loads(data_path("protocols/expected.json").read_text())
    streams = {name.removesuffix(".cborseq") for name in published if name.endswith(".cborseq")}
    kept = {path.stem for path in data_path("streams").glob("*.zip")}

    assert streams == set(RECORDINGS)
    assert kept == set(ZIPPED)


def test_headers_and_ends_of_the_recordings_are_read(
    recording: Callable[[str], Recording],
) -> None:
    items = play(feed_of("dectris-stream-v1"), recording("dectris_v1_eiger1_si1m_all_9frames"))
    start = items[0]
    assert isinstance(start, RunStart)
    assert (start.series, start.expected) == ("14", 100_000)
    assert start.saturation == 2_943_293
    assert start.mask is not None
    assert (start.mask.shape, np.count_nonzero(start.mask)) == ((1065, 1030), 38_129)
    assert start.metadata["description"] == "Dectris EIGER1 Si 1M"
    # Three thousandths of a second short of 1 s each, one second apart.
    times = [frame.time for frame in frames(items)]
    np.testing.assert_allclose(np.diff(times), 1.0, atol=1e-5)
    assert times[0] == start.time
    np.testing.assert_allclose([f.exposure for f in frames(items)], 0.994336, atol=1e-5)

    items = play(feed_of("stins"), recording("stins_danmax_orca_uint16_none"))
    start, first = items[0], frames(items)[0]
    assert isinstance(start, RunStart)
    assert (start.name, start.expected) == ("scan-2536_orca", 1)
    assert first.origin == "210/1"
    assert first.time == pytest.approx(1730124158.534415)
    assert isinstance(items[-1], RunEnd)
    assert items[-1].reason == "end"

    start = play(feed_of("dectris-stream-v2"), recording("dectris_v2_eiger1_si1m_all_10frames"))[0]
    assert isinstance(start, RunStart)
    assert (start.saturation, start.expected) == (2_943_293, 10)


def test_pixels_without_data_drift_and_exceed_the_mask(
    recording: Callable[[str], Recording],
) -> None:
    items = play(feed_of("dectris-stream-v1"), recording("dectris_v1_eiger1_si1m_all_9frames"))

    counts = {int(np.count_nonzero(pixels(f) == 2**32 - 1)) for f in frames(items)}

    assert counts == {38_310, 38_311}


def test_a_recording_with_cut_blobs_is_refused_frame_by_frame(
    recording: Callable[[str], Recording], caplog: pytest.LogCaptureFixture
) -> None:
    name = "dectris_v1_eiger2_cdte9m_all_3frames_BLOBS_CUT_AT_20000B"
    items = play(feed_of("dectris-stream-v1"), recording(name))

    assert [type(i).__name__ for i in items] == ["RunStart"] + ["FrameRefused"] * 3 + ["RunEnd"]
    start = items[0]
    assert isinstance(start, RunStart)
    assert start.mask is None
    assert str(start.metadata["pixel_mask"]).startswith("unreadable: truncated")
    assert "collect_dict" in str(start.metadata["user_data"])
    assert {getattr(i, "reason", "") for i in items[1:-1]} == {"truncated"}
