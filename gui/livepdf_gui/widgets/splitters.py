"""Panels side by side or above each other, with handles between them."""

from livepdf_gui.qt import QtCore, QtWidgets


def splitter(
    direction: QtCore.Qt.Orientation, *parts: tuple[QtWidgets.QWidget, int]
) -> QtWidgets.QSplitter:
    """Return parts that share a space in proportion; none can be squeezed to nothing."""
    made = QtWidgets.QSplitter(direction)
    made.setChildrenCollapsible(False)
    for place, (part, share) in enumerate(parts):
        made.addWidget(part)
        made.setStretchFactor(place, share)
    made.setSizes([share * 1000 for _, share in parts])
    return made
