"""One curve with its σ band."""

import numpy as np

from livepdf.model.curve import AXIS, Curve
from livepdf_gui.qt import QtCore, pg
from livepdf_gui.show.choice import MapKind
from livepdf_gui.show.curves import CurveView, readout
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.items import Band
from livepdf_gui.widgets.paint import paint_plot
from livepdf_gui.widgets.panel import Panel


class CurvePanel(Panel):
    """The newest or the selected curve of one kind."""

    def __init__(self, kind: MapKind, title: str) -> None:
        self.plot = pg.PlotWidget()
        super().__init__(title, self.plot)
        self._view: CurveView | None = None
        self._ranges: tuple[Range, Range] | None = None
        self._follow = True
        item = self.plot.getPlotItem()
        item.hideButtons()
        # room for half of the last number of each axis
        item.layout.setContentsMargins(0, 6, 16, 0)
        item.setMenuEnabled(False)
        item.setLabel("bottom", AXIS[kind][0])
        item.setLabel("left", AXIS[kind][1].replace(" per ", "/"))
        item.getAxis("left").setWidth(70)
        item.getAxis("left").enableAutoSIPrefix(False)
        self.band = Band()
        self.curve = pg.PlotCurveItem(connect="finite")
        self.draft = pg.PlotCurveItem(connect="finite")
        self.zero = pg.InfiniteLine(0.0, angle=0)
        for drawn in (self.zero, self.band, self.curve, self.draft):
            item.addItem(drawn, ignoreBounds=True)
        self.zero.setVisible(kind == "gr")
        item.vb.disableAutoRange()
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._moved)

    def draw(self, view: CurveView) -> None:
        """Draw the curve, its band and its words."""
        if self._view is None or self._view.kind != view.kind:
            self.plot.getPlotItem().setLabel("left", AXIS[view.kind][1].replace(" per ", "/"))
            self._ranges = None
        self._view = view
        self.set_title(view.title, view.lesson)
        self.set_over(view.over)
        self.set_aside(view.sigma_words)
        self.say_empty(view.empty)
        if view.empty:
            return
        self.curve.setData(view.x, np.asarray(view.y, dtype=np.float64))
        self.band.set_data(view.x, view.y, view.sigma)
        if self._follow and self._ranges != (view.x_range, view.y_range):
            self._ranges = (view.x_range, view.y_range)
            self.plot.setRange(xRange=view.x_range, yRange=view.y_range, padding=0)

    def draw_draft(self, curve: Curve | None) -> None:
        """Draw the same by a draft of the recipe on top, or nothing."""
        shown = curve is not None and self._view is not None and self._view.kind == curve.kind
        self.draft.setVisible(shown)
        if curve is not None and shown:
            self.draft.setData(curve.x, curve.y)

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges = True, None

    def paint(self, theme: Theme, colour: str) -> None:
        """Take the colours of the theme."""
        self.plot.setBackground(theme.plot)
        paint_plot(self.plot.getPlotItem(), theme)
        self.curve.setPen(pg.mkPen(colour, width=1))
        self.band.set_colour(colour)
        self.draft.setPen(pg.mkPen(theme.select, width=1))
        self.zero.setPen(pg.mkPen(theme.grid, width=1))

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        if self._view is None or not box.sceneBoundingRect().contains(where):
            self.set_reading("")
            return
        self.set_reading(readout(self._view, box.mapSceneToView(where).x()))
