"""The page of samples that a laser destroys."""

from collections.abc import Callable

from livepdf.model.breakdown import BreakdownReport
from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.shots_breakdown import BreakdownView, map_words
from livepdf_gui.show.shots_map import ShotsMap
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.shots_board import BoardPanel
from livepdf_gui.widgets.shots_map_panel import ShotsMapPanel
from livepdf_gui.widgets.shots_strip import ShotsStrip
from livepdf_gui.widgets.splitters import splitter


class BreakdownPageView(QtWidgets.QWidget):
    """When it breaks on the left, what breaks on the right."""

    def __init__(self, *, select: Callable[[float], None]) -> None:
        """Make it; ``select`` is told the place of a click in the map."""
        super().__init__()
        self._view: BreakdownView | None = None
        self._report: BreakdownReport | None = None
        self.strip = ShotsStrip()
        self.courses = BoardPanel("When does it break?", shares=(1, 1, 1))
        self.map = ShotsMapPanel(
            "Map of the change", reading=self._reading, select=select, hovered=self._hovered
        )
        self.sample = BoardPanel(
            "Destroyed against intact", shares=(3, 2), hovered=lambda x: self.map.point(None, x)
        )
        self.panels: dict[str, Panel] = {
            "breakdown-courses": self.courses,
            "breakdown-map": self.map,
            "breakdown-sample": self.sample,
        }
        right = splitter(QtCore.Qt.Vertical, (self.map, 1), (self.sample, 1))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.strip)
        layout.addWidget(splitter(QtCore.Qt.Horizontal, (self.courses, 1), (right, 1)), 1)

    def draw(self, view: BreakdownView, report: BreakdownReport | None, theme: Theme) -> None:
        """Draw all panels of one moment."""
        if view is self._view:
            return
        self._view, self._report = view, report
        self.strip.draw(view.counts, view.lamps, theme)
        self.strip.setVisible(bool(view.counts))
        self.courses.draw(view.courses, view.notice)
        self.map.draw(view.map, view.notice)
        self.sample.draw(view.sample, view.notice)

    def fit(self) -> None:
        """Forget every zoom."""
        for panel in (self.courses, self.map, self.sample):
            panel.fit()
        self._view = None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        for panel in (self.courses, self.map, self.sample):
            panel.paint(theme)
        self._view = None

    def _reading(self, view: ShotsMap, place: float, height: float) -> str:
        return "" if self._report is None else map_words(self._report, view, place, height)

    def _hovered(self, place: float | None, height: float | None) -> None:
        self.courses.point(place)
        self.sample.point(height)
