"""An axis whose places and words come from the view, along any side of a plot."""

from livepdf_gui.qt import pg
from livepdf_gui.show.shots_axis import Axis

_APART = {"bottom": 80, "left": 26}
"""Pixels between two ticks at least."""
_ONE_LINE = 14
"""Letters of a name that even a low plot has room for."""


class PlaceAxis(pg.AxisItem):
    """Ticks as the view says; it repaints only when they differ."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self._side = side
        self._axis: Axis | None = None
        self._ticks: list[tuple[float, str]] = []
        self._named = ""
        self.enableAutoSIPrefix(False)

    def set_axis(self, axis: Axis, *, bare: bool = False) -> None:
        """Take another axis; a bare one has ticks without words."""
        self._axis = axis
        name = "" if bare else axis.label
        if name != self._named:
            self._named = name
            self.setStyle(showValues=not bare)
            self.setLabel(self._on_lines(name) or None)
            self.showLabel(bool(name))
            if self._side == "bottom":
                self.setHeight(8 if bare else 40)
        if self._wanted(*self.range) != self._ticks:
            self.picture = None
            self.update()

    def _on_lines(self, name: str) -> str:
        """Put the unit of a long name on a line of its own: low plots have no room beside it."""
        what, bracket, unit = name.rpartition(" (")
        long = self._side == "left" and bracket and len(name) > _ONE_LINE
        return f"{what}<br>({unit}" if long else name

    def tickValues(  # noqa: N802  pyqtgraph's name
        self,
        minVal: float,
        maxVal: float,
        size: float,  # noqa: ARG002
    ) -> list[tuple[float, list[float]]]:
        """Return the places of the ticks."""
        self._ticks = self._wanted(minVal, maxVal)
        return [(1.0, [place for place, _ in self._ticks])]

    def tickStrings(  # noqa: N802  pyqtgraph's name
        self,
        values: list[float],
        scale: float,  # noqa: ARG002
        spacing: float,  # noqa: ARG002
    ) -> list[str]:
        """Return their words."""
        texts = dict(self._ticks)
        return [texts.get(value, "") for value in values]

    def _wanted(self, low: float, high: float) -> list[tuple[float, str]]:
        if self._axis is None or not high > low:
            return []
        length = self.width() if self._side == "bottom" else self.height()
        return self._axis.ticks(low, high, max(int(length / _APART[self._side]), 3))
