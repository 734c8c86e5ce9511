"""All windows of the run as one coloured map over time."""

from collections.abc import Callable

from livepdf_gui.qt import QtCore, QtWidgets, pg
from livepdf_gui.show.heatmap import MapView
from livepdf_gui.show.session import View, map_readout
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.colour_scale import ColourScale
from livepdf_gui.widgets.items import TimeAxis, TimeLines
from livepdf_gui.widgets.paint import colour_table, label_axis, paint_plot
from livepdf_gui.widgets.panel import Panel

AXIS_LEFT, AXIS_RIGHT = 78, 74
"""Pixels; the same in the trends below, so that one moment is at one place in both."""
_MAPS = {True: "CET-D1A", False: "viridis"}


class MapPanel(Panel):
    """G(r,t) or I(Q,t); a click shows that window everywhere."""

    def __init__(self, select: Callable[[float], None]) -> None:
        self.axis = TimeAxis()
        self.plot = pg.PlotWidget(axisItems={"bottom": self.axis})
        self.colours = ColourScale(AXIS_RIGHT)
        body = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.colours)
        super().__init__("Map over time", body)
        self._select = select
        self._view: View | None = None
        self._theme: Theme | None = None
        self._drawn: tuple[object, ...] = ()
        self._table: tuple[object, ...] = ()
        self._ranges: tuple[object, ...] = ()
        self._follow = True
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.layout.setContentsMargins(0, 6, 0, 0)
        item.setMenuEnabled(False)
        item.getAxis("left").setWidth(AXIS_LEFT)
        self.image = pg.ImageItem(autoDownsample=False)
        self.marks = TimeLines(dashed=True)
        self.chosen = TimeLines(dashed=False)
        for drawn in (self.image, self.marks, self.chosen):
            item.addItem(drawn, ignoreBounds=True)
        item.vb.disableAutoRange()
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    def draw(self, view: View) -> None:
        """Draw the map, the events and the selected moment."""
        self._view = view
        shown = view.map
        self.say_empty("" if shown is not None else view.waiting)
        if shown is None:
            self.set_title("Map over time")
            self.set_over("")
            return
        self._name(shown)
        key = (shown.kind, shown.changed, shown.image.shape)
        if key != self._drawn:
            self._drawn = key
            self.image.setImage(shown.image, autoLevels=False, levels=(0, 255))
            self.image.setRect(
                QtCore.QRectF(shown.first_x, shown.first_y, shown.width, shown.height)
            )
        self._colour(shown)
        self.axis.set_scale(view.scale)
        self.axis.show_times(True, view.scale.unit)
        self.marks.set_places(tuple(e.place for e in view.events))
        self.chosen.set_places(() if view.selected is None else (view.selected,))
        heights = (shown.first_y, shown.first_y + shown.height)
        if self._follow and self._ranges != (view.places, heights):
            self._ranges = (view.places, heights)
            self.plot.setRange(xRange=view.places, yRange=heights, padding=0)

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges = True, ()

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme, self._table = theme, ()
        self.plot.setBackground(theme.plot)
        paint_plot(self.plot.getPlotItem(), theme)
        self.colours.set_colour(theme.text)
        self.marks.set_colour(theme.event)
        self.chosen.set_colour(theme.select)

    def _name(self, shown: MapView) -> None:
        gr = shown.kind == "gr"
        self.set_title(
            "G(r) over time" if gr else "I(Q) over time",
            "Each column is one window: a line that appears is a new distance between atoms, "
            "a line that spreads to larger r is a growing particle."
            if gr
            else "Each column is one window: a line that sharpens is a growing particle.",
        )
        each = (
            "each column: one window"
            if shown.binning == 1
            else (f"each column: mean of {shown.binning} windows")
        )
        self.set_over(f"{each}   ·   click: show that window in all panels")
        label_axis(self.plot, "left", "r (Å)" if gr else "Q (Å⁻¹)")

    def _colour(self, shown: MapView) -> None:
        key = (shown.diverging, shown.levels, self._theme)
        if self._theme is None or key == self._table:
            return
        self._table = key
        table = colour_table(_MAPS[shown.diverging], self._theme.absent)
        self.image.setLookupTable(table)
        self.colours.show_table(table, shown.levels, "G (Å⁻²)" if shown.diverging else "I")

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        view = self._view
        if view is None or view.map is None or not box.sceneBoundingRect().contains(where):
            self.set_reading("")
            return
        point = box.mapSceneToView(where)
        self.set_reading(map_readout(view, point.x(), point.y()))

    def _clicked(self, event: object) -> None:
        box = self.plot.getPlotItem().vb
        where = event.scenePos()  # type: ignore[attr-defined]
        if box.sceneBoundingRect().contains(where):
            self._select(box.mapSceneToView(where).x())
