"""What the collector settled becomes results, in order, for viewers and for the disk."""

import contextlib
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

import numpy as np

from livepdf.analysis.course import NOVELTY
from livepdf.analysis.lasting import LASTING_CHI2
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Checkpoint, Closed, Ended, Opened, Refusal, Settled, Summed
from livepdf.daemon.costs import Costs
from livepdf.daemon.entries import Again, Begin, Finish
from livepdf.daemon.following import Follower
from livepdf.daemon.headers import (
    advice_on,
    errors_advice,
    first_revision,
    run_header,
    tuned_header,
    wavelength_advice,
    with_reduction_of,
)
from livepdf.daemon.history import History
from livepdf.daemon.pins import Pin
from livepdf.daemon.publish import Publisher
from livepdf.daemon.results import BUSY, Evaluated, evaluate, trend_names
from livepdf.daemon.runs import Run
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Store
from livepdf.daemon.warner import Warner
from livepdf.daemon.windows import Stretch
from livepdf.model.curve import Result, Trend
from livepdf.model.status import Event, News
from livepdf.model.sums import empty_sums
from livepdf.sinks.nexus import Revised, RunHeader, WindowRow

Outcome = TypeVar("Outcome")
_PATIENCE = 2.0
"""s that a window may be late; then, with newer ones waiting behind it, its trends are skipped."""


