"""The real window in a process of its own, told by lines of text what to measure.

``python -m tests.benchmarks.gui_process ENDPOINT BEGUN``; BEGUN is the Unix time of its start.
"""

import json
import resource
import sys
import time
from pathlib import Path

from livepdf_gui.follower import Follower
from livepdf_gui.qt import QtCore, application
from livepdf_gui.widgets.window import Window

_KEYS = (
    *("older", "much older", "map", "map", "map", "map", "curve", "axis", "axis", "axis", "axis"),
    *("pin", "unpin", "live", "theme", "theme", "theme", "levels"),
)


def main() -> None:
    """Open the window, then obey."""
    endpoint, begun = sys.argv[1], float(sys.argv[2])
    app = application()
    follower = Follower(endpoint)
    follower.start()
    window = Window(app, follower, endpoint=endpoint)
    window.resize(1600, 1000)
    window.show()
    app.processEvents()
    painted = time.time() - begun

    def spin(seconds: float) -> None:
        loop = QtCore.QEventLoop()
        QtCore.QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec_()

    def response(name: str, after: float) -> float:
        """Return s from the moment a key is due until its picture is painted.

        The key may have to wait for a refresh, as the user's does. What it changed is painted by
        events that are handled before a timer of no length.
        """
        found: list[float] = []
        loop, due = QtCore.QEventLoop(), time.monotonic() + after

        def painted() -> None:
            found.append(time.monotonic() - due)
            loop.quit()

        def press() -> None:
            window.act(name)
            QtCore.QTimer.singleShot(0, painted)

        QtCore.QTimer.singleShot(int(1000 * after), QtCore.Qt.PreciseTimer, press)
        loop.exec_()
        return found[0]

    def length() -> int:
        history = window.session.newest.history
        return 0 if history is None else len(history)

    joining = time.monotonic()
    while length() < 100 and time.monotonic() - joining < 120:
        spin(0.1)
    _say(painted=painted, joined=time.monotonic() - joining, windows=length(), memory=_memory())
    for order in sys.stdin:
        match order.split():
            case ["rest", seconds]:
                used, since, before = time.process_time(), time.monotonic(), length()
                spin(float(seconds))
                elapsed = time.monotonic() - since
                _say(
                    share=(time.process_time() - used) / elapsed,
                    rate=(length() - before) / elapsed,
                    windows=length(),
                    memory=_memory(),
                )
            case ["keys"]:
                waits: dict[str, float] = {}
                for place, name in enumerate(_KEYS):
                    took = response(name, 0.25 + 0.017 * place)
                    waits[name] = max(waits.get(name, 0.0), took)
                _say(**waits)
            case _:
                break
    window.close()
    follower.stop()


def _memory() -> float:
    """Return MB that the process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _say(**facts: float) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
