"""All windows of the run as one coloured map over time."""

from collections.abc import Callable

import numpy as np

from livepdf.model.curve import AXIS
from livepdf_gui.qt import QtCore, QtWidgets, pg
from livepdf_gui.show.heatmap import MapView
from livepdf_gui.show.readouts import map_readout
from livepdf_gui.show.session import View
from livepdf_gui.show.theme import Theme, over_map
from livepdf_gui.widgets.colour_scale import ColourScale
from livepdf_gui.widgets.items import TimeAxis, TimeLines
from livepdf_gui.widgets.paint import colour_table, label_axis, paint_plot
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.time_box import Ranged, TimeBox

AXIS_LEFT, AXIS_RIGHT = 78, 74
"""Pixels; the same in the trends below, so that one moment is at one place in both."""
_BELOW_WORDS = 0.85
"""Share of the height that two lines of words leave free."""
_MAPS = {True: "CET-D1A", False: "viridis"}
_UNITS = {"gr": "G (Å⁻²)", "dgr": "ΔG (Å⁻²)", "iq": "I (counts/\nweight)", "fq": "F (Å⁻¹)"}
_WORDS = {
    "gr": (
        "G(r) over time",
        "Each column is one window: a line that appears is a new distance between atoms, a line "
        "that spreads to larger r is a growing particle.",
    ),
    "dgr": (
        "ΔG(r) over time",
        "G(r) less that of the pinned window: what came since is of one colour, what went of the "
        "other.",
    ),
    "iq": (
        "I(Q) over time",
        "Each column is one window: a line that sharpens is a growing particle.",
    ),
    "fq": (
        "F(Q) over time",
        "Each column is one window: stripes that reach to higher Q mean sharper distances "
        "between atoms.",
    ),
}


