"""Worker processes: the same sums, nothing lost when one is killed, nothing left behind."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livepdf.config.profile import Limits
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.crew import WorkerProcess, hire, wants_processes
from livepdf.daemon.workers import integrate_here
from livepdf.errors import FrameError
from livepdf.model.sums import Sums
from tests.daemon import beamline
from tests.daemon.conftest import Bench

Say = list[str]
PROCESSES = 'workers = 2\nworker_kind = "processes"'


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("settings")
    return prepare(*beamline.write_settings(folder)).for_shape(beamline.SHAPE)


@pytest.fixture(scope="module")
def all_said() -> Say:
    return []


@pytest.fixture
def said(all_said: Say) -> Say:
    all_said.clear()
    return all_said


@pytest.fixture(scope="module")
def worker(pipeline: Pipeline, all_said: Say) -> Iterator[WorkerProcess]:
    made = WorkerProcess("worker process", say=all_said.append)
    made.prepare(pipeline)
    yield made
    made.close()


def same(one: Sums | FrameError, other: Sums | FrameError) -> None:
    if isinstance(other, FrameError):
        assert isinstance(one, FrameError)
        assert (one.reason, one.detail) == (other.reason, other.detail)
        return
    assert isinstance(one, Sums)
    for name in ("signal", "variance", "weight", "pixels", "frames", "monitor", "exposure"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def gone(pid: int, timeout: float = 60.0) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        threading.Event().wait(0.02)
    return False


@pytest.mark.parametrize("number", [1, 3, 16, 23])
def test_a_process_gives_the_very_sums_of_a_thread(
    worker: WorkerProcess, pipeline: Pipeline, number: int
) -> None:
    frames = [beamline.frame(n, monitor=float(n + 1)) for n in range(number)]
    frames[number // 2] = beamline.truncated(5)

    results = worker.integrate(pipeline, frames)

    assert len(results) == number
    for one, other in zip(results, integrate_here(pipeline, frames), strict=True):
        same(one, other)


def test_a_mask_that_comes_with_a_run_reaches_the_process(
    worker: WorkerProcess, pipeline: Pipeline
) -> None:
    mask = np.zeros(beamline.SHAPE, np.bool_)
    mask[:60] = True
    masked = pipeline.with_mask(mask)

    for chosen in (masked, pipeline, masked):
        [sums] = worker.integrate(chosen, [beamline.frame(0)])
        same(sums, integrate_here(chosen, [beamline.frame(0)])[0])


def test_an_image_that_is_larger_than_the_memory_is_refused_by_its_own_reason(
    worker: WorkerProcess, pipeline: Pipeline
) -> None:
    image = beamline.pack(beamline.counts(0))
    huge = beamline.frame(0, image=replace(image, blob=bytes(40 << 20)))

    results = worker.integrate(pipeline, [beamline.frame(1), huge, beamline.frame(2)])

    assert [r.reason if isinstance(r, FrameError) else "" for r in results] == [
        "",
        "wrong size",
        "",
    ]


def test_frames_of_a_process_that_is_killed_over_them_are_worked_off_by_another(
    worker: WorkerProcess, pipeline: Pipeline, said: Say
) -> None:
    victim = worker.pid
    assert victim is not None
    os.kill(victim, signal.SIGSTOP)
    frames = [beamline.frame(n) for n in range(8)]
    results: list[Sums | FrameError] = []
    thread = threading.Thread(target=lambda: results.extend(worker.integrate(pipeline, frames)))

    thread.start()
    os.kill(victim, signal.SIGKILL)
    thread.join(60.0)

    for one, other in zip(results, integrate_here(pipeline, frames), strict=True):
        same(one, other)
    assert worker.pid not in (None, victim)
    assert said == ["worker process died (killed by signal 9) and was replaced"]


def test_a_frame_that_kills_every_process_is_refused_and_the_next_ones_are_used(
    pipeline: Pipeline,
) -> None:
    left = [2]

    def kill_the_new_one_too(_: str) -> None:
        left[0] -= 1
        if left[0] and worker.pid is not None:
            os.kill(worker.pid, signal.SIGKILL)
            assert gone(worker.pid)

    worker = WorkerProcess("worker process", say=kill_the_new_one_too)
    worker.prepare(pipeline)
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    frames = [beamline.frame(n) for n in range(4)]
    results: list[Sums | FrameError] = []
    thread = threading.Thread(target=lambda: results.extend(worker.integrate(pipeline, frames)))

    thread.start()
    os.kill(pid, signal.SIGKILL)
    thread.join(60.0)
    worker.close()

    first = results[0]
    assert isinstance(first, FrameError)
    assert first.reason == "worker died"
    assert "killed by signal 9" in first.detail
    assert all(isinstance(result, Sums) for result in results[1:])
    assert len(results) == 4


def test_a_process_that_dies_while_nothing_is_to_do_is_replaced_at_once(
    worker: WorkerProcess, said: Say
) -> None:
    pid = worker.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60.0
    while not said and time.monotonic() < deadline:
        threading.Event().wait(0.02)

    assert worker.pid not in (None, pid)


def test_threads_serve_up_to_four_workers_and_processes_beyond() -> None:
    assert not wants_processes(Limits(workers=4))
    assert wants_processes(Limits(workers=5))
    assert not wants_processes(Limits(workers=8, worker_kind="threads"))
    assert wants_processes(Limits(workers=1, worker_kind="processes"))
    assert hire(Limits(workers=2), say=print) == []


def rings() -> set[str]:
    """Shared memory here, but for the frame numbers that daemons beside this one keep."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("livepdf-")}  # noqa: PTH208


def test_a_daemon_of_processes_books_every_frame_though_one_is_killed(
    bench: Callable[..., Bench],
) -> None:
    before = rings()
    daemon = bench(runs=1, limits=PROCESSES)
    assert daemon.pipeline is not None
    pids = [worker.pid for worker in daemon.service._workshop._crew]
    assert len(set(pids)) == 2
    frames = [beamline.frame(n) for n in range(60)]
    frames[17] = beamline.truncated(17)

    daemon.source.put(beamline.start(), *frames[:30])
    assert pids[0] is not None
    os.kill(pids[0], signal.SIGKILL)
    daemon.source.put(*frames[30:], beamline.end())
    assert daemon.service.stopping.wait(60.0)
    daemon.finish()

    counters = daemon.service.status().counters
    assert counters.add_up()
    assert (counters.received, counters.used) == (60, 59)
    assert counters.refused == {"truncated": 1}
    assert any("was replaced" in event.text for event in daemon.service.snapshot().events)
    assert all(gone(pid) for pid in pids if pid is not None)
    assert rings() <= before
