"""Every key of the window, for the menu and the sheet behind F1."""

KEYS: tuple[tuple[str, str, str], ...] = (
    ("pause", "Space", "Freeze the display; the measurement goes on"),
    ("live", "L", "Back to the newest window"),
    ("older", "Left", "One window back"),
    ("newer", "Right", "One window forward"),
    ("first", "Home", "First window of the run"),
    ("last", "End", "Last window of the run"),
    ("scope", "W", "Curves of the window or of the whole run"),
    ("map", "I", "Map of G(r) or of I(Q)"),
    ("difference", "D", "G(r), or ΔG(r) where a window or file is pinned"),
    ("retune", "R", "Change the recipe: look at a draft, apply it, take it back"),
    ("fit", "A", "Show all: forget the zoom of every panel"),
    ("mark", "M", "Write a mark on the time axis"),
    ("theme", "T", "Light or dark colours"),
    ("screenshot", "Ctrl+S", "Save a picture of this window"),
    ("help", "F1", "Show or hide this list"),
    ("quit", "Ctrl+Q", "Close this window"),
)
"""(name, key, what it does)"""
