"""The newest detector image."""

from livepdf_gui.qt import QtCore, pg
from livepdf_gui.show.detector import DetectorView, readout
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.paint import colour_table
from livepdf_gui.widgets.panel import Panel


class DetectorPanel(Panel):
    """A preview, binned for the screen; row 0 is on top as the detector numbers it."""

    def __init__(self) -> None:
        self.plot = pg.PlotWidget(enableMenu=False)
        super().__init__("Detector", self.plot)
        self._view: DetectorView | None = None
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.hideAxis("left")
        item.hideAxis("bottom")
        item.setAspectLocked(True)
        item.invertY(True)
        self.image, self.over = (pg.ImageItem(autoDownsample=False) for _ in range(2))
        item.addItem(self.image)
        item.addItem(self.over)
        self.over.setVisible(False)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.set_title(
            "Detector",
            "Mean counts per pixel of the newest image, between percentiles of the used pixels; "
            "grey is masked, red is saturated. Smooth rings mean many grains, single spots mean "
            "few. G draws the rings of a structure or calibrant: where they miss those of the "
            "image, the calibration does not fit.",
        )

    def draw(self, view: DetectorView | None, waiting: str) -> None:
        """Draw the image if it is a new one."""
        self.say_empty("" if view is not None else waiting)
        if view is None or view is self._view:
            return
        first = self._view is None or self._view.image.shape != view.image.shape
        self._view = view
        self.set_over(view.words)
        self.image.setImage(view.image, autoLevels=False, levels=(0, 255))
        self.over.setVisible(view.over is not None)
        if view.over is not None:
            self.over.setImage(view.over, autoLevels=False, levels=(0, 255))
        if first:
            self.fit()

    def fit(self) -> None:
        """Forget the zoom."""
        self.plot.getPlotItem().vb.autoRange(padding=0.02)

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self.plot.setBackground(theme.plot)
        self.image.setLookupTable(colour_table("viridis", theme.absent))

    def _moved(self, where: QtCore.QPointF) -> None:
        point = self.plot.getPlotItem().vb.mapSceneToView(where)
        if self._view is not None:
            self.set_reading(readout(self._view, int(point.x()), int(point.y())))
