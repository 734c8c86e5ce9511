"""The page of hits among single shots."""

from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.shots_serial import SerialView
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.shots_board import BoardPanel
from livepdf_gui.widgets.shots_strip import ShotsStrip
from livepdf_gui.widgets.splitters import splitter


class SerialPageView(QtWidgets.QWidget):
    """Hit rate and powder on the left, what a hit is and sizes on the right."""

    def __init__(self) -> None:
        super().__init__()
        self._view: SerialView | None = None
        self.strip = ShotsStrip()
        self.rate, self.lit = BoardPanel("Hit rate"), BoardPanel("What is a hit?")
        self.powder = BoardPanel("Powder of the hits", shares=(4, 4, 3))
        self.sizes = BoardPanel("Sizes of the particles", shares=(3, 2))
        self.particles = BoardPanel("Size, particle by particle")
        self.panels: dict[str, Panel] = {
            "hit-rate": self.rate,
            "lit-pixels": self.lit,
            "powder": self.powder,
            "sizes": self.sizes,
            "particles": self.particles,
        }
        left = splitter(QtCore.Qt.Vertical, (self.rate, 4), (self.powder, 7))
        right = splitter(QtCore.Qt.Vertical, (self.lit, 4), (self.sizes, 5), (self.particles, 4))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.strip)
        layout.addWidget(splitter(QtCore.Qt.Horizontal, (left, 1), (right, 1)), 1)

    def draw(self, view: SerialView, theme: Theme) -> None:
        """Draw all panels of one moment."""
        if view is self._view:
            return
        self._view = view
        self.strip.draw(view.counts, view.lamps, theme)
        self.strip.setVisible(bool(view.counts))
        self.rate.draw(view.rate, view.notice)
        self.lit.draw(view.lit, view.notice)
        self.powder.draw(view.powder, view.notice)
        self.sizes.draw(view.sizes, view.notice)
        self.particles.draw(view.particles, view.notice)

    def fit(self) -> None:
        """Forget every zoom."""
        for panel in (self.rate, self.lit, self.powder, self.sizes, self.particles):
            panel.fit()
        self._view = None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        for panel in (self.rate, self.lit, self.powder, self.sizes, self.particles):
            panel.paint(theme)
        self._view = None
