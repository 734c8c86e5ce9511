"""The daemon: threads around one source, from start to a clean stop."""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from livepdf.daemon.assemble import Prepared
from livepdf.daemon.baton import Baton
from livepdf.daemon.board import Board
from livepdf.daemon.collecting import collect
from livepdf.daemon.collector import Collector
from livepdf.daemon.control import Desk
from livepdf.daemon.divided import Divided
from livepdf.daemon.entries import Quit
from livepdf.daemon.herald import Herald, Rate
from livepdf.daemon.history import History
from livepdf.daemon.inspector import Inspector
from livepdf.daemon.intake import Intake
from livepdf.daemon.joining import Joiner
from livepdf.daemon.keeping import Keeping
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.lookup import kept_windows
from livepdf.daemon.memory import tune_process
from livepdf.daemon.metrics import StatusMetrics
from livepdf.daemon.notify import Notifier
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.pulse import Pulse
from livepdf.daemon.relay import Relay
from livepdf.daemon.reports import Reports
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.run_maker import RunMaker, names_beside
from livepdf.daemon.runs import Run
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.shot_reports import ShotReports
from livepdf.daemon.sockets import Sockets, bind
from livepdf.daemon.software import software_versions
from livepdf.daemon.store import Store
from livepdf.daemon.supervision import Supervisor
from livepdf.daemon.tape import Tape
from livepdf.daemon.threads import Threads
from livepdf.daemon.timings import Timings
from livepdf.daemon.views import Seen, Views
from livepdf.daemon.workers import Outcomes
from livepdf.daemon.workshop import Workshop
from livepdf.model.frame import Frame
from livepdf.model.status import Event, Status
from livepdf.model.sums import Sums
from livepdf.sinks.publishing import Sink
from livepdf.sources.slow_beside import SlowGiver
from livepdf.sources.slow_feeds import SlowFeeds
from livepdf.sources.source import Source
from livepdf.wire.messages import Role, Snapshot

