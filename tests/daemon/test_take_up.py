"""What a killed process left is taken up: nothing that can be read goes, nothing comes twice."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from livepdf.daemon.assemble import prepare
from livepdf.daemon.earlier_recipe import how_it_differed
from livepdf.daemon.journal import FRAME, encode, frame_head
from livepdf.daemon.logbook import Logbook, Part, Progress
from livepdf.daemon.spool import Spool
from livepdf.daemon.take_up import Left, look_back
from livepdf.daemon.windows import CutterState, Growing
from livepdf.model.frame import Frame, PackedImage, RunStart
from livepdf.model.status import Counters
from livepdf.sinks.nexus import NexusFile
from tests.daemon.beamline import write_settings
from tests.sinks.test_nexus import header, row

RUN: Any = SimpleNamespace(
    opened=0, name="growth_0001", below="", start=RunStart(series="s", name="growth", time=0.0)
)


@pytest.fixture
def logbook(tmp_path: Path) -> Iterator[Logbook]:
    """Frames 0 to 44 came in; windows of ten frames."""
    made = Logbook(tmp_path / "spool")
    made.keep_start(RUN)
    made.note(0, -1)
    for index in range(45):
        made.note(index + 1, index)
    yield made
    made.close(settled=True)


def killed(folder: Path, *, windows: int) -> Path:
    """Leave the file of a process that was killed after a flush."""
    living, path = folder / "living.nxs", folder / "growth_0001.nxs"
    file = NexusFile(living, header())
    file.add([row(number) for number in range(windows)])
    file.flush()
    shutil.copy(living, path)
    file.close()
    living.unlink()
    return path


def noted(logbook: Logbook) -> None:
    """Note the first window, and five frames of the second, as settled."""
    half = Growing(sums=replace(row(90).sums, frames=5), first=10, last=14, start=0.0)
    assert half.sums is not None
    whole = Growing(sums=row(0).sums + half.sums, first=0, last=14, start=0.0)
    state = CutterState(number=1, place=1, origin=0.0, open=half, whole=whole)
    parts = (Part("growth_0001.nxs", 0),)
    logbook.keep(
        Progress(
            serial=15,
            opened=0,
            number=1,
            cutter=encode(state),
            parts=parts,
            counters=Counters(received=15, used=15),
        )
    )


def back(logbook: Logbook, folder: Path) -> Left:
    spool = Spool(logbook.folder, reserve=0)
    (left,) = look_back(logbook, spool, folder=folder)
    return left


def test_windows_that_were_on_disk_stay_where_their_frames_were_in_memory_alone(
    tmp_path: Path, logbook: Logbook
) -> None:
    path = killed(tmp_path, windows=4)
    noted(logbook)
    left = back(logbook, tmp_path)

    with h5py.File(path) as file:
        assert file["entry/windows/number"][:].tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(
            file["entry/pdf/G"][3], row(3).result.curve("gr").y.astype(np.float32)
        )
    assert left.taken_up.number == 4
    assert left.missing == [40, 41, 42, 43, 44]
    assert left.taken_up.counters.used == 40
    whole = left.taken_up.state.whole  # type: ignore[union-attr]
    expected = sum(row(number).sums.signal for number in range(4))
    np.testing.assert_allclose(whole.sums.signal, expected, rtol=1e-12)  # type: ignore[union-attr]
    assert (whole.first, whole.last) == (0, 39)


def test_a_file_that_was_begun_after_the_last_note_stays_as_well(
    tmp_path: Path, logbook: Logbook
) -> None:
    path = killed(tmp_path, windows=2)
    left = back(logbook, tmp_path)

    with h5py.File(path) as file:
        assert file["entry/windows/number"][:].tolist() == [0, 1]
    assert left.taken_up.parts == ((path, 0),)
    assert left.taken_up.number == 2
    assert left.taken_up.counters.used == 20
    assert left.missing == list(range(20, 45))


def test_what_is_settled_is_never_open_again(tmp_path: Path, logbook: Logbook) -> None:
    killed(tmp_path, windows=1)
    noted(logbook)
    left = back(logbook, tmp_path)

    assert left.serial == 15
    assert left.missing == list(range(15, 45))
    assert left.taken_up.number == 1


def test_windows_stay_after_a_restart_of_the_machine_when_nobody_knows_what_came_in(
    tmp_path: Path,
) -> None:
    path = killed(tmp_path, windows=3)
    book = Logbook(tmp_path / "spool")
    book.keep_start(RUN)
    noted(book)
    left = back(book, tmp_path)
    book.close(settled=True)

    with h5py.File(path) as file:
        assert file["entry/windows/number"][:].tolist() == [0, 1, 2]
    assert (left.taken_up.number, left.taken_up.newest, left.missing) == (3, 29, [])


def test_windows_whose_frames_all_lie_on_disk_are_cut_off_and_come_again(
    tmp_path: Path, logbook: Logbook
) -> None:
    path = killed(tmp_path, windows=2)
    noted(logbook)
    spool = Spool(logbook.folder, reserve=0)
    for index in range(15, 45):
        image = PackedImage(blob=b"1234", algorithm="raw", shape=(1, 2), dtype=np.dtype("u2"))
        frame = Frame(series="s", index=index, image=image, received=0.0, time=0.0, origin="here")
        head = frame_head(frame, opened=0, paused=False)
        spool.append(FRAME, head, image.blob, serial=index + 1)
    spool.close(settled=False)
    left = back(logbook, tmp_path)

    with h5py.File(path) as file:
        assert file["entry/windows/number"][:].tolist() == [0]
    assert (left.taken_up.number, left.frames, left.missing) == (1, 30, [])


def test_a_file_that_was_begun_in_the_folder_of_its_run_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "p1" / "HfO2").mkdir(parents=True)
    path = killed(tmp_path / "p1" / "HfO2", windows=2)
    book = Logbook(tmp_path / "spool")
    book.keep_start(SimpleNamespace(**{**vars(RUN), "below": "p1/HfO2"}))  # type: ignore[arg-type]
    book.note(0, -1)
    left = back(book, tmp_path)
    book.close(settled=True)

    assert left.taken_up.parts == ((path, 0),)
    assert left.taken_up.number == 2


def test_another_recipe_than_before_the_kill_is_named_key_by_key(tmp_path: Path) -> None:
    settings = prepare(*write_settings(tmp_path)).settings
    text = settings.recipe_text
    paths = [tmp_path / f"{name}.nxs" for name in ("same", "other", "spoilt")]
    recipes = (text, text.replace("qmax = 18.0", "qmax = 16.0"), "not TOML at all [")
    for path, recipe in zip(paths, recipes, strict=True):
        NexusFile(path, header(recipe=recipe, revision=3, folder=str(tmp_path))).close()

    said = [how_it_differed(path, settings) for path in paths]

    assert said[0] == ""
    assert said[1] == "after revision 3, reduction.qmax 16 → 18"
    assert said[2].startswith("that in spoilt.nxs is none any more")
    assert how_it_differed(tmp_path / "gone.nxs", settings) == ""
