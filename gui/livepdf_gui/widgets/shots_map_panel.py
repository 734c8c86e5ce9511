"""A map of differences, centred on zero, with a colour scale and linked lines."""

from collections.abc import Callable

from livepdf_gui.qt import QtCore, QtWidgets, pg
from livepdf_gui.show.shots_axis import Plain
from livepdf_gui.show.shots_map import ShotsMap
from livepdf_gui.show.theme import Theme, over_map
from livepdf_gui.widgets.colour_scale import ColourScale
from livepdf_gui.widgets.items import TimeLines
from livepdf_gui.widgets.paint import colour_table, paint_plot
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.shots_axis import PlaceAxis
from livepdf_gui.widgets.shots_plot import AXIS

RIGHT = 74
"""Pixels of the colour scale; plots below leave as many free."""
_ROOM = 10
"""Pixels for half of the last number of the axis."""
_DIVERGING = "CET-D1A"

Reading = Callable[[ShotsMap, float, float], str]


class ShotsMapPanel(Panel):
    """Bins side by side; a click shows that bin in the other panels."""

    def __init__(
        self,
        title: str,
        *,
        reading: Reading,
        select: Callable[[float], None],
        hovered: Callable[[float | None, float | None], None],
    ) -> None:
        """Make it.

        Parameters
        ----------
        reading
            Tells what is at a place and height.
        select
            Told the place of a click.
        hovered
            Told place and height under the cursor, None where it left.
        """
        self.axis = PlaceAxis("bottom")
        self.heights = PlaceAxis("left")
        self.plot = pg.PlotWidget(axisItems={"bottom": self.axis, "left": self.heights})
        self.colours = ColourScale(RIGHT - _ROOM)
        body = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.colours)
        super().__init__(title, body)
        self._read, self._select, self._hovered = reading, select, hovered
        self.view: ShotsMap | None = None
        self._theme: Theme | None = None
        self._ranges: tuple[object, ...] = ()
        self._follow = True
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 6, _ROOM, 0)
        item.getAxis("left").setWidth(AXIS)
        item.vb.disableAutoRange()
        self.image = pg.ImageItem(autoDownsample=False)
        self.chosen, self.pointer = TimeLines(dashed=False), TimeLines(dashed=True)
        self.level = pg.InfiniteLine(0.0, angle=0)
        for drawn in (self.image, self.chosen, self.pointer, self.level):
            item.addItem(drawn, ignoreBounds=True)
        self.level.setVisible(False)
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    def draw(self, view: ShotsMap | None, waiting: str = "") -> None:
        """Draw the map and the chosen bin; None shows what is waited for."""
        if view is None:
            self.say_empty(waiting or "Nothing yet.")
            self.view = None
            return
        if view is self.view:
            return
        self.view = view
        self.set_title(view.title, view.lesson)
        self.set_over(view.over)
        self.set_aside(view.aside)
        self.say_empty(view.empty)
        if view.empty:
            return
        self.image.setImage(view.image, autoLevels=False, levels=(0, 255))
        (left, right), (low, high) = view.bounds, view.heights
        self.image.setRect(QtCore.QRectF(left, low, right - left, high - low))
        self.axis.set_axis(view.axis)
        self.heights.set_axis(Plain(label=view.y_label))
        self.chosen.set_places(() if view.chosen is None else (view.chosen,))
        self._colour()
        ranges = (view.bounds, view.heights, view.axis.label)
        if self._ranges and self._ranges != ranges:
            self._follow = True
        if self._follow and self._ranges != ranges:
            self._ranges = ranges
            self.plot.setRange(xRange=view.bounds, yRange=view.heights, padding=0)

    def point(self, place: float | None, height: float | None) -> None:
        """Show where the cursor is in other panels."""
        self.pointer.set_places(() if place is None else (place,))
        self.level.setVisible(height is not None)
        if height is not None:
            self.level.setValue(height)

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges, self.view = True, (), None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme = theme
        self.plot.setBackground(theme.plot)
        paint_plot(self.plot.getPlotItem(), theme)
        self.colours.set_colour(theme.text)
        lines = over_map(pale=True)
        for drawn in (self.chosen, self.pointer):
            drawn.set_colour(lines.select)
        self.level.setPen(pg.mkPen(lines.select, width=1, style=QtCore.Qt.DashLine))
        self._colour()

    def _colour(self) -> None:
        view = self.view
        if view is None or self._theme is None:
            return
        table = colour_table(_DIVERGING, self._theme.absent)
        self.image.setLookupTable(table)
        unit = f"{view.symbol}/σ" if view.in_sigma else f"{view.symbol}\n({view.unit})"
        self.colours.show_table(table, view.levels, unit)

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        if self.view is None or not box.sceneBoundingRect().contains(where):
            self._hovered(None, None)
            self.set_reading("")
            return
        point = box.mapSceneToView(where)
        self._hovered(point.x(), point.y())
        self.set_reading(self._read(self.view, point.x(), point.y()))

    def _clicked(self, event: object) -> None:
        box = self.plot.getPlotItem().vb
        where = event.scenePos()  # type: ignore[attr-defined]
        if box.sceneBoundingRect().contains(where):
            self._select(box.mapSceneToView(where).x())
