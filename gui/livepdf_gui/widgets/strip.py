"""One quantity over time, with its σ band and the places where it is withheld."""

from collections.abc import Callable

import numpy as np

from livepdf_gui.qt import QtCore, QtWidgets, pg
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.theme import Theme
from livepdf_gui.show.trends import HELP, Overlay, Strip
from livepdf_gui.widgets.items import Band, TimeAxis, TimeLines
from livepdf_gui.widgets.map_panel import AXIS_LEFT, AXIS_RIGHT
from livepdf_gui.widgets.paint import label_axis, paint_plot
from livepdf_gui.widgets.panel import ElidedLabel, set_text
from livepdf_gui.widgets.time_box import Ranged, TimeBox

Moved = Callable[["StripPlot | None", float], None]


class StripPlot(QtWidgets.QWidget):
    """A line of words and a plot below it."""

    def __init__(self, *, moved: Moved, clicked: Callable[[float], None], ranged: Ranged) -> None:
        super().__init__()
        self._moved, self._clicked = moved, clicked
        self.strip: Strip | None = None
        self._range: Range | None = None
        self._slow_range: Range | None = None
        self._slow_shown: bool | None = None
        self._follow = True
        self.words = ElidedLabel()
        self.axis = TimeAxis()
        self._box = TimeBox(ranged)
        self.plot = pg.PlotWidget(
            enableMenu=False, viewBox=self._box, axisItems={"bottom": self.axis}
        )
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.words)
        layout.addWidget(self.plot, 1)
        self._furnish()

    def draw(self, strip: Strip, overlay: Overlay | None) -> None:
        """Draw one quantity, and a slow value on the right axis."""
        self.strip = strip
        slow = f"      dashed, right axis: {overlay.name}" if overlay else ""
        shared = f"      each point: {strip.each} windows" if strip.each > 1 else ""
        fit = f"      dotted: fit {strip.fit_newest}" if strip.fit is not None else ""
        set_text(self.words, f"{strip.name}   {strip.newest}{fit}{shared}{slow}")
        self.words.setToolTip(HELP.get(strip.name, ""))
        label_axis(self.plot, "left", strip.unit or "value")
        self.curve.setData(strip.places, strip.value)
        self.band.set_edges(strip.places, strip.low, strip.high)
        self.fitted.setVisible(strip.fit is not None)
        if strip.fit is not None:
            self.fitted.setData(strip.places, strip.fit)
        low, high = strip.y_range
        rug = np.repeat(strip.withheld, 2)
        self.rug.setData(rug, np.tile([low, low + 0.07 * (high - low)], strip.withheld.size))
        if self._follow and self._range != strip.y_range:
            self._range = strip.y_range
            self.plot.setYRange(low, high, padding=0)
        self._draw_slow(overlay)

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._range = True, None

    def paint(self, theme: Theme, colour: str) -> None:
        """Take the colours of the theme."""
        self.plot.setBackground(theme.plot)
        item = self.plot.getPlotItem()
        paint_plot(item, theme)
        self.curve.setPen(pg.mkPen(colour, width=1))
        self.band.set_colour(colour)
        self.rug.setPen(pg.mkPen(theme.faint, width=1))
        slow = pg.mkPen(theme.bad, width=1, style=QtCore.Qt.DashLine)
        self.slow.setPen(slow)
        item.getAxis("right").setTextPen(pg.mkPen(theme.bad))
        self.fitted.setPen(pg.mkPen(theme.select, width=1, style=QtCore.Qt.DotLine))
        self.marks.set_colour(theme.event)
        self.chosen.set_colour(theme.select)
        self.pointer.set_colour(theme.faint)
        self._box.ends.set_colour(theme.select)

    def _furnish(self) -> None:
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.layout.setContentsMargins(0, 5, 0, 0)
        item.setMenuEnabled(False)
        item.showAxis("right")
        left, right = item.getAxis("left"), item.getAxis("right")
        left.setWidth(AXIS_LEFT)
        right.setWidth(AXIS_RIGHT)
        left.enableAutoSIPrefix(False)
        right.enableAutoSIPrefix(False)
        self.band, self.curve = Band(), pg.PlotCurveItem(connect="finite")
        self.rug = pg.PlotCurveItem(connect="pairs")
        self.fitted = pg.PlotCurveItem(connect="finite")
        self.marks, self.chosen = TimeLines(dashed=True), TimeLines(dashed=False)
        self.pointer = TimeLines(dashed=True)
        for drawn in (
            *(self.band, self.curve, self.fitted, self.rug),
            *(self.marks, self.chosen, self.pointer),
        ):
            item.addItem(drawn, ignoreBounds=True)
        self.slow = pg.PlotCurveItem(connect="finite")
        self._slow_box = pg.ViewBox(enableMouse=False, enableMenu=False)
        item.scene().addItem(self._slow_box)
        right.linkToView(self._slow_box)
        self._slow_box.setXLink(item.vb)
        self._slow_box.addItem(self.slow, ignoreBounds=True)
        self._slow_box.disableAutoRange()
        item.vb.disableAutoRange()
        item.vb.sigResized.connect(self._resized)
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        self.plot.scene().sigMouseClicked.connect(self._pressed)

    def _draw_slow(self, overlay: Overlay | None) -> None:
        right = self.plot.getPlotItem().getAxis("right")
        if self._slow_shown != (overlay is not None):
            self._slow_shown = overlay is not None
            self.slow.setVisible(self._slow_shown)
            right.setStyle(showValues=self._slow_shown)
            right.showLabel(self._slow_shown)
        if overlay is None:
            return
        label_axis(self.plot, "right", overlay.unit)
        self.slow.setData(overlay.places, overlay.value)
        if self._slow_range != overlay.y_range:
            self._slow_range = overlay.y_range
            self._slow_box.setYRange(*overlay.y_range, padding=0)

    def _resized(self) -> None:
        self._slow_box.setGeometry(self.plot.getPlotItem().vb.sceneBoundingRect())

    def _zoomed(self) -> None:
        self._follow = False

    def _hovered(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        inside = box.sceneBoundingRect().contains(where)
        self._moved(self if inside else None, box.mapSceneToView(where).x())

    def _pressed(self, event: object) -> None:
        box = self.plot.getPlotItem().vb
        where = event.scenePos()  # type: ignore[attr-defined]
        if box.sceneBoundingRect().contains(where):
            self._clicked(box.mapSceneToView(where).x())
