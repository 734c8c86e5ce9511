"""The strip beside a map that tells which colour is which value."""

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.words import level

_BAR = 14


class ColourScale(QtWidgets.QWidget):
    """A colour bar with its unit on top, on as many lines as it has, and three values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.setFixedWidth(width)
        self._image: QtGui.QImage | None = None
        self._levels: Range = (0.0, 1.0)
        self._unit = ""
        self._colour = QtGui.QColor("black")

    def set_colour(self, colour: str) -> None:
        """Write in that colour."""
        self._colour = QtGui.QColor(colour)
        self.update()

    def show_table(self, table: NDArray[np.uint8], levels: Range, unit: str) -> None:
        """Show (256, 4) colours between two values; the first colour means absent."""
        column = np.ascontiguousarray(table[:0:-1, :].reshape(-1, 1, 4))
        shape = (column.shape[1], column.shape[0])
        self._image = QtGui.QImage(column.tobytes(), *shape, 4, QtGui.QImage.Format_RGBA8888).copy()
        self._levels, self._unit = levels, unit
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent | None) -> None:  # noqa: ARG002, N802  Qt's name
        """Draw the bar and its values."""
        if self._image is None:
            return
        painter = QtGui.QPainter(self)
        painter.setPen(self._colour)
        line = self.fontMetrics().height()
        units = self._unit.split("\n")
        top = (len(units) + 1) * line
        bar = QtCore.QRect(2, top, _BAR, max(self.height() - top - 2 * line - 10, 20))
        self._fit(painter, max(units, key=len), self.width() - 1)
        for row, text in enumerate(units, start=1):
            painter.drawText(0, row * line - 2, text)
        painter.setFont(self.font())
        painter.drawImage(bar, self._image)
        painter.drawRect(bar)
        low, high = self._levels
        texts = {share: level(low + share * (high - low)) for share in (0.0, 0.5, 1.0)}
        self._fit(painter, max(texts.values(), key=len), self.width() - bar.right() - 4)
        for share, text in texts.items():
            y = bar.bottom() - share * bar.height()
            painter.drawText(bar.right() + 4, int(y + line / 3), text)
        painter.end()

    def _fit(self, painter: QtGui.QPainter, text: str, room: int) -> None:
        """Write smaller where the longest of the values has no room."""
        wide = painter.fontMetrics().horizontalAdvance(text)
        if wide > room:
            font = painter.font()
            font.setPointSizeF(font.pointSizeF() * room / wide)
            painter.setFont(font)
