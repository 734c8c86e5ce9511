"""The daemon: threads around one source, from start to a clean stop."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property, partial
from pathlib import Path

from livepdf.daemon.assemble import Prepared
from livepdf.daemon.baton import Baton
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Collector
from livepdf.daemon.control import Answer, Desk
from livepdf.daemon.crew import WorkerProcess, hire
from livepdf.daemon.entries import Quit
from livepdf.daemon.herald import Herald, Rate
from livepdf.daemon.history import History
from livepdf.daemon.inspector import Inspector
from livepdf.daemon.intake import Intake
from livepdf.daemon.joining import Joiner
from livepdf.daemon.keeping import Keeping
from livepdf.daemon.laser import LaserReports
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.loops import Loops, compile_loops, likely_dtypes, stand_in
from livepdf.daemon.memory import tune_process
from livepdf.daemon.metrics import StatusMetrics
from livepdf.daemon.notify import Notifier
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.pulse import Pulse
from livepdf.daemon.relay import Relay
from livepdf.daemon.reports import Reports
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.runs import Run, RunNames
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.sockets import Sockets, bind
from livepdf.daemon.software import software_versions
from livepdf.daemon.store import Store
from livepdf.daemon.supervision import Supervisor
from livepdf.daemon.take_up import Left
from livepdf.daemon.threads import Threads
from livepdf.daemon.timings import Timings
from livepdf.daemon.views import Seen, Views
from livepdf.daemon.warmth import Warmth, warm_curves
from livepdf.daemon.workers import Newest, Outcomes, integrate_here, timed, work
from livepdf.errors import Complaint, ConfigError
from livepdf.model.frame import Frame, RunStart
from livepdf.model.status import Event, Status
from livepdf.model.sums import Sums
from livepdf.numerics.kernel import keeps_on_disk, told_of_compiling
from livepdf.reduction.integrator import Integrator
from livepdf.sinks.publishing import Sink
from livepdf.sinks.recording import Recorder
from livepdf.sources.slow_beside import SlowGiver
from livepdf.sources.slow_feeds import SlowFeeds
from livepdf.sources.source import Source
from livepdf.wire.messages import Refused, Role, Snapshot

log = logging.getLogger(__name__)

_MIB = 1 << 20
_TOLD_EVERY = 0.5
"""s between two words about what is being compiled."""


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
        lasting: bool = False,
        recorder: Recorder | None = None,
        slow: SlowGiver | None = None,
        sinks: Sequence[tuple[str, Sink]] = (),
    ) -> None:
        """Make everything ready but the source.

        Parameters
        ----------
        patient : bool
            Let the source wait while the queue is full and skip no trends, as for a recording.
        lasting : bool
            Go on where a killed process left the output directory, and let another one do so.
        recorder : Recorder, optional
            What the source's messages go to; closed with the service.
        slow : SlowGiver, optional
            What gives the slow values instead of the feeds of the profile.
        sinks : (name, sink) each, optional
            What results go to beside the wire; closed with the service.
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
        wire = prepared.settings.profile.wire
        self._sockets: Sockets = bind(
            requests=requests,
            results=results,
            file=file,
            keys=wire.keys,
            clients=wire.clients,
            rate=wire.rate,
        )
        self.stopping = threading.Event()
        """Set when the daemon is to stop, whoever wants it."""
        self._closing = threading.Event()
        self._crew: list[WorkerProcess] = []
        self._board = Board()
        self._threads = Threads(board=self._board, stopping=self.stopping)
        self._ledger = Ledger()
        self._newest = Newest()
        self._outcomes: Outcomes = queue.Queue(maxsize=256)
        self._keeping = Keeping(
            prepared.settings.profile, output=output, lasting=lasting, board=self._board
        )
        self._frames = self._keeping.frames
        self._names.know(self._keeping.names)
        # Curves of old windows are looked at more than their sums are needed.
        self._history = History(limit=limits.history * _MIB * 3 // 4)
        self._shelf = Shelf(limit=limits.history * _MIB // 4)
        self._store = Store(
            output,
            self._board,
            flush=prepared.settings.profile.output.flush,
            budget=limits.history * _MIB,
            counters=lambda: self._ledger.total(self._source.lost()),
            settle=self._keeping.settle,
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
        self._relay = Relay(sinks, self._board)
        self._sockets.publisher.relay = self._relay
        self._timings = Timings()
        self._pulse = Pulse(source)
        self._inspector = Inspector(
            self._board, settings=lambda: self._retuning.prepared.settings.recipe.quality
        )
        self._laser = LaserReports(
            folder=output, board=self._board, publish=self._sockets.publisher.laser
        )
        self._inspector.listen(self._relay.flag)
        self._collector = Collector(
            ledger=self._ledger,
            emit=self._outlet.put,
            tap=self._see,
            lost=lambda series: self._intake.lost(series),
            inspector=self._inspector,
        )
        self._feeds = SlowFeeds(prepared.settings.profile.slow) if slow is None else slow
        record = None if recorder is None else recorder.put
        self._joiner = Joiner(self._feeds, note=self._board.note, record=record)
        self._intake = Intake(
            self._pulse,
            frames=self._frames,
            ledger=self._ledger,
            board=self._board,
            make_run=self._make_run,
            prepare=self._joiner.prepare,
            patient=patient,
        )
        self._warmth = Warmth(
            self._compile,
            likely=likely_dtypes(prepared.settings.profile),
            keeps=keeps_on_disk(),
            leisure=lambda: not self._intake.running,
        )
        self._baton = Baton(tell=lambda words: self._board.say("warning", words))
        self._views = Views(
            Seen(
                pipeline=lambda: self._outlet.pipeline or self._retuning.prepared.pipeline,
                history=self._history,
            )
        )
        self._reports = Reports(
            source=source,
            board=self._board,
            ledger=self._ledger,
            frames=self._frames,
            intake=self._intake,
            history=self._history,
            feeds=self._feeds,
            retuning=self._retuning,
            sockets=self._sockets,
            stopping=self.stopping,
            software=self._software,
            rate=Rate(),
            relay=self._relay,
            pulse=self._pulse,
            busy=lambda: self._outlet.busy,
            inspector=self._inspector,
            warmth=self._warmth,
            baton=self._baton,
        )
        self._supervisor = Supervisor(
            Notifier(), board=self._board, stages=self._reports.stages, status=self.status
        )
        self._board.listen(self._hear)
        if recorder is not None:
            recorder.tell(self._say_recording)

    @property
    def address(self) -> str:
        """Address that clients are given."""
        return self._sockets.control.address

    @property
    def failure(self) -> BaseException | None:
        """What ended a thread that should not have ended."""
        return self._threads.failure

    @property
    def files(self) -> list[Path]:
        """Every result file written so far, oldest first."""
        return list(self._store.files)

    def start(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Open the source, start all threads, and wait until the first image need not.

        Frames that come meanwhile are counted and queued, and viewers are served.

        Parameters
        ----------
        say
            Is told now and again what is being compiled.

        Raises
        ------
        SourceError
            When the source cannot be opened.
        """
        tune_process()
        limits = self._prepared.settings.profile.limits
        self._crew = hire(limits, say=self._say_replaced)
        self._source.open()
        self._feeds.open()
        herald = Herald(
            publisher=self._sockets.publisher,
            newest=self._newest,
            status=self.status,
            unpacks=lambda: self._warmth.views,
        )
        desk = self._desk()
        parts: list[tuple[str, Callable[[], None]]] = [
            ("store", self._store.run),
            ("spool", self._frames.page),
            ("sync", lambda: self._frames.sync(self._closing)),
            ("outlet", self._outlet.run),
            ("collector", self._collect),
            *self._retuning.threads(),
            ("herald", lambda: herald.run(self._closing)),
            ("supervisor", lambda: self._supervisor.run(self._closing)),
            ("control", lambda: self._sockets.control.serve(desk, self._closing)),
            *((f"worker {n}", partial(self._work, n)) for n in range(limits.workers)),
            ("intake", lambda: self._intake.run(self.stopping)),
            ("compiler", self._warm_up),
            ("laser", self._laser.run),
        ]
        self._keeping.take_up(self._intake, self._ledger, self._remake_run)
        for name, part in parts:
            self._threads.start(name, part)
        while not (self._warmth.wait_until_ready(_TOLD_EVERY) or self.stopping.is_set()):
            say(self._warmth.progress)
        self._board.state = "waiting"
        self._supervisor.ready()

    def reload(self) -> None:
        """Read the recipe file again; one that is wrong changes nothing, and people hear why."""
        self._supervisor.reloading()
        self._retuning.reload().add_done_callback(self._reloaded)

    def metrics(self) -> StatusMetrics:
        """Return what Prometheus may read."""
        return StatusMetrics(
            self.status,
            self._timings,
            spooled=lambda: self._frames.spooled_bytes,
            software=self._software,
        )

    def finish(self) -> None:
        """Stop the intake, work off what waits, flush, close everything.

        Takes as long as the queue needs; after a defect, ten seconds at most.
        """
        self.stopping.set()
        self._supervisor.stopping()
        workers = [name for name in self._threads.names if name.startswith("worker")]
        self._threads.join("intake", *workers, "collector")
        if self._recorder is not None:
            self._recorder.close()
        self._laser.close()
        self._threads.join("outlet", "laser")
        self._feeds.close()
        self._retuning.stop()
        self._threads.join("tuner", "reworker")
        self._outlet.finish_again()
        self._warmth.close()
        self._threads.join("compiler")
        for worker in self._crew:
            worker.close()
        self._store.put(Quit())
        self._threads.join("store")
        self._board.state = "stopped"
        self._sockets.publisher.status(self.status())
        self._closing.set()
        self._threads.join("herald", "control", "sync", "supervisor")
        self._relay.close()
        self._keeping.close(settled=self.failure is None and self._store.paid)
        self._views.close()
        self._sockets.close(str(self.failure or "stopped"))

    def abandon(self) -> None:
        """Let go of the sockets of a daemon that never started."""
        for worker in self._crew:
            worker.close()
        self._source.close()
        self._feeds.close()
        self._views.close()
        if self._recorder is not None:
            self._recorder.close()
        self._relay.close()
        self._sockets.close("not started")

    def status(self) -> Status:
        """Return how the daemon is doing now; the counters add up."""
        return self._reports.status()

    def snapshot(self, role: Role = "controller") -> Snapshot:
        """Return what a viewer needs before it follows the stream."""
        return self._reports.snapshot(role)

    def _reloaded(self, done: "Future[Answer]") -> None:
        reply, _ = done.result()
        if isinstance(reply, Refused) and reply.why != "not there":
            log.warning("the recipe was not read again: %s", reply.text)
            self._board.say("warning", f"the recipe was not read again: {reply.text[:1000]}")
        self._supervisor.ready()

    def _desk(self) -> Desk:
        return Desk(
            snapshot=self.snapshot,
            history=self._history,
            mark=lambda text: self._board.say("mark", text),
            pause=self._pause,
            reset=self._collector.ask_reset,
            shutdown=self.stopping.set,
            tune=self._retuning.ask,
            views=self._views,
            baton=self._baton,
        )

    def _see(self, run: Run, frame: Frame, sums: Sums) -> None:
        self._retuning.capture.take(run.name, sums)
        self._laser.take(run, frame, sums)

    def _pause(self, paused: bool) -> None:
        if paused != self._intake.pause:
            self._intake.pause = paused
            self._board.say("mark", "paused" if paused else "going on")

    def _make_run(self, start: RunStart) -> Run:
        return Run(
            start,
            name=self._names.next(start.name),
            build=self._retuning.build,
            shape=self._retuning.known_shape(),
        )

    def _remake_run(self, left: Left) -> Run:
        return Run(
            left.opened.start,
            name=left.opened.name,
            taken_up=left.taken_up,
            build=self._retuning.build,
            shape=self._retuning.known_shape() or left.shape,
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
        own = timed(self._timings, self._crew[number].integrate if self._crew else integrate_here)
        seen = self._inspector.watching(self._warmth.before(own))
        work(
            self._frames, self._outcomes, self._newest, integrate=self._retuning.dark.watching(seen)
        )

    def _warm_up(self) -> None:
        pipeline = self._prepared.pipeline
        if pipeline is not None:
            for worker in self._crew:
                worker.prepare(pipeline)
            warm_curves(pipeline)
        self._warmth.run(self.stopping)

    @cached_property
    def _example(self) -> Integrator:
        """What shows the compiler the loops."""
        prepared = self._prepared
        if prepared.pipeline is not None:
            return prepared.pipeline.integrator
        return stand_in(prepared.detector, prepared.settings.profile)

    def _compile(self, loops: Loops) -> None:
        with told_of_compiling(self._warmth.not_on_disk):
            compile_loops(self._example, loops)
        for worker in self._crew:
            worker.learn(loops)

    def _collect(self) -> None:
        while not self._collector.ended:
            try:
                came = self._outcomes.get(timeout=min(0.2, self._joiner.pause))
                ready = self._joiner.add(came)
            except queue.Empty:
                ready = self._joiner.due()
                self._collector.rest()
                if self.failure is not None and not self._threads.alive("intake"):
                    self._collector.finish()
            with self._timings.measure("collect", len(ready)):
                for outcome in ready:
                    self._collector.take(outcome)
            if self._runs is not None and self._outlet.runs_closed >= self._runs:
                self.stopping.set()


def _run_names(output: Path, file: str) -> RunNames:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return RunNames(path.stem for path in output.glob("*.nxs"))
    except OSError as error:
        found = f"{output}: {error.strerror or error}"
        wanted = "a directory that can be made"
        raise ConfigError([Complaint(file, "output.directory", found, wanted)]) from None
