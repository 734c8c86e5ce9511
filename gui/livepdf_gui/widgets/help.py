"""The sheet of keys behind F1."""

from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.keys import KEYS


class KeySheet(QtWidgets.QDialog):
    """A list of all keys that never blocks the window."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(False)
        grid = QtWidgets.QGridLayout(self)
        grid.setHorizontalSpacing(18)
        half = -(-len(KEYS) // 2)
        for place, (_, key, words) in enumerate(KEYS):
            row, left = place % half, 2 * (place // half)
            name = QtWidgets.QLabel(key)
            font = name.font()
            font.setBold(True)
            name.setFont(font)
            grid.addWidget(name, row, left)
            grid.addWidget(QtWidgets.QLabel(words), row, left + 1)
        mouse = QtWidgets.QLabel(
            "Wheel zooms, drag moves, A shows all again. A click on the map or on a trend shows "
            "that window in all panels."
        )
        mouse.setWordWrap(True)
        grid.addWidget(mouse, half, 0, 1, 4, QtCore.Qt.AlignTop)
        # the sheet takes the keyboard while it is open: F1 must close it again from there
        close = QtWidgets.QShortcut("F1", self)
        close.activated.connect(self.hide)
