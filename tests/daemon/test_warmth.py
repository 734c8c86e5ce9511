"""What is compiled when: the wanted first, the rest at leisure, and no frame left waiting."""

import queue
import threading
from collections.abc import Callable, Sequence

import pytest

from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.loops import Loops
from livepdf.daemon.warmth import Warmth
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from tests.daemon import beamline

LONG = 60.0
"""s that no test takes."""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    settings = beamline.write_settings(tmp_path_factory.mktemp("settings"))
    return prepare(*settings).for_shape(beamline.SHAPE)


class Compiler:
    """Compiles when the test lets it, and remembers in which order."""

    def __init__(self) -> None:
        self.order: list[Loops] = []
        self.begun: queue.Queue[Loops] = queue.Queue()
        self._go = threading.Semaphore(0)

    def __call__(self, loops: Loops) -> None:
        self.begun.put(loops)
        assert self._go.acquire(timeout=LONG)
        self.order.append(loops)

    def let(self, steps: int = 1) -> None:
        self._go.release(steps)


def running(warmth: Warmth, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=warmth.run, args=(stop,))
    thread.start()
    return thread


def test_what_the_first_image_needs_is_compiled_first_and_then_it_is_ready() -> None:
    compiler, stop = Compiler(), threading.Event()
    warmth = Warmth(compiler, likely=["u2", "i4"], keeps=True)
    thread = running(warmth, stop)

    assert compiler.begun.get(timeout=LONG) == Loops("u2", "one")
    assert not warmth.ready
    assert warmth.progress == ""
    warmth.not_on_disk()
    assert warmth.progress == "compiling loops 1 of 11: single uint16 images"
    compiler.let()
    assert compiler.begun.get(timeout=LONG) == Loops("i4", "one")
    assert not warmth.wait_until_ready(0.0)
    compiler.let()
    assert warmth.wait_until_ready(LONG)
    assert not warmth.views

    compiler.let(20)
    thread.join(LONG)
    assert compiler.order[2] == Loops("u2", "view")
    assert set(compiler.order[3:5]) == {Loops("u2", "many"), Loops("i4", "many")}
    assert len(compiler.order) == len(set(compiler.order)) == 11
    assert warmth.views
    assert warmth.progress == ""


def test_loops_that_perhaps_nobody_needs_wait_for_leisure() -> None:
    compiler, stop, free = Compiler(), threading.Event(), threading.Event()
    warmth = Warmth(compiler, likely=["i4"], keeps=True, leisure=free.is_set)
    compiler.let(100)
    thread = running(warmth, stop)

    likely = [compiler.begun.get(timeout=LONG) for _ in range(3)]

    assert {step.dtype for step in likely} == {"i4"}
    with pytest.raises(queue.Empty):
        compiler.begun.get(timeout=1.0)
    free.set()
    assert compiler.begun.get(timeout=LONG).dtype != "i4"
    thread.join(LONG)
    assert not thread.is_alive()


def test_where_nothing_is_kept_on_disk_only_the_likely_is_compiled_unasked() -> None:
    compiler, stop = Compiler(), threading.Event()
    warmth = Warmth(compiler, likely=["i4"], keeps=False)
    compiler.let(100)

    running(warmth, stop).join(LONG)

    assert {step.dtype for step in compiler.order} == {"i4"}


def taken(answers: "queue.Queue[int]") -> Callable[..., list[Sums | FrameError]]:
    def integrate(_: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        answers.put(len(frames))
        return [FrameError("test", frame.origin) for frame in frames]

    return integrate


def test_images_of_an_unexpected_type_wait_for_their_own_loops_alone(
    pipeline: Pipeline,
) -> None:
    compiler, stop, sizes = Compiler(), threading.Event(), queue.Queue[int]()
    warmth = Warmth(compiler, likely=["i4"], keeps=True)
    integrate = warmth.before(taken(sizes))
    frames = [beamline.frame(n) for n in range(3)]  # uint16
    results: queue.Queue[list[Sums | FrameError]] = queue.Queue()
    thread = running(warmth, stop)
    assert compiler.begun.get(timeout=LONG) == Loops("i4", "one")
    worker = threading.Thread(target=lambda: results.put(integrate(pipeline, frames)))
    worker.start()
    while not warmth.asked:
        threading.Event().wait(0.01)

    compiler.let()

    assert compiler.begun.get(timeout=LONG) == Loops("u2", "one")
    assert sizes.empty()
    compiler.let()
    found = results.get(timeout=LONG)
    assert [sizes.get(timeout=LONG) for _ in frames] == [1, 1, 1]
    assert [str(error) for error in found] == [str(FrameError("test", f.origin)) for f in frames]
    compiler.let(20)
    thread.join(LONG)
    integrate(pipeline, frames)
    assert sizes.get(timeout=LONG) == 3
    worker.join(LONG)


def test_frames_that_wait_are_worked_off_after_the_stop_and_nothing_else_is_compiled(
    pipeline: Pipeline,
) -> None:
    compiler, stop, sizes = Compiler(), threading.Event(), queue.Queue[int]()
    warmth = Warmth(compiler, likely=["i4"], keeps=True)
    integrate = warmth.before(taken(sizes))
    thread = running(warmth, stop)
    assert compiler.begun.get(timeout=LONG) == Loops("i4", "one")
    worker = threading.Thread(target=integrate, args=(pipeline, [beamline.frame(0)]))
    worker.start()
    while not warmth.asked:
        threading.Event().wait(0.01)

    stop.set()
    compiler.let(100)
    worker.join(LONG)
    warmth.close()
    thread.join(LONG)

    assert not thread.is_alive()
    assert {step.dtype for step in compiler.order[1:]} == {"u2"}
    assert sizes.get(timeout=LONG) == 1


def test_what_lies_on_disk_is_all_loaded_before_it_is_ready() -> None:
    compiler, stop = Compiler(), threading.Event()
    warmth = Warmth(compiler, likely=["i4"], keeps=False)
    thread = running(warmth, stop)

    for purpose in ("one", "view", "many"):
        assert compiler.begun.get(timeout=LONG) == Loops("i4", purpose)
        assert not warmth.ready
        compiler.let()
    assert warmth.wait_until_ready(LONG)
    thread.join(LONG)


def test_a_compiler_that_breaks_leaves_nobody_waiting(pipeline: Pipeline) -> None:
    def broken(_: Loops) -> None:
        raise RuntimeError("no compiler")

    warmth = Warmth(broken, likely=["u2"], keeps=True)
    with pytest.raises(RuntimeError, match="no compiler"):
        warmth.run(threading.Event())

    assert warmth.wait_until_ready(0.0)
    sizes = queue.Queue[int]()
    warmth.before(taken(sizes))(pipeline, [beamline.frame(0)])
    assert sizes.get(timeout=LONG) == 1
