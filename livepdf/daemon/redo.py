"""Stored windows go through a new plan in the background, the newest first."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.entries import Again
from livepdf.daemon.following import course_names
from livepdf.daemon.history import History
from livepdf.daemon.pins import Pin
from livepdf.daemon.results import (
    LATER,
    Summed,
    evaluate,
    evaluate_curves,
    measured,
    with_models,
)
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Store
from livepdf.model.curve import Result, Trend
from livepdf.model.status import Redo
from livepdf.model.sums import empty_sums
from livepdf.sinks.nexus import WindowRow

log = logging.getLogger(__name__)

_BLOCK = 64
"""Windows that are reduced together."""
_THREADS = min(2, os.cpu_count() or 1)
_OWED = 256 << 20
"""Bytes that may wait for the disk."""
_PATIENCE = 10.0
"""s that windows may take to come back from the disk."""
_TELL = 0.25
"""s between two words about the progress."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """Some windows of one run and the pipeline that they go through."""

    pipeline: Pipeline
    pin: Pin | None
    run: str
    first: int
    last: int
    """Inclusive."""
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def total(self) -> int:
        """How many windows."""
        return self.last - self.first + 1


class Reworker:
    """Does one job at a time in a thread of its own; a newer job ends an older one."""

    def __init__(
        self,
        *,
        history: History,
        shelf: Shelf,
        store: Store,
        busy: Callable[[], bool],
        tell: Callable[[], None],
        done: Callable[[Redo], None],
        retrace: Callable[[Mapping[int, tuple[Sequence[Trend], float]]], "Future[list[Result]]"],
    ) -> None:
        """Make it.

        Parameters
        ----------
        busy
            Whether newer windows wait: they go first.
        tell
            Called when `state` has moved.
        done
            Called once for each job, with its last state.
        retrace
            Called with trends and amplitudes of all windows of a job by their number: what only
            many windows tell follows from them.
        """
        self._history = history
        self._shelf = shelf
        self._store = store
        self._busy = busy
        self._tell = tell
        self._done = done
        self._retrace = retrace
        self._wake = threading.Condition()
        self._next: Job | None = None
        self._present: Job | None = None
        self._quit = False
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="rework")
        self._told = 0.0
        self.state: Redo | None = None
        """How far the last job is."""

    def start(self, job: Job) -> None:
        """Begin a job; one that is under way ends."""
        self.cancel()
        with self._wake:
            self._next = job
            self._wake.notify()

    def cancel(self) -> bool:
        """End the job under way, if any; tell whether there was one."""
        with self._wake:
            jobs = [job for job in (self._present, self._next) if job is not None]
            for job in jobs:
                job.cancelled.set()
            return bool(jobs)

    def active(self) -> bool:
        """Whether a job is under way or waits."""
        with self._wake:
            return self._present is not None or self._next is not None

    def stop(self) -> None:
        """Let `run` return soon."""
        self.cancel()
        with self._wake:
            self._quit = True
            self._wake.notify()

    def run(self) -> None:
        """Work until `stop`."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._next is not None or self._quit)
                self._present, self._next = self._next, None
                if self._quit or self._present is None:
                    break
            job = self._present
            try:
                self._work(job)
            finally:
                with self._wake:
                    self._present = None
                if self.state is not None:
                    self._done(self.state)
        self._pool.shutdown()

    def _work(self, job: Job) -> None:
        state = Redo(
            run=job.run,
            revision=job.pipeline.plan.revision,
            part="curves",
            first=job.last + 1,
            last=job.last,
            done=0,
            total=job.total,
        )
        self._say(state, now=True)
        try:
            missing = self._curves(job)
            if not job.cancelled.is_set():
                state = replace(state, part="trends", missing=missing)
                self._say(state, now=True)
                self._trends(job)
        except Exception:  # what is live must not end with it
            log.exception("windows could not be reduced again")
            self._end("failed")
            return
        self._end("cancelled" if job.cancelled.is_set() else "done")

    def _end(self, how: str) -> None:
        assert self.state is not None
        self._say(replace(self.state, state=how), now=True)  # type: ignore[arg-type]

    def _curves(self, job: Job) -> int:
        missing = 0
        blocks = _blocks(job)
        for start in range(0, len(blocks), _THREADS):
            self._give_way(job)
            if job.cancelled.is_set():
                break
            parts = blocks[start : start + _THREADS]
            found = [self._windows(part) for part in parts]
            missing += sum(len(part) - len(have) for part, have in zip(parts, found, strict=True))
            made = self._pool.map(
                lambda windows: evaluate_curves(job.pipeline, windows, pin=job.pin),
                [list(have.values()) for have in found],
            )
            for part, have, results in zip(parts, found, made, strict=True):
                self._hand_out(results, have)
                self._advance(part[0], missing)
        return missing

    def _trends(self, job: Job) -> None:
        new: dict[int, tuple[Sequence[Trend], float]] = {}
        for numbers in _blocks(job):
            results = []
            for number in reversed(numbers):
                self._give_way(job)
                if job.cancelled.is_set():
                    return
                measured_again = self._measured(job, number)
                if measured_again is not None:
                    result, amplitude = measured_again
                    results.append(result)
                    new[number] = (result.trends, amplitude)
            self._history.replace(results)
            rows = [WindowRow(result=result, sums=empty_sums(0)) for result in results]
            self._store.put(Again(rows=rows, trends_only=True))
            self._advance(numbers[0], None)
        self._follow(job, new)

    def _follow(self, job: Job, new: Mapping[int, tuple[Sequence[Trend], float]]) -> None:
        """Let the course of the run be followed once more, by who follows it."""
        followed = self._retrace(new)
        while not followed.done():
            if job.cancelled.wait(0.02):
                return
        followed.result()
        assert self.state is not None
        if course_names(job.pipeline):
            self.state = replace(self.state, followed=self._history.ends()[1])

    def _measured(self, job: Job, number: int) -> tuple[Result, float] | None:
        kept = self._history.window(job.run, number)
        if kept is not None and kept.span.revision == job.pipeline.plan.revision:
            if all(trend.reason != LATER for trend in kept.trends):
                return None
            found = measured(job.pipeline, kept.curves)
            curves = with_models(kept.curves, found.models)
            return replace(kept, trends=found.trends, curves=curves), found.amplitude
        stored = self._windows([number]).get(number)
        if stored is None:
            return None
        evaluated = evaluate(job.pipeline, stored, pin=job.pin)
        return evaluated.result, evaluated.amplitude

    def _hand_out(self, results: Sequence[Result], have: Mapping[int, Summed]) -> None:
        self._history.replace(results)
        rows = [WindowRow(result=r, sums=have[r.span.number].sums) for r in results]
        self._store.put(Again(rows=rows))

    def _windows(self, numbers: Sequence[int]) -> dict[int, Summed]:
        """Return what can be had of the windows: from memory, else from the file."""
        found = self._shelf.windows(numbers)
        absent = [number for number in numbers if number not in found]
        if absent:
            found |= self._store.recall(absent).result(_PATIENCE)
        return dict(sorted(found.items()))

    def _give_way(self, job: Job) -> None:
        """Let what is live go first, and the disk keep up."""
        until = time.monotonic() + 0.05
        while self._busy() and time.monotonic() < until:
            if job.cancelled.wait(0.002):
                return
        while self._store.owed > _OWED and not self._store.failing:
            if job.cancelled.wait(0.02):
                return

    def _advance(self, first: int, missing: int | None) -> None:
        assert self.state is not None
        missing = self.state.missing if missing is None else missing
        done = self.state.last - first + 1
        self._say(replace(self.state, first=first, done=done, missing=missing))

    def _say(self, state: Redo, *, now: bool = False) -> None:
        self.state = state
        if now or time.monotonic() - self._told > _TELL:
            self._told = time.monotonic()
            self._tell()


def _blocks(job: Job) -> list[list[int]]:
    """Return the numbers in blocks, the newest block first."""
    ends = range(job.last + 1, job.first, -_BLOCK)
    return [list(range(max(job.first, end - _BLOCK), end)) for end in ends]
