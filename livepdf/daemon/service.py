"""The daemon: threads around one source, from start to a clean stop."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from livepdf.daemon.assemble import Prepared
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Collector
from livepdf.daemon.control import Desk
from livepdf.daemon.crew import WorkerProcess, hire
from livepdf.daemon.herald import Herald, Rate, status_problems
from livepdf.daemon.history import History
from livepdf.daemon.intake import Intake
from livepdf.daemon.joining import Joiner
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.runs import Run, RunNames
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.sockets import Sockets, bind
from livepdf.daemon.software import software_versions
from livepdf.daemon.spool import Spool
from livepdf.daemon.store import Quit, Store
from livepdf.daemon.warmth import DTYPES, tune_process, warm_up
from livepdf.daemon.workers import Newest, Outcomes, integrate_here, work
from livepdf.errors import Complaint, ConfigError, LivepdfError
from livepdf.model.frame import RunStart
from livepdf.model.status import Event, State, Status
from livepdf.sinks.recording import Recorder
from livepdf.sources.slow_beside import SlowGiver
from livepdf.sources.slow_feeds import SlowFeeds
from livepdf.sources.source import Source
from livepdf.wire.messages import VERSION, Snapshot

log = logging.getLogger(__name__)

_MIB = 1 << 20
_RESERVE = 512 * _MIB
_LAST_WORDS = 10.0
"""s that the other threads get after a defect to bring their results to disk."""


class Service:
    """Binds its sockets when made; works between `start` and `finish`."""

    def __init__(
        self,
        prepared: Prepared,
        source: Source,
        *,
        output: Path,
        requests: str,
        results: str,
        runs: int | None = None,
        patient: bool = False,
        recorder: Recorder | None = None,
        slow: SlowGiver | None = None,
    ) -> None:
        """Make everything ready but the source.

        Parameters
        ----------
        patient : bool
            Let the source wait while the queue is full and skip no trends, as for a recording.
        recorder : Recorder, optional
            What the source's messages go to; closed with the service.
        slow : SlowGiver, optional
            What gives the slow values instead of the feeds of the profile.
        runs : int, optional
            Stop after this many runs.

        Raises
        ------
        ConfigError
            When an address is in use or the output directory cannot be made.
        """
        limits = prepared.settings.profile.limits
        file = str(prepared.settings.profile_file)
        self._prepared = prepared
        self._source = source
        self._runs = runs
        self._recorder = recorder
        self._names = _run_names(output, file)
        self._software = software_versions()
        self._sockets: Sockets = bind(requests=requests, results=results, file=file)
        self.stopping = threading.Event()
        """Set when the daemon is to stop, whoever wants it."""
        self.failure: BaseException | None = None
        """What ended a thread that should not have ended."""
        self._closing = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._crew: list[WorkerProcess] = []
        self._rate = Rate()
        self._board = Board()
        self._ledger = Ledger()
        self._newest = Newest()
        self._outcomes: Outcomes = queue.Queue(maxsize=256)
        self._spool = Spool(output, reserve=_RESERVE)
        self._frames = FrameQueue(limit=limits.queue * _MIB, spool=self._spool)
        # Curves of old windows are looked at more than their sums are needed.
        self._history = History(limit=limits.history * _MIB * 3 // 4)
        self._shelf = Shelf(limit=limits.history * _MIB // 4)
        self._store = Store(
            output,
            self._board,
            flush=prepared.settings.profile.output.flush,
            budget=limits.history * _MIB,
            counters=lambda: self._ledger.total(self._source.lost()),
        )
        self._outlet = Outlet(
            board=self._board,
            history=self._history,
            shelf=self._shelf,
            publisher=self._sockets.publisher,
            store=self._store,
            source=source.description,
            software=self._software,
            patient=patient,
        )
        self._retuning = Retuning(
            prepared,
            board=self._board,
            history=self._history,
            shelf=self._shelf,
            store=self._store,
            outlet=self._outlet,
            publisher=self._sockets.publisher,
            folder=output,
            tell=lambda: self._sockets.publisher.status(self.status()),
        )
        self._collector = Collector(
            ledger=self._ledger, emit=self._outlet.put, tap=self._retuning.capture.take
        )
        self._feeds = SlowFeeds(prepared.settings.profile.slow) if slow is None else slow
        record = None if recorder is None else recorder.put
        self._joiner = Joiner(self._feeds, note=self._board.note, record=record)
        self._intake = Intake(
            source,
            frames=self._frames,
            ledger=self._ledger,
            board=self._board,
            make_run=self._make_run,
            prepare=self._joiner.prepare,
            patient=patient,
        )
        self._board.listen(self._hear)
        if recorder is not None:
            recorder.tell(self._say_recording)

    @property
    def address(self) -> str:
        """Address that clients are given."""
        return self._sockets.control.address

    @property
    def files(self) -> list[Path]:
        """Every result file written so far, oldest first."""
        return list(self._store.files)

    def start(self) -> None:
        """Warm up, open the source, start all threads.

        Raises
        ------
        SourceError
            When the source cannot be opened.
        """
        tune_process()
        limits, pipeline = self._prepared.settings.profile.limits, self._prepared.pipeline
        self._crew = hire(limits, dtypes=DTYPES, say=self._say_replaced)
        warm_up(pipeline)
        for worker in self._crew:
            if pipeline is not None:
                worker.prepare(pipeline)
        self._source.open()
        self._feeds.open()
        self._board.state = "waiting"
        herald = Herald(publisher=self._sockets.publisher, newest=self._newest, status=self.status)
        desk = self._desk()
        parts: list[tuple[str, Callable[[], None]]] = [
            ("store", self._store.run),
            ("outlet", self._outlet.run),
            ("collector", self._collect),
            *self._retuning.threads(),
            ("herald", lambda: herald.run(self._closing)),
            ("control", lambda: self._sockets.control.serve(desk, self._closing)),
            *((f"worker {n}", partial(self._work, n)) for n in range(limits.workers)),
            ("intake", lambda: self._intake.run(self.stopping)),
        ]
        for name, part in parts:
            thread = threading.Thread(target=self._guard, args=(name, part), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()

    def finish(self) -> None:
        """Stop the intake, work off what waits, flush, close everything.

        Takes as long as the queue needs; after a defect, ten seconds at most.
        """
        self.stopping.set()
        workers = [name for name in self._threads if name.startswith("worker")]
        for name in ("intake", *workers, "collector"):
            self._join(name)
        if self._recorder is not None:
            self._recorder.close()
        self._join("outlet")
        self._feeds.close()
        self._retuning.stop()
        for name in ("tuner", "reworker"):
            self._join(name)
        self._outlet.finish_again()
        for worker in self._crew:
            worker.close()
        self._store.put(Quit())
        self._join("store")
        self._board.state = "stopped"
        self._sockets.publisher.status(self.status())
        self._closing.set()
        for name in ("herald", "control"):
            self._join(name)
        self._spool.close()
        self._sockets.close(str(self.failure or "stopped"))

    def abandon(self) -> None:
        """Let go of the sockets of a daemon that never started."""
        for worker in self._crew:
            worker.close()
        self._source.close()
        self._feeds.close()
        if self._recorder is not None:
            self._recorder.close()
        self._sockets.close("not started")

    def status(self) -> Status:
        """Return how the daemon is doing now; the counters add up."""
        board, lost = self._board, self._source.lost()
        counters = self._ledger.total(lost)
        # A source that was closed on purpose is no trouble.
        source_state = "closed" if self.stopping.is_set() else self._source.state()
        return Status(
            state=self._state(),
            time=time.time(),
            counters=counters,
            run=board.run,
            source=self._source.description,
            source_state=source_state,
            rate=self._rate.of(counters.received, time.monotonic()),
            lag=board.lag,
            newest=board.newest,
            queue_bytes=self._frames.waiting_bytes,
            queue_limit=self._frames.limit,
            windows=board.windows,
            revision=board.revision,
            redo=self._retuning.redo,
            output=board.output,
            problems=status_problems(
                source_state=source_state,
                spooled=self._frames.spooled_bytes,
                lost=lost,
                standing=(*board.problems(), *self._feeds.problems()),
            ),
            feeds=self._feeds.status(),
        )

    def snapshot(self) -> Snapshot:
        """Return what a viewer needs before it follows the stream."""
        # The order counts: a window that comes in between is in both, never in neither.
        sequence = self._sockets.publisher.sequence
        settings, pipeline = self._retuning.prepared.settings, self._retuning.prepared.pipeline
        status = self.status()
        first, last = self._history.ends()
        masked = float("nan") if pipeline is None else float(pipeline.ignored.mean())
        return Snapshot(
            version=VERSION,
            sequence=sequence,
            results=self._sockets.publisher.address,
            software=f"livepdf {self._software['livepdf']}",
            status=replace(status, run=self._history.run),
            events=self._board.events(),
            first_window=first,
            last_window=last,
            profile=settings.profile.instrument.name,
            sample=settings.recipe.sample.name or settings.recipe.sample.composition,
            composition=settings.recipe.sample.composition,
            masked=masked,
        )

    def _desk(self) -> Desk:
        return Desk(
            snapshot=self.snapshot,
            history=self._history,
            mark=lambda text: self._board.say("mark", text),
            pause=self._pause,
            reset=self._collector.ask_reset,
            shutdown=self.stopping.set,
            tune=self._retuning.ask,
        )

    def _pause(self, paused: bool) -> None:
        if paused != self._intake.pause:
            self._intake.pause = paused
            self._board.say("mark", "paused" if paused else "going on")

    def _state(self) -> State:
        if self._board.state != "waiting":
            return self._board.state
        if self.stopping.is_set():
            return "draining"
        if self._intake.pause:
            return "paused"
        return "running" if self._intake.running else "waiting"

    def _make_run(self, start: RunStart) -> Run:
        return Run(
            start,
            name=self._names.next(start.name),
            build=self._retuning.build,
            shape=self._retuning.known_shape(),
        )

    def _say_replaced(self, text: str) -> None:
        self._board.note("worker", text)
        self._board.say("warning", text)

    def _say_recording(self, trouble: str) -> None:
        if trouble:
            self._board.trouble("recording", trouble)
        else:
            self._board.clear("recording")

    def _hear(self, event: Event) -> None:
        self._sockets.publisher.event(event)
        self._store.put(event)

    def _work(self, number: int) -> None:
        work(
            self._frames,
            self._outcomes,
            self._newest,
            integrate=self._retuning.dark.watching(
                self._crew[number].integrate if self._crew else integrate_here
            ),
        )

    def _collect(self) -> None:
        while not self._collector.ended:
            try:
                came = self._outcomes.get(timeout=min(0.2, self._joiner.pause))
                ready = self._joiner.add(came)
            except queue.Empty:
                ready = self._joiner.due()
                if self.failure is not None and not self._threads["intake"].is_alive():
                    self._collector.finish()
            for outcome in ready:
                self._collector.take(outcome)
            if self._runs is not None and self._outlet.runs_closed >= self._runs:
                self.stopping.set()

    def _guard(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except LivepdfError as error:
            self._fail(name, error)
        except Exception as error:
            log.exception("%s stopped by a defect", name)
            self._fail(name, error)

    def _fail(self, name: str, error: BaseException) -> None:
        self.failure = self.failure or error
        self._board.trouble(name, f"{name} stopped: {error}")
        self.stopping.set()

    def _join(self, name: str) -> None:
        thread = self._threads.get(name)
        given_up = None
        while thread is not None and thread.is_alive():
            thread.join(0.2)
            if self.failure is not None:
                given_up = given_up or time.monotonic() + _LAST_WORDS
                if time.monotonic() > given_up:
                    log.error("%s does not end", name)
                    return


def _run_names(output: Path, file: str) -> RunNames:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return RunNames(path.stem for path in output.glob("*.nxs"))
    except OSError as error:
        found = f"{output}: {error.strerror or error}"
        wanted = "a directory that can be made"
        raise ConfigError([Complaint(file, "output.directory", found, wanted)]) from None
