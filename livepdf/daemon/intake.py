"""Drain the source and count: nothing else may keep this thread."""

import logging
import threading
import time
from collections.abc import Callable

from livepdf.daemon.board import Board
from livepdf.daemon.expected import Expected
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.runs import Run
from livepdf.daemon.tickets import PauseBegins, RunCloses, RunOpens, Stop
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.sources.source import Source

log = logging.getLogger(__name__)

_POLL = 0.1


class Intake:
    """Polls the source until told to stop, and queues what comes."""

    def __init__(
        self,
        source: Source,
        *,
        frames: FrameQueue,
        ledger: Ledger,
        board: Board,
        make_run: Callable[[RunStart], Run],
        prepare: Callable[[SourceItem], SourceItem] = lambda item: item,
        patient: bool = False,
    ) -> None:
        """Make it.

        Parameters
        ----------
        prepare
            Sees every item first, and may change it.
        patient : bool
            Poll only while the queue has room, for a source that loses nothing by waiting.
        """
        self._source = source
        self._frames = frames
        self._ledger = ledger
        self._board = board
        self._make_run = make_run
        self._prepare = prepare
        self._patient = patient
        self._run: Run | None = None
        self._lost_before = 0
        self._paused = False
        self._refusals: dict[str, float] = {}
        self._expected: Expected | None = None
        """What a run that was taken up still has to hear from its source."""
        self.pause = False
        """What control wants; taken over between two polls."""

    def ask_pause(self, paused: bool) -> None:
        """Stop or go on making windows of what comes; any thread may ask."""
        if paused != self.pause:
            self.pause = paused
            self._board.say("mark", "paused" if paused else "going on")

    def take_up(self, run: Run, expected: Expected) -> None:
        """Go on with a run of an earlier process; before `run`."""
        self._run, self._lost_before = run, self._source.lost()
        self._expected = expected

    def lost(self, series: str) -> int:
        """Return how many frames of a series never arrived, 0 where it is not open."""
        run = self._run
        if run is None or run.series != series:
            return 0
        return self._source.lost() - self._lost_before

    @property
    def running(self) -> bool:
        """Whether a run is open."""
        return self._run is not None

    def run(self, stop: threading.Event) -> None:
        """Poll until the stop; then close the source, the run and the queue."""
        try:
            while not stop.is_set():
                self._take_over_pause()
                if self._patient and not self._frames.wait_for_room(_POLL):
                    continue
                for item in self._source.poll(_POLL):
                    self._take(self._prepare(item))
                if self._expected is not None and self._expected.overdue:
                    self._close_run(time.time(), "idle")
        finally:
            self._source.close()
            self._close_run(time.time(), "stopped")
            self._frames.put(Stop())

    def _take(self, item: SourceItem) -> None:
        match item:
            case Frame():
                self._take_frame(item)
            case FrameRefused():
                self._ledger.turn_away(item.series, item.reason)
                self._say_refused(item.reason, item.detail)
            case RunStart():
                if self._expected is None or not self._expected.goes_on(item):
                    self._close_run(item.time, "next start")
                    self._open_run(item)
            case RunEnd():
                if self._run is not None and self._run.series == item.series:
                    self._close_run(item.time, item.reason)

    def _take_frame(self, frame: Frame) -> None:
        run = self._run
        self._ledger.receive(frame.series)
        self._board.newest, self._board.newest_frame = frame.received, frame.index
        if run is None or run.series != frame.series:
            self._refuse(frame, FrameError("stale series", frame.origin))
            return
        try:
            if self._expected is not None:
                self._look_for_gap(self._expected, frame)
            self._frames.put_frame(frame, run, paused=self._paused)
        except FrameError as error:
            self._refuse(frame, error)

    def _look_for_gap(self, expected: Expected, frame: Frame) -> None:
        gap = expected.gap(frame)
        if gap:
            self._ledger.lose(frame.series, len(gap))
            text = f"frames {gap.start} to {gap.stop - 1} came while the daemon was down: lost"
            log.warning("%s", text)
            self._board.say("warning", text)

    def _refuse(self, frame: Frame, error: FrameError) -> None:
        self._ledger.refuse(frame.series, error.reason)
        self._say_refused(error.reason, error.detail)

    def _open_run(self, start: RunStart) -> None:
        self._run = self._make_run(start)
        self._lost_before = self._source.lost()
        self._ledger.open(start.series)
        self._frames.put(RunOpens(), self._run)

    def _close_run(self, when: float, reason: str) -> None:
        if self._run is not None:
            lost = self._source.lost() - self._lost_before
            self._frames.put(RunCloses(time=when, reason=reason, lost=lost), self._run)
            self._run = self._expected = None

    def _take_over_pause(self) -> None:
        if self.pause != self._paused:
            self._paused = self.pause
            if self._paused:
                self._frames.put(PauseBegins())

    def _say_refused(self, reason: str, detail: str) -> None:
        self._board.note(f"refused {reason}", f"refused: {reason} ({detail:.200})")
        now = time.monotonic()
        if now - self._refusals.get(reason, -5.0) >= 5.0:
            self._refusals[reason] = now
            log.warning("refused: %s (%.200s)", reason, detail)
