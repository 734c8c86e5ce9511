"""What the daemon answers when asked how it is doing: the status line and the snapshot."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from livepdf.daemon.baton import Baton
from livepdf.daemon.board import Board
from livepdf.daemon.disk import DiskWatch
from livepdf.daemon.herald import Rate, status_problems
from livepdf.daemon.history import History
from livepdf.daemon.inspector import Inspector
from livepdf.daemon.intake import Intake
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.pulse import Pulse
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.relay import Relay
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.sockets import Sockets
from livepdf.daemon.tape import Tape
from livepdf.daemon.warmth import Warmth
from livepdf.daemon.watchdog import Stage
from livepdf.model.status import State, Status
from livepdf.sources.slow_beside import SlowGiver
from livepdf.sources.source import Source
from livepdf.wire.messages import VERSION, Role, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reports:
    """Puts together what the parts of the daemon know; any thread may ask."""

    source: Source
    board: Board
    ledger: Ledger
    frames: FrameQueue
    intake: Intake
    history: History
    feeds: SlowGiver
    retuning: Retuning
    sockets: Sockets
    stopping: threading.Event
    software: Mapping[str, str]
    rate: Rate
    inspector: Inspector
    relay: Relay
    pulse: Pulse
    outlet: Outlet
    warmth: Warmth
    baton: Baton
    tape: Tape | None
    disk: DiskWatch

    def status(self) -> Status:
        """Return how the daemon is doing now; the counters add up."""
        board, lost = self.board, self.source.lost()
        counters = self.ledger.total(lost)
        # A source that was closed on purpose is no trouble.
        source_state = "closed" if self.stopping.is_set() else self.source.state()
        return Status(
            state=self._state(),
            time=time.time(),
            counters=counters,
            run=board.run,
            source=self.source.description,
            source_state=source_state,
            rate=self.rate.of(counters.received, time.monotonic()),
            lag=board.lag,
            newest=board.newest,
            queue_bytes=self.frames.waiting_bytes,
            queue_limit=self.frames.limit,
            windows=board.windows,
            revision=board.revision,
            redo=self.retuning.redo,
            output=board.output,
            disk=self.disk.newest,
            problems=status_problems(
                source_state=source_state,
                spooled=self.frames.spooled_bytes,
                lost=lost,
                standing=(*board.problems(), *self.feeds.problems()),
            ),
            feeds=self.feeds.status(),
            quality=self.inspector.lamps(),
            sinks=self.relay.dropped(),
            clients=self.sockets.door.peers("results"),
            turned_away=self.sockets.door.turned_away(),
            preparing=self.warmth.progress,
            control=self.baton.holder(),
            owed=self.outlet.owed,
            costs=self.outlet.costs.medians(),
            recording="" if self.tape is None else self.tape.name,
        )

    def stages(self) -> Mapping[str, Stage]:
        """Return what each stage has done, and whether it has something to do.

        The store is not among them: what a disk does not take waits in memory, and another start
        of the daemon would not make the disk quicker.
        """
        counters = self.ledger.total()
        settled = counters.used + counters.left_out + sum(counters.refused.values())
        up, over = self.board.state == "waiting", self.stopping.is_set()
        publisher = self.sockets.publisher
        return {
            "source": Stage(self.pulse.beats, up and not over and not counters.waiting),
            "frames": Stage(settled, up and counters.waiting > 0),
            "results": Stage(publisher.results, up and self.outlet.busy),
            "herald": Stage(publisher.statuses, up),
            "control": Stage(self.sockets.control.beats, up),
        }

    def snapshot(self, role: Role) -> Snapshot:
        """Return what a viewer needs before it follows the stream."""
        # The order counts: a window that comes in between is in both, never in neither.
        sequence = self.sockets.publisher.sequence
        settings, pipeline = self.retuning.prepared.settings, self.retuning.prepared.pipeline
        status = self.status()
        first, last = self.history.ends()
        masked = float("nan") if pipeline is None else float(pipeline.ignored.mean())
        return Snapshot(
            version=VERSION,
            sequence=sequence,
            results=self.sockets.publisher.address,
            software=f"livepdf {self.software['livepdf']}",
            status=replace(status, run=self.history.run),
            events=self.board.events(),
            first_window=first,
            last_window=last,
            profile=settings.profile.instrument.name,
            sample=settings.recipe.sample.name or settings.recipe.sample.composition,
            composition=settings.recipe.sample.composition,
            masked=masked,
            role=role,
        )

    def _state(self) -> State:
        if self.board.state != "waiting":
            return self.board.state
        if self.stopping.is_set():
            return "draining"
        if self.intake.pause:
            return "paused"
        return "running" if self.intake.running else "waiting"
