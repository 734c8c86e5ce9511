"""One curve with its σ band, what it is compared with, and the difference below."""

import numpy as np

from livepdf.model.curve import AXIS, Curve, CurveKind
from livepdf_gui.qt import QtCore, QtWidgets, pg
from livepdf_gui.show.curves import CurveView, readout
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.items import Band, Marks, ZeroAxis
from livepdf_gui.widgets.paint import label_axis, paint_plot
from livepdf_gui.widgets.panel import ElidedLabel, Panel, set_text

_MOST_COMPARED = 4
_COMPARED = (
    "Files and structures are scaled to the curve, windows are not. Pearson's correlation is 1 for "
    "the same shape. The band of the difference holds the noise of both."
)
_AXIS = 70
"""Pixels of the axis on the left; the same above and below."""
_LOW, _LOW_OF_I = 56, 74
"""Pixels that the difference needs for the name of its axis."""


class CurvePanel(Panel):
    """The newest or the selected curve of one kind."""

    def __init__(self, kind: CurveKind, title: str) -> None:
        self.plot = pg.PlotWidget(enableMenu=False)
        self.below = pg.PlotWidget(enableMenu=False, axisItems={"left": ZeroAxis("left")})
        body = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.plot, 3)
        self.words = ElidedLabel()
        rows.addWidget(self.words)
        rows.addWidget(self.below, 1)
        super().__init__(title, body)
        self._view: CurveView | None = None
        self._ranges: tuple[Range, Range] | None = None
        self._named: tuple[str, ...] = ()
        self._below_range: Range | None = None
        self._follow = True
        self._furnish_below()
        self._furnish(kind)
        self.plot.scene().sigMouseMoved.connect(self._moved)

    def draw(self, view: CurveView) -> None:
        """Draw the curve, its band and its words."""
        if self._view is None or self._view.kind != view.kind:
            self._name_axes(view.kind)
            self._ranges = None
        self._view = view
        compared = view.compared[-_MOST_COMPARED:]
        self.set_title(view.title, view.lesson)
        self.set_over(view.over)
        self.set_aside(view.sigma_words)
        self.say_empty(view.empty)
        if view.empty:
            return
        self.curve.setData(view.x, np.asarray(view.y, dtype=np.float64))
        self.band.set_data(view.x, view.y, view.sigma)
        self.marks.set_marks(view.markers)
        for place, item in enumerate(self.compared):
            item.setVisible(place < len(compared))
            if place < len(compared):
                item.setData(compared[place].x, compared[place].y)
        if self._follow and self._ranges != (view.x_range, view.y_range):
            self._ranges = (view.x_range, view.y_range)
            self.plot.setRange(xRange=view.x_range, yRange=view.y_range, padding=0)
        self._name_compared(tuple(one.name for one in compared))
        self._draw_difference(view)

    def draw_draft(self, curve: Curve | None) -> None:
        """Draw the same by a draft of the recipe on top, or nothing."""
        shown = curve is not None and self._view is not None and self._view.kind == curve.kind
        self.draft.setVisible(shown)
        if curve is not None and shown:
            self.draft.setData(curve.x, curve.y)

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges, self._below_range = True, None, None

    def paint(self, theme: Theme, colour: str) -> None:
        """Take the colours of the theme."""
        for plot in (self.plot, self.below):
            plot.setBackground(theme.plot)
            paint_plot(plot.getPlotItem(), theme)
        for curve, band in ((self.curve, self.band), (self.difference, self.difference_band)):
            curve.setPen(pg.mkPen(colour, width=1))
            band.set_colour(colour)
        for place, item in enumerate(self.compared):
            shade = theme.curves[(place + 2) % len(theme.curves)]
            item.setPen(pg.mkPen(shade, width=1, style=QtCore.Qt.DashLine))
        self.draft.setPen(pg.mkPen(theme.select, width=1))
        self.marks.set_colour(theme.event)
        for line in (self.zero, self.below_zero):
            line.setPen(pg.mkPen(theme.grid, width=1))
        self.legend.setLabelTextColor(theme.text)
        self.legend.setBrush(pg.mkBrush(theme.plot))

    def _furnish(self, kind: CurveKind) -> None:
        item = self.plot.getPlotItem()
        _plain(item)
        # room for half of the last number of each axis
        item.layout.setContentsMargins(0, 6, 16, 0)
        self.band = Band()
        self.curve = pg.PlotCurveItem(connect="finite")
        self.draft = pg.PlotCurveItem(connect="finite")
        self.compared = [pg.PlotCurveItem(connect="finite") for _ in range(_MOST_COMPARED)]
        self.marks = Marks()
        self.zero = pg.InfiniteLine(0.0, angle=0)
        for drawn in (self.zero, self.band, *self.compared, self.curve, self.draft, self.marks):
            item.addItem(drawn, ignoreBounds=True)
        self.legend = item.addLegend(offset=(-8, 4), colCount=_MOST_COMPARED)
        self.legend.setVisible(False)
        self._name_axes(kind)
        item.vb.sigRangeChangedManually.connect(self._zoomed)

    def _furnish_below(self) -> None:
        item = self.below.getPlotItem()
        _plain(item)
        # and of the highest and the lowest number
        item.layout.setContentsMargins(0, 6, 16, 6)
        item.hideAxis("bottom")
        self.difference, self.difference_band = pg.PlotCurveItem(connect="finite"), Band()
        self.below_zero = pg.InfiniteLine(0.0, angle=0)
        for drawn in (self.below_zero, self.difference_band, self.difference):
            item.addItem(drawn, ignoreBounds=True)
        self.below.setXLink(self.plot)
        for part in (self.below, self.words):
            part.setVisible(False)

    def _name_axes(self, kind: CurveKind) -> None:
        label_axis(self.plot, "bottom", AXIS[kind][0])
        # on two lines: low plots have no room for the long unit of I on one
        height = AXIS[kind][1].replace(" per ", "/").replace("counts/", "counts/<br>")
        label_axis(self.plot, "left", height)
        _, unit, text = height.rpartition(" (")
        short = f"Δ{unit}{text}" if unit and kind != "iq" else f"Δ{height}"
        label_axis(self.below, "left", short)
        self.below.setMinimumHeight(_LOW_OF_I if kind == "iq" else _LOW)
        self.zero.setVisible(kind != "iq")

    def _draw_difference(self, view: CurveView) -> None:
        shown = bool(view.compared)
        if self.below.isHidden() == shown:
            for part in (self.below, self.words):
                part.setVisible(shown)
        if not shown:
            return
        one = view.compared[-1]
        others = "".join(f"   ·   dashed: {other.words}" for other in view.compared[:-1])
        set_text(self.words, f"below: less {one.words} (dashed){others}")
        self.words.setToolTip(_COMPARED)
        self.difference.setData(one.x, np.asarray(one.difference, dtype=np.float64))
        self.difference_band.set_data(one.x, one.difference, one.sigma)
        if self._follow and self._below_range != view.difference_range:
            self._below_range = view.difference_range
            self.below.setYRange(*view.difference_range, padding=0)

    def _name_compared(self, names: tuple[str, ...]) -> None:
        """Tell which dashed line is which."""
        if names == self._named:
            return
        self._named = names
        self.legend.clear()
        for item, name in zip(self.compared, names, strict=False):
            self.legend.addItem(item, name)
        self.legend.setVisible(bool(names))

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        if self._view is None or not box.sceneBoundingRect().contains(where):
            self.set_reading("")
            return
        self.set_reading(readout(self._view, box.mapSceneToView(where).x()))


def _plain(item: pg.PlotItem) -> None:
    item.hideButtons()
    item.setMenuEnabled(False)
    item.getAxis("left").setWidth(_AXIS)
    item.getAxis("left").enableAutoSIPrefix(False)
    item.vb.disableAutoRange()
