"""Things to draw in plots: the σ band, lines on the time axis, and that axis itself."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.qt import QtCore, QtGui, pg
from livepdf_gui.show.timescale import Scale

_ALPHA = 90
_LONGEST = 28
"""Letters of a mark that are written; the rest appears under the cursor."""
_LOW = 160
"""Pixels of a plot below which a second line of words would lie on the curve."""
_PIECE = 100
"""Points per polygon: Qt fills many small polygons four times faster than one long one."""


class Band(pg.GraphicsObject):
    """The ±1σ band of a curve; NaN leaves a gap."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[QtGui.QPolygonF] = []
        self._bounds = QtCore.QRectF()
        self._brush = QtGui.QBrush()

    def set_colour(self, colour: str) -> None:
        """Take the colour of the curve, lighter."""
        shade = QtGui.QColor(colour)
        shade.setAlpha(_ALPHA)
        self._brush = QtGui.QBrush(shade)
        self.update()

    def set_data(
        self, x: NDArray[np.floating], y: NDArray[np.floating], sigma: NDArray[np.floating]
    ) -> None:
        """Draw y − σ to y + σ."""
        self.set_edges(x, y - sigma, y + sigma)

    def set_edges(
        self, x: NDArray[np.floating], low: NDArray[np.floating], high: NDArray[np.floating]
    ) -> None:
        """Draw from one curve to another."""
        finite = np.isfinite(low) & np.isfinite(high)
        pieces = []
        edges = np.flatnonzero(np.diff(np.concatenate([[0], finite.astype(np.int8), [0]])))
        for first, last in edges.reshape(-1, 2):
            for start in range(first, max(last - 1, first + 1), _PIECE):
                part = slice(start, min(start + _PIECE + 1, last))
                around = np.concatenate([x[part], x[part][::-1]])
                bounds = np.concatenate([low[part], high[part][::-1]])
                pieces.append(pg.functions.arrayToQPolygonF(around, bounds))
        self.prepareGeometryChange()
        self._pieces = pieces
        self._bounds = QtCore.QRectF()
        if finite.any():
            left, right = float(x[finite][0]), float(x[finite][-1])
            bottom, top = float(low[finite].min()), float(high[finite].max())
            self._bounds = QtCore.QRectF(left, bottom, right - left, top - bottom)

    def boundingRect(self) -> QtCore.QRectF:  # noqa: N802  Qt's name
        """Return the rectangle that holds the band."""
        return self._bounds

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Fill the band."""
        painter.setPen(QtCore.Qt.NoPen)
        painter.setBrush(self._brush)
        for piece in self._pieces:
            painter.drawPolygon(piece)


class TimeLines(pg.GraphicsObject):
    """Vertical lines at moments, all in one item: one item each would slow every repaint."""

    def __init__(self, *, dashed: bool) -> None:
        super().__init__()
        self._places: tuple[float, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._pen = pg.mkPen("k")
        self._words = QtGui.QColor("black")
        self._ground = QtGui.QColor(0, 0, 0, 0)
        self._style = QtCore.Qt.DashLine if dashed else QtCore.Qt.SolidLine

    def set_colour(self, colour: str, ground: str = "", words: str = "") -> None:
        """Draw in that colour; on a map, words have a ground and a colour of their own."""
        self._pen = pg.mkPen(colour, width=1, style=self._style)
        self._words = QtGui.QColor(words or colour)
        self._ground = QtGui.QColor(ground) if ground else QtGui.QColor(0, 0, 0, 0)
        self.update()

    def set_places(self, places: tuple[float, ...], texts: tuple[str, ...] = ()) -> None:
        """Move the lines; texts are written beside them where there is room."""
        if (places, texts) != (self._places, self._texts):
            self._places, self._texts = places, texts
            self.update()

    def boundingRect(self) -> QtCore.QRectF:  # noqa: N802  Qt's name
        """Return all that is in view."""
        return QtCore.QRectF(self.getViewBox().viewRect())

    def viewTransformChanged(self) -> None:  # noqa: N802  Qt's name
        """Follow zoom and pan."""
        self.prepareGeometryChange()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Draw the lines from edge to edge."""
        view = self.getViewBox().viewRect()
        painter.setPen(self._pen)
        for place in self._places:
            if view.left() <= place <= view.right():
                painter.drawLine(
                    QtCore.QPointF(place, view.top()), QtCore.QPointF(place, view.bottom())
                )
        if self._texts:
            marks = list(zip(self._places, self._texts, strict=True))
            write_above(self, painter, marks, self._words, ground=self._ground)