_MIB = 1 << 20


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
        tape: Tape | None = None,
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
        tape : Tape, optional
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
        self._source = source
        self._runs = runs
        self._tape = tape
        names = names_beside(output, file)
        self._software = software_versions()
        self._sockets: Sockets = bind(
            requests=requests, results=results, file=file, wire=prepared.settings.profile.wire
        )
        self.stopping = threading.Event()
        """Set when the daemon is to stop, whoever wants it."""
        self._closing = threading.Event()
        self._board = Board()
        self._threads = Threads(board=self._board, stopping=self.stopping)
        self._ledger = Ledger()
        self._outcomes: Outcomes = queue.Queue(maxsize=256)
        self._keeping = Keeping(
            prepared.settings.profile, output=output, lasting=lasting, board=self._board
        )
        self._frames = self._keeping.frames
        names.know(self._keeping.names)
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
            disk=self._keeping.disk,
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
        self._maker = RunMaker(names, self._retuning, self._board)
        self._relay = Relay(sinks, self._board)
        self._sockets.publisher.relay = self._relay
        self._timings = Timings()
        self._pulse = Pulse(source)
        self._divided = Divided(self._pulse)
        self._inspector = Inspector(
            self._board, settings=lambda: self._retuning.prepared.settings.recipe.quality
        )
        self._shots = ShotReports(
            folder=output, board=self._board, publisher=self._sockets.publisher
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
        self._joiner = Joiner(
            self._feeds, note=self._board.note, record=None if tape is None else tape.put
        )
        self._intake = Intake(
            self._divided,
            frames=self._frames,
            ledger=self._ledger,
            board=self._board,
            make_run=self._maker.new,
            prepare=self._joiner.prepare,
            patient=patient,
        )
        self._workshop = Workshop(
            prepared,
            board=self._board,
            frames=self._frames,
            outcomes=self._outcomes,
            timings=self._timings,
            inspector=self._inspector,
            looks=self._shots.looks,
            retuning=self._retuning,
            leisure=lambda: not self._intake.running,
        )
        self._baton = Baton(tell=lambda words: self._board.say("warning", words))
        self._views = Views(
            Seen(
                pipeline=lambda: self._outlet.pipeline or self._retuning.prepared.pipeline,
                history=self._history,
                windows=partial(kept_windows, self._shelf, self._store),
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
            outlet=self._outlet,
            inspector=self._inspector,
            warmth=self._workshop.warmth,
            baton=self._baton,
            tape=tape,
            disk=self._keeping.disk,
        )
        self._supervisor = Supervisor(
            Notifier(), board=self._board, stages=self._reports.stages, status=self.status
        )
        self._board.listen(self._hear)
        if tape is not None:
            tape.tell(partial(self._board.stand, "recording"))

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
        self._workshop.hire()
        self._source.open()
        self._feeds.open()
        herald = Herald(
            publisher=self._sockets.publisher,
            newest=self._workshop.newest,
            status=self.status,
            unpacks=lambda: self._workshop.warmth.views,
        )
        parts: list[tuple[str, Callable[[], None]]] = [
            ("store", self._store.run),
            ("spool", self._frames.page),
            ("sync", lambda: self._frames.sync(self._closing)),
            ("outlet", self._outlet.run),
            ("collector", self._collect),
            *self._retuning.threads(),
            ("herald", lambda: herald.run(self._closing)),
            ("supervisor", lambda: self._supervisor.run(self._closing)),
            ("control", lambda: self._sockets.control.serve(self._desk(), self._closing)),
            *self._workshop.threads(self.stopping),
            ("intake", lambda: self._intake.run(self.stopping)),
            ("shots", self._shots.run),
        ]
        still_open = self._keeping.take_up(self._intake, self._ledger, self._maker.again)
        if still_open is not None:
            self._divided.go_on(still_open)
        for name, part in parts:
            self._threads.start(name, part)
        self._workshop.wait_until_ready(say, self.stopping)
        self._board.state = "waiting"
        self._supervisor.ready()

    def reload(self) -> None:
        """Read the recipe file again; one that is wrong changes nothing, and people hear why."""
        self._supervisor.reload(self._retuning.reload)

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
        if self._tape is not None:
            self._tape.close()
        self._shots.close()
        self._threads.join("outlet", "shots")
        self._feeds.close()
        self._retuning.stop()
        self._threads.join("tuner", "reworker")
        self._outlet.finish_again()
        self._workshop.warmth.close()
        self._threads.join("compiler")
        self._workshop.close()
        self._store.put(Quit())
        self._threads.join("store")
        self._board.state = "stopped"
        self._sockets.publisher.status(self.status())
        self._closing.set()
        self._threads.join("herald", "control", "sync", "supervisor")
        self._relay.close()
        self._keeping.close(settled=self.failure is None and not self._store.failing)
        self._views.close()
        self._sockets.close(str(self.failure or "stopped"))

    def abandon(self) -> None:
        """Let go of the sockets of a daemon that never started."""
        self._workshop.close()
        self._source.close()
        self._feeds.close()
        self._views.close()
        if self._tape is not None:
            self._tape.close()
        self._relay.close()
        self._sockets.close("not started")

    def status(self) -> Status:
        """Return how the daemon is doing now; the counters add up."""
        return self._reports.status()

    def snapshot(self, role: Role = "controller") -> Snapshot:
        """Return what a viewer needs before it follows the stream."""
        self._shots.tell_again()
        return self._reports.snapshot(role)

    def _desk(self) -> Desk:
        return Desk(
            snapshot=self.snapshot,
            history=self._history,
            mark=lambda text: self._board.say("mark", text),
            pause=self._intake.ask_pause,
            reset=self._collector.ask_reset,
            divide=self._divided.ask,
            shutdown=self.stopping.set,
            tune=self._retuning.ask,
            views=self._views,
            tape=self._tape,
            baton=self._baton,
        )

    def _see(self, run: Run, frame: Frame, sums: Sums) -> None:
        self._views.frame.take(run.name, frame, sums)
        self._retuning.capture.take(run.name, sums)
        self._shots.take(run, frame, sums)

    def _hear(self, event: Event) -> None:
        self._sockets.publisher.event(event)
        self._store.put(event)

    def _collect(self) -> None:
        collect(
            self._collector,
            outcomes=self._outcomes,
            joiner=self._joiner,
            timings=self._timings,
            given_up=lambda: self.failure is not None and not self._threads.alive("intake"),
            after=self._stop_after_runs,
        )

    def _stop_after_runs(self) -> None:
        if self._runs is not None and self._outlet.runs_closed >= self._runs:
            self.stopping.set()
