"""What the tuner works with, and how it finds windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.assemble import Pipeline, Prepared
from livepdf.daemon.board import Board
from livepdf.daemon.capture import Capture
from livepdf.daemon.dark import DarkCapture
from livepdf.daemon.history import History
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.publish import Publisher
from livepdf.daemon.redo import Reworker
from livepdf.daemon.results import Summed
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Store
from livepdf.model.quality import FLAWS

PATIENCE = 10.0
"""s that other threads may take for their part."""


class UnableError(Exception):
    """A request that cannot be carried out now; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What the tuner works with."""

    board: Board
    history: History
    shelf: Shelf
    store: Store
    outlet: Outlet
    publisher: Publisher
    reworker: Reworker
    capture: Capture
    dark: DarkCapture
    folder: Path
    """Of the results."""


class Lookup:
    """Finds windows and marks; raises UnableError in words where there is none."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def after_mark(self, text: str) -> int:
        """Return the first window that begins after the newest mark of that text."""
        marks = [e for e in self._parts.board.events() if e.kind == "mark" and e.text == text]
        if not marks or marks[-1].run != self._parts.history.run:
            raise UnableError(f"there is no mark {text!r:.100} in this run")
        number = self._parts.history.first_after(marks[-1].frame)
        if number < 0:
            raise UnableError(f"no window begins after the mark {text!r:.100}")
        return number

    def since_mark(self, text: str) -> list[Summed]:
        """Return all windows that begin after the newest mark of that text, good ones alone."""
        marks = [e for e in self._parts.board.events() if e.kind == "mark" and e.text == text]
        # Recording may begin while no run does.
        earlier = not marks or marks[-1].run != self._parts.history.run
        first = 0 if earlier else self.after_mark(text)
        numbers = list(range(first, self._parts.board.windows))
        found = [w for w in self.windows(numbers).values() if not FLAWS & set(w.marks.flags)]
        if not found:
            raise UnableError("no whole window without a flaw was recorded")
        return found

    def pipeline(self, prepared: Prepared) -> Pipeline:
        """Return what windows are reduced with now, or will be."""
        pipeline = self._parts.outlet.pipeline or prepared.pipeline
        if pipeline is None:
            raise UnableError("no frame has told the size of the images yet")
        return pipeline

    def window(self, number: int) -> Summed:
        """Return one window; -1 is the newest."""
        if number < 0:
            newest = self._parts.shelf.newest()
            if newest is None:
                raise UnableError("there is no window yet")
            return newest
        found = self.windows([number]).get(number)
        if found is None:
            raise UnableError(f"window {number} is not there")
        return found

    def windows(self, numbers: list[int]) -> dict[int, Summed]:
        """Return those that can be had, from memory or from the file, in order."""
        return kept_windows(self._parts.shelf, self._parts.store, numbers)


def kept_windows(shelf: Shelf, store: Store, numbers: Sequence[int]) -> dict[int, Summed]:
    """Return those that can be had, from memory or from the file, in order."""
    found: dict[int, Summed] = dict(shelf.windows(numbers))
    absent = [number for number in numbers if number not in found]
    if absent:
        found.update(store.recall(absent).result(PATIENCE))
    return {number: found[number] for number in sorted(found)}