class MapPanel(Panel):
    """G(r,t), ΔG(r,t), I(Q,t) or F(Q,t); a click shows that window everywhere."""

    def __init__(
        self,
        select: Callable[[float], None],
        *,
        hovered: Callable[[float | None], None],
        ranged: Ranged,
    ) -> None:
        self.axis = TimeAxis()
        self._box = TimeBox(ranged)
        self.plot = pg.PlotWidget(
            enableMenu=False, viewBox=self._box, axisItems={"bottom": self.axis}
        )
        self.colours = ColourScale(AXIS_RIGHT)
        body = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.colours)
        super().__init__("Map over time", body)
        self._select, self._hovered = select, hovered
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
        self.image, self.fine = (pg.ImageItem(autoDownsample=False) for _ in range(2))
        self.marks = TimeLines(dashed=True)
        self.chosen = TimeLines(dashed=False)
        self.pointer = TimeLines(dashed=True)
        self.slow = pg.PlotCurveItem(connect="finite")
        # the words of events come last, over the slow value
        for drawn in (self.image, self.fine, self.slow, self.chosen, self.pointer, self.marks):
            item.addItem(drawn, ignoreBounds=True)
        self.fine.setVisible(False)
        self._close_key: tuple[object, ...] = ()
        item.vb.disableAutoRange()
        item.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    def draw(self, view: View) -> None:
        """Draw the map, the events and the selected moment."""
        before, self._view = self._view, view
        if before is not None and before.moment is view.moment:
            return
        shown = view.map
        self.say_empty(view.map_notice)
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
        self._draw_close(shown)
        self._draw_slow(view, shown)
        self.axis.set_scale(view.axis)
        self.axis.show_times(True, view.axis.label)
        self.marks.set_places(
            tuple(e.place for e in view.events), tuple(e.text for e in view.events)
        )
        self.chosen.set_places(view.chosen)
        heights = (shown.first_y, shown.first_y + shown.height)
        if self._follow and self._ranges != (view.places, heights):
            self._ranges = (view.places, heights)
            self.plot.setRange(xRange=view.places, yRange=heights, padding=0)

    def windows_in_view(self) -> tuple[float, float] | None:
        """Return the first and last window in view, None while all of them are."""
        if self._follow or self._view is None:
            return None
        (low, high), _ = self.plot.getPlotItem().vb.viewRange()
        return low, high

    def point(self, place: float | None) -> None:
        """Show where the cursor is in time."""
        self.pointer.set_places(() if place is None else (place,))

    def fit(self) -> None:
        """Forget the zoom."""
        self._follow, self._ranges = True, ()

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme, self._table = theme, ()
        self.plot.setBackground(theme.plot)
        paint_plot(self.plot.getPlotItem(), theme)
        self.colours.set_colour(theme.text)
        if self._view is not None and self._view.map is not None:
            self._colour(self._view.map)

    def _name(self, shown: MapView) -> None:
        title, lesson = _WORDS[shown.kind]
        self.set_title(title, lesson)
        each = (
            "each column: one window"
            if shown.binning == 1
            else (f"each column: mean of {shown.binning} windows")
        )
        close = ", every window where you zoomed in" if shown.detail is not None else ""
        self.set_over(f"{each}{close}   ·   click: show that window in all panels")
        label_axis(self.plot, "left", AXIS[shown.kind][0])

    def _draw_close(self, shown: MapView) -> None:
        """Lay the part that is here at full resolution over the map."""
        part = shown.detail
        key = () if part is None else part.key
        if key == self._close_key:
            return
        self._close_key = key
        self.fine.setVisible(part is not None)
        if part is not None:
            self.fine.setImage(part.image, autoLevels=False, levels=(0, 255))
            self.fine.setRect(
                QtCore.QRectF(part.first, part.first_y, part.values.shape[0], part.height)
            )

    def _draw_slow(self, view: View, shown: MapView) -> None:
        """Draw a slow value from the lower edge to the words; its numbers are in the trends."""
        slow = view.trends.overlay
        self.slow.setVisible(slow is not None)
        if slow is None:
            self.set_aside("")
            return
        low, high = slow.y_range
        share = (slow.value - low) / (high - low if high > low else 1.0)
        height = _BELOW_WORDS * shown.height
        self.slow.setData(slow.places, shown.first_y + height * np.clip(share, 0.0, 1.0))
        unit = f" {slow.unit}" if slow.unit else ""
        self.set_aside(f"dashed: {slow.name}, from {low:.4g} up to {high:.4g}{unit}")

    def _colour(self, shown: MapView) -> None:
        key = (shown.diverging, shown.levels, self._theme)
        if self._theme is None or key == self._table:
            return
        self._table = key
        lines = over_map(pale=shown.diverging)
        self.marks.set_colour(lines.event, self._theme.plot, self._theme.event)
        for drawn in (self.chosen, self.pointer, self._box.ends):
            drawn.set_colour(lines.select)
        self.slow.setPen(pg.mkPen(lines.bad, width=1, style=QtCore.Qt.DashLine))
        table = colour_table(_MAPS[shown.diverging], self._theme.absent)
        for image in (self.image, self.fine):
            image.setLookupTable(table)
        self.colours.show_table(table, shown.levels, _UNITS[shown.kind])

    def _zoomed(self) -> None:
        self._follow = False

    def _moved(self, where: QtCore.QPointF) -> None:
        box = self.plot.getPlotItem().vb
        view = self._view
        if view is None or view.map is None or not box.sceneBoundingRect().contains(where):
            self._hovered(None)
            self.set_reading("")
            return
        point = box.mapSceneToView(where)
        self._hovered(point.x())
        self.set_reading(map_readout(view, point.x(), point.y()))

    def _clicked(self, event: object) -> None:
        box = self.plot.getPlotItem().vb
        where = event.scenePos()  # type: ignore[attr-defined]
        if box.sceneBoundingRect().contains(where):
            self._select(box.mapSceneToView(where).x())