class Outlet:
    """Evaluates windows and hands the results to all who want them; one thread runs it."""

    def __init__(
        self,
        *,
        board: Board,
        history: History,
        shelf: Shelf,
        publisher: Publisher,
        store: Store,
        source: str,
        software: Mapping[str, str],
        capacity: int = 1000,
        patient: bool = False,
    ) -> None:
        """Make it.

        Parameters
        ----------
        patient : bool
            Never skip the trends of a window, however many wait.
        """
        self._board = board
        self._history = history
        self._shelf = shelf
        self._publisher = publisher
        self._store = store
        self._source = source
        self._software = software
        self._patient = patient
        self._waiting: queue.Queue[Settled | None] = queue.Queue(maxsize=capacity)
        self._between: deque[Callable[[], None]] = deque()
        self._begun: Run | None = None
        self._ended: Closed | None = None
        """How the last run ended, while no other has begun."""
        self._tuned: Pipeline | None = None
        """The newest revision; it takes the place of an older one that a run was opened with."""
        self._whole: Stretch | None = None
        self._header: RunHeader | None = None
        self.pipeline: Pipeline | None = None
        """What the windows of the present or last run are reduced with."""
        self.pin: Pin | None = None
        """What they are compared with."""
        self.reworking: Callable[[], bool] = lambda: False
        """Whether stored windows are being reduced again: then the file stays open."""
        self.interrupt: Callable[[], object] = lambda: None
        """Ends that: another run begins."""
        self._warn = Warner(board)
        self._follower: Follower | None = None
        self._skipped: deque[int] = deque()
        """Windows whose trends are still to come, oldest first."""
        self.costs = Costs()
        """Of each analysis, in the windows of this outlet."""
        board.listen(self._hear)
        self.runs_closed = 0

    def put(self, settled: Settled) -> None:
        """Hand over what is settled; waits while too much is waiting already."""
        self._waiting.put(settled)

    @property
    def busy(self) -> bool:
        """Whether anything waits to be evaluated."""
        return not self._waiting.empty()

    @property
    def owed(self) -> int:
        """Windows whose trends were skipped and are still to come."""
        return len(self._skipped)

    def between(self, act: Callable[[], Outcome]) -> "Future[Outcome]":
        """Let something be done between two windows, before those that wait."""
        done: Future[Outcome] = Future()

        def carry_out() -> None:
            try:
                done.set_result(act())
            except Exception as error:  # noqa: BLE001  it belongs to who asked
                done.set_exception(error)

        self._between.append(carry_out)
        # When the queue is full, somebody is about to look anyhow.
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        return done

    def retune(self, tuned: Pipeline, *, revised: Revised, first: int) -> int:
        """Reduce by another revision from now on; call it by `between`.

        Parameters
        ----------
        first : int
            Oldest window that will be reduced again; -1 for none.

        Returns
        -------
        number : int
            Of the next window: those before it were reduced by the revision before.
        """
        number, old = self._board.windows, self._header
        self._tuned = tuned
        self._board.revision = tuned.plan.revision
        over = self._ended is not None
        if old is None or self.pipeline is None or (over and first < 0):
            return number
        self.pipeline = tuned
        # Windows that are reduced again get their trends then; the others keep what they have.
        self._skipped.clear()
        if self._follower is not None:
            self._follower.again(tuned, {})
        begin = number if first < 0 else min(first, number)
        header = tuned_header(old, tuned)
        past = old.revisions or (first_revision(old),)
        self._header = replace(
            header, first=begin, revisions=(*past, revised), follows=f"{old.stem}.nxs"
        )
        self._store.put(Begin(header=self._header))
        self._advise(tuned)
        if self._whole is not None:
            self._emit(self._whole, skip="")
        return number

    def finish_again(self) -> None:
        """Close the file of a run that is over; call it by `between`."""
        if self._ended is not None:
            findings = () if self._follower is None else self._follower.findings()
            self._store.put(
                Finish(time=self._ended.time, counters=self._ended.counters, findings=findings)
            )

    def retrace(self, new: Mapping[int, tuple[Sequence[Trend], float]]) -> list[Result]:
        """Follow the run once more after windows were measured again; call it by `between`.

        Parameters
        ----------
        new : by the number of the window
            Its trends and the amplitude of the template.

        Returns
        -------
        changed : windows that say something else than before
        """
        if self._follower is None or self.pipeline is None:
            return []
        names = {name for name, _ in trend_names(self.pipeline)}
        results, changed = list[Result](), list[Result]()
        for number, trends in self._follower.again(self.pipeline, new).items():
            kept = self._history.window(self._history.run, number)
            if kept is not None and kept.span.revision == self.pipeline.plan.revision:
                own = (trend for trend in kept.trends if trend.name in names)
                # These need the curves of all windows in order: they stay as they were found.
                old = {t.name: t for t in kept.trends if t.name in (NOVELTY, LASTING_CHI2)}
                told = (old.get(trend.name, trend) for trend in trends)
                results.append(replace(kept, trends=(*own, *told)))
                if repr(results[-1].trends) != repr(kept.trends):  # NaN is not itself
                    changed.append(results[-1])
        self._history.replace(results)
        rows = [WindowRow(result=result, sums=empty_sums(0)) for result in results]
        self._store.put(Again(rows=rows, trends_only=True))
        return changed

    def run(self) -> None:
        """Work until `Ended`."""
        while True:
            settled = self._next()
            while self._between:
                self._between.popleft()()
            match settled:
                case Opened():
                    self._open(settled.run)
                case Summed():
                    self._results(settled)
                case Refusal():
                    self._refusal(settled)
                case Closed():
                    self._close(settled)
                case Checkpoint():
                    self._store.put(settled)
                case Ended():
                    self._leave()
                    return

    def _next(self) -> Settled | None:
        """Return what comes next; while nothing waits, trends that were skipped are made up for."""
        owed = bool(self._skipped)
        while self._skipped and self._waiting.empty():
            self._work_off()
        if owed and not self._skipped and self._ended is not None and not self.reworking():
            self._made_up_for()
        return self._waiting.get()

    def _leave(self) -> None:
        owed = bool(self._skipped)
        while self._skipped:
            self._work_off()
        if owed and self._ended is not None:
            self._made_up_for()

    def _made_up_for(self) -> None:
        # With all values there, the course of the run is what it would have been in time.
        for result in self.retrace({}):
            self._publisher.result(result)
        self.finish_again()

    def _work_off(self) -> None:
        number = self._skipped.popleft()
        window = self._shelf.windows([number]).get(number)
        if window is None or self.pipeline is None or self._follower is None:
            return
        timed = self.costs.measure
        result = evaluate(self.pipeline, window, pin=self.pin, timed=timed).result
        kept = self._history.window(self._history.run, number)
        result = self._follower.fill(result, () if kept is None else kept.trends)
        self._history.replace([result])
        self._store.put(
            Again(rows=[WindowRow(result=result, sums=empty_sums(0))], trends_only=True)
        )
        self._publisher.result(result)

    def _open(self, run: Run) -> None:
        board, start = self._board, run.start
        self.interrupt()
        self.finish_again()
        first = 0 if run.taken_up is None else run.taken_up.number
        board.run, board.windows, board.output = run.name, first, ""
        self._history.begin(run.name)
        self._shelf.begin()
        self._ended = self._whole = self._header = self.pipeline = self._follower = None
        self._skipped.clear()
        expected = "" if start.expected is None else f", {start.expected} frames announced"
        again = "" if run.taken_up is None else f", taken up again at window {first}"
        board.say("run start", f"{start.name}{expected}{again}", frame=-1)
        if run.built is not None:
            self._begin(run)

    def _begin(self, run: Run) -> Pipeline:
        if self._begun is run and self.pipeline is not None:
            return self.pipeline
        built = run.built
        if built is None:
            raise RuntimeError(f"results of {run.name} without a pipeline")
        self._begun = run
        self.pipeline = pipeline = self._newest_revision(built)
        self._board.revision = pipeline.plan.revision
        self._header = run_header(run, pipeline, source=self._source, software=self._software)
        before = run.taken_up
        if before is not None:
            self._header = replace(self._header, first=before.number)
        self._store.put(Begin(header=self._header, earlier=before.parts if before else ()))
        self._follower = Follower(pipeline, start=run.start.time, timed=self.costs.measure)
        if wrong := wavelength_advice(run, pipeline):
            self._warn.say("wavelength", wrong)
        self._advise(pipeline)
        if self.pin is not None:
            self._store.put(self.pin.reference())
        return pipeline

    def _newest_revision(self, built: Pipeline) -> Pipeline:
        tuned = self._tuned
        if tuned is None or tuned.plan.revision <= built.plan.revision:
            return built
        if np.array_equal(tuned.plan.q, built.plan.q):
            return with_reduction_of(built, tuned)
        return built

    def _advise(self, pipeline: Pipeline) -> None:
        wrong = errors_advice(pipeline)
        self._board.stand("background", wrong)
        if wrong:
            self._board.say("warning", wrong)
        self._board.stand("rpoly", advice_on(pipeline))

    def _results(self, summed: Summed) -> None:
        pipeline = self._begin(summed.run)
        whole = summed.stretch.span.scope == "run"
        late = time.monotonic() - summed.closed > _PATIENCE
        skippable = whole or (late and not self._patient)
        skip = BUSY if skippable and self._newer_waits() else ""
        if whole:
            self._whole = summed.stretch
        else:
            self._shelf.add(summed.stretch)
        evaluated = self._emit(summed.stretch, skip=skip, pipeline=pipeline)
        self._board.lag = max(0.0, time.time() - summed.stretch.received)
        self._say_trouble(evaluated)

    def _emit(self, stretch: Stretch, *, skip: str, pipeline: Pipeline | None = None) -> Evaluated:
        pipeline = pipeline or self.pipeline
        assert pipeline is not None
        timed = self.costs.measure
        evaluated = evaluate(pipeline, stretch, skip=skip, pin=self.pin, timed=timed)
        result, news = evaluated.result, tuple[News, ...]()
        if self._follower is not None and result.span.scope == "window":
            result, news = self._follower.add(evaluated)
            if skip:
                self._skipped.append(result.span.number)
        self._store.put(WindowRow(result=result, sums=stretch.sums))
        if result.span.scope == "window":
            self._history.add(result)
            self._board.windows = result.span.number + 1
        elif result.span.scope == "run":
            self._history.whole = result
        self._publisher.result(result)
        for kind, text in news:
            self._board.say(kind, text, frame=result.span.last)
        return evaluated

    def _hear(self, event: Event) -> None:
        if event.kind == "mark" and self._follower is not None:
            self._follower.mark(event)

    def _newer_waits(self) -> bool:
        """Whether a newer window waits: only for one are trends skipped, so never for the last."""
        with self._waiting.mutex:
            return any(
                isinstance(settled, Summed) and settled.stretch.span.scope == "window"
                for settled in self._waiting.queue
            )

    def _say_trouble(self, evaluated: Evaluated) -> None:
        span, trouble = evaluated.result.span, evaluated.trouble
        if trouble:
            self._warn.say(trouble, f"frames {span.first} to {span.last}: {trouble}")

    def _refusal(self, refusal: Refusal) -> None:
        error = refusal.error
        if error.reason == "paused":
            return
        detail = f": {error.detail}" if error.detail else ""
        self._warn.say(error.reason, f"frame {refusal.frame} refused, {error.reason}{detail}")

    def _close(self, closed: Closed) -> None:
        counters = closed.counters
        refused = sum(counters.refused.values())
        expected = closed.run.start.expected
        # A sender that is stopped sends fewer than it announced: none of those is lost.
        short = expected is not None and counters.received + counters.lost < expected
        announced = f" of {expected} announced" if short else ""
        self._board.say(
            "run end",
            f"{closed.reason}: {counters.used} frames used{announced}, {refused} refused, "
            f"{counters.lost} lost",
        )
        if self._begun is closed.run:
            self._ended = closed
            if not self.reworking() and not self._skipped:
                self.finish_again()
        self._begun = None
        self.runs_closed += 1
