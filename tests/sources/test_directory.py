"""Files that arrive in a directory, as detectors, copies and careless people write them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fabio
import h5py
import numpy as np
import pytest

from livepdf.config.sources import Directory
from livepdf.errors import SourceError
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.numerics.unpack import unpack
from livepdf.sources.directory import DirectorySource
from livepdf.sources.open_source import make_source
from tests.sources.conftest import kinds, wait_for

SHAPE = (20, 30)
Opener = Callable[..., DirectorySource]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Opener]:
    """Return a function that opens a source on the folder of the test, with quick looks."""
    opened: list[DirectorySource] = []

    def open_source(**changes: Any) -> DirectorySource:
        settings = {"kind": "directory", "path": tmp_path, "poll": 0.05, "notify": False}
        source = make_source(Directory(**{**settings, **changes}))
        assert isinstance(source, DirectorySource)
        source.open()
        opened.append(source)
        return source

    yield open_source
    for source in opened:
        source.close()


def image(value: int) -> np.ndarray:
    return np.full(SHAPE, value, np.int32)


def write(path: Path, value: int) -> Path:
    """Write an image by fabio, in the format of the suffix."""
    kind = {
        ".tif": fabio.tifimage.TifImage,
        ".cbf": fabio.cbfimage.CbfImage,
        ".edf": fabio.edfimage.EdfImage,
    }[path.suffix]
    kind(data=image(value), header={}).write(str(path))
    return path


def frames(items: list[SourceItem]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def values(items: list[SourceItem]) -> list[int]:
    """First pixel of every frame; all its pixels are the same."""
    found = []
    for frame in frames(items):
        packed = frame.image
        pixels = unpack(
            packed.blob, algorithm=packed.algorithm, shape=packed.shape, dtype=packed.dtype
        )
        assert np.all(pixels == pixels[0, 0])
        found.append(int(pixels[0, 0]))
    return found


def reasons(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused)]


def gather(
    source: DirectorySource, *, number: int = 0, until: str = "Frame", limit: float = 30
) -> list[SourceItem]:
    return wait_for(
        lambda: source.poll(0.1), lambda got: kinds(got).count(until) >= number, limit=limit
    )


@pytest.mark.parametrize("suffix", ["tif", "cbf", "edf"])
@pytest.mark.parametrize("notify", [False, True])
def test_files_of_one_name_are_a_run_in_the_order_of_their_numbers(
    suffix: str, notify: bool, watch: Opener, tmp_path: Path
) -> None:
    source = watch(notify=notify)
    for number in (8, 9, 10, 11):
        write(tmp_path / f"Ni_{number}.{suffix}", number)

    items = gather(source, number=4)

    assert kinds(items) == ["RunStart"] + ["Frame"] * 4
    assert values(items) == [8, 9, 10, 11]
    assert [frame.index for frame in frames(items)] == [0, 1, 2, 3]
    assert isinstance(items[0], RunStart)
    assert items[0].name == "Ni"
    assert {frame.series for frame in frames(items)} == {items[0].series}
    assert source.state() == "connected"


def test_what_was_there_before_is_left_unless_all_is_wanted(watch: Opener, tmp_path: Path) -> None:
    write(tmp_path / "a_1.tif", 1)
    new, everything = watch(), watch(start="all")
    write(tmp_path / "a_2.tif", 2)

    assert values(gather(new, number=1)) == [2]
    assert values(gather(everything, number=2)) == [1, 2]


def test_ignored_and_temporary_names_are_left_until_they_are_renamed(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch()
    for name in (".a_1.tif", "a_1.dark.tif"):
        write(tmp_path / name, 7)
    hidden = write(tmp_path / "b_1.tif", 1).rename(tmp_path / "b_1.tif.tmp")
    write(tmp_path / "a_2.tif", 2)
    assert values(gather(source, number=1)) == [2]

    hidden.rename(tmp_path / "b_1.tif")

    assert values(gather(source, number=1)) == [1]


def test_a_file_moved_in_from_elsewhere_arrives(
    watch: Opener, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    source = watch()

    write(elsewhere / "x_1.tif", 5).rename(tmp_path / "x_1.tif")

    assert values(gather(source, number=1)) == [5]


@pytest.mark.parametrize("notify", [False, True])
def test_new_folders_in_new_folders_are_looked_into(
    notify: bool, watch: Opener, tmp_path: Path
) -> None:
    source = watch(notify=notify)
    deep = tmp_path / "sample" / "day" / "run"
    deep.mkdir(parents=True)
    write(deep / "a_1.tif", 3)

    items = gather(source, number=1)

    assert values(items) == [3]
    assert frames(items)[0].series.startswith("sample/day/run/")


def test_a_name_that_is_used_again_is_taken_again_as_a_new_run(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch()
    write(tmp_path / "a_1.tif", 1)
    items = gather(source, number=1)
    write(tmp_path / "a_1.tif", 2)
    items += gather(source, number=1)

    assert values(items) == [1, 2]
    assert kinds(items) == ["RunStart", "Frame", "RunEnd", "RunStart", "Frame"]
    assert len({frame.series for frame in frames(items)}) == 2


def test_one_name_without_a_number_overwritten_is_one_run(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    items: list[SourceItem] = []
    for value in (1, 2, 3):
        write(tmp_path / "latest.tif", value)
        items += gather(source, number=1)

    assert values(items) == [1, 2, 3]
    assert [frame.index for frame in frames(items)] == [0, 1, 2]
    assert kinds(items).count("RunStart") == 1


@pytest.mark.parametrize("suffix", ["tif", "cbf", "edf"])
def test_a_file_that_is_half_there_waits_for_its_rest(
    suffix: str, watch: Opener, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = write(tmp_path_factory.mktemp("other") / f"w.{suffix}", 4).read_bytes()
    source = watch()
    half = tmp_path / f"a_1.{suffix}"
    half.write_bytes(content[: len(content) // 2])
    write(tmp_path / f"b_1.{suffix}", 1)
    assert values(gather(source, number=1)) == [1]

    with half.open("ab") as file:
        file.write(content[len(content) // 2 :])

    items = gather(source, number=1)
    assert values(items) == [4]
    assert reasons(items) == []


@pytest.mark.parametrize("suffix", ["tif", "cbf", "edf"])
def test_a_file_that_stays_cut_is_refused_once_and_taken_when_it_is_written(
    suffix: str, watch: Opener, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = write(tmp_path_factory.mktemp("other") / f"w.{suffix}", 4).read_bytes()
    source = watch(read_timeout=1.5)
    cut = tmp_path / f"a_1.{suffix}"
    cut.write_bytes(content[: len(content) // 2])

    refused = gather(source, number=1, until="FrameRefused")
    assert reasons(refused) == ["incomplete"]

    cut.write_bytes(content)
    items = gather(source, number=1)
    assert values(items) == [4]
    assert reasons(items) == []


def test_a_refused_file_in_a_run_is_no_gap_and_comes_back_to_its_place(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch(retries=0)
    write(tmp_path / "a_1.tif", 1)
    items = gather(source, number=1)
    (tmp_path / "a_2.tif").write_bytes(b"not an image at all, but of some length")
    items += gather(source, number=1, until="FrameRefused")
    write(tmp_path / "a_3.tif", 3)
    items += gather(source, number=1)
    write(tmp_path / "a_2.tif", 2)
    items += gather(source, number=1)

    assert values(items) == [1, 3, 2]
    assert [frame.index for frame in frames(items)] == [0, 2, 1]
    assert reasons(items) == ["unreadable"]
    assert kinds(items).count("RunStart") == 1
    assert source.lost() == 0


def test_a_number_left_out_is_counted_after_a_wait(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    for number in (1, 2, 5):
        write(tmp_path / f"a_{number}.tif", number)

    items = gather(source, number=3)

    assert values(items) == [1, 2, 5]
    assert frames(items)[-1].index == 4
    assert source.lost() == 2


def test_a_run_is_over_when_files_stay_away(watch: Opener, tmp_path: Path) -> None:
    source = watch(idle_timeout=0.5)
    write(tmp_path / "a_1.tif", 1)

    items = gather(source, number=1, until="RunEnd")

    end = items[-1]
    assert isinstance(end, RunEnd)
    assert end.reason == "idle"


def test_another_name_ends_the_run_and_the_first_may_go_on(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    items: list[SourceItem] = []
    for number, name in enumerate(("a_1", "b_1", "a_2")):
        write(tmp_path / f"{name}.tif", number)
        items += gather(source, number=1)

    started = [item for item in items if isinstance(item, RunStart)]
    assert [run.name for run in started] == ["a", "b", "a"]
    assert started[2].metadata["continues"] == started[0].series
    assert [frame.index for frame in frames(items)] == [0, 0, 1]
    assert source.lost() == 0


def test_a_hanging_reader_is_killed_and_the_next_file_is_taken(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch(patterns=["*.mccd", "*.tif"], read_timeout=2.0)
    whole = write(tmp_path / "whole.cbf", 1).read_bytes()
    (tmp_path / "a_1.mccd").write_bytes(whole[: whole.find(b"X-Binary-Size:")])

    refused = gather(source, number=1, until="FrameRefused")
    write(tmp_path / "b_1.tif", 2)
    items = gather(source, number=1)

    assert reasons(refused) == ["reader hung"]
    assert values(items) == [2]


QXRD = "[metadata]\nexposureTime=2\nsummedExposures=5\ntimeStamp=1500000000.5\nTemperature=523\n"


def test_an_image_waits_for_its_metadata(watch: Opener, tmp_path: Path) -> None:
    source = watch(metadata="qxrd")
    write(tmp_path / "a_1.tif", 1)
    assert source.poll(0.5) == []
    (tmp_path / "a_1.tif.metadata").write_text(QXRD)

    (frame,) = frames(gather(source, number=1))

    assert frame.exposure == 10.0
    assert frame.time == 1500000000.5
    assert frame.environment["temperature"] == 523.0


def test_an_image_goes_on_without_its_metadata_after_the_wait(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch(metadata="qxrd", metadata_timeout=0.3)
    write(tmp_path / "a_1.tif", 1)

    (frame,) = frames(gather(source, number=1))

    assert frame.exposure is None
    assert "1 images without their metadata" in source.state()


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


def test_a_missing_directory_is_a_source_error(watch: Opener, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no directory"):
        watch(path=tmp_path / "absent")


def test_a_directory_that_vanishes_is_said(watch: Opener, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    source = watch(path=tmp_path / "run")
    (tmp_path / "run").rmdir()

    assert source.poll(0.2) == []
    assert source.state().startswith("lost")
