"""What the collector settled becomes results, in order, for viewers and for the disk."""

import logging
import queue
import time
from collections.abc import Mapping

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Closed, Ended, Opened, Refusal, Settled, Summed
from livepdf.daemon.history import History
from livepdf.daemon.publish import Publisher
from livepdf.daemon.results import BUSY, Evaluated, evaluate, trend_names
from livepdf.daemon.runs import Run
from livepdf.daemon.store import Begin, Finish, Store
from livepdf.sinks.nexus import RunHeader, WindowRow

log = logging.getLogger(__name__)

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
        self._publisher = publisher
        self._store = store
        self._source = source
        self._software = software
        self._patient = patient
        self._waiting: queue.Queue[Settled] = queue.Queue(maxsize=capacity)
        self._begun: Run | None = None
        self._warned: dict[str, float] = {}
        self.runs_closed = 0

    def put(self, settled: Settled) -> None:
        """Hand over what is settled; waits while too much is waiting already."""
        self._waiting.put(settled)

    def run(self) -> None:
        """Work until `Ended`."""
        while True:
            settled = self._waiting.get()
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
        board.run, board.windows, board.output = run.name, 0, ""
        self._history.begin(run.name)
        expected = "" if start.expected is None else f", {start.expected} frames announced"
        board.say("run start", f"{start.name}{expected}", frame=-1)
        if run.built is not None:
            self._begin(run)

    def _begin(self, run: Run) -> Pipeline:
        pipeline = run.built
        if pipeline is None:
            raise RuntimeError(f"results of {run.name} without a pipeline")
        if self._begun is not run:
            self._begun = run
            self._board.revision = pipeline.plan.revision
            header = run_header(run, pipeline, source=self._source, software=self._software)
            self._store.put(Begin(header=header))
            self._compare_wavelengths(run, pipeline)
            self._look_for_errors(pipeline)
        return pipeline

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
        evaluated = evaluate(pipeline, summed.stretch, skip=skip)
        result = evaluated.result
        self._store.put(WindowRow(result=result, sums=summed.stretch.sums))
        if not whole:
            self._history.add(result)
            self._board.windows = result.span.number + 1
        self._publisher.result(result)
        self._board.lag = max(0.0, time.time() - summed.stretch.received)
        self._say_trouble(evaluated)

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
            self._store.put(Finish(time=closed.time, counters=counters))
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
        source=source,
        software=software,
        metadata=run.start.metadata,
    )
