"""Opens the window on one daemon and runs until it is closed."""

import os
import re
import signal
import sys
import time
from pathlib import Path

from livepdf_gui.show.choice import ThemeName

_ENDPOINT = re.compile(r"(tcp|ipc|inproc)://.+")


def main(
    endpoint: str,
    *,
    screenshot: Path | None = None,
    duration: float | None = None,
    size: tuple[int, int] = (1600, 1000),
    theme: ThemeName = "light",
) -> int:
    """Show the daemon at ``endpoint``; return the exit code.

    With a ``screenshot`` the window closes after ``duration`` s or when the daemon has gone, and
    leaves a PNG of itself.
    """
    if not _ENDPOINT.fullmatch(endpoint):
        print(
            f"found {endpoint!r}, wanted an address such as tcp://127.0.0.1:5555", file=sys.stderr
        )
        return 2
    from livepdf_gui.qt import QtCore, application, has_display

    if not has_display() and "QT_QPA_PLATFORM" not in os.environ:
        print("no display (DISPLAY is not set): the window is drawn offscreen", file=sys.stderr)
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = application()
    from livepdf_gui.follower import Follower
    from livepdf_gui.widgets.window import Window

    follower = Follower(endpoint)
    follower.start()
    try:
        window = Window(follower, endpoint, theme=theme)
        window.resize(*size)
        window.show()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: window.close())
        started = time.monotonic()

        def watch() -> None:
            """Let Python see its signals, and close the window when its time has come."""
            state = follower.newest()
            over = duration is not None and time.monotonic() - started > duration
            if over or (screenshot is not None and state.met and not state.connected):
                window.close()

        timer = QtCore.QTimer()
        timer.timeout.connect(watch)
        timer.start(100)
        code = int(app.exec_())
        timer.stop()
        if screenshot is not None:
            window.picture(screenshot)
            print(f"picture: {screenshot}", file=sys.stderr)
        return code
    finally:
        follower.stop()
