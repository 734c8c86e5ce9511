"""The menus of what changes things for everybody, and of what is saved."""

from collections.abc import Callable

from livepdf_gui.qt import QtWidgets
from livepdf_gui.show.tasks import Act, Deed

SAVES = (
    ("Curves of the window that is shown: .iq .sq .fq .gr …", "curves"),
    ("I(Q) of it as .chi …", "chi"),
    ("Trends as a table: .csv …", "trends"),
    ("Panel of G(r) as a picture: .png or .svg …", "panel gr"),
    ("Panel over Q as a picture …", "panel iq"),
    ("Map as a picture …", "panel map"),
    ("Trends as a picture …", "panel trends"),
    ("Detector as a picture …", "panel detector"),
)
"""(words, name)"""

_DEEDS: tuple[tuple[str, Deed, bool], ...] = (
    ("Take control", "take control", True),
    ("Take control from whoever has it", "force control", True),
    ("Let go of control", "leave control", True),
    ("", "pause", True),
    ("Pause the measurement: frames are counted, no windows are made", "pause", True),
    ("Go on measuring", "go on", True),
    ("Begin the curve of the whole run anew", "reset", True),
    ("", "pause", True),
    ("Record a dark: block the beam, then choose this", "capture dark", True),
    ("Record a background: put the empty cell in, then choose this", "capture background", True),
    ("Record blanks: put cell and solvent in, choose this, heat", "capture blanks", True),
    ("Record the solution before it reacts: 20 frames or more", "capture precursor", True),
    ("Record a reference for ΔG", "capture reference", True),
    ("End dark, background or reference and use it", "end capture", True),
    ("End dark, background or reference and only save it", "end capture", False),
    ("", "pause", True),
    ("Record the raw stream: every message, to replay the run later", "begin recording", True),
    ("End the recording of the raw stream", "end recording", True),
)


def make_act_menu(parent: QtWidgets.QWidget, ask: Callable[[Act], None]) -> QtWidgets.QMenu:
    """Return the menu of what changes things for everybody."""
    menu = QtWidgets.QMenu("&Act", parent)
    for words, deed, use in _DEEDS:
        if not words:
            menu.addSeparator()
            continue
        action = QtWidgets.QAction(words, menu)
        action.triggered.connect(lambda _, d=deed, u=use: ask(Act(deed=d, use=u)))
        menu.addAction(action)
    return menu


def make_save_menu(parent: QtWidgets.QWidget, save: Callable[[str], None]) -> QtWidgets.QMenu:
    """Return the menu of what may be saved."""
    menu = QtWidgets.QMenu("S&ave", parent)
    for words, name in SAVES:
        action = QtWidgets.QAction(words, menu)
        action.triggered.connect(lambda _, n=name: save(n))
        menu.addAction(action)
    return menu
