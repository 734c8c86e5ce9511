"""What is missing on disk of runs that are over: kept in memory until the disk takes it."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.entries import Finish, row_bytes
from livepdf.daemon.places import folder_with_room
from livepdf.model.status import Event
from livepdf.sinks.nexus import NexusFile, RunHeader, WindowRow

log = logging.getLogger(__name__)

RETRY = 5.0
"""s between two attempts at a disk that refused."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Owed:
    """The last windows of a run, and all that its file says beside them."""

    header: RunHeader
    part: int
    """Number of the file that they go to."""
    rows: Sequence[WindowRow]
    whole: WindowRow | None
    events: Sequence[Event]
    finish: Finish | None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(map(row_bytes, self.rows))

    def write(self, directory: Path) -> Path:
        """Write it to a file of its own, a further part of the run; return its path.

        Raises
        ------
        OSError, RuntimeError, ValueError
            When the disk does not take it.
        """
        numbers = [row.result.span.number for row in self.rows]
        first = min(numbers, default=self.header.first)
        path = self._free(directory)
        file = NexusFile(path, self.header, first=first)
        try:
            file.add(self.rows)
            for event in self.events:
                file.event(event)
            if self.whole is not None:
                file.whole(self.whole)
            if self.finish is not None:
                file.counters(self.finish.counters)
                file.findings(self.finish.findings)
            file.close(end=None if self.finish is None else self.finish.time)
        except (OSError, RuntimeError, ValueError):
            file.abandon()
            raise
        return path

    def _free(self, directory: Path) -> Path:
        """Return a name that no file has: an attempt that failed may have left one."""
        number = self.part
        while True:
            suffix = "" if number == 1 else f"-part{number}"
            path = directory / f"{self.header.stem}{suffix}.nxs"
            if not path.exists():
                return path
            number += 1


class Debts:
    """What is owed to the disk, oldest first; within a budget."""

    def __init__(self, directory: Path, board: Board, *, budget: int) -> None:
        """Make it; ``budget`` are bytes."""
        self._directory = directory
        self._board = board
        self._budget = budget
        self._owed: list[Owed] = []
        self._retry_at = 0.0

    def __len__(self) -> int:
        return len(self._owed)

    def add(self, owed: Owed) -> None:
        """Keep what a run that is over could not bring to disk; drop the oldest where too much."""
        log.warning("run %s ends with %d windows unsaved", owed.header.run, len(owed.rows))
        self._owed.append(owed)
        while len(self._owed) > 1 and sum(owed.size for owed in self._owed) > self._budget:
            self._drop(self._owed.pop(0))
        self._retry_at = time.monotonic() + RETRY

    def pay(self, *, last: bool = False) -> Path | None:
        """Bring the oldest to disk when it is time for an attempt; return its file.

        Parameters
        ----------
        last : bool
            Try now; what the disk does not take is dropped, loudly.

        Raises
        ------
        OSError, RuntimeError, ValueError
            When the disk still refuses.
        """
        if not self._owed or not (last or time.monotonic() >= self._retry_at):
            return None
        owed = self._owed[0]
        try:
            folder = folder_with_room(self._directory, owed.header.below, 2 * owed.size)
            path = owed.write(folder)
        except (OSError, RuntimeError, ValueError):
            self._retry_at = time.monotonic() + RETRY
            if last:
                self._drop(self._owed.pop(0))
            raise
        self._owed.pop(0)
        self._board.say("warning", f"the rest of {owed.header.run} is saved at last")
        return path

    def _drop(self, owed: Owed) -> None:
        text = f"{len(owed.rows)} windows of {owed.header.run} could not be saved"
        log.warning("%s", text)
        self._board.trouble(f"store {owed.header.run}", text)
