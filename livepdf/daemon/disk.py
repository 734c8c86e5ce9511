"""How full the disks are that are written to, and how soon they will be full."""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.model.status import Disk

ROOM = 64 << 20
"""Bytes that stay free: HDF5 must not meet the end of a disk itself."""
_EVERY = 2.0
"""s between two looks."""
_LEAST, _MOST = 20.0, 600.0
"""s over which the pace is taken: writers write in bursts."""


def free_bytes(folder: Path) -> int:
    """Return what may still be written; OSError where there is no such folder."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def require_room(folder: Path, size: int) -> None:
    """Make the folder where it is missing; OSError where the disk has no room for so many bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    free = free_bytes(folder)
    if free < ROOM + size:
        raise OSError(f"only {free >> 20} MiB are free in {folder}")


class Pace:
    """How fast one disk fills, by whoever writes to it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def forecast(self, free: int, now: float) -> Disk:
        """Take what is free at a moment (s of any steady clock) and tell what follows from it."""
        self._seen.append((now, free))
        while now - self._seen[0][0] > _MOST:
            self._seen.popleft()
        then, before = self._seen[0]
        if now - then < _LEAST:
            return Disk(free=free)
        pace = max(0.0, (before - free) / (now - then))
        lasts = max(0, free - ROOM) / pace if pace > 0 else math.inf
        return Disk(free=free, pace=pace, lasts=lasts)


class DiskWatch:
    """Looks at the disks now and then, and says in time when one will be full."""

    def __init__(
        self,
        folders: Sequence[Path],
        board: Board,
        *,
        least_hours: float,
        least_free: int,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Parameters
        ----------
        least_hours : float
            A disk that will be full sooner is said to be short.
        least_free : int
            So is one with fewer bytes free.
        """
        self._paces = {folder: Pace() for folder in folders}
        self._board = board
        self._least_hours = least_hours
        self._least_free = least_free
        self._free = free
        self._clock = clock
        self._looked = -math.inf
        self._short = False
        self.newest: Disk | None = None
        """The disk that will be full first; None before the first look."""

    def look(self) -> None:
        """Look, unless that was just done; takes as long as the disk takes to answer."""
        now = self._clock()
        if now - self._looked < _EVERY:
            return
        self._looked = now
        found = [self._disk(folder, now) for folder in self._paces]
        disks = [disk for disk in found if disk is not None]
        if not disks:
            return  # whatever is written there will complain itself
        worst = min(disks, key=lambda disk: (not disk.short, disk.free))
        self.newest = worst
        self._say(worst)

    def _disk(self, folder: Path, now: float) -> Disk | None:
        try:
            free = self._free(folder)
        except OSError:
            return None
        disk = self._paces[folder].forecast(free, now)
        short = free < self._least_free or disk.lasts < 3600.0 * self._least_hours
        return Disk(folder=str(folder), free=free, pace=disk.pace, lasts=disk.lasts, short=short)

    def _say(self, disk: Disk) -> None:
        if not disk.short:
            self._board.clear("disk")
        else:
            self._board.trouble("disk", words(disk))
            if not self._short:
                self._board.say("warning", words(disk))
        self._short = disk.short


def words(disk: Disk) -> str:
    """Return for people what a disk that is short of room means."""
    text = f"the disk of {disk.folder} has {disk.free / 1e9:.1f} GB left"
    if math.isfinite(disk.lasts):
        hours = disk.lasts / 3600.0
        lasts = f"{hours:.1f} h" if hours >= 1.0 else f"{60.0 * hours:.0f} min"
        text = f"{text}: full in {lasts} at the present {disk.pace / 1e6:.1f} MB/s"
    return f"{text}; make room, or give another output.directory"
