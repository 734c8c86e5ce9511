"""Runs of single shots, followed as their recipe says: reports to viewers and to a file."""

import threading
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.breakdown import BreakdownFollower
from livepdf.daemon.hit_looks import HitLooks
from livepdf.daemon.publish import Publisher
from livepdf.daemon.pump_probe import LaserFollower
from livepdf.daemon.runs import Run
from livepdf.daemon.serial import SerialFollower
from livepdf.errors import FileError
from livepdf.model.breakdown import BreakdownReport
from livepdf.model.frame import Frame
from livepdf.model.laser import LaserReport
from livepdf.model.serial import SerialReport
from livepdf.model.sums import Sums
from livepdf.sinks.laser_file import write_laser
from livepdf.sinks.shot_file import write_breakdown, write_serial

_FILE_INTERVAL = 10.0
"""s between two files of a run that goes on."""
_AGAIN = 1.0
"""s between two tellings of the same to viewers that came late."""
Follower = LaserFollower | SerialFollower | BreakdownFollower
Report = LaserReport | SerialReport | BreakdownReport


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    run: str
    follower: Follower


class ShotReports:
    """Follows whichever run has [pump_probe], [serial] or [breakdown] in its recipe."""

    def __init__(self, *, folder: Path, board: Board, publisher: Publisher) -> None:
        self._folder = folder
        self._board = board
        self._publisher = publisher
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._followed: list[_Followed] = []
        self._over: list[_Followed] = []
        self._interval = 2.0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._late = threading.Event()
        self._told: dict[int, int] = {}
        self._unsaved: dict[int, Report | None] = {}
        self._last: dict[type, Report] = {}
        self._warned: set[str] = set()
        self.looks = HitLooks()
        """What workers show the images of serial runs to."""

    def take(self, run: Run, frame: Frame, sums: Sums) -> None:
        """See a frame that is used, in order."""
        if run is not self._run:
            self._change(run)
        for one in self._followed:
            if isinstance(one.follower, SerialFollower):
                one.follower.take(frame, sums, self.looks.take(frame))
            else:
                one.follower.take(frame, sums)

    def tell_again(self) -> None:
        """Send the last reports once more, for a viewer that has just come."""
        self._late.set()

    def run(self) -> None:
        """Report now and again until closed, then once more."""
        waited = told = _FILE_INTERVAL
        while not self._stop.is_set():
            step = min(self._interval, _AGAIN)
            self._wake.wait(step)
            self._wake.clear()
            waited, told = waited + step, told + step
            if self._late.is_set():
                self._late.clear()
                self._repeat()
            if told >= self._interval or self._over:
                self._look(save=waited >= _FILE_INTERVAL)
                told, waited = 0.0, 0.0 if waited >= _FILE_INTERVAL else waited
        self._change(None)
        self._look(save=True)

    def close(self) -> None:
        """Report a last time and stop; call it when no frame will come."""
        self._stop.set()
        self._wake.set()

    def _change(self, run: Run | None) -> None:
        with self._lock:
            self._over += self._followed
            self._run, self._followed = run, [] if run is None else _followers(run)
            if run is not None and run.built is not None:
                recipe = run.built.recipe
                told = [recipe.pump_probe, recipe.serial, recipe.breakdown]
                self._interval = min((one.interval for one in told if one is not None), default=2.0)
        self._wake.set()

    def _look(self, *, save: bool) -> None:
        with self._lock:
            over, self._over = self._over, []
            followed = list(self._followed)
        for one in over:
            self._finish(one)
        self._told = {id(one): self._told.get(id(one), -1) for one in followed}
        self._unsaved = {id(one): self._unsaved.get(id(one)) for one in followed}
        for one in followed:
            received = one.follower.received
            if self._told[id(one)] != received or one.follower.busy:
                self._told[id(one)] = received
                report = one.follower.report()
                self._unsaved[id(one)] = report
                self._publish(report)
                self._warn(one.run, report)
            # What was told last is saved as well: perhaps no other shot comes for hours.
            newest = self._unsaved[id(one)]
            if save and newest is not None:
                self._unsaved[id(one)] = None
                self._save(one.run, newest)

    def _finish(self, one: _Followed) -> None:
        report = one.follower.report()
        while one.follower.busy:
            report = one.follower.report()
        self._publish(report)
        self._warn(one.run, report)
        self._save(one.run, report)

    def _publish(self, report: Report) -> None:
        self._last[type(report)] = report
        match report:
            case LaserReport():
                self._publisher.laser(report)
            case SerialReport():
                self._publisher.serial(report)
            case BreakdownReport():
                self._publisher.breakdown(report)

    def _repeat(self) -> None:
        for report in list(self._last.values()):
            self._publish(report)

    def _save(self, name: str, report: Report) -> None:
        try:
            match report:
                case LaserReport():
                    write_laser(self._folder / f"{name}-laser.nxs", report)
                case SerialReport():
                    write_serial(self._folder / f"{name}-serial.nxs", report)
                case BreakdownReport():
                    write_breakdown(self._folder / f"{name}-breakdown.nxs", report)
        except FileError as error:
            self._board.trouble("laser file", str(error))
        else:
            self._board.clear("laser file")

    def _warn(self, name: str, report: Report) -> None:
        for words in report.warnings:
            if f"{name}: {words}" not in self._warned:
                self._warned.add(f"{name}: {words}")
                self._board.say("warning", words)


def _followers(run: Run) -> list[_Followed]:
    if run.built is None:
        return []
    built, found = run.built, list[Follower]()
    if built.recipe.pump_probe is not None:
        found.append(LaserFollower(built.recipe.pump_probe, built, run=run.name))
    if built.recipe.serial is not None:
        found.append(SerialFollower(built.recipe.serial, built, run=run.name))
    if built.recipe.breakdown is not None:
        found.append(BreakdownFollower(built.recipe.breakdown, built, run=run.name))
    return [_Followed(run.name, one) for one in found]
