"""The store with its thread, a real disk and nobody else."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.daemon.board import Board
from livepdf.daemon.collector import Checkpoint
from livepdf.daemon.entries import Again, Begin, Finish, Quit
from livepdf.daemon.store import Store
from livepdf.model.status import Counters, Event
from livepdf.sinks.nexus import WindowRow
from tests.sinks.test_nexus import header, row


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path, Board(), flush=0.05, budget=1 << 24, counters=Counters)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.put(Quit())
    thread.join()


def by(revision: int, number: int) -> WindowRow:
    plain = row(number)
    span = replace(plain.result.span, revision=revision)
    return replace(plain, result=replace(plain.result, span=span))


def test_windows_of_a_revision_that_is_over_never_reach_the_file_of_the_next(
    store: Store, tmp_path: Path
) -> None:
    store.put(Begin(header=header()))
    for number in range(4):
        store.put(by(1, number))
    store.put(Event(kind="mark", time=1.0, text="heater on"))
    store.put(Begin(header=header(revision=2, follows="growth_0001.nxs")))
    store.put(by(2, 4))
    store.put(Again(rows=[by(1, 2), by(2, 3)]))
    store.put(Finish(time=2.0, counters=Counters()))
    assert store.recall([0]).result(10.0)[0].span.revision == 1

    with h5py.File(tmp_path / "growth_0001-rev2.nxs") as file:
        assert file["entry/windows/revision"][:].tolist() == [-1, -1, -1, 2, 2]
        assert b"heater on" in file["entry/events/text"][:].tolist()
    with h5py.File(tmp_path / "growth_0001.nxs") as file:
        assert file["entry/windows/number"][:].tolist() == [0, 1, 2, 3]
        assert file["entry/continued_in"][()] == b"growth_0001-rev2.nxs"


def test_windows_come_back_from_memory_from_the_open_file_and_from_closed_ones(
    store: Store,
) -> None:
    store.put(Begin(header=header()))
    store.put(by(1, 0))
    store.put(Begin(header=header(revision=2, first=1, follows="growth_0001.nxs")))
    store.put(by(2, 1))
    found = store.recall([0, 1, 2]).result(10.0)

    assert sorted(found) == [0, 1]
    for number, stored in found.items():
        np.testing.assert_array_equal(stored.sums.signal, row(number).sums.signal)
        assert stored.environment == row(number).result.environment


def test_the_run_before_is_forgotten(store: Store) -> None:
    store.put(Begin(header=header()))
    store.put(by(1, 0))
    store.put(Finish(time=2.0, counters=Counters()))
    store.put(Begin(header=header(run="growth_0002")))

    assert store.recall([0]).result(10.0) == {}


def test_what_waits_for_the_disk_is_told_and_gets_less(store: Store) -> None:
    store.put(Begin(header=header()))
    store.put(Again(rows=[by(1, n) for n in range(50)]))
    store.put(Finish(time=2.0, counters=Counters()))

    assert sorted(store.recall(range(50)).result(10.0)) == list(range(50))
    assert store.owed == 0


@pytest.mark.parametrize("way", ["deleted", "folder deleted", "moved", "folder is a file"])
def test_a_file_that_is_taken_away_while_it_grows_leaves_nothing_behind(
    tmp_path: Path, way: str
) -> None:
    folder, kept = tmp_path / "out", tmp_path / "kept"
    board = Board()
    store = Store(folder, board, flush=0.05, budget=1 << 24, counters=Counters)
    thread = threading.Thread(target=store.run)
    thread.start()
    store.put(Begin(header=header()))
    store.put(row(0))
    path = folder / "growth_0001.nxs"
    assert list(store.recall([0]).result(20.0)) == [0]
    _until(lambda: path.exists() and store.owed == 0)
    if way == "deleted":
        path.unlink()
    elif way == "moved":
        path.rename(tmp_path / path.name)
    else:
        folder.rename(kept)
        if way == "folder deleted":
            shutil.rmtree(kept)
        else:
            folder.write_text("not a folder")
    store.put(row(1))
    if way == "folder is a file":
        _until(lambda: any("not saved" in problem for problem in board.problems()))
        folder.unlink()
    store.put(row(2))
    store.put(Finish(time=2.0, counters=Counters()))
    store.put(Quit())
    thread.join()

    found = sorted(tmp_path.rglob("*.nxs"), key=lambda file: (len(file.name), file.name))
    assert [number for file in found for number in _numbers(file)] == [0, 1, 2]
    if way == "deleted":
        with h5py.File(folder / "growth_0001-part2.nxs") as file:
            before = file["entry/earlier_parts/growth_0001/windows/number"]
            assert before[:].tolist() == [0]
    assert any("while it was written" in event.text for event in board.events())
    assert not store.failing


@pytest.mark.parametrize("refuses", [False, True])
def test_frames_stay_on_disk_when_the_disk_refused_their_windows_to_the_last(
    tmp_path: Path, refuses: bool
) -> None:
    folder, board, settled = tmp_path / "out", Board(), list[int]()
    if refuses:
        folder.write_text("not a folder")
    store = Store(
        folder,
        board,
        flush=0.05,
        budget=1 << 24,
        counters=Counters,
        settle=lambda checkpoint, _stem, _parts: settled.append(checkpoint.serial),
    )
    store.put(Begin(header=header()))
    store.put(row(0))
    store.put(Finish(time=2.0, counters=Counters()))
    store.put(Checkpoint(run=None, serial=7, number=1, cutter=b"", counters=Counters()))
    thread = threading.Thread(target=store.run)
    thread.start()
    _until(lambda: store.failing if refuses else bool(settled))
    store.put(Quit())
    thread.join()

    assert settled == ([] if refuses else [7])
    assert store.failing == refuses
    said = "1 windows of growth_0001 could not be saved"
    assert any(said in problem for problem in board.problems()) == refuses


def _numbers(path: Path) -> list[int]:
    with h5py.File(path, "r") as file:
        return [int(number) for number in file["entry/windows/number"][:]]


def _until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)
