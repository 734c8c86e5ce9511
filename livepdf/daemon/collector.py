"""Restore the order of the frames, book each once, add them up, cut windows."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from livepdf.daemon.inspector import Inspector
from livepdf.daemon.journal import encode
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.runs import Run
from livepdf.daemon.tickets import Gap, PauseBegins, RunCloses, RunOpens, Stop
from livepdf.daemon.windows import Stretch, WindowCutter
from livepdf.daemon.workers import Outcome
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.marks import NO_MARKS
from livepdf.model.status import Counters
from livepdf.model.sums import Sums

WHOLE_INTERVAL = 1.0
"""s between two curves of the whole run."""
KILLED = "in memory when killed"
"""Why frames are refused that no disk had when the process before was killed."""
CHECKPOINT_INTERVAL = 0.5
"""s between two notes of how far everything is settled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """A run begins."""

    run: Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summed:
    """A window is complete, or the sums of the whole run have grown."""

    run: Run
    stretch: Stretch
    closed: float
    """Monotonic seconds when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refusal:
    """A frame was dropped."""

    run: Run | None
    frame: int
    error: FrameError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Closed:
    """A run is over, all its frames booked."""

    run: Run
    time: float
    reason: str
    counters: Counters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """All frames up to a serial are in the windows before, or in these sums, or refused."""

    run: Run | None
    """The run that is open."""
    serial: int
    number: int
    """Of its next window."""
    cutter: bytes
    """State of its cutter, packed; empty before its first frame."""
    counters: Counters


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""


Settled = Opened | Summed | Refusal | Closed | Checkpoint | Ended
"""What the collector passes on, in the order of the frames."""


class Collector:
    """Takes outcomes in any order, emits what is settled in the order of the tickets."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        emit: Callable[[Settled], None],
        tap: Callable[[Run, Frame, Sums], None] | None = None,
        lost: Callable[[str], int] = lambda _: 0,
        inspector: Inspector | None = None,
    ) -> None:
        """Make it.

        Parameters
        ----------
        tap
            Sees run, frame and sums of every frame that is used, in order.
        lost
            Tells how many frames of a series never arrived, while it is open.
        """
        self._lost = lost
        self._inspector = inspector
        self._ledger = ledger
        self._tap = tap
        self._emit = emit
        self._next = 0
        self._early: list[tuple[int, int, Outcome]] = []
        self._run: Run | None = None
        self._cutter: WindowCutter | None = None
        self._whole_made = -float("inf")
        self._reset = threading.Event()
        self._serial = self._noted = -1
        self._noted_at = -float("inf")
        self._settling = 0
        """The frame that is being booked: a window by time that ends now holds those before it."""
        self.ended = False

    def take(self, outcome: Outcome) -> None:
        """Take one outcome; whatever it makes settled is emitted."""
        heapq.heappush(self._early, (outcome.ticket.number, id(outcome), outcome))
        while self._early and self._early[0][0] <= self._next:
            number, _, first = heapq.heappop(self._early)
            # every worker meets the stop: only the first one counts
            if number == self._next:
                self._next += 1
                self._settle(first)
                self._serial = max(self._serial, first.ticket.serial)
                self.rest(CHECKPOINT_INTERVAL)

    def rest(self, interval: float = 0.0) -> None:
        """Note how far everything is settled, unless that was noted less than an interval ago."""
        now = time.monotonic()
        if self._serial == self._noted or now - self._noted_at < interval:
            return
        self._noted, self._noted_at = self._serial, now
        run, cutter = self._run, self._cutter
        before = run.taken_up.state if run is not None and run.taken_up is not None else None
        state = before if cutter is None else cutter.state
        self._emit(
            Checkpoint(
                run=run,
                serial=self._serial,
                number=0 if state is None else state.number,
                cutter=b"" if state is None else encode(state),
                counters=self._counters_of(run),
            )
        )

    def _counters_of(self, run: Run | None) -> Counters:
        if run is None:
            return Counters()
        return self._ledger.of(run.series, self._lost(run.series))

    def ask_reset(self) -> None:
        """Let the sums of the run start anew with the next frame; any thread may ask."""
        self._reset.set()

    def finish(self) -> None:
        """Emit what there is when nothing more will come, as after a defect."""
        if not self.ended:
            self._emit_windows(self._cutter.cut() if self._cutter else [])
            self._close(time.time(), "stopped")
            self.rest()
            self._emit(Ended())
            self.ended = True

    def _settle(self, outcome: Outcome) -> None:
        item = outcome.ticket.item
        match item:
            case RunOpens():
                self._open(outcome.ticket.run)
            case RunCloses():
                self._close(item.time, item.reason, lost=item.lost)
            case PauseBegins():
                self._emit_windows(self._cutter.cut() if self._cutter else [])
            case Gap() if outcome.ticket.run is not None:
                self._ledger.turn_away(outcome.ticket.run.series, KILLED, item.frames)
            case Stop():
                self.finish()
            case Frame():
                self._book(item, outcome)

    def _book(self, frame: Frame, outcome: Outcome) -> None:
        self._settling = frame.index
        run = outcome.ticket.run
        error = outcome.refusal
        if error is None and run is not self._run:
            error = FrameError("stale series", frame.origin)
        if error is not None or outcome.sums is None or run is None:
            error = error or FrameError("stale series", frame.origin)
            self._ledger.refuse(frame.series, error.reason)
            self._emit(Refusal(run=run, frame=frame.index, error=error))
            return
        cutter = self._cutter_of(run)
        if self._reset.is_set():
            self._reset.clear()
            cutter.reset()
        if self._inspector is not None and self._inspector.judge(run, frame, outcome.sums):
            self._ledger.leave_out(frame.series)
            self._emit_windows(cutter.skip(frame))
            return
        windows = cutter.add(frame, outcome.sums)
        if self._tap is not None:
            self._tap(run, frame, outcome.sums)
        self._ledger.use(frame.series)
        self._emit_windows(windows)
        self._emit_whole(always=False)

    def _open(self, run: Run | None) -> None:
        self._close(time.time(), "next start")
        self._run, self._cutter = run, None
        if run is not None:
            self._emit(Opened(run=run))

    def _close(self, when: float, reason: str, *, lost: int = 0) -> None:
        run = self._run
        if run is None:
            return
        if run.built is not None and run.taken_up is not None:
            self._cutter_of(run)  # what the process before had added up is to be a window
        self._emit_windows(self._cutter.cut() if self._cutter else [])
        self._emit_whole(always=True)
        counters = self._ledger.of(run.series, lost)
        self._emit(Closed(run=run, time=when, reason=reason, counters=counters))
        self._ledger.close(run.series)
        self._run = self._cutter = None

    def _cutter_of(self, run: Run) -> WindowCutter:
        if self._cutter is None:
            pipeline = run.built
            if pipeline is None:
                raise RuntimeError(f"sums of {run.name} without a pipeline")
            self._cutter = WindowCutter(
                pipeline.recipe.window,
                run=run.name,
                revision=pipeline.plan.revision,
                state=None if run.taken_up is None else run.taken_up.state,
            )
        return self._cutter

    def _emit_windows(self, windows: list[Stretch]) -> None:
        for window in windows:
            if self._run is not None:
                marks = NO_MARKS
                if self._inspector is not None and self._cutter is not None:
                    last = self._cutter.last_place(window.span)
                    marks = self._inspector.marks(self._settling - 1 if last is None else last)
                stretch = replace(window, marks=marks)
                self._emit(Summed(run=self._run, stretch=stretch, closed=time.monotonic()))

    def _emit_whole(self, *, always: bool) -> None:
        now = time.monotonic()
        if self._cutter is None or self._run is None:
            return
        if not always and now - self._whole_made < WHOLE_INTERVAL:
            return
        whole = self._cutter.whole()
        if whole is not None:
            self._whole_made = now
            self._emit(Summed(run=self._run, stretch=whole, closed=now))
