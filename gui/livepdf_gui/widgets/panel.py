"""The frame around every panel: title, what it shows, what is under the cursor, empty notice."""

from livepdf_gui.qt import QtCore, QtGui, QtWidgets


class Framed(QtWidgets.QFrame):
    """A sheet with a thin edge, in the colours of the palette."""

    def paintEvent(self, event: QtGui.QPaintEvent | None) -> None:  # noqa: ARG002, N802  Qt's name
        """Draw sheet and edge."""
        painter, colours = QtGui.QPainter(self), self.palette()
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        painter.setBrush(colours.brush(QtGui.QPalette.Base))
        painter.setPen(QtGui.QPen(colours.color(QtGui.QPalette.Mid), 1.0))
        painter.drawRoundedRect(QtCore.QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4.0, 4.0)
        painter.end()


class Panel(Framed):
    """A titled frame whose body gives way to a notice while there is nothing to draw."""

    def __init__(self, title: str, body: QtWidgets.QWidget) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self._title, self._over, self._notice, self._aside = (_label() for _ in range(4))
        embolden(self._title)
        for label in (self._over, self._notice, self._aside):
            fade(label)
        self._over_text, self._reading = "", ""
        self._notice.setAlignment(QtCore.Qt.AlignCenter)
        self._notice.setWordWrap(True)
        self._stack = QtWidgets.QStackedWidget()
        self._stack.addWidget(self._notice)
        self._stack.addWidget(body)
        self.head = QtWidgets.QHBoxLayout()
        self.head.setSpacing(6)
        self.head.addWidget(self._title)
        self._aside.setAlignment(QtCore.Qt.AlignRight | QtCore.Qt.AlignVCenter)
        self.head.addWidget(self._aside, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 5, 8, 4)
        layout.setSpacing(2)
        layout.addLayout(self.head)
        layout.addWidget(self._over)
        layout.addWidget(self._stack, 1)
        self._over.setVisible(False)
        self.set_title(title)
        self.say_empty("Nothing yet.")

    def set_title(self, title: str, lesson: str = "") -> None:
        """Name the panel; the lesson appears on hover."""
        set_text(self._title, title)
        if lesson and self._title.toolTip() != lesson:
            self._title.setToolTip(lesson)

    def set_over(self, text: str) -> None:
        """Say what the panel accumulates over, or how it is to be read."""
        self._over_text = text
        self._second_line()

    def set_aside(self, text: str) -> None:
        """Say something short beside the title."""
        set_text(self._aside, text)

    def set_reading(self, text: str) -> None:
        """Say what is under the cursor, in place of the second line while it is there."""
        self._reading = text
        self._second_line()

    def say_empty(self, notice: str) -> None:
        """Show a notice in place of the body; an empty notice shows the body."""
        set_text(self._notice, notice)
        self._stack.setCurrentIndex(0 if notice else 1)

    def leaveEvent(self, event: QtCore.QEvent | None) -> None:  # noqa: N802  Qt's name
        """Forget what was under the cursor."""
        self.set_reading("")
        super().leaveEvent(event)

    def _second_line(self) -> None:
        text = self._reading or self._over_text
        if text == self._over.text():
            return
        self._over.setText(text)
        self._over.setToolTip(text)
        self._over.setVisible(bool(text))
        embolden(self._over, bool(self._reading))
        fade(self._over, not self._reading)


class ElidedLabel(QtWidgets.QLabel):
    """A line of text that gives way at its end when there is no room."""

    def minimumSizeHint(self) -> QtCore.QSize:  # noqa: N802  Qt's name
        """Let the layout make it as narrow as it likes."""
        return QtCore.QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QtGui.QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        """Draw what fits; text of several lines is drawn whole."""
        if "\n" in self.text() or self.wordWrap():
            super().paintEvent(event)
            return
        painter = QtGui.QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), QtCore.Qt.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment()), text)
        painter.end()


def set_text(label: QtWidgets.QLabel, text: str) -> None:
    """Change a label only where its text differs: a repaint saved."""
    if label.text() != text:
        label.setText(text)


def fade(label: QtWidgets.QLabel, faint: bool = True) -> None:
    """Write in the colour of what is of second rank, or of first."""
    role = QtGui.QPalette.PlaceholderText if faint else QtGui.QPalette.WindowText
    if label.foregroundRole() != role:
        label.setForegroundRole(role)


def embolden(label: QtWidgets.QLabel, bold: bool = True) -> None:
    """Write in bold letters, or in usual ones."""
    font = label.font()
    if font.bold() != bold:
        font.setBold(bold)
        label.setFont(font)


def _label() -> ElidedLabel:
    label = ElidedLabel()
    label.setTextFormat(QtCore.Qt.PlainText)
    return label
