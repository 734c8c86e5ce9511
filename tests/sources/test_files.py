"""Complete files of every kind, read in a process that may be killed."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import fabio
import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile

from livepdf.model.frame import Frame, FrameRefused
from livepdf.numerics.unpack import unpack
from livepdf.sources.files import read_frames
from livepdf.sources.reader import FileReader
from tests.sources.test_complete import PIXELS, WRITERS


@pytest.fixture(scope="module")
def reader() -> Iterator[FileReader]:
    reader = FileReader()
    yield reader
    reader.kill()


def pixels_of(frame: Frame | FrameRefused) -> np.ndarray:
    assert isinstance(frame, Frame), frame
    image = frame.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_pixels_that_were_written(
    kind: str, reader: FileReader, tmp_path: Path
) -> None:
    suffix, write = WRITERS[kind]
    path = tmp_path / f"image.{suffix}"
    write(path)

    frames = list(read_frames(path, reader=reader, series="s"))

    assert len(frames) == (3 if kind == "pages" else 1)
    for frame in frames:
        np.testing.assert_array_equal(pixels_of(frame), PIXELS)
    assert frames[0].time == pytest.approx(path.stat().st_mtime)


def test_a_real_tiff_is_read_as_fabio_reads_it(
    reader: FileReader, data_path: Callable[[str], Path]
) -> None:
    path = data_path("images/xpd_ni/xpd_ni.tif")

    (frame,) = read_frames(path, reader=reader, series="s")

    np.testing.assert_array_equal(pixels_of(frame), fabio.open(str(path)).data)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("images/danmax_pilatus2m/scan-0002_pilatus.h5", "entry/instrument/pilatus/data"),
        ("protocols/test_data_000001.h5", "entry/data/data"),
        (
            "protocols/dectris_h5_eiger1_testmode10_2datafiles_4images_bslz4_data_000001.h5",
            "entry/data/data",
        ),
        (
            "protocols/dectris_h5_eiger2_simread7_2datafiles_4images_bslz4_uint8_data_000001.h5",
            "entry/data/data",
        ),
        (
            "protocols/dectris_h5_eiger2_simread7_2datafiles_4images_lz4_data_000001.h5",
            "entry/data/data",
        ),
        ("formats/testasapo1_1009_00002_m1_part00000.nxs", "entry/instrument/detector/data"),
    ],
)
def test_real_hdf5_gives_the_images_that_h5py_reads(
    name: str, dataset: str, reader: FileReader, data_path: Callable[[str], Path]
) -> None:
    path = data_path(name)
    with h5py.File(path) as file:
        expected = file[dataset][()]

    frames = list(read_frames(path, reader=reader, series="s", first=5))

    assert [frame.index for frame in frames] == list(range(5, 5 + len(expected)))
    for frame, image in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(pixels_of(frame), image)


def test_published_images_of_dectris_come_out_of_their_files(
    reader: FileReader, data_path: Callable[[str], Path]
) -> None:
    published = json.loads(data_path("protocols/expected.json").read_text())
    files = {name: images for name, images in published.items() if name.endswith(".h5")}
    assert len(files) == 6

    for name, images in files.items():
        frames = list(read_frames(data_path(f"protocols/{name}"), reader=reader, series="s"))

        assert len(frames) >= len(images)
        for number, values in images.items():
            image = pixels_of(frames[int(number)])
            valid = image[image != np.iinfo(image.dtype).max]
            little = np.ascontiguousarray(image, values["dtype"])
            assert list(image.shape) == values["shape"]
            assert hashlib.sha256(little.tobytes()).hexdigest() == values["sha256"]
            assert (image.size - valid.size, valid.sum()) == (values["nodata"], values["total"])


def test_a_master_stands_for_its_data_files(
    reader: FileReader, data_path: Callable[[str], Path]
) -> None:
    with h5py.File(data_path("protocols/test_data_000001.h5")) as file:
        expected = file["entry/data/data"][()]

    frames = list(read_frames(data_path("protocols/test_master.h5"), reader=reader, series="s"))

    np.testing.assert_array_equal([pixels_of(frame) for frame in frames], expected)


def test_a_chunk_that_is_one_image_stays_compressed(reader: FileReader, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(
            "x", data=np.stack([PIXELS] * 2), chunks=(1, 60, 50), **hdf5plugin.Bitshuffle()
        )
        file["entry/instrument/detector/count_time"] = 0.25

    frames = list(read_frames(tmp_path / "a.h5", reader=reader, series="s"))

    for frame in frames:
        assert isinstance(frame, Frame)
        assert frame.image.algorithm == "bslz4"
        assert frame.exposure == 0.25
        np.testing.assert_array_equal(pixels_of(frame), PIXELS)


def test_an_hdf5_without_compression_and_one_image_is_read(
    reader: FileReader, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["picture"] = PIXELS.astype("f8")

    (frame,) = read_frames(tmp_path / "a.h5", reader=reader, series="s")

    np.testing.assert_array_equal(pixels_of(frame), PIXELS)


def test_of_several_channels_the_first_is_taken(reader: FileReader, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/data"] = np.stack([[PIXELS, PIXELS + 1]] * 2)

    frames = list(read_frames(tmp_path / "a.h5", reader=reader, series="s"))

    np.testing.assert_array_equal([pixels_of(frame) for frame in frames], [PIXELS] * 2)


def test_a_virtual_stack_is_read_and_one_whose_file_is_missing_is_incomplete(
    reader: FileReader, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["d"] = np.stack([PIXELS] * 2)
    layout = h5py.VirtualLayout(shape=(2, 60, 50), dtype=PIXELS.dtype)
    layout[:] = h5py.VirtualSource("part.h5", "d", shape=(2, 60, 50))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)

    there = list(read_frames(tmp_path / "all.h5", reader=reader, series="s"))
    (tmp_path / "part.h5").unlink()
    (gone,) = read_frames(tmp_path / "all.h5", reader=reader, series="s")

    np.testing.assert_array_equal([pixels_of(frame) for frame in there], [PIXELS] * 2)
    assert isinstance(gone, FrameRefused)
    assert gone.reason == "incomplete"


def test_a_master_with_a_missing_data_file_says_which(reader: FileReader, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x_data_000001.h5", "w") as file:
        file["entry/data/data"] = PIXELS[None]
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        for number in (1, 2):
            name = f"x_data_{number:06d}.h5"
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(name, "/entry/data/data")

    first, second = read_frames(tmp_path / "x_master.h5", reader=reader, series="s")

    np.testing.assert_array_equal(pixels_of(first), PIXELS)
    assert isinstance(second, FrameRefused)
    assert second.reason == "incomplete"
    assert "data_000002" in second.detail


@pytest.mark.parametrize("kind", WRITERS)
def test_a_cut_file_is_refused_in_words(kind: str, reader: FileReader, tmp_path: Path) -> None:
    suffix, write = WRITERS[kind]
    path = tmp_path / f"image.{suffix}"
    write(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])

    (refused,) = read_frames(path, reader=reader, series="s")

    assert isinstance(refused, FrameRefused)
    assert refused.reason == "incomplete"
    assert str(path) in refused.detail


def test_files_that_are_no_images_are_refused(reader: FileReader, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not an image, but long enough to be one")
    (tmp_path / "b.xyz").write_text("not an image")
    (tmp_path / "c.h5").write_text("not an image")
    tifffile.imwrite(tmp_path / "d.tif", np.zeros((5, 5, 3), np.uint8))
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["text"] = "no pixels"

    for path in [*sorted(tmp_path.iterdir()), tmp_path / "absent.tif", tmp_path / "absent.h5"]:
        (refused,) = read_frames(path, reader=reader, series="s")
        assert isinstance(refused, FrameRefused), path


def test_a_reader_that_hangs_is_killed_and_the_next_file_is_read(
    reader: FileReader, tmp_path: Path
) -> None:
    WRITERS["cbf"][1](tmp_path / "whole.cbf")
    whole = (tmp_path / "whole.cbf").read_bytes()
    # Under another name the file meets no completeness test, only the reader that loops on it.
    hanging = tmp_path / "cut.mccd"
    hanging.write_bytes(whole[: whole.find(b"X-Binary-Size:")])

    (refused,) = read_frames(hanging, reader=reader, series="s", read_timeout=2.0)
    (frame,) = read_frames(tmp_path / "whole.cbf", reader=reader, series="s")

    assert isinstance(refused, FrameRefused)
    assert refused.reason == "reader hung"
    np.testing.assert_array_equal(pixels_of(frame), PIXELS)


def test_a_reader_that_blocks_on_opening_is_killed(reader: FileReader, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.edf")

    (refused,) = read_frames(tmp_path / "pipe.edf", reader=reader, series="s", read_timeout=1.0)

    assert isinstance(refused, FrameRefused)
    assert refused.reason == "reader hung"


def test_a_reader_that_dies_is_said_and_replaced(reader: FileReader, tmp_path: Path) -> None:
    WRITERS["edf"][1](tmp_path / "a.edf")
    reader.start()
    assert reader._child is not None
    reader._child.process.kill()
    reader._child.process.wait()

    (refused,) = read_frames(tmp_path / "a.edf", reader=reader, series="s")
    (frame,) = read_frames(tmp_path / "a.edf", reader=reader, series="s")

    assert isinstance(refused, FrameRefused)
    assert refused.reason == "reader died"
    assert isinstance(frame, Frame)


PARENT = """
import sys
from pathlib import Path
from livepdf.sources.reader import FileReader
reader = FileReader()
reader.ask(Path(sys.argv[1]))
while reader.answer(60.0, limit=60.0) is not None or not reader._child.ready:
    pass
print(reader._child.process.pid, flush=True)
sys.stdin.read()
"""


def test_a_hanging_reader_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.edf")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "pipe.edf")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as parent:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().decode().strip()
        assert child.exists()
        parent.kill()

    deadline = time.monotonic() + 20
    while is_running(child):
        assert time.monotonic() < deadline


def is_running(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
