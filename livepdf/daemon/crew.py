"""Worker processes as the daemon sees them: each serves one of its threads, and is replaced."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import Any

from livepdf.config.profile import Limits
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.loops import Loops
from livepdf.daemon.ring import Layout, Ring, layout_for, make
from livepdf.daemon.worker_child import Done, Job, Setup
from livepdf.daemon.workers import integrate_here
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.numerics.adders import LANES

log = logging.getLogger(__name__)

START_LIMIT = 300.0
"""s for a process to load its libraries, or to compile loops that nobody keeps on disk."""
HANG_LIMIT = 60.0
"""s for a batch, after which the process is killed."""
AGAIN = 5.0
"""s until another attempt at a process that did not start."""
_LEAVE = 5.0
"""s that a process may take to end."""
_PACKAGE = Path(__file__).parents[2]


THREADS = 4
"""Workers up to which threads are as quick: they share nothing but a little Python per batch."""


def hire(limits: Limits, *, say: Callable[[str], None]) -> "list[WorkerProcess]":
    """Start a process for each worker; none where threads do."""
    if not wants_processes(limits):
        return []
    numbers = range(limits.workers)
    return [WorkerProcess(f"worker process {n}", say=say) for n in numbers]


def wants_processes(limits: Limits) -> bool:
    """Whether the workers are processes."""
    if limits.worker_kind == "auto":
        return limits.workers > THREADS
    return limits.worker_kind == "processes"


class _DiedError(Exception):
    """The process is gone, in words."""


@dataclass(slots=True, eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    connection: "Connection[Any, Any]"
    integrator: object = None
    """The one it was given last."""
    ring: Ring | None = None


class WorkerProcess:
    """One process; any thread may ask it, one at a time."""

    def __init__(self, name: str, *, say: Callable[[str], None]) -> None:
        """Start the process; it is not waited for.

        Parameters
        ----------
        say
            Told when it had to be replaced.
        """
        self.name = name
        self._loops: list[Loops] = []
        self._say = say
        self._lock = threading.RLock()
        self._closing = False
        self._pipeline: Pipeline | None = None
        self._not_before = 0.0
        self._child: _Child | None = _spawn()
        self._warden = threading.Thread(target=self._watch, name=f"{name} warden", daemon=True)
        self._changed = threading.Event()
        self._warden.start()

    @property
    def pid(self) -> int | None:
        """Its number, None while there is none."""
        child = self._child
        return None if child is None else child.process.pid

    def prepare(self, pipeline: Pipeline) -> None:
        """Hand over what to integrate with, and wait until it is there."""
        with self._lock:
            self._pipeline = pipeline
            try:
                self._set_up(pipeline)
            except _DiedError as death:
                self._replace(str(death))

    def learn(self, loops: Loops) -> None:
        """Let the process compile loops, or load them; one that replaces it will do so first."""
        with self._lock:
            self._loops.append(loops)
            try:
                if self._child is not None and self._child.ring is not None:
                    self._ask(loops, limit=START_LIMIT)
            except _DiedError as death:
                self._replace(str(death))

    def integrate(self, pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        """Return the sums of frames, as :func:`livepdf.daemon.workers.integrate_here` does.

        When the process dies over them, each gets a second chance by itself in a new one, and is
        refused as ``worker died`` when that dies too.
        """
        results: list[Sums | FrameError] = []
        with self._lock:
            self._pipeline = pipeline
            while len(results) < len(frames):
                results += self._some(pipeline, frames[len(results) :])
        return results

    def close(self) -> None:
        """Let the process end."""
        with self._lock:
            self._closing = True
            child, self._child = self._child, None
        self._changed.set()
        if child is not None:
            _end(child)
        self._warden.join()

    def _some(self, pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        """Return the results of the first of the frames, at least of one."""
        try:
            return self._batch(pipeline, frames)
        except _DiedError as death:
            self._replace(str(death))
        if self._child is None:
            return integrate_here(pipeline, frames)
        results: list[Sums | FrameError] = []
        for frame in frames:
            try:
                results += self._batch(pipeline, [frame])
            except _DiedError as death:
                results.append(FrameError("worker died", f"{frame.origin}: {death}"))
                self._replace(str(death))
        return results

    def _batch(self, pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        ring = self._set_up(pipeline)
        places = ring.load(frames)
        if not places:
            # Larger than any image of this detector: it will be refused, but by its own reason.
            return integrate_here(pipeline, frames[:1])
        rule = pipeline.recipe.normalization
        job = Job(places=tuple(places), by_monitor=rule.monitor, by_exposure=rule.exposure)
        answer = self._ask(job, limit=HANG_LIMIT)
        return [_result(ring, number, done) for number, done in enumerate(answer)]

    def _set_up(self, pipeline: Pipeline) -> Ring:
        """Make sure that the process has this integrator."""
        child = self._living()
        integrator = pipeline.integrator
        if child.ring is None or child.integrator is not integrator:
            layout = layout_for(frames=LANES, bins=integrator.q.size, shape=integrator.shape)
            self._tell(Setup(integrator=integrator, layout=layout, loops=tuple(self._loops)))
            child.ring = _shared(child, layout)
            self._hear(START_LIMIT)
            child.integrator = integrator
        return child.ring

    def _living(self) -> _Child:
        if self._child is None and not self._closing and time.monotonic() >= self._not_before:
            self._child = _spawn()
            self._changed.set()
        if self._child is None:
            raise _DiedError("there is no process")
        return self._child

    def _ask(self, message: object, *, limit: float) -> Any:
        self._tell(message)
        return self._hear(limit)

    def _tell(self, message: object) -> None:
        try:
            self._living().connection.send(message)
        except OSError as error:
            raise _DiedError(_cause(self._living(), str(error))) from error

    def _hear(self, limit: float) -> Any:
        child = self._living()
        try:
            if child.connection.poll(limit):
                return child.connection.recv()
        except (EOFError, OSError) as error:
            raise _DiedError(_cause(child, str(error) or "it ended")) from error
        raise _DiedError(f"no answer within {limit:g} s")

    def _replace(self, why: str) -> None:
        """Start another process in place of one that has died; none where that fails."""
        child, self._child = self._child, None
        if child is not None:
            child.process.kill()
            _end(child)
        if self._closing:
            return
        log.warning("%s died: %s", self.name, why)
        try:
            self._child = _spawn()
            if self._pipeline is not None:
                self._set_up(self._pipeline)
            self._say(f"{self.name} died ({why}) and was replaced")
        except (_DiedError, OSError) as error:
            failed, self._child = self._child, None
            if failed is not None:
                failed.process.kill()
                _end(failed)
            self._not_before = time.monotonic() + AGAIN
            self._say(f"{self.name} died ({why}), cannot be replaced ({error}); the daemon helps")
        self._changed.set()

    def _watch(self) -> None:
        """Notice a death between two batches."""
        while not self._closing:
            child = self._child
            if child is None:
                self._changed.wait(AGAIN)
                self._changed.clear()
                continue
            child.process.wait()
            with self._lock:
                if self._child is child and not self._closing:
                    self._replace(_cause(child, "it ended"))


def _spawn() -> _Child:
    ours, theirs = Pipe()
    paths = [str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    handle = theirs.fileno()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "livepdf.daemon.worker_child", str(handle)],
            pass_fds=(handle,),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the daemon alone: it stops us in order
        )
    finally:
        theirs.close()
    return _Child(process=process, connection=ours)


def _shared(child: _Child, layout: Layout) -> Ring:
    try:
        handle = make(layout)
    except OSError as error:
        raise _DiedError(f"no memory to share: {error}") from error
    try:
        send_handle(child.connection, handle, child.process.pid)
    except OSError as error:
        os.close(handle)
        raise _DiedError(_cause(child, str(error))) from error
    return Ring(handle, layout)


def _end(child: _Child) -> None:
    child.connection.close()
    try:
        child.process.wait(_LEAVE)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def _cause(child: _Child, words: str) -> str:
    try:
        # Its end of the connection closes a moment before it can be asked what ended it.
        code = child.process.wait(1.0)
    except subprocess.TimeoutExpired:
        return words
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _result(ring: Ring, number: int, done: Done | tuple[str, str]) -> Sums | FrameError:
    if not isinstance(done, Done):
        return FrameError(*done)
    signal, variance, weight, pixels = ring.fetch(number)
    return Sums(
        signal=signal,
        variance=variance,
        weight=weight,
        pixels=pixels,
        frames=1,
        monitor=done.monitor,
        exposure=done.exposure,
    )
