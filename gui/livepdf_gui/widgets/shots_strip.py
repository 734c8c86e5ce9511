"""The strip above a page of shots: where every shot ended, and what is watched."""

from livepdf_gui.qt import QtWidgets
from livepdf_gui.show.headline import Item
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.header import Cell, Lamp
from livepdf_gui.widgets.panel import Framed

_MOST_CELLS, _MOST_LAMPS = 8, 6


class ShotsStrip(Framed):
    """Counts in one row; below them lamps, each with its words."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = [Cell(13.0) for _ in range(_MOST_CELLS)]
        self.lamps = [Lamp() for _ in range(_MOST_LAMPS)]
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 3, 10, 4)
        layout.setSpacing(2)
        counts, lamps = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        counts.setSpacing(14)
        lamps.setSpacing(16)
        for cell in self.cells:
            counts.addWidget(cell, 3)
        for lamp in self.lamps:
            lamps.addWidget(lamp)
        lamps.addStretch(1)
        layout.addLayout(counts)
        layout.addLayout(lamps)

    def draw(self, counts: tuple[Item, ...], lamps: tuple[Item, ...], theme: Theme) -> None:
        """Write all items."""
        empty = Item(label="", text="")
        for place, cell in enumerate(self.cells):
            cell.setVisible(place < len(counts))
            cell.show_item(counts[place] if place < len(counts) else empty, theme)
        for place, lamp in enumerate(self.lamps):
            lamp.show_item(lamps[place] if place < len(lamps) else None, theme)
