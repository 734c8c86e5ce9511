from collections.abc import Callable
from pathlib import Path

import fabio
import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile

from livepdf.errors import FileError
from livepdf.files.images import read_float_image, read_image, read_mask

IMAGE = np.arange(12, dtype=np.int32).reshape(3, 4)


def test_what_other_programs_wrote_comes_back(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    np.save(tmp_path / "a.npy", IMAGE)
    fabio.edfimage.EdfImage(data=IMAGE).write(str(tmp_path / "a.edf"))
    fabio.cbfimage.CbfImage(data=IMAGE).write(str(tmp_path / "a.cbf"))

    for name in ("a.tif", "a.npy", "a.edf", "a.cbf"):
        image = read_image(tmp_path / name)
        assert image.dtype == np.int32, name
        np.testing.assert_array_equal(image, IMAGE)


def test_frames_are_chosen_by_number(tmp_path: Path) -> None:
    stack = np.stack([IMAGE, IMAGE + 100])
    np.save(tmp_path / "a.npy", stack)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("entry/data", data=stack, **hdf5plugin.Bitshuffle())

    for name in ("a.npy", "a.tif", "a.h5", "a.h5::/entry/data"):
        np.testing.assert_array_equal(read_image(f"{tmp_path}/{name}", frame=1), stack[1])
        with pytest.raises(FileError, match="frame 2 asked for"):
            read_image(f"{tmp_path}/{name}", frame=2)


def test_a_master_files_data_files_count_on(data_path: Callable[[str], Path]) -> None:
    master = data_path("protocols/test_master.h5")
    with h5py.File(master) as file:
        count = len(file["entry/data/data_000001"])
        last = file["entry/data/data_000001"][count - 1]

    np.testing.assert_array_equal(read_image(master, frame=count - 1), last)


def test_a_real_detectors_file_is_found_by_itself(data_path: Callable[[str], Path]) -> None:
    path = data_path("images/danmax_pilatus2m/scan-0002_pilatus.h5")

    image = read_image(path, frame=1)

    assert image.shape == (1679, 1475)
    assert image.min() == -2


def test_links_to_one_dataset_are_one_dataset(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"] = IMAGE[None]
        file["entry/again"] = h5py.SoftLink("/entry/data")
        file["entry/lost"] = h5py.ExternalLink("gone.h5", "/data")

    np.testing.assert_array_equal(read_image(tmp_path / "a.h5"), IMAGE)


def test_several_stacks_are_never_guessed_at(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["up"] = file["down"] = IMAGE[None]
        file["other"] = IMAGE[None] + 1

    with pytest.raises(FileError, match=r"several datasets could be meant.*::DATASET"):
        read_image(tmp_path / "a.h5")
    np.testing.assert_array_equal(read_image(f"{tmp_path}/a.h5::other"), IMAGE + 1)


@pytest.mark.parametrize("name", ["m.npy", "m.edf", "m.tif", "m.h5"])
def test_a_mask_is_whatever_is_not_zero(tmp_path: Path, name: str) -> None:
    mask = (IMAGE % 3).astype(np.uint8)
    path = tmp_path / name
    if name == "m.npy":
        np.save(path, mask)
    elif name == "m.edf":
        fabio.edfimage.EdfImage(data=mask).write(str(path))
    elif name == "m.tif":
        tifffile.imwrite(path, mask)
    else:
        with h5py.File(path, "w") as file:
            file["mask"] = mask

    found = read_mask(path)

    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, mask != 0)


def test_darks_and_flats_are_floats(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGE.astype(">f4"))

    assert read_float_image(tmp_path / "a.npy").dtype == np.float64


@pytest.mark.logs_errors
def test_unreadable_files_are_refused_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.zeros(7))
    np.save(tmp_path / "words.npy", np.array([["a", "b"], ["c", "d"]]))
    tifffile.imwrite(tmp_path / "whole.tif", np.ones((100, 100), "u2"))
    (tmp_path / "cut.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:1000])
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["number"] = 3
    for name in ("junk.tif", "junk.npy", "junk.h5", "junk.edf"):
        (tmp_path / name).write_bytes(b"nothing of the kind" * 9)
    complaints = {
        "none.tif": "no such file",
        "line.npy": "cannot be read",
        "words.npy": "wanted numbers",
        "cut.tif": "cut.tif",
        "empty.h5": "holds no image",
        "empty.h5::/nowhere": "cannot be read",
        "junk.tif": "cannot be read",
        "junk.npy": "cannot be read",
        "junk.h5": "cannot be read",
        "junk.edf": "junk.edf",
    }
    for name, complaint in complaints.items():
        with pytest.raises(FileError, match=complaint):
            read_image(f"{tmp_path}/{name}")
