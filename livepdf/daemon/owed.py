"""What is missing on disk of a run that is over: kept in memory until the disk takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.entries import Finish, row_bytes
from livepdf.model.status import Event
from livepdf.sinks.nexus import NexusFile, RunHeader, WindowRow


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
