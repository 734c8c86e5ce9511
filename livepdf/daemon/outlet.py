"""What the collector settled becomes results, in order, for viewers and for the disk."""

import contextlib
import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Closed, Ended, Opened, Refusal, Settled, Summed
from livepdf.daemon.history import History
from livepdf.daemon.pins import Pin
from livepdf.daemon.publish import Publisher
from livepdf.daemon.results import BUSY, Evaluated, evaluate, trend_names
from livepdf.daemon.runs import Run
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Begin, Finish, Store
from livepdf.daemon.windows import Stretch
from livepdf.reduction.advice import rpoly_advice
from livepdf.sinks.nexus import Revised, RunHeader, WindowRow

log = logging.getLogger(__name__)
Outcome = TypeVar("Outcome")

_PATIENCE = 2.0
"""s that a window may be late; then, with newer ones waiting behind it, its trends are skipped."""
_COMPLAINTS = 5.0
"""s between two warnings about the same reason."""


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
        self._warned: dict[str, float] = {}
        self.runs_closed = 0

    def put(self, settled: Settled) -> None:
        """Hand over what is settled; waits while too much is waiting already."""
        self._waiting.put(settled)

    @property
    def busy(self) -> bool:
        """Whether anything waits to be evaluated."""
        return not self._waiting.empty()

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
        begin = number if first < 0 else min(first, number)
        header = tuned_header(old, tuned)
        past = old.revisions or (_first_revision(old),)
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
            self._store.put(Finish(time=self._ended.time, counters=self._ended.counters))

    def run(self) -> None:
        """Work until `Ended`."""
        while True:
            settled = self._waiting.get()
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
                case Ended():
                    return

    def _open(self, run: Run) -> None:
        board, start = self._board, run.start
        self.interrupt()
        self.finish_again()
        board.run, board.windows, board.output = run.name, 0, ""
        self._history.begin(run.name)
        self._shelf.begin()
        self._ended = self._whole = self._header = self.pipeline = None
        expected = "" if start.expected is None else f", {start.expected} frames announced"
        board.say("run start", f"{start.name}{expected}", frame=-1)
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
        self._store.put(Begin(header=self._header))
        self._compare_wavelengths(run, pipeline)
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
        self._look_for_errors(pipeline)
        advice = advice_on(pipeline)
        if advice:
            self._board.trouble("rpoly", advice)
        else:
            self._board.clear("rpoly")

    def _compare_wavelengths(self, run: Run, pipeline: Pipeline) -> None:
        told, calibrated = run.start.wavelength, pipeline.geometry.wavelength
        if told is not None and abs(told / calibrated - 1) > 0.01:
            self._warn(
                "wavelength",
                f"the detector was told {told:.5f} Å, the calibration says {calibrated:.5f} Å "
                "and is what counts",
            )

    def _look_for_errors(self, pipeline: Pipeline) -> None:
        bare = [b.name for b in pipeline.plan.backgrounds if not np.isfinite(b.sigma).any()]
        if bare:
            text = (
                f"background {', '.join(bare)} has no σ: no curve has one either, and sizes and "
                "peaks are withheld; give its file a third column"
            )
            self._board.trouble("background", text)
            self._board.say("warning", text)
        else:
            self._board.clear("background")

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
        evaluated = evaluate(pipeline, stretch, skip=skip, pin=self.pin)
        result = evaluated.result
        self._store.put(WindowRow(result=result, sums=stretch.sums))
        if result.span.scope == "window":
            self._history.add(result)
            self._board.windows = result.span.number + 1
        elif result.span.scope == "run":
            self._history.whole = result
        self._publisher.result(result)
        return evaluated

    def _newer_waits(self) -> bool:
        """Whether a newer window waits: only for one are trends skipped, so never for the last."""
        with self._waiting.mutex:
            return any(
                isinstance(settled, Summed) and settled.stretch.span.scope == "window"
                for settled in self._waiting.queue
            )

    def _say_trouble(self, evaluated: Evaluated) -> None:
        span = evaluated.result.span
        if evaluated.trouble:
            where = f"frames {span.first} to {span.last}"
            self._warn(evaluated.trouble, f"{where}: {evaluated.trouble}")

    def _refusal(self, refusal: Refusal) -> None:
        error = refusal.error
        if error.reason == "paused":
            return
        detail = f": {error.detail}" if error.detail else ""
        self._warn(error.reason, f"frame {refusal.frame} refused, {error.reason}{detail}")

    def _close(self, closed: Closed) -> None:
        counters = closed.counters
        refused = sum(counters.refused.values())
        self._board.say(
            "run end",
            f"{closed.reason}: {counters.used} frames used, {refused} refused, "
            f"{counters.lost} lost",
        )
        if self._begun is closed.run:
            self._ended = closed
            if not self.reworking():
                self.finish_again()
        self._begun = None
        self.runs_closed += 1

    def _warn(self, key: str, text: str) -> None:
        """Say it to people now, then not again for some seconds."""
        now = time.monotonic()
        self._board.note(key, text)
        if now - self._warned.get(key, -_COMPLAINTS) >= _COMPLAINTS:
            self._warned[key] = now
            log.warning("%s", text)
            self._board.say("warning", text)


def with_reduction_of(pipeline: Pipeline, tuned: Pipeline) -> Pipeline:
    """Return a pipeline for its own frames that reduces and analyses as another one does."""
    return replace(
        pipeline,
        settings=tuned.settings,
        plan=tuned.plan,
        analysis=tuned.analysis,
        bond=tuned.bond,
    )


def advice_on(pipeline: Pipeline) -> str:
    """Return what is unwise about the reduction; empty when nothing is."""
    if pipeline.bond is None:
        return ""
    return rpoly_advice(rpoly=pipeline.recipe.reduction.rpoly, bond=pipeline.bond)


def tuned_header(old: RunHeader, tuned: Pipeline) -> RunHeader:
    """Return the header of the file of another revision of the same run."""
    plan, recipe = tuned.plan, tuned.recipe
    return replace(
        old,
        q=plan.q,
        fq_q=plan.q[plan.window],
        r=plan.r,
        trends=trend_names(tuned),
        sample=recipe.sample.name or recipe.sample.composition,
        composition=recipe.sample.composition,
        revision=plan.revision,
        recipe=tuned.settings.recipe_text,
    )


def _first_revision(header: RunHeader) -> Revised:
    return Revised(
        number=header.revision, time=header.start, changes="as it began", recipe=header.recipe
    )


def run_header(
    run: Run, pipeline: Pipeline, *, source: str, software: Mapping[str, str]
) -> RunHeader:
    """Gather what the file of a run says about it."""
    profile, recipe = pipeline.profile, pipeline.recipe
    plan = pipeline.plan
    return RunHeader(
        run=run.name,
        start=run.start.time,
        q=plan.q,
        fq_q=plan.q[plan.window],
        r=plan.r,
        trends=trend_names(pipeline),
        instrument=profile.instrument.name,
        facility=profile.instrument.facility,
        wavelength=pipeline.geometry.wavelength,
        sample=recipe.sample.name or recipe.sample.composition,
        composition=recipe.sample.composition,
        solid_angle=profile.integration.solid_angle,
        polarization=profile.integration.polarization,
        normalized=recipe.normalization.monitor or recipe.normalization.exposure,
        revision=plan.revision,
        profile=pipeline.settings.profile_text,
        recipe=pipeline.settings.recipe_text,
        folder=str(pipeline.settings.recipe_file.resolve().parent),
        correlation=pipeline.integrator.correlation,
        source=source,
        software=software,
        metadata=run.start.metadata,
    )
