"""HDF5 files that arrive in a directory while they are written, with their parts in any order."""

import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from livepdf.config.sources import Directory
from livepdf.model.frame import RunStart, SourceItem
from livepdf.sources.directory import DirectorySource
from tests.sources.conftest import kinds, wait_for
from tests.sources.watching import Opener, frames, gather, image, values

WRITER = """
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w", libver="latest") as file:
    data = file.create_dataset(
        "entry/data/data", (0, 20, 30), "i4", maxshape=(None, 20, 30), chunks=(1, 20, 30)
    )
    file.swmr_mode = True
    print("open", flush=True)
    for number in range(int(sys.argv[2])):
        sys.stdin.readline()
        data.resize(number + 1, axis=0)
        data.flush()
        print("resized", flush=True)
        sys.stdin.readline()
        data[number] = number + 1
        data.flush()
        print("written", flush=True)
"""


def test_a_growing_file_gives_each_image_once_it_is_written_never_zeros(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch()
    total = 5
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "scan.h5"), str(total)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        items: list[SourceItem] = []
        assert writer.stdout.readline() == "open\n"
        for number in range(total):
            for said in ("resized\n", "written\n"):
                print(file=writer.stdin, flush=True)
                assert writer.stdout.readline() == said
                if said == "resized\n":
                    items += source.poll(0.2)
                    assert len(frames(items)) == number
            items += gather(source, number=1)

    assert values(items) == [1, 2, 3, 4, 5]
    assert [frame.index for frame in frames(items)] == [0, 1, 2, 3, 4]
    assert kinds(items).count("RunStart") == 1


def test_a_file_that_a_writer_has_locked_is_taken_when_it_is_closed(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch()
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data/data"] = np.stack([image(n) for n in range(3)])
        file.flush()
        assert frames(source.poll(0.5)) == []

    assert values(gather(source, number=3)) == [0, 1, 2]


def test_a_master_may_come_before_its_data_files(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        for number in (1, 2):
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(
                f"x_data_{number:06d}.h5", "/entry/data/data"
            )
    items: list[SourceItem] = source.poll(0.3)
    for number in (1, 2):
        with h5py.File(tmp_path / f"x_data_{number:06d}.h5", "w") as file:
            file["entry/data/data"] = np.stack([image(2 * number), image(2 * number + 1)])
        items += gather(source, number=2)

    assert values(items) == [2, 3, 4, 5]
    assert [frame.index for frame in frames(items)] == [0, 1, 2, 3]
    assert kinds(items).count("RunStart") == 1


def test_a_long_stack_is_not_cut_by_the_next_one(
    watch: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livepdf.sources.reader.BATCH_BYTES", 1)
    for name in ("a", "b"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["entry/data/data"] = np.stack([image(n) for n in range(4)])

    items = gather(watch(start="all"), number=8)

    assert kinds(items) == ["RunStart", *["Frame"] * 4, "RunEnd", "RunStart", *["Frame"] * 4]
    assert values(items) == [0, 1, 2, 3] * 2


def test_an_hdf5_name_used_again_is_a_new_run(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    items: list[SourceItem] = []
    for value in (1, 2):
        with h5py.File(tmp_path / "new.tmp", "w") as file:
            file["entry/data/data"] = image(value)[None]
        (tmp_path / "new.tmp").rename(tmp_path / "scan.h5")
        items += gather(source, number=1)

    assert values(items) == [1, 2]
    assert len({frame.series for frame in frames(items)}) == 2


def test_a_data_file_that_does_not_come_is_said(watch: Opener, tmp_path: Path) -> None:
    now = [1000.0]
    settings = Directory(kind="directory", path=tmp_path, poll=0.05, notify=False)
    source = DirectorySource(settings, clock=lambda: now[0])
    source.open()
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        file["entry/data/data_000001"] = h5py.ExternalLink("x_data_000001.h5", "/entry/data/data")

    def later() -> list[SourceItem]:
        now[0] += 0.5
        return source.poll(0.1)

    wait_for(later, lambda _: source.state() == "stalled: x_master.h5: data_000001 is missing")
    source.close()


def test_a_virtual_master_may_come_before_its_files_and_tells_mask_and_limits(
    watch: Opener, tmp_path: Path
) -> None:
    """As DECTRIS' newer files are: (image, channel, row, column), one file for two images."""
    source = watch()
    layout = h5py.VirtualLayout(shape=(4, 1, 20, 30), dtype="i4")
    for part in (0, 1):
        name = f"x_data_{part + 1:06d}.h5"
        layout[2 * part : 2 * part + 2] = h5py.VirtualSource(name, "d", shape=(2, 1, 20, 30))
    bad = np.zeros((20, 30), "u4")
    bad[3, 4] = 8
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)
        detector = file.create_group("entry/instrument/detector")
        detector["count_time"], detector["saturation_value"] = 0.5, 60
        detector["threshold_1_channel/pixel_mask"] = bad
        file["entry/instrument/beam/incident_wavelength"] = 0.21
    items: list[SourceItem] = source.poll(0.3)
    for part in (1, 0):
        with h5py.File(tmp_path / f"x_data_{part + 1:06d}.h5", "w") as file:
            stack = np.stack([image(2 * part), image(2 * part + 1)])[:, None]
            file.create_dataset("d", data=stack, chunks=(1, 1, 20, 30), **hdf5plugin.Bitshuffle())
    items += gather(source, number=4)

    start = items[0]
    assert isinstance(start, RunStart)
    assert start.mask is not None
    np.testing.assert_array_equal(start.mask, bad != 0)
    assert (start.saturation, start.wavelength) == (61, 0.21)
    assert values(items) == [0, 1, 2, 3]
    assert {frame.image.algorithm for frame in frames(items)} == {"bslz4"}
    assert {frame.exposure for frame in frames(items)} == {0.5}


def test_a_writer_that_was_killed_leaves_what_it_had_flushed(watch: Opener, tmp_path: Path) -> None:
    source = watch(idle_timeout=1.0)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "scan.h5"), "9"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for said in ("open\n", "resized\n", "written\n", "resized\n"):
            if said != "open\n":
                print(file=writer.stdin, flush=True)
            assert writer.stdout.readline() == said
        writer.kill()

    items = gather(source, number=1, until="RunEnd")

    assert values(items) == [1]
    assert source.lost() == 0
