"""The only door to Qt. PyQt5 is loaded before pyqtgraph, which then uses the same binding."""

import os
import sys

import PyQt5.QtCore as QtCore
import PyQt5.QtGui as QtGui
import PyQt5.QtSvg as QtSvg
import PyQt5.QtWidgets as QtWidgets
import pyqtgraph as pg

__all__ = ["QtCore", "QtGui", "QtSvg", "QtWidgets", "application", "has_display", "pg"]


def has_display() -> bool:
    """Tell whether a window can appear on a screen here."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def application() -> QtWidgets.QApplication:
    """Return the one application, with the settings that must come before any widget."""
    # 256 colours, fixed levels, thin lines: what pyqtgraph draws fast
    pg.setConfigOptions(antialias=False, imageAxisOrder="row-major", useOpenGL=False)
    running = QtWidgets.QApplication.instance()
    if running is not None:
        return running
    QtWidgets.QApplication.setAttribute(QtCore.Qt.AA_EnableHighDpiScaling)
    # fractions such as 1.04, which 100-dpi displays report, would only blur the text
    QtWidgets.QApplication.setHighDpiScaleFactorRoundingPolicy(
        QtCore.Qt.HighDpiScaleFactorRoundingPolicy.Round
    )
    made = QtWidgets.QApplication(["livepdf"])
    made.setApplicationName("livepdf")
    made.setStyle("Fusion")
    font = made.font()
    font.setPointSizeF(10.0)
    made.setFont(font)
    return made
