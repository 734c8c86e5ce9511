"""Files that arrive in a directory, as detectors, copies and careless people write them."""

from pathlib import Path

import pytest

from livepdf.errors import SourceError
from livepdf.model.frame import RunEnd, RunStart, SourceItem
from tests.sources.conftest import kinds
from tests.sources.watching import Opener, frames, gather, reasons, values, write


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


def test_a_file_that_is_read_before_it_is_seen_whole_is_taken_once(
    watch: Opener, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = watch()
    taken: list[float] = []
    for number in range(12):
        content = write(tmp_path_factory.mktemp("other") / "w.tif", number).read_bytes()
        slow = tmp_path / f"slow{number}_1.tif"
        slow.write_bytes(content[: len(content) // 2])
        write(tmp_path / f"whole{number}_1.tif", 100 + number)
        taken += values(gather(source, number=1))
        with slow.open("ab") as file:
            file.write(content[len(content) // 2 :])
        taken += values(gather(source, number=1))
    write(tmp_path / "last_1.tif", 99)
    while 99 not in taken:
        taken += values(gather(source, number=1))

    assert sorted(taken) == [*range(12), 99, *range(100, 112)]


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


def test_a_missing_directory_is_a_source_error(watch: Opener, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no directory"):
        watch(path=tmp_path / "absent")


def test_a_directory_that_vanishes_is_said(watch: Opener, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    source = watch(path=tmp_path / "run")
    (tmp_path / "run").rmdir()

    assert source.poll(0.2) == []
    assert source.state().startswith("lost")
