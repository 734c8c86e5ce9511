"""The inside of a plot over time, where a drag with Shift marks windows to show as one."""

from collections.abc import Callable
from typing import Any

from livepdf_gui.qt import QtCore, pg
from livepdf_gui.widgets.items import TimeLines

Ranged = Callable[[float, float], None]


class TimeBox(pg.ViewBox):
    """A view box that tells the two ends of a drag with Shift."""

    def __init__(self, ranged: Ranged) -> None:
        super().__init__(enableMenu=False)
        self._ranged = ranged
        self.ends = TimeLines(dashed=False)
        self.addItem(self.ends, ignoreBounds=True)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:  # noqa: N802  its name
        """Mark with Shift, else move as any plot does."""
        shift = bool(ev.modifiers() & QtCore.Qt.ShiftModifier)
        if not shift or ev.button() != QtCore.Qt.LeftButton:
            super().mouseDragEvent(ev, axis)
            return
        ev.accept()
        ends = [self.mapToView(where).x() for where in (ev.buttonDownPos(), ev.pos())]
        low, high = min(ends), max(ends)
        if ev.isFinish():
            self.ends.set_places(())
            self._ranged(low, high)
        else:
            self.ends.set_places((low, high))
