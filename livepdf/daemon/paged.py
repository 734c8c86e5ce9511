"""Tickets whose images lie on disk, in a few bytes each: a million of them fit in memory."""

from array import array
from collections.abc import Iterator

from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot

_COLUMNS = 5


class Paged:
    """Frames of one run that follow one another, first in, first out."""

    def __init__(self, run: Run, *, paused: bool) -> None:
        self.run = run
        self.paused = paused
        self._rows = array("q")
        self._next = 0

    def __len__(self) -> int:
        return len(self._rows) // _COLUMNS - self._next

    def __iter__(self) -> Iterator[Slot]:
        for row in range(self._next, len(self._rows) // _COLUMNS):
            yield self._row(row)[2]

    def takes(self, run: Run, *, paused: bool) -> bool:
        """Whether a frame of that kind may be added."""
        return run is self.run and paused == self.paused

    def add(self, number: int, serial: int, slot: Slot) -> None:
        """Append a frame."""
        self._rows.extend((number, serial, slot.segment, slot.offset, slot.length))

    def pop(self) -> tuple[int, int, Slot]:
        """Return number, serial and slot of the first frame, which is taken away."""
        self._next += 1
        return self._row(self._next - 1)

    def _row(self, row: int) -> tuple[int, int, Slot]:
        number, serial, *slot = self._rows[row * _COLUMNS : (row + 1) * _COLUMNS]
        return number, serial, Slot(*slot)
