"""One chart of a board: it draws what the view decided."""

from collections.abc import Callable

import numpy as np

from livepdf_gui.qt import QtCore, pg
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.shots_chart import Array, Chart, Series
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.items import Band, TimeLines
from livepdf_gui.widgets.paint import paint_plot
from livepdf_gui.widgets.shots_axis import PlaceAxis
from livepdf_gui.widgets.shots_items import Legend, Zones

AXIS = 84
"""Pixels of the axis on the left, the same in plots that lie above each other."""
_RIGHT = 16
_DOT = 6


class _Drawn:
    """What one series is drawn with; made once, used for all that come."""

    def __init__(self, item: pg.PlotItem) -> None:
        self.band = Band()
        self.curve = pg.PlotCurveItem(connect="finite")
        self.bars = pg.PlotCurveItem(connect="pairs")
        self.dots = pg.ScatterPlotItem(size=_DOT, pxMode=True)
        for drawn in (self.band, self.bars, self.curve, self.dots):
            item.addItem(drawn, ignoreBounds=True)

    def show_series(self, one: Series) -> None:
        """Draw a line with its band, or points with their bars."""
        points = one.style != "line"
        y = np.asarray(one.y, dtype=np.float64)
        ends = one.low is not None and one.high is not None
        self.curve.setVisible(one.style != "points")
        self.curve.setData(one.x, y)
        self.band.setVisible(ends and not points)
        self.bars.setVisible(ends and points)
        self.dots.setVisible(points)
        if one.low is not None and one.high is not None:
            if points:
                self.bars.setData(np.repeat(one.x, 2), _pairs(one.low, one.high))
            else:
                self.band.set_edges(one.x, one.low, one.high)
        if points:
            known = np.isfinite(one.x) & np.isfinite(y)
            self.dots.setData(np.asarray(one.x)[known], y[known])

    def hide(self) -> None:
        """Draw nothing."""
        for drawn in (self.band, self.curve, self.bars, self.dots):
            drawn.setVisible(False)

    def paint(self, one: Series, theme: Theme) -> None:
        """Take the colour of the series."""
        colour = theme.curves[one.colour % len(theme.curves)]
        dashed = QtCore.Qt.DashLine if one.dashed else QtCore.Qt.SolidLine
        self.curve.setPen(pg.mkPen(colour, width=1, style=dashed))
        self.bars.setPen(pg.mkPen(colour, width=1))
        self.dots.setPen(pg.mkPen(colour, width=1))
        self.dots.setBrush(pg.mkBrush(colour))
        self.band.set_colour(colour)


class ShotsPlot(pg.PlotWidget):
    """Curves with bands, points with bars, stretches and lines, on axes that tell their places."""

    def __init__(self, moved: Callable[["ShotsPlot", float | None], None], *, right: int = _RIGHT):
        axes = {side: PlaceAxis(side) for side in ("bottom", "left")}
        super().__init__(axisItems=axes)
        self.axes = axes
        self.chart: Chart | None = None
        self._moved_to = moved
        self._theme: Theme | None = None
        self._ranges: tuple[Range, Range] | None = None
        self._follow = True
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.getAxis("left").setWidth(AXIS)
        item.layout.setContentsMargins(0, 4, right, 0)
        item.vb.disableAutoRange()
        self.drawn: list[_Drawn] = []
        self.zones, self.legend = Zones(), Legend()
        self.rules, self.pointer = TimeLines(dashed=False), TimeLines(dashed=True)
        self.zero = pg.InfiniteLine(0.0, angle=0)
        self.legend.setZValue(20)
        for drawn in (self.zones, self.zero, self.rules, self.pointer, self.legend):
            item.addItem(drawn, ignoreBounds=True)
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.scene().sigMouseMoved.connect(self._moved)

    def draw(self, chart: Chart, *, bare: bool = False) -> None:
        """Draw a chart; a bare one leaves the words of the x axis to the plot below."""
        self.chart = chart
        self.axes["bottom"].set_axis(chart.x_axis, bare=bare)
        self.axes["left"].set_axis(chart.y_axis)
        while len(self.drawn) < len(chart.series):
            self.drawn.append(_Drawn(self.getPlotItem()))
        for place, drawn in enumerate(self.drawn):
            if place < len(chart.series):
                drawn.show_series(chart.series[place])
            else:
                drawn.hide()
        self.zero.setVisible(chart.zero)
        self.rules.set_places(
            tuple(rule.at for rule in chart.rules), tuple(rule.words for rule in chart.rules)
        )
        self._colour()
        if self._follow and self._ranges != (chart.x_range, chart.y_range):
            self._ranges = (chart.x_range, chart.y_range)
            self.setRange(xRange=chart.x_range, yRange=chart.y_range, padding=0)

    def point(self, place: float | None) -> None:
        """Show where the cursor is in another plot of the same x axis."""
        self.pointer.set_places(() if place is None else (place,))

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges = True, None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme = theme
        self.setBackground(theme.plot)
        paint_plot(self.getPlotItem(), theme)
        self.zero.setPen(pg.mkPen(theme.grid, width=1))
        self.rules.set_colour(theme.event)
        self.pointer.set_colour(theme.select)
        self.legend.set_colours(theme.text, theme.plot)
        self._colour()

    def _colour(self) -> None:
        theme, chart = self._theme, self.chart
        if theme is None or chart is None:
            return
        entries = []
        for one, drawn in zip(chart.series, self.drawn, strict=False):
            drawn.paint(one, theme)
            if one.name:
                colour = theme.curves[one.colour % len(theme.curves)]
                entries.append((one.name, colour, one.dashed))
        self.legend.set_entries(entries)
        self.zones.set_zones(
            tuple((z.low, z.high, z.words, theme.level(z.level)) for z in chart.zones)
        )

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.getPlotItem().vb
        inside = box.sceneBoundingRect().contains(where)
        self._moved_to(self, box.mapSceneToView(where).x() if inside else None)


def _pairs(low: Array, high: Array) -> Array:
    both = np.empty(2 * len(low))
    both[0::2], both[1::2] = low, high
    return both
