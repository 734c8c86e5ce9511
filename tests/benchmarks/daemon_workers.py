"""The daemon's own workers on packed frames that wait: one, two, as threads and as processes."""

import queue
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.crew import WorkerProcess
from livepdf.daemon.loops import Loops, compile_loops
from livepdf.daemon.memory import tune_process
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Spool
from livepdf.daemon.tickets import Stop
from livepdf.daemon.workers import Integrate, Newest, Outcomes, integrate_here, work
from livepdf.model.frame import Frame, PackedImage, RunStart
from livepdf.simulate.powder import CAMERAS, powder_images
from livepdf.simulate.stream2 import bitshuffle_lz4
from tests.benchmarks.settings import write_settings
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Time

CAMERA = "pilatus-2m"
FRAMES, ROUNDS = 192, 5
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one worker process holds after it has worked."""

    work: str
    own: float
    """MiB that no other process shares."""
    shared: float
    """MiB of libraries and of the memory that images come through."""

    @property
    def met(self) -> None:
        """Nothing is wanted of it."""
        return None

    def line(self) -> str:
        """Return the row for people."""
        return f"{self.work:44}{self.own:.0f} MiB of its own, {self.shared:.0f} MiB shared"

    def record(self) -> dict[str, object]:
        """Return the row for programs."""
        return {"work": self.work, "own": self.own, "shared": self.shared}


def held_by(pid: int, *, work: str) -> Held:
    """Ask the system what a process holds."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    sizes = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Held(work=work, own=own / _MIB, shared=(sizes["Rss"] - own) / _MIB)


def daemon_workers() -> Iterator[Row | Held]:
    """Time what one and two workers need for the same queue, wall time per frame."""
    with tempfile.TemporaryDirectory(prefix="livepdf-workers-") as name:
        folder = Path(name)
        pipeline = prepare(*write_settings(folder, endpoint="tcp://127.0.0.1:9", camera=CAMERA))
        if pipeline.pipeline is None:
            raise RuntimeError(f"{CAMERA} has no shape of its own")
        yield from _race(pipeline.pipeline, folder)


def _race(pipeline: Pipeline, folder: Path) -> Iterator[Row | Held]:
    tune_process()
    wanted = [Loops("i4", "one"), Loops("i4", "many")]
    for step in wanted:
        compile_loops(pipeline.integrator, step)
    run = Run(
        RunStart(series="1", name="run", time=0.0),
        name="run",
        build=lambda _start, _shape: pipeline,
        shape=pipeline.integrator.shape,
    )
    frames = _frames()
    crew = [WorkerProcess(f"worker {n}", say=print) for n in range(2)]
    try:
        for worker in crew:
            worker.prepare(pipeline)
            for step in wanted:
                worker.learn(step)
        for kind, ways in (
            ("threads", [integrate_here, integrate_here]),
            ("processes", [worker.integrate for worker in crew]),
        ):
            spent: dict[str, list[float]] = {"one worker": [], "livepdf": []}
            for _ in range(ROUNDS):
                for name, chosen in (("one worker", ways[:1]), ("livepdf", ways)):
                    spent[name].append(_once(frames, run, folder, chosen))
            times = {n: Time(median=float(np.median(t)), best=min(t)) for n, t in spent.items()}
            yield Row(work=f"{CAMERA}: two daemon workers, {kind}, wall", times=times, target=1.5)
        if crew[0].pid is not None:
            yield held_by(crew[0].pid, work=f"{CAMERA}: memory of a worker process")
    finally:
        for worker in crew:
            worker.close()


def _once(frames: Sequence[Frame], run: Run, folder: Path, ways: Sequence[Integrate]) -> float:
    waiting = FrameQueue(limit=1 << 40, spool=Spool(folder, reserve=0))
    for frame in frames:
        waiting.put_frame(frame, run, paused=False)
    waiting.put(Stop())
    outcomes: Outcomes = queue.Queue()
    threads = [
        threading.Thread(target=work, args=(waiting, outcomes, Newest()), kwargs={"integrate": way})
        for way in ways
    ]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1e3 * (perf_counter() - began) / len(frames)


def _frames() -> list[Frame]:
    images = powder_images(CAMERAS[CAMERA], count=4)
    blobs = [bitshuffle_lz4(image) for image in images]
    # Each in memory of its own, so that none is in cache because of another.
    return [
        Frame(
            series="1",
            index=index,
            image=PackedImage(
                blob=bytes(bytearray(blobs[index % len(blobs)])),
                algorithm="bslz4",
                shape=CAMERAS[CAMERA].shape,
                dtype=images.dtype,
            ),
            received=0.0,
            time=0.0,
        )
        for index in range(FRAMES)
    ]
