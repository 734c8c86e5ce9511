"""Colours of the theme on Qt's own widgets and on plots."""

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.qt import QtGui, QtWidgets, pg
from livepdf_gui.show.theme import Theme

_TICK = 4
"""Pixels."""


def paint_window(window: QtWidgets.QWidget, theme: Theme) -> None:
    """Give a window and all in it the colours of the theme.

    By its palette alone: a style sheet that changes has every widget measured again. Not the
    application's, which would look at every menu and form that pyqtgraph keeps and never shows.
    """
    palette = QtGui.QPalette()
    roles = {
        QtGui.QPalette.Window: theme.window,
        QtGui.QPalette.WindowText: theme.text,
        QtGui.QPalette.Base: theme.panel,
        QtGui.QPalette.AlternateBase: theme.window,
        QtGui.QPalette.Text: theme.text,
        QtGui.QPalette.Button: theme.button,
        QtGui.QPalette.ButtonText: theme.text,
        QtGui.QPalette.BrightText: theme.banner_text,
        QtGui.QPalette.Highlight: theme.accent,
        QtGui.QPalette.HighlightedText: theme.panel,
        QtGui.QPalette.PlaceholderText: theme.faint,
        QtGui.QPalette.Mid: theme.edge,
        QtGui.QPalette.LinkVisited: theme.banner,
        QtGui.QPalette.ToolTipBase: theme.panel,
        QtGui.QPalette.ToolTipText: theme.text,
    }
    for role, colour in roles.items():
        palette.setColor(role, QtGui.QColor(colour))
    sheet = QtGui.QPalette(palette)
    for role in (QtGui.QPalette.Base, QtGui.QPalette.Button):
        sheet.setColor(role, QtGui.QColor(theme.field))
    for part in window.findChildren(QtWidgets.QWidget):
        # menus and sheets are windows of their own, which take nothing from who owns them
        if part.isWindow():
            part.setPalette(sheet if isinstance(part, QtWidgets.QDialog) else palette)
        # all of a plot at once: else each has the whole window painted for itself
        elif isinstance(part, pg.PlotWidget):
            part.scene().update()
    window.setPalette(palette)
    QtWidgets.QToolTip.setPalette(palette)


def paint_plot(plot: pg.PlotItem, theme: Theme) -> None:
    """Give a plot's axes the colours of the theme."""
    for side in ("left", "bottom", "right", "top"):
        axis = plot.getAxis(side)
        if not axis.isVisible():
            continue
        axis.labelStyle = {"color": theme.axis, "font-size": "9pt"}
        # ticks that point outwards: those inside the plot have the axis repainted with every curve
        axis.setStyle(hideOverlappingLabels=False, tickLength=_TICK)
        axis.setPen(pg.mkPen(theme.axis, width=1))
        axis.setTextPen(pg.mkPen(theme.axis))


def label_axis(plot: pg.PlotWidget, side: str, text: str) -> None:
    """Name an axis; the same name again costs nothing."""
    axis = plot.getPlotItem().getAxis(side)
    if axis.labelText != text:
        axis.setLabel(text)


def colour_table(name: str, absent: str) -> NDArray[np.uint8]:
    """Return (256, 4) uint8: entry 0 for what is absent, the others along the colour map."""
    table: NDArray[np.uint8] = pg.colormap.get(name).getLookupTable(nPts=256, alpha=True)
    table[0] = [*bytes.fromhex(absent.removeprefix("#")), 255]
    return table
