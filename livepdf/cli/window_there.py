"""Whether the window is installed beside the rest."""

from importlib.util import find_spec


def window_missing() -> str:
    """Return what the window lacks and the remedy, in words; empty where it can be opened."""
    missing = [name for name in ("PyQt5", "pyqtgraph", "livepdf_gui") if find_spec(name) is None]
    if not missing:
        return ""
    return f'{" and ".join(missing)} not found, wanted for the window: pip install "livepdf[gui]"'
