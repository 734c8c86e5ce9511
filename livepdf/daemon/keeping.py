"""What the daemon keeps on disk beside the results, so that it can be killed: spool and logbook."""

import logging
import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from livepdf.config.profile import Profile
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Checkpoint
from livepdf.daemon.disk import DiskWatch
from livepdf.daemon.entries import Parts
from livepdf.daemon.expected import Expected
from livepdf.daemon.intake import Intake
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.logbook import Logbook, Part, Progress
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot, Spool
from livepdf.daemon.take_up import Left, look_back
from livepdf.daemon.tickets import RunCloses, RunOpens
from livepdf.model.frame import RunStart

log = logging.getLogger(__name__)

_MIB = 1 << 20
_FOLDER = ".livepdf-spool"
_IDLE = 60.0
"""s that a run which was taken up waits for its source, where the profile tells none."""
_SHOWN = 10
"""Stretches of frames that are named in a message."""


class Keeping:
    """Makes the queue and all that lies on disk beside the results."""

    def __init__(self, profile: Profile, *, output: Path, lasting: bool, board: Board) -> None:
        """Make it.

        Parameters
        ----------
        lasting : bool
            Whether another process shall go on where this one is killed.
        """
        given = profile.output
        self._profile = profile
        self._output = output
        self._board = board
        self.logbook = self._open_logbook(given.spool or output) if lasting else None
        folder = (
            output / f"{_FOLDER}-of-{os.getpid()}" if self.logbook is None else self.logbook.folder
        )
        self.spool = Spool(
            folder,
            reserve=given.reserve * _MIB,
            budget=profile.limits.spool * _MIB,
        )
        self._left = (
            [] if self.logbook is None else look_back(self.logbook, self.spool, folder=output)
        )
        self.disk = DiskWatch(
            list(dict.fromkeys([output, given.spool or output])),
            board,
            least_hours=given.warn_hours,
            least_free=given.warn_free * _MIB,
        )
        self.frames = FrameQueue(
            limit=profile.limits.queue * _MIB,
            spool=self.spool,
            logbook=self.logbook,
            journal=given.journal and self.logbook is not None,
        )
        self.frames.tell = self._say_disk

    @property
    def names(self) -> tuple[str, ...]:
        """Names of runs that are taken up: no other may have them."""
        return tuple(left.opened.name for left in self._left)

    def take_up(
        self, intake: Intake, ledger: Ledger, make_run: Callable[[Left], Run]
    ) -> RunStart | None:
        """Queue what an earlier process left; before the threads start.

        Returns
        -------
        start : RunStart, optional
            Of the run that is still open.
        """
        still_open = None
        for number, left in enumerate(self._left):
            run = make_run(left)
            run.opened = left.opened.serial
            ledger.open(run.series, before=left.taken_up.counters)
            # Not its own serial: what was settled after the beginning would be open again.
            self.frames.restore(RunOpens(), run, serial=left.serial)
            for serial, what, paused in left.items:
                if isinstance(what, Slot):
                    ledger.receive(run.series)
                self.frames.restore(what, run, serial=serial, paused=paused)
            last = number == len(self._left) - 1
            if last and not left.closed:
                intake.take_up(run, self._expected(run, left))
                still_open = run.start
            elif not left.closed:
                ends = RunCloses(time=left.opened.start.time, reason="next start")
                self.frames.restore(ends, run, serial=left.serial)
            self._tell(left)
        self._left = []
        return still_open

    def settle(self, found: Checkpoint, stem: str, parts: Parts) -> None:
        """Keep that all frames up to a serial are on disk; what held them is deleted."""
        run = found.run
        if self.logbook is not None:
            built = None if run is None else run.built
            before = None if run is None else run.taken_up
            if before is not None and not parts:
                parts = before.parts  # nothing has been added to its files yet
            progress = Progress(
                serial=found.serial,
                opened=-1 if run is None else run.opened,
                number=found.number,
                cutter=found.cutter,
                counters=found.counters,
                shape=None if built is None else built.geometry.shape,
                stem=stem,
                parts=tuple(
                    Part(str(path.relative_to(self._output)), first) for path, first in parts
                ),
            )
            self.logbook.keep(progress)
        self.spool.settle(found.serial)

    def close(self, *, settled: bool) -> None:
        """Let go; where nothing is left to take up, nothing stays on disk."""
        self.spool.close(settled=settled)
        if self.logbook is not None:
            self.logbook.close(settled=settled)

    def _open_logbook(self, where: Path) -> Logbook | None:
        try:
            return _logbook(where)
        except OSError as error:
            text = f"a killed daemon could not go on: {where}: {error.strerror or error}"
            self._board.trouble("logbook", text)
            log.warning("%s", text)
            return None

    def _expected(self, run: Run, left: Left) -> Expected:
        source = self._profile.source
        return Expected(
            run,
            missing=frozenset(left.missing),
            idle=float(getattr(source, "idle_timeout", _IDLE)),
            rereads=getattr(source, "start", "") == "all",
        )

    def _tell(self, left: Left) -> None:
        text = (
            f"{left.opened.name} is taken up again: {left.taken_up.number} windows are in its "
            f"file, {left.frames} frames wait on disk"
        )
        self._board.say("warning", text)
        log.warning("%s", text)
        if left.missing:
            text = (
                f"{len(left.missing)} frames were in memory alone when the daemon was killed: "
                f"{stretches(left.missing)}"
            )
            self._board.say("error", text)
            self._board.trouble("killed", text)
            log.warning("%s", text)

    def _say_disk(self, trouble: str) -> None:
        if trouble:
            journal = "; frames are worked on without a journal" if self.frames.journal else ""
            self._board.trouble("spool", f"frames cannot wait on disk: {trouble}{journal}")
            log.warning("frames cannot wait on disk: %s", trouble)
        else:
            self._board.clear("spool")


def stretches(numbers: Sequence[int]) -> str:
    """Return numbers in words, neighbours together: ``3 to 7, 9``."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    words = [f"{a}" if a == b else f"{a} to {b}" for a, b in found[:_SHOWN]]
    return ", ".join(words) + (" …" if len(found) > _SHOWN else "")


def _logbook(where: Path) -> Logbook:
    """Take the first folder that no other process has."""
    for number in count(1):
        folder = where / (_FOLDER if number == 1 else f"{_FOLDER}-{number}")
        try:
            return Logbook(folder)
        except BlockingIOError:
            continue
    raise AssertionError
