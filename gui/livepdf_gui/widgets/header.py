"""The strip on top of the window and the banners below it."""

from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show.headline import Headline, Item, folded
from livepdf_gui.show.theme import Theme
from livepdf_gui.show.words import compact
from livepdf_gui.widgets.panel import ElidedLabel, Framed, fade, set_text

_WIDE = 1450
"""Pixels from which the numbers have room for the largest type."""


_SENTENCE = 11.0
"""Points; nothing in the header is smaller."""
_MOST_LAMPS = 12
_APART = 12
"""Pixels between two lamps."""


class Cell(QtWidgets.QWidget):
    """A small label above what it says."""

    def __init__(self, points: float, *, bold: bool = True) -> None:
        super().__init__()
        self._label = ElidedLabel()
        fade(self._label)
        self._text = ElidedLabel()
        font = self._text.font()
        font.setPointSizeF(points)
        font.setBold(bold)
        self._text.setFont(font)
        small = self._label.font()
        small.setPointSizeF(11.0)
        self._label.setFont(small)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._label)
        layout.addWidget(self._text)
        self._colour = ""
        self.points = points
        """Size of the type; sentences are smaller."""

    def show_item(self, item: Item, theme: Theme) -> None:
        """Write one item in the colour of its level."""
        points = _SENTENCE if item.wordy else self._fitting(item.text)
        if self._text.font().pointSizeF() != points:
            font = self._text.font()
            font.setPointSizeF(points)
            self._text.setFont(font)
            self._text.setWordWrap(item.wordy)
            self._label.setVisible(not item.wordy)
        set_text(self._label, item.label)
        fits = item.wordy or self._width_of(item.text, points) <= self._text.width()
        set_text(self._text, item.text if fits else compact(item.text))
        hint = item.hint if item.text in item.hint else f"{item.text}\n{item.hint}".strip()
        if self.toolTip() != hint:
            self.setToolTip(hint)
            self.setAccessibleName(f"{item.label}: {item.text}")
        self._colour_by(theme.level(item.level))

    def _fitting(self, text: str) -> float:
        """Return the largest size of type in which the text has room."""
        width = self._text.width()
        sizes = [min(points, self.points) for points in (self.points, 15.0, 13.0, 12.0, _SENTENCE)]
        fitting = (points for points in sizes if self._width_of(text, points) <= width)
        return next(fitting, sizes[-1])

    def _width_of(self, text: str, points: float) -> float:
        font = self._text.font()
        font.setPointSizeF(points)
        return float(QtGui.QFontMetricsF(font, self._text).horizontalAdvance(text))

    def _colour_by(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            palette = self._text.palette()
            palette.setColor(QtGui.QPalette.WindowText, QtGui.QColor(colour))
            self._text.setPalette(palette)


class Lamp(ElidedLabel):
    """One thing that is watched: a sign and its name, the reason on hover."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        font = self.font()
        font.setPointSizeF(_SENTENCE)
        self.setFont(font)

    def show_item(self, item: Item | None, theme: Theme) -> None:
        """Write it in the colour of its level, or nothing."""
        if (item, theme) == self._shown:
            return
        self._shown = (item, theme)
        self.setVisible(item is not None)
        if item is None:
            return
        set_text(self, item.text)
        self.setToolTip(item.hint)
        self.setAccessibleName(item.hint)
        palette = self.palette()
        palette.setColor(QtGui.QPalette.WindowText, QtGui.QColor(theme.level(item.level)))
        self.setPalette(palette)


class Header(Framed):
    """Two rows: how the run does; the numbers that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.run, self.state = Cell(13.0), Cell(13.0)
        self.connection, self.output = Cell(11.0, bold=False), Cell(11.0, bold=False)
        self.age, self.lag = Cell(13.0), Cell(13.0)
        self.frames = [Cell(13.0) for _ in range(5)]
        self.numbers = [Cell(17.0) for _ in range(5)]
        self.control = Cell(11.0, bold=False)
        self.lamps = [Lamp() for _ in range(_MOST_LAMPS)]
        top, below = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        for row in (top, below):
            row.setSpacing(14)
        for cell, stretch in (
            (self.run, 5), (self.state, 4), (self.age, 2), (self.lag, 2),
            (self.connection, 3), (self.control, 3), (self.output, 4),
        ):  # fmt: skip
            top.addWidget(cell, stretch)
        for cell, stretch in zip(self.numbers, (6, 6, 6, 4, 4), strict=True):
            below.addWidget(cell, stretch)
        for cell in self.frames:
            below.addWidget(cell, 2)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 6)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(below)
        self._lamp_row = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self._lamp_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_APART)
        for lamp in self.lamps:
            row.addWidget(lamp)
        row.addStretch(1)
        self._lamp_row.setVisible(False)
        layout.addWidget(self._lamp_row)

    def resizeEvent(self, event: QtGui.QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        """Write the big numbers as big as there is room."""
        super().resizeEvent(event)
        for cell in self.numbers:
            cell.points = 17.0 if self.width() >= _WIDE else 14.0

    def draw(self, headline: Headline, theme: Theme) -> None:
        """Write all items."""
        empty = Item(label="", text="")
        self.run.show_item(headline.run, theme)
        self.state.show_item(headline.state, theme)
        self.connection.show_item(headline.connection, theme)
        self.output.show_item(headline.output, theme)
        self.age.show_item(headline.age, theme)
        self.lag.show_item(headline.lag, theme)
        self.control.show_item(headline.control, theme)
        if self._lamp_row.isHidden() == bool(headline.lamps):
            self._lamp_row.setVisible(bool(headline.lamps))
        lamps = headline.lamps if self._has_room(headline.lamps) else folded(headline.lamps)
        for place, lamp in enumerate(self.lamps):
            lamp.show_item(lamps[place] if place < len(lamps) else None, theme)
        for cells, items in ((self.frames, headline.frames), (self.numbers, headline.numbers)):
            for place, cell in enumerate(cells):
                cell.show_item(items[place] if place < len(items) else empty, theme)

    def _has_room(self, lamps: tuple[Item, ...]) -> bool:
        metrics = self.lamps[0].fontMetrics()
        wide = sum(metrics.horizontalAdvance(lamp.text) + _APART for lamp in lamps)
        return bool(wide <= self._lamp_row.width())


class Banner(QtWidgets.QLabel):
    """A line across the window that is there only when it has something to say."""

    def __init__(
        self, *, points: float, ground: QtGui.QPalette.ColorRole, text: QtGui.QPalette.ColorRole
    ) -> None:
        super().__init__()
        self.setAutoFillBackground(True)
        self.setBackgroundRole(ground)
        self.setForegroundRole(text)
        self.setContentsMargins(10, 5, 10, 5)
        font = self.font()
        font.setPointSizeF(points)
        font.setBold(True)
        self.setFont(font)
        self.setWordWrap(True)
        self.setTextFormat(QtCore.Qt.PlainText)
        self.setVisible(False)

    def say(self, text: str) -> None:
        """Show the text; nothing hides the banner."""
        set_text(self, text)
        if self.isHidden() == bool(text):
            self.setVisible(bool(text))


class Counters(QtWidgets.QTableWidget):
    """Where every frame went, with the reasons of refusal."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setAccessibleName("counters")
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert across is not None
        assert down is not None
        across.hide()
        down.hide()
        across.setSectionResizeMode(0, QtWidgets.QHeaderView.Stretch)
        across.setSectionResizeMode(1, QtWidgets.QHeaderView.ResizeToContents)
        down.setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.setShowGrid(False)
        self.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        self.setSelectionMode(QtWidgets.QAbstractItemView.NoSelection)
        self.setFocusPolicy(QtCore.Qt.NoFocus)
        self.setFrameShape(QtWidgets.QFrame.NoFrame)
        self._items: tuple[Item, ...] = ()
        self._theme: Theme | None = None

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        self.draw(self._items, theme)

    def draw(self, items: tuple[Item, ...], theme: Theme) -> None:
        """Write the rows; the frames are counted in the header, so only the rest is here."""
        if items == self._items and theme is self._theme:
            return
        self._items, self._theme = items, theme
        self.setRowCount(len(items))
        for row, item in enumerate(items):
            for column, text in enumerate((item.label, item.text)):
                self._write(row, column, text, item, theme)

    def _write(self, row: int, column: int, text: str, item: Item, theme: Theme) -> None:
        cell = self.item(row, column)
        if cell is None:
            cell = QtWidgets.QTableWidgetItem()
            self.setItem(row, column, cell)
        cell.setText(text)
        cell.setToolTip(item.hint)
        cell.setForeground(QtGui.QColor(theme.level(item.level)))
        if column == 1:
            cell.setTextAlignment(int(QtCore.Qt.AlignRight | QtCore.Qt.AlignVCenter))
