"""A panel of charts above each other that share the x axis."""

from collections.abc import Callable, Sequence

from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show.shots_chart import Board, Chart, readout
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.panel import ElidedLabel, Panel, set_text
from livepdf_gui.widgets.shots_plot import ShotsPlot


class BoardPanel(Panel):
    """Draws a board; the values under the cursor are told in its second line."""

    def __init__(
        self,
        title: str,
        *,
        shares: Sequence[int] = (1,),
        right: int = 16,
        hovered: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        """Make it.

        Parameters
        ----------
        shares
            How high the plots are, from above, relative to one another; as many as there can be.
        right
            Pixels left free on the right, to be in line with another panel.
        """
        self.plots = [ShotsPlot(self._moved, right=right) for _ in shares]
        self.notes = [ElidedLabel() for _ in shares]
        self._theme: Theme | None = None
        body = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for note, plot, share in zip(self.notes, self.plots, shares, strict=True):
            note.setTextFormat(QtCore.Qt.PlainText)
            rows.addWidget(note)
            rows.addWidget(plot, share)
        super().__init__(title, body)
        self._hovered = hovered
        self.board: Board | None = None
        for plot in self.plots[1:]:
            plot.setXLink(self.plots[0])

    def draw(self, board: Board | None, waiting: str = "") -> None:
        """Draw a board; None shows what is waited for."""
        if board is None:
            self.say_empty(waiting or "Nothing yet.")
            self.set_over("")
            self.set_aside("")
            self.board = None
            return
        if board is self.board:
            return
        self.board = board
        self.set_title(board.title, board.lesson)
        self.set_over(board.over)
        self.set_aside(board.aside)
        self.say_empty(board.empty)
        for place, (note, plot) in enumerate(zip(self.notes, self.plots, strict=True)):
            there = place < len(board.charts)
            plot.setVisible(there)
            note.setVisible(there and bool(board.charts[place].note))
            if there:
                plot.draw(board.charts[place], bare=place < len(board.charts) - 1)
                self._write(note, board.charts[place])

    def point(self, place: float | None) -> None:
        """Show where the cursor is in another panel of the same axis."""
        for plot in self.plots:
            plot.point(place)

    def fit(self) -> None:
        """Forget the zoom."""
        for plot in self.plots:
            plot.fit()
        self.board = None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme, self.board = theme, None
        for plot in self.plots:
            plot.paint(theme)

    def _write(self, note: ElidedLabel, chart: Chart) -> None:
        set_text(note, chart.note)
        note.setToolTip(chart.note)
        if self._theme is not None:
            palette = note.palette()
            colour = QtGui.QColor(self._theme.level(chart.level))
            if palette.color(QtGui.QPalette.WindowText) != colour:
                palette.setColor(QtGui.QPalette.WindowText, colour)
                note.setPalette(palette)

    def _moved(self, plot: ShotsPlot, place: float | None) -> None:
        chart = plot.chart
        self._hovered(place)
        self.point(place)
        if place is None or chart is None:
            self.set_reading("")
            return
        axis = chart.x_axis.label.split(" (")[0]
        words = readout(chart, place)
        self.set_reading(f"{axis} {chart.x_axis.value(place):.4g}   {words}")