class Marks(pg.GraphicsObject):
    """Short ticks at the top of a plot with a word each, where there is room for it."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: tuple[tuple[float, str], ...] = ()
        self._colour = QtGui.QColor("black")

    def set_colour(self, colour: str) -> None:
        """Draw in that colour."""
        self._colour = QtGui.QColor(colour)
        self.update()

    def set_marks(self, marks: tuple[tuple[float, str], ...]) -> None:
        """Take other places and words."""
        if marks != self._marks:
            self._marks = marks
            self.update()

    def boundingRect(self) -> QtCore.QRectF:  # noqa: N802  Qt's name
        """Return all that is in view."""
        return QtCore.QRectF(self.getViewBox().viewRect())

    def viewTransformChanged(self) -> None:  # noqa: N802  Qt's name
        """Follow zoom and pan."""
        self.prepareGeometryChange()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Draw ticks, then words."""
        view = self.getViewBox().viewRect()
        painter.setPen(pg.mkPen(self._colour, width=1))
        low = view.bottom() - 0.05 * view.height()
        for place, _words in self._marks:
            if view.left() <= place <= view.right():
                painter.drawLine(QtCore.QPointF(place, view.bottom()), QtCore.QPointF(place, low))
        lines = 2 if self.getViewBox().height() >= _LOW else 1
        write_above(self, painter, self._marks, self._colour, below=0.055, lines=lines)


def write_above(
    item: pg.GraphicsObject,
    painter: QtGui.QPainter,
    marks: Sequence[tuple[float, str]],
    colour: QtGui.QColor,
    *,
    below: float = 0.0,
    ground: QtGui.QColor | None = None,
    lines: int = 2,
) -> None:
    """Write words near the top of a plot, each beside its place, none over another.

    Parameters
    ----------
    below
        Share of the height that is left free above them.
    ground
        Colour behind each; None leaves what is there.
    lines
        How many there may be above each other.
    """
    view, transform = item.getViewBox().viewRect(), painter.transform()
    painter.save()
    painter.resetTransform()
    painter.setPen(colour)
    metrics = painter.fontMetrics()
    taken = [-1e9] * lines
    top = view.bottom() - below * view.height()
    edge = transform.map(QtCore.QPointF(view.right(), top)).x()
    for place, words in sorted(marks):
        if not words or not view.left() <= place <= view.right():
            continue
        at = transform.map(QtCore.QPointF(place, top))
        for line, end in enumerate(taken):
            if at.x() > end:
                shown = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
                shown = metrics.elidedText(shown, QtCore.Qt.ElideRight, int(edge - at.x()) - 3)
                y = at.y() + (line + 1) * metrics.height() - metrics.descent()
                if ground is not None:
                    box = metrics.boundingRect(shown).translated(int(at.x()) + 3, int(y))
                    painter.fillRect(box.adjusted(-1, 0, 2, 0), ground)
                painter.drawText(QtCore.QPointF(at.x() + 3, y), shown)
                taken[line] = at.x() + 9 + metrics.horizontalAdvance(shown)
                break
    painter.restore()


class ZeroAxis(pg.AxisItem):
    """An axis about zero for low plots: zero, and one round number on either side."""

    def tickValues(  # noqa: N802  pyqtgraph's name
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, list[float]]]:
        """Return these, or pyqtgraph's own where zero is out of view."""
        most = 0.75 * max(-minVal, maxVal)
        if not minVal < 0.0 < maxVal:
            return list(super().tickValues(minVal, maxVal, size))
        unit = 10.0 ** math.floor(math.log10(most))
        step = unit * max(n for n in (1, 2, 3, 4, 5, 8) if n * unit <= most)
        return [(step, [value for value in (-step, 0.0, step) if minVal < value < maxVal])]


class TimeAxis(pg.AxisItem):
    """An axis that counts windows and tells the time."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self._scale: Scale | None = None
        self._ticks: list[tuple[float, str]] = []
        self._unit = ""

    def set_scale(self, scale: Scale) -> None:
        """Take other ticks; repaint only where one really moves."""
        self._scale = scale
        if not self._same(self._wanted(*self.range)):
            self.picture = None
            self.update()

    def show_times(self, shown: bool, label: str) -> None:
        """Write the ticks' texts and what they tell, or draw bare ticks."""
        wanted = label if shown else "bare"
        if wanted == self._unit:
            return
        self._unit = wanted
        self.setStyle(showValues=shown)
        self.setLabel(label if shown else None)
        self.showLabel(shown)
        self.setHeight(40 if shown else 8)

    def tickValues(  # noqa: N802  pyqtgraph's name
        self,
        minVal: float,
        maxVal: float,
        size: float,  # noqa: ARG002
    ) -> list[tuple[float, list[float]]]:
        """Return places of round times."""
        self._ticks = self._wanted(minVal, maxVal)
        return [(1.0, [place for place, _ in self._ticks])]

    def tickStrings(  # noqa: N802  pyqtgraph's name
        self,
        values: list[float],
        scale: float,  # noqa: ARG002
        spacing: float,  # noqa: ARG002
    ) -> list[str]:
        """Return the times at those places."""
        texts = dict(self._ticks)
        return [texts.get(value, "") for value in values]

    def _wanted(self, low: float, high: float) -> list[tuple[float, str]]:
        if self._scale is None:
            return []
        return self._scale.ticks(low, high, max(int(self.width() / 90), 2))

    def _same(self, wanted: list[tuple[float, str]]) -> bool:
        half_pixel = 0.5 * (self.range[1] - self.range[0]) / max(self.width(), 1.0)
        return len(wanted) == len(self._ticks) and all(
            new[1] == old[1] and abs(new[0] - old[0]) < half_pixel
            for new, old in zip(wanted, self._ticks, strict=True)
        )
