"""The page of shots with and without a laser."""

from collections.abc import Callable

from livepdf.model.laser import LaserReport
from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.laser_map import map_reading
from livepdf_gui.show.laser_page import LaserPage, LaserView
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.panel import ElidedLabel, Panel, embolden, set_text
from livepdf_gui.widgets.shots_board import BoardPanel
from livepdf_gui.widgets.shots_map_panel import RIGHT, ShotsMapPanel
from livepdf_gui.widgets.shots_strip import ShotsStrip


class LaserPageView(QtWidgets.QWidget):
    """Differences on the left, the map over the delay on the right; all show the same bin."""

    def __init__(self, page: LaserPage, *, changed: Callable[[], None]) -> None:
        """Make it; ``changed`` is told when the user chose something."""
        super().__init__()
        self.page, self._changed = page, changed
        self._report: LaserReport | None = None
        self._view: LaserView | None = None
        self.strip = ShotsStrip()
        self.iq = BoardPanel(
            "I(Q) with and without the laser",
            shares=(3, 2),
            hovered=lambda x: self._level("iq", x),
        )
        self.gr = BoardPanel(
            "G(r) with and without the laser",
            shares=(3, 2),
            hovered=lambda x: self._level("gr", x),
        )
        self.map = ShotsMapPanel(
            "Map over the delay",
            reading=map_reading,
            select=self._select,
            hovered=self._hovered,
        )
        self.courses = BoardPanel(
            "Courses of the components", right=RIGHT, hovered=lambda x: self.map.point(x, None)
        )
        self.growth = BoardPanel("Do more shots help?")
        self.panels: dict[str, Panel] = {
            "laser-iq": self.iq,
            "laser-gr": self.gr,
            "laser-map": self.map,
            "laser-components": self.courses,
            "laser-convergence": self.growth,
        }
        self._lay_out()

    def draw(self, view: LaserView, report: LaserReport | None, theme: Theme) -> None:
        """Draw all panels of one moment."""
        if view is self._view:
            return
        self._view, self._report = view, report
        self.strip.draw(view.counts, view.lamps, theme)
        self.strip.setVisible(bool(view.counts))
        self.iq.draw(view.iq, view.notice)
        self.gr.draw(view.gr, view.notice)
        self.map.draw(view.map, view.notice)
        self.courses.draw(view.courses, view.notice)
        self.growth.draw(view.growth, view.notice)
        self._place_slider(view)

    def fit(self) -> None:
        """Forget every zoom."""
        for panel in (self.iq, self.gr, self.map, self.courses, self.growth):
            panel.fit()
        self._view = None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        for panel in (self.iq, self.gr, self.map, self.courses, self.growth):
            panel.paint(theme)
        self._view = None

    def _lay_out(self) -> None:
        left, right = (QtWidgets.QSplitter(QtCore.Qt.Vertical) for _ in range(2))
        for panel in (self.iq, self.gr):
            left.addWidget(panel)
        for place, (panel, share) in enumerate(
            ((self.map, 5), (self.courses, 3), (self.growth, 4))
        ):
            right.addWidget(panel)
            right.setStretchFactor(place, share)
        right.setSizes([500, 300, 400])
        both = QtWidgets.QSplitter(QtCore.Qt.Horizontal)
        both.addWidget(left)
        both.addWidget(right)
        both.setSizes([1000, 1000])
        for splitter in (left, right, both):
            splitter.setChildrenCollapsible(False)
        self.courses.plots[0].setXLink(self.map.plot)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.strip)
        layout.addWidget(self._chooser())
        layout.addWidget(both, 1)

    def _chooser(self) -> QtWidgets.QWidget:
        """Return the row with the slider of the delay."""
        self.slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self.slider.setAccessibleName("bin of the delay")
        self.slider.setToolTip(
            "Which delay all panels show; ← and → step, L goes to the surest, a click in the map "
            "chooses too."
        )
        self.slider.setPageStep(1)
        self.slider.setFocusPolicy(QtCore.Qt.ClickFocus)
        self.slider.valueChanged.connect(self._slid)
        self.delay = ElidedLabel()
        embolden(self.delay)
        self._row = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self._row)
        row.setContentsMargins(8, 0, 8, 0)
        row.addWidget(self.delay, 2)
        row.addWidget(self.slider, 3)
        return self._row

    def _place_slider(self, view: LaserView) -> None:
        self._row.setVisible(view.bins > 1)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(view.bins - 1, 0))
        self.slider.setValue(view.bin)
        self.slider.blockSignals(False)
        set_text(self.delay, f"delay {view.delay}")

    def _slid(self, number: int) -> None:
        self.page.choose(number)
        self._changed()

    def _select(self, place: float) -> None:
        if self._report is not None:
            self.page.choose_place(self._report, place)
            self._changed()

    def _hovered(self, place: float | None, height: float | None) -> None:
        self.courses.point(place)
        same = self.iq if self.page.choice.space == "iq" else self.gr
        same.point(height)

    def _level(self, space: str, x: float | None) -> None:
        if space == self.page.choice.space:
            self.map.point(None, x)
