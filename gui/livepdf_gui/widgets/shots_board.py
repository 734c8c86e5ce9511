"""A panel of charts above each other that share the x axis."""

from collections.abc import Callable, Sequence

from livepdf_gui.qt import QtWidgets
from livepdf_gui.show.shots_chart import Board, readout
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.panel import Panel
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
        body = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for plot, share in zip(self.plots, shares, strict=True):
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
        for place, plot in enumerate(self.plots):
            plot.setVisible(place < len(board.charts))
            if place < len(board.charts):
                plot.draw(board.charts[place], bare=place < len(board.charts) - 1)

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
        for plot in self.plots:
            plot.paint(theme)

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
