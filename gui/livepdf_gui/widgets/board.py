"""The six panels of the overview and where they lie."""

from collections.abc import Callable

from livepdf.model.curve import Curve
from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.session import Session, View
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.curve_panel import CurvePanel
from livepdf_gui.widgets.detector_panel import DetectorPanel
from livepdf_gui.widgets.header import Counters
from livepdf_gui.widgets.map_panel import MapPanel
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.splitters import splitter
from livepdf_gui.widgets.trend_panel import TrendPanel


class Board:
    """Makes the panels and draws them together."""

    def __init__(
        self,
        session: Session,
        *,
        select: Callable[[float], None],
        ranged: Callable[[float, float], None],
    ) -> None:
        """Make all panels.

        Parameters
        ----------
        select
            Called with a place on the time axis that was clicked.
        ranged
            Called with both ends of what was marked there.
        """
        self._session = session
        self.iq = CurvePanel("iq", "Scattered intensity I(Q)")
        self.gr = CurvePanel("gr", "Pair distribution G(r)")
        self.detector = DetectorPanel()
        self.counters = Counters()
        self.counters_panel = Panel("Frames", self.counters)
        self.map = MapPanel(select, hovered=self._point, ranged=ranged)
        self.trends = TrendPanel(
            time_plot=self.map.plot,
            select=select,
            ranged=ranged,
            toggle=session.toggle_trend,
            overlay=session.overlay,
            hovered=self._point,
        )
        self.panels = (
            *(self.gr, self.iq, self.detector),
            *(self.counters_panel, self.map, self.trends),
        )
        self.by_name: dict[str, QtWidgets.QWidget] = {
            "gr": self.gr,
            "iq": self.iq,
            "map": self.map,
            "trends": self.trends,
            "detector": self.detector,
        }
        self.widget = self._lay_out()

    def draw(self, view: View, theme: Theme) -> None:
        """Draw all panels of one moment."""
        self.iq.draw(view.iq)
        self.gr.draw(view.gr)
        self.map.draw(view)
        self.trends.draw(view)
        self.detector.draw(view.detector, view.no_image)
        self.counters.draw(view.counters, theme)
        self.counters_panel.say_empty("" if view.counters else view.waiting)

    def draw_draft(self, gr: Curve | None, iq: Curve | None) -> None:
        """Draw curves by a draft of the recipe over the live ones."""
        self.gr.draw_draft(gr)
        self.iq.draw_draft(iq)

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self.iq.paint(theme, theme.curves[1])
        self.gr.paint(theme, theme.curves[0])
        self.map.paint(theme)
        self.trends.paint(theme)
        self.detector.paint(theme)
        self.counters.paint(theme)

    def fit(self) -> None:
        """Forget the zoom of every panel."""
        for panel in (self.iq, self.gr, self.map, self.trends, self.detector):
            panel.fit()

    def show_alone(self, number: int) -> None:
        """Give one panel all the room; the same again gives all of them their place."""
        panel = self.panels[number]
        alone = all(p is panel or p.isHidden() for p in self.panels)
        for other in self.panels:
            other.setVisible(alone or other is panel)
        for part in self._splitters:
            inside = [p for p in self.panels if part.isAncestorOf(p)]
            part.setVisible(any(not p.isHidden() for p in inside))

    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Return how the room is shared."""
        return tuple(tuple(part.sizes()) for part in self._splitters)

    def share(self, sizes: tuple[tuple[int, ...], ...]) -> None:
        """Share the room as it was; what does not fit is left out."""
        if len(sizes) != len(self._splitters):
            return
        for part, wanted in zip(self._splitters, sizes, strict=True):
            if len(wanted) == part.count() and sum(wanted) > 0:
                part.setSizes(list(wanted))

    def _point(self, place: float | None) -> None:
        """Show one moment in all panels that have a time axis."""
        self.map.point(place)
        self.trends.point(place)

    def _lay_out(self) -> QtWidgets.QWidget:
        beside = splitter(QtCore.Qt.Horizontal, (self.detector, 5), (self.counters_panel, 4))
        left = splitter(QtCore.Qt.Vertical, (self.gr, 9), (self.iq, 8), (beside, 6))
        right = splitter(QtCore.Qt.Vertical, (self.map, 5), (self.trends, 6))
        both = splitter(QtCore.Qt.Horizontal, (left, 6), (right, 7))
        self._splitters = (beside, left, right, both)
        return both
