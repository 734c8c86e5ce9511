"""Opens the window on one daemon and runs until it is closed."""

import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from livepdf_gui.follower import Follower
from livepdf_gui.qt import QtCore, QtWidgets, application, has_display
from livepdf_gui.show.choice import ThemeName
from livepdf_gui.show.memory import Memory, memory_file, recall
from livepdf_gui.widgets.window import Window

_ENDPOINT = re.compile(r"(tcp|ipc)://.+")
_SIZE = (1600, 1000)
_LOOK = 100
"""ms between two looks at the clock, at signals, and at whether the daemon is still there."""


def main(
    endpoint: str,
    *,
    screenshot: Path | None = None,
    duration: float | None = None,
    size: tuple[int, int] | None = None,
    theme: ThemeName | None = None,
    leave: bool = False,
    fresh: bool = False,
) -> int:
    """Show the daemon at ``endpoint`` until the window is closed; return the exit code.

    Parameters
    ----------
    screenshot
        PNG of the window to write at the end.
    duration
        s after which the window closes by itself.
    theme
        None takes the one of the last time.
    fresh
        Take nothing over from the last time.
    leave
        Close the window when the daemon goes; an offscreen window with a screenshot always does.
    """
    if not _ENDPOINT.fullmatch(endpoint):
        _say(f"found {endpoint!r}, wanted an address such as tcp://127.0.0.1:5555")
        return 2
    if not has_display() and "QT_QPA_PLATFORM" not in os.environ:
        _say("no display (DISPLAY is not set): the window is drawn offscreen")
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = application()
    hidden = app.platformName() == "offscreen"
    follower = Follower(endpoint)
    follower.start()
    try:
        window = _window(app, follower, endpoint, theme=theme, size=size, fresh=fresh)
        window.show()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: window.close())
        end = time.monotonic() + (float("inf") if duration is None else duration)

        def look() -> None:
            state = follower.newest()
            gone = state.met and not state.connected
            if time.monotonic() > end or (gone and (leave or (hidden and screenshot is not None))):
                window.close()

        timer = QtCore.QTimer()
        timer.timeout.connect(look)
        timer.start(_LOOK)
        code = int(app.exec_())
        timer.stop()
        if screenshot is not None:
            window.picture(screenshot)
            _say(f"picture: {screenshot}")
        return code
    finally:
        follower.stop()


def _window(
    app: QtWidgets.QApplication,
    follower: Follower,
    endpoint: str,
    *,
    theme: ThemeName | None,
    size: tuple[int, int] | None,
    fresh: bool,
) -> Window:
    """Make the window as it was left the last time, unless told otherwise."""
    path = memory_file()
    remembered, complaint = (Memory(), "") if fresh else recall(path)
    if complaint:
        _say(complaint)
    if theme is not None:
        remembered = replace(remembered, wishes={**remembered.wishes, "theme": theme})
    if size is not None or remembered.size is None:
        remembered = replace(remembered, size=size or _SIZE)
    return Window(app, follower, endpoint=endpoint, remembered=remembered, keep=path)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
