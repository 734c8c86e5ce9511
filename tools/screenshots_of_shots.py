"""Pictures of the pages about shots: with a laser, hits among blanks, breakdown.

``python -m tools.screenshots_of_shots --out DIR`` publishes reports in closed form to the window
over real sockets: the demo has no laser, and what is drawn is known exactly. ``tools.screenshots``
starts it for each theme.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.gui.publisher import Publisher
from tests.gui.shots_samples import breakdown_report, laser_report, serial_report
from tools.screenshots import THEMES, WHOLE, environment_is_offscreen, save_picture

_RUN = "fs_laser"
_PATIENCE = 120.0
"""s for the reports to come."""


def main() -> int:
    """Take a picture of each page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--theme", choices=THEMES, default="light")
    parser.add_argument("--scale", type=int, default=1, help="for the names of the files")
    given = parser.parse_args()
    environment_is_offscreen()
    publisher = Publisher(run=_RUN)
    try:
        return _take(publisher, given.out, given.theme, given.scale)
    finally:
        publisher.stop()


def _take(publisher: Publisher, out: Path, theme: str, scale: int) -> int:
    from livepdf_gui.follower import Follower
    from livepdf_gui.qt import application
    from livepdf_gui.show.memory import Memory
    from livepdf_gui.widgets.window import Window

    app = application()
    follower = Follower(publisher.endpoint)
    follower.start()
    memory = Memory(wishes={"theme": theme}, size=WHOLE)
    window = Window(app, follower, endpoint=publisher.endpoint, remembered=memory)
    window.show()
    end = time.monotonic() + _PATIENCE
    while window.session.newest.breakdown is None:
        if time.monotonic() > end:
            raise SystemExit(f"no reports in the window after {_PATIENCE:g} s")
        if window.session.newest.connected:
            for make in (laser_report, serial_report, breakdown_report):
                publisher.report(make(run=_RUN))
        _wait(app, 0.3)
    for name in ("laser", "serial", "breakdown"):
        window.act("shots")
        if name == "laser":
            window.act("older")
        _wait(app, 1.5)
        save_picture(window.grab().toImage(), out / f"{name}-{theme}@{scale}.png")
    window.close()
    follower.stop()
    return 0


def _wait(app: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()  # type: ignore[attr-defined]
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
