"""The trends below the map, on the same time axis."""

from collections.abc import Callable

import numpy as np

from livepdf_gui.qt import QtWidgets, pg
from livepdf_gui.show.readouts import moment
from livepdf_gui.show.session import View
from livepdf_gui.show.theme import Theme
from livepdf_gui.show.trends import readout
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.strip import StripPlot
from livepdf_gui.widgets.time_box import Ranged


class TrendPanel(Panel):
    """As many strips as the user wants."""

    def __init__(
        self,
        *,
        time_plot: pg.PlotWidget,
        select: Callable[[float], None],
        ranged: Ranged,
        toggle: Callable[[str], None],
        overlay: Callable[[str], None],
        hovered: Callable[[float | None], None],
    ) -> None:
        body = QtWidgets.QWidget()
        self._rows = QtWidgets.QVBoxLayout(body)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        super().__init__("Trends", body)
        self._time_plot, self._select, self._ranged = time_plot, select, ranged
        self._toggle, self._overlay, self._hovered = toggle, overlay, hovered
        self._view: View | None = None
        self._theme: Theme | None = None
        self._offered: tuple[object, ...] = ()
        self.strips: list[StripPlot] = []
        self._count = 0
        self._menu = QtWidgets.QMenu(self)
        button = QtWidgets.QToolButton()
        button.setText("Quantities")
        button.setToolTip("Choose which quantities to follow")
        button.setPopupMode(QtWidgets.QToolButton.InstantPopup)
        button.setMenu(self._menu)
        self.head.addWidget(button)
        self.set_title(
            "Trends",
            "Each quantity with its ±1σ band. A gap with a tick below it is a value that cannot "
            "be trusted: the reason appears on hover. Drag with Shift to show windows as one.",
        )

    def draw(self, view: View) -> None:
        """Draw all strips."""
        before, self._view = self._view, view
        if before is not None and before.moment is view.moment:
            return
        strips = view.trends.strips
        here = view.history is not None and bool(view.history.here.any())
        self.say_empty(self._why_none(view) if here else view.waiting)
        self._offer(view)
        said = "band: ±1σ   ·   gap with a tick below: withheld, hover for the reason"
        self.set_over(said if strips else "")
        self._make(len(strips))
        for place, (plot, strip) in enumerate(zip(self.strips, strips, strict=False)):
            last = place == len(strips) - 1
            plot.draw(strip, view.trends.overlay if place == 0 else None)
            plot.axis.set_scale(view.axis)
            plot.axis.show_times(last, view.axis.label)
            plot.marks.set_places(tuple(e.place for e in view.events))
            plot.chosen.set_places(view.chosen)

    def point(self, place: float | None) -> None:
        """Show where the cursor is in time."""
        for strip in self.strips:
            strip.pointer.set_places(() if place is None else (place,))

    def fit(self) -> None:
        """Forget the zoom."""
        for strip in self.strips:
            strip.fit()

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self._theme = theme
        for place, strip in enumerate(self.strips):
            strip.paint(theme, theme.curves[place % len(theme.curves)])

    def _why_none(self, view: View) -> str:
        if view.trends.strips:
            return ""
        if view.trends.names:
            return "No quantity chosen: press “Quantities” above."
        return "The recipe asks for no trends yet: sizes and peaks appear here."

    def _make(self, count: int) -> None:
        """Keep strips that exist; those too many are hidden, not destroyed."""
        if count == self._count:
            return
        self._count = count
        while len(self.strips) < count:
            strip = StripPlot(moved=self._moved, clicked=self._select, ranged=self._ranged)
            strip.plot.setXLink(self._time_plot)
            self._rows.addWidget(strip, 1)
            self.strips.append(strip)
            if self._theme is not None:
                self.paint(self._theme)
        for place, strip in enumerate(self.strips):
            strip.setVisible(place < count)
            self._rows.setStretch(place, 5 if place == count - 1 else 4)

    def _offer(self, view: View) -> None:
        """List quantities and slow values in the menu, with what is shown checked."""
        shown = tuple(s.name for s in view.trends.strips)
        slow = view.trends.overlay.name if view.trends.overlay else ""
        offered = (view.trends.names, view.trends.overlay_names, shown, slow)
        if offered == self._offered or self._menu.isVisible():
            return
        self._offered = offered
        self._menu.clear()
        for name in view.trends.names:
            self._entry(name, name in shown, lambda _, n=name: self._toggle(n))
        self._menu.addSeparator()
        for name in view.trends.overlay_names:
            other = "" if name == slow else name
            words = f"{name} on the right axis"
            self._entry(words, name == slow, lambda _, n=other: self._overlay(n))

    def _entry(self, words: str, checked: bool, chosen: Callable[..., None]) -> None:
        action = QtWidgets.QAction(words, self._menu)
        self._menu.addAction(action)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(chosen)

    def _moved(self, plot: StripPlot | None, place: float) -> None:
        view = self._view
        self._hovered(None if plot is None else place)
        if view is None or plot is None or plot.strip is None:
            self.set_reading("")
            return
        words = readout(view.trends, plot.strip, int(np.floor(place)))
        self.set_reading(f"{moment(view, place)}   {words}")
