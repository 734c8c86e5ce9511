"""Panels as pictures: PNG as they are on the screen, SVG of what they plot."""

from pathlib import Path

from livepdf_gui.qt import QtCore, QtGui, QtSvg, QtWidgets

_SHARP = 2.0
"""Pixels of a picture for each of the screen."""


def save_png(widget: QtWidgets.QWidget, path: Path) -> None:
    """Write a widget as it is; OSError where that cannot be."""
    ratio = max(_SHARP, float(widget.devicePixelRatioF()))
    picture = QtGui.QPixmap(widget.size() * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QtCore.Qt.transparent)
    widget.render(picture)
    if not picture.save(str(path), "PNG"):
        raise OSError(f"the picture cannot be written to {path}")


def save_svg(widget: QtWidgets.QWidget, path: Path) -> None:
    """Write a widget as lines and letters; OSError where that cannot be."""
    generator = QtSvg.QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(widget.size())
    generator.setViewBox(widget.rect())
    generator.setTitle("livepdf")
    painter = QtGui.QPainter()
    if not painter.begin(generator):
        raise OSError(f"the picture cannot be written to {path}")
    widget.render(painter)
    painter.end()
