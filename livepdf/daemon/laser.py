"""Shots with and without a laser, run by run: reports to viewers and to a file."""

import threading
from collections.abc import Callable
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.pump_probe import LaserFollower
from livepdf.daemon.runs import Run
from livepdf.errors import FileError
from livepdf.model.frame import Frame
from livepdf.model.laser import LaserReport
from livepdf.model.sums import Sums
from livepdf.sinks.laser_file import write_laser

_FILE_INTERVAL = 10.0
"""s between two files of a run that goes on."""


class LaserReports:
    """Follows whichever run has a ``[pump_probe]`` in its recipe; idle for all others."""

    def __init__(
        self, *, folder: Path, board: Board, publish: Callable[[LaserReport], None]
    ) -> None:
        self._folder = folder
        self._board = board
        self._publish = publish
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._follower: LaserFollower | None = None
        self._over: list[tuple[str, LaserFollower]] = []
        self._interval = 2.0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._told = (0, 0.0)
        self._warned: set[str] = set()

    def take(self, run: Run, frame: Frame, sums: Sums) -> None:
        """See a frame that is used, in order."""
        if run is not self._run:
            self._change(run)
        if self._follower is not None:
            self._follower.take(frame, sums)

    def run(self) -> None:
        """Report now and again until closed, then once more."""
        waited = _FILE_INTERVAL
        while not self._stop.is_set():
            self._wake.wait(self._interval)
            self._wake.clear()
            waited += self._interval
            self._look(save=waited >= _FILE_INTERVAL)
            waited = 0.0 if waited >= _FILE_INTERVAL else waited
        self._change(None)
        self._look(save=True)

    def close(self) -> None:
        """Report a last time and stop; call it when no frame will come."""
        self._stop.set()
        self._wake.set()

    def _change(self, run: Run | None) -> None:
        settings = None if run is None or run.built is None else run.built.recipe.pump_probe
        with self._lock:
            if self._follower is not None and self._run is not None:
                self._over.append((self._run.name, self._follower))
            self._run, self._follower = run, None
            if run is not None and run.built is not None and settings is not None:
                self._follower = LaserFollower(settings, run.built, run=run.name)
                self._interval = settings.interval
        self._wake.set()

    def _look(self, *, save: bool) -> None:
        with self._lock:
            over, self._over = self._over, []
            run, follower = self._run, self._follower
        for name, done in over:
            report = done.report()
            self._publish(report)
            self._save(name, report)
        if follower is None or run is None or self._told == (id(follower), follower.received):
            return
        self._told = (id(follower), follower.received)
        report = follower.report()
        self._publish(report)
        self._warn(run.name, report)
        if save:
            self._save(run.name, report)

    def _save(self, name: str, report: LaserReport) -> None:
        try:
            write_laser(self._folder / f"{name}-laser.nxs", report)
        except FileError as error:
            self._board.trouble("laser file", str(error))
        else:
            self._board.clear("laser file")

    def _warn(self, name: str, report: LaserReport) -> None:
        for words in report.warnings:
            if f"{name}: {words}" not in self._warned:
                self._warned.add(f"{name}: {words}")
                self._board.say("warning", words)
