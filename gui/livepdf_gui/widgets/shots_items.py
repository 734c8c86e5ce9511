"""Things to draw in plots about shots: stretches that mean something, a legend, notes."""

from collections.abc import Sequence

from livepdf_gui.qt import QtCore, QtGui, pg

_ALPHA = 45
_SAMPLE = 22
"""Pixels of the piece of line in the legend."""
_EDGE = 6


class _Overlay(pg.GraphicsObject):
    """Anything that is placed by the view rather than by data."""

    def boundingRect(self) -> QtCore.QRectF:  # noqa: N802  Qt's name
        """Return all that is in view."""
        return QtCore.QRectF(self.getViewBox().viewRect())

    def viewTransformChanged(self) -> None:  # noqa: N802  Qt's name
        """Follow zoom and pan."""
        self.prepareGeometryChange()

    def _inside(self, painter: QtGui.QPainter) -> QtCore.QRectF:
        """Return the plot in pixels, and have the painter count in them."""
        mapped = painter.transform().mapRect(QtCore.QRectF(self.getViewBox().viewRect()))
        painter.resetTransform()
        return mapped


class Zones(_Overlay):
    """Shaded stretches of the x axis with a word each, from edge to edge of the plot."""

    def __init__(self) -> None:
        super().__init__()
        self._zones: tuple[tuple[float, float, str, str], ...] = ()

    def set_zones(self, zones: tuple[tuple[float, float, str, str], ...]) -> None:
        """Take (low, high, words, colour)."""
        if zones != self._zones:
            self._zones = zones
            self.update()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Fill the stretches, then write their words at the foot."""
        transform = painter.transform()
        painter.save()
        box = self._inside(painter)
        for place, (low, high, words, colour) in enumerate(self._zones):
            left, right = (
                min(max(transform.map(QtCore.QPointF(x, 0.0)).x(), box.left()), box.right())
                for x in (low, high)
            )
            shade = QtGui.QColor(colour)
            painter.setPen(pg.mkPen(shade, width=1))
            shade.setAlpha(_ALPHA)
            painter.setBrush(shade)
            painter.drawRect(QtCore.QRectF(left, box.top(), max(right - left, 1.0), box.height()))
            line = painter.fontMetrics().height()
            foot = box.bottom() - _EDGE - place % 3 * line
            painter.setPen(QtGui.QColor(colour))
            wide = painter.fontMetrics().horizontalAdvance(words)
            at = right + 4 if right + 4 + wide < box.right() else max(left - 4 - wide, box.left())
            painter.drawText(QtCore.QPointF(at, foot), words)
        painter.restore()


class Legend(_Overlay):
    """Names of the curves with a piece of each, in the corner."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[tuple[str, str, bool], ...] = ()
        self._text, self._back = QtGui.QColor("black"), QtGui.QColor("white")

    def set_colours(self, text: str, back: str) -> None:
        """Write in a colour, on a veil of another."""
        self._text, self._back = QtGui.QColor(text), QtGui.QColor(back)
        self._back.setAlpha(200)
        self.update()

    def set_entries(self, entries: Sequence[tuple[str, str, bool]]) -> None:
        """Take (name, colour, dashed) of the curves."""
        if tuple(entries) != self._entries:
            self._entries = tuple(entries)
            self.update()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Write them in one line at the top right."""
        painter.save()
        box = self._inside(painter)
        metrics = painter.fontMetrics()
        line = metrics.height() + 2
        widths = [_SAMPLE + 12 + metrics.horizontalAdvance(name) for name, _, _ in self._entries]
        x, y = box.right() - sum(widths) - _EDGE, box.top() + line
        painter.fillRect(QtCore.QRectF(x - 4, y - line + 3, sum(widths) + 4, line), self._back)
        for (name, colour, dashed), width in zip(self._entries, widths, strict=True):
            style = QtCore.Qt.DashLine if dashed else QtCore.Qt.SolidLine
            painter.setPen(pg.mkPen(colour, width=2, style=style))
            middle = y - metrics.height() * 0.3
            painter.drawLine(QtCore.QPointF(x, middle), QtCore.QPointF(x + _SAMPLE, middle))
            painter.setPen(self._text)
            painter.drawText(QtCore.QPointF(x + _SAMPLE + 4, y), name)
            x += width
        painter.restore()
