"""What HDF5 files say about their images, and which dataset is meant."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, ReadImage
from livepdf.sources.read_images import read_batch

STACK = np.arange(2 * 6 * 5, dtype="i4").reshape(2, 6, 5)
BAD = np.zeros((6, 5), "u4")
BAD[1, 2], BAD[4, 4] = 1, 16


def read(path: Path, dataset: str | None = None) -> Batch:
    return read_batch(path, first=0, most_bytes=1 << 28, dataset=dataset)


@pytest.mark.parametrize(
    "place", ["detector/detectorSpecific", "detector", "detector/threshold_1_channel"]
)
def test_pixels_marked_bad_are_told_wherever_they_stand(place: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/data"] = STACK
        file["entry/instrument/detector/count_time"] = 1.0
        file[f"entry/instrument/{place}/pixel_mask"] = BAD

    mask = read(tmp_path / "a.h5").facts.mask

    assert mask is not None
    np.testing.assert_array_equal(mask, BAD != 0)


def test_limits_and_times_come_in_our_units(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/data"] = STACK
        detector = file.create_group("entry/instrument/detector")
        detector["count_time"], detector["frame_time"] = 250.0, 300.0
        for name in ("count_time", "frame_time"):
            detector[name].attrs["units"] = "milliseconds"
        specific = detector.create_group("detectorSpecific")
        specific["countrate_correction_count_cutoff"] = 500_000
        specific["photon_energy"] = 61_992.0
        specific["data_collection_date"] = "2024-05-01T12:00:00+00:00"
        detector["flatfield_correction_applied"] = 0

    batch = read(tmp_path / "a.h5")

    first, second = batch.images
    assert isinstance(first, ReadImage)
    assert isinstance(second, ReadImage)
    assert (first.exposure, first.time) == (0.25, 1714564800.0)
    assert second.time == pytest.approx(1714564800.3)
    assert batch.facts.saturation == 500_001
    assert batch.facts.wavelength == pytest.approx(0.2, rel=1e-4)
    assert "detector.flat" in str(batch.facts.metadata["flat field"])


def test_a_real_lambda_file_tells_its_mask_and_exposure(data_path: Callable[[str], Path]) -> None:
    path = data_path("formats/testasapo1_1009_00002_m1_part00000.nxs")
    with h5py.File(path) as file:
        bad = file["entry/instrument/detector/pixel_mask"][0] != 0

    batch = read(path)

    assert batch.facts.mask is not None
    np.testing.assert_array_equal(batch.facts.mask, bad)
    assert batch.facts.saturation == 4096
    assert {item.exposure for item in batch.images} == {0.1}  # type: ignore[union-attr]


def test_two_stacks_are_no_guess_and_the_remedy_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/one/data"], file["entry/two/data"] = STACK, STACK + 1

    with pytest.raises(FrameError) as refusal:
        read(tmp_path / "a.h5")
    assert refusal.value.reason == "several datasets"
    assert "/entry/one/data, /entry/two/data" in refusal.value.detail
    assert "FILE::DATASET" in refusal.value.detail

    item = read(tmp_path / "a.h5", "/entry/two/data").images[0]
    assert isinstance(item, ReadImage)
    np.testing.assert_array_equal(np.frombuffer(item.image.blob, "i4"), (STACK[0] + 1).ravel())


def test_a_dataset_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/one/data"] = STACK

    with pytest.raises(FrameError, match="no dataset /entry/x; the file holds /entry/one/data"):
        read(tmp_path / "a.h5", "/entry/x")


def test_an_image_that_cannot_be_unpacked_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("x", data=STACK, chunks=(1, 6, 5), compression="gzip")
        place = data.id.get_chunk_info_by_coord((0, 0, 0))
    with path.open("r+b") as raw:
        raw.seek(place.byte_offset)
        raw.write(b"\xff" * place.size)

    first, second = read(path).images

    assert not isinstance(first, ReadImage)
    assert first.reason == "corrupt"
    assert isinstance(second, ReadImage)
