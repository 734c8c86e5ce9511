import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot, Spool
from livepdf.daemon.tickets import RunOpens, Stop
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, PackedImage
from tests.daemon import beamline


def run() -> Run:
    def never(shape: tuple[int, int]) -> None:
        raise AssertionError(shape)

    return Run(beamline.start(), name="r", build=never, shape=None)  # type: ignore[arg-type]


def tiny(index: int) -> Frame:
    image = PackedImage(
        blob=bytes([index % 256]) * 1000,
        algorithm="raw",
        shape=(10, 100),
        dtype=np.dtype("u1"),
    )
    return beamline.frame(index, image=image)


def paging(queue: FrameQueue) -> threading.Thread:
    thread = threading.Thread(target=queue.page, daemon=True)
    thread.start()
    return thread


def test_frames_beyond_the_memory_go_to_disk_and_come_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", reserve=0)
    queue = FrameQueue(limit=16_000, spool=spool)
    pager = paging(queue)
    of = run()
    for index in range(40):
        accepted(queue, index, of)
    wait_for(lambda: queue.spooled_bytes > 30_000)
    queue.put(Stop())

    back = [queue.frame(queue.take()) for _ in range(40)]

    assert [frame.index for frame in back] == list(range(40))
    assert [bytes(frame.image.blob) for frame in back] == [bytes([n]) * 1000 for n in range(40)]
    assert queue.waiting_bytes == 0
    assert isinstance(queue.take().item, Stop)
    pager.join()
    spool.close(settled=True)
    assert list(tmp_path.iterdir()) == []


def accepted(queue: FrameQueue, index: int, of: Run) -> None:
    """Put a frame as soon as the disk has made room for it."""
    deadline = time.monotonic() + 60.0
    while True:
        try:
            queue.put_frame(tiny(index), of, paused=False)
            return
        except FrameError:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_frame_that_neither_memory_nor_disk_takes_is_refused_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    queue = FrameQueue(limit=16_000, spool=Spool(tmp_path, reserve=1 << 62))
    said: list[str] = []
    queue.tell = said.append
    paging(queue)
    of = run()
    for index in range(5):
        queue.put_frame(tiny(index), of, paused=False)
    wait_for(lambda: bool(said))

    with pytest.raises(FrameError) as caught:
        queue.put_frame(tiny(5), of, paused=False)

    assert caught.value.reason == "queue full"
    assert "would stay free" in caught.value.detail
    queue.put(Stop())
    assert [queue.frame(queue.take()).index for _ in range(5)] == list(range(5))


def test_what_a_hanging_disk_was_given_is_worked_off_from_memory(tmp_path: Path) -> None:
    disk = HangingSpool(tmp_path)
    queue = FrameQueue(limit=64_000, spool=disk)
    pager = paging(queue)
    of = run()
    for index in range(20):
        queue.put_frame(tiny(index), of, paused=False)
    assert disk.hangs.wait(60.0)

    back = [queue.frame(queue.take()).index for _ in range(20)]

    assert back == list(range(20))
    disk.fail()
    queue.put(Stop())
    pager.join(60.0)
    assert not pager.is_alive()


class HangingSpool(Spool):
    """A spool on a disk that answers no more, until it fails."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, reserve=0)
        self.hangs = threading.Event()
        self._reading, self._writing = os.pipe()

    def append(self, *_given: object, **_more: object) -> Slot:
        """Hang in the kernel, as a write to a dead file server does."""
        self.hangs.set()
        try:
            while True:  # a pipe that nobody reads takes 64 KiB
                os.write(self._writing, bytes(1 << 16))
        finally:
            os.close(self._writing)

    def fail(self) -> None:
        """Let the write end with an error."""
        os.close(self._reading)


def test_a_frame_larger_than_the_whole_budget_still_gets_through(tmp_path: Path) -> None:
    queue = FrameQueue(limit=10, spool=Spool(tmp_path, reserve=1 << 62))
    queue.put_frame(tiny(0), run(), paused=False)

    assert queue.frame(queue.take()).index == 0


def test_every_worker_meets_the_stop(tmp_path: Path) -> None:
    queue = FrameQueue(limit=10, spool=Spool(tmp_path, reserve=0))
    queue.put(Stop())

    assert isinstance(queue.take().item, Stop)
    assert isinstance(queue.take().item, Stop)


def test_frames_are_taken_one_by_one_while_few_wait_and_together_while_many_do(
    tmp_path: Path,
) -> None:
    queue = FrameQueue(limit=1 << 20, spool=Spool(tmp_path, reserve=0))
    of = run()
    queue.put(RunOpens(), of)
    for index in range(19):
        queue.put_frame(tiny(index), of, paused=False)

    taken = [queue.take_share(fewest=4, most=16) for _ in range(5)]

    assert [ticket.number for share in taken for ticket in share] == list(range(20))
    assert [len(share) for share in taken] == [1, 16, 1, 1, 1]
    assert isinstance(taken[0][0].item, RunOpens)


def test_frames_of_two_runs_are_never_taken_together(tmp_path: Path) -> None:
    queue = FrameQueue(limit=1 << 20, spool=Spool(tmp_path, reserve=0))
    for series in (run(), run()):
        for index in range(5):
            queue.put_frame(tiny(index), series, paused=False)
    queue.put(Stop())

    shares = [queue.take_share(fewest=4, most=16) for _ in range(2)]

    assert [len(share) for share in shares] == [5, 5]
    assert isinstance(queue.take().item, Stop)


def test_workers_that_wait_share_what_comes_and_each_frame_is_taken_once(tmp_path: Path) -> None:
    queue = FrameQueue(limit=1 << 22, spool=Spool(tmp_path, reserve=0))
    taken: list[list[int]] = [[], [], []]

    def worker(mine: list[int]) -> None:
        while True:
            share = queue.take_share(fewest=4, most=16)
            if isinstance(share[0].item, Stop):
                return
            mine += [ticket.number for ticket in share]

    threads = [threading.Thread(target=worker, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    of = run()
    for index in range(500):
        queue.put_frame(tiny(index), of, paused=False)
    queue.put(Stop())
    for thread in threads:
        thread.join(20.0)

    assert sorted(number for mine in taken for number in mine) == list(range(500))
    assert all(mine == sorted(mine) for mine in taken)
    assert queue.waiting_bytes == 0
