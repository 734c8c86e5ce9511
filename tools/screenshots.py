"""Pictures of every panel in all themes at scale 1 and 2, of a simulated synthesis.

``python -m tools.screenshots`` starts a demo of its own, waits until there is something to see, and
takes all pictures offscreen; with ``--endpoint`` it attaches to a daemon that runs already. One
process for each theme and scale, since Qt takes its scale at the start. The pages about shots are
of reports in closed form, see ``tools.screenshots_of_shots``. Pictures have 256 colours: they are
part of the documentation, and small.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepdf_gui.widgets.window import Window

THEMES, SCALES = ("light", "dark", "contrast"), (1, 2)
HERE = Path(__file__).resolve().parents[1]
WHOLE, _PANEL = (1600, 1000), (1000, 620)
"""Pixels of the window where all of it is to be seen, and where one panel is."""
_COLOURS = 256
_SYNTHESIS = 45.0
"""s"""
_PATIENCE = 900.0
"""s for a demo to start, kernels compiled, and for its windows to come."""


def main() -> int:
    """Take all pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "docs" / "guide" / "pictures")
    parser.add_argument("--endpoint", help="of a daemon that runs; a demo is started if left out")
    parser.add_argument("--theme", choices=THEMES, help="only this one")
    parser.add_argument("--scale", type=int, choices=SCALES, help="only this one")
    parser.add_argument("--windows", type=int, default=140, help="to wait for")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.endpoint and given.theme and given.scale:
        return _take(given.endpoint, given.out, given.theme, given.scale, given.windows)
    with _daemon(given.endpoint, given.out) as endpoint:
        for theme in (given.theme,) if given.theme else THEMES:
            for scale in (given.scale,) if given.scale else SCALES:
                _child(endpoint, given.out, theme, scale, given.windows)
                if not given.endpoint:
                    _shots(given.out, theme, scale)
    print(f"{len(list(given.out.glob('*.png')))} pictures in {given.out}")
    return 0


@contextmanager
def _daemon(endpoint: str | None, out: Path) -> Iterator[str]:
    """Return the address of the daemon that was named, or of the demo's, which lasts as long."""
    if endpoint:
        yield endpoint
        return
    from livepdf.cli.demo import beamtime, synthesis

    folder = out / f"demo-{os.getpid()}"
    folder.mkdir()
    with (
        (folder / "demo.log").open("wb") as log,
        beamtime(synthesis(_SYNTHESIS, seed=0), folder=folder, log=log) as (_, address, _),
    ):
        yield address
    shutil.rmtree(folder)


def _child(endpoint: str, out: Path, theme: str, scale: int, windows: int) -> None:
    options = ["--endpoint", endpoint, "--out", str(out), "--theme", theme]
    options += ["--scale", str(scale), "--windows", str(windows)]
    command = [sys.executable, "-m", "tools.screenshots", *options]
    subprocess.run(command, check=True, env=_environment(scale), cwd=HERE)


def _shots(out: Path, theme: str, scale: int) -> None:
    options = ["--out", str(out), "--theme", theme, "--scale", str(scale)]
    command = [sys.executable, "-m", "tools.screenshots_of_shots", *options]
    subprocess.run(command, check=True, env=_environment(scale), cwd=HERE)


def environment_is_offscreen() -> None:
    """See that pictures do not depend on a screen, before Qt is loaded."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _environment(scale: int) -> dict[str, str]:
    return {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QT_SCALE_FACTOR": str(scale),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "gui")]),
    }


def _take(endpoint: str, out: Path, theme: str, scale: int, windows: int) -> int:
    """Open the window, go through all scenes, write a picture of each."""
    environment_is_offscreen()
    from livepdf_gui.follower import Follower
    from livepdf_gui.qt import application
    from livepdf_gui.show.memory import Memory
    from livepdf_gui.widgets.window import Window

    app = application()
    follower = Follower(endpoint)
    follower.start()
    memory = Memory(wishes={"theme": theme}, size=WHOLE)
    window = Window(app, follower, endpoint=endpoint, remembered=memory)
    window.show()

    def until(done: Callable[[], bool], patience: float) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end and not done():
            app.processEvents()
            time.sleep(0.02)

    def enough() -> bool:
        history = window.session.newest.history
        return history is not None and int(history.here.sum()) >= windows

    until(enough, _PATIENCE)
    for name, steps in _SCENES:
        window.resize(*(WHOLE if name in _WHOLE_WINDOW else _PANEL))
        for step in steps:
            _step(window, step)
            until(lambda: False, 0.4)
        if name == "retune":
            until(lambda: bool(window.retune._fields), _PATIENCE)
        if "structure" in steps:
            until(lambda: bool(window.session.newest.references), _PATIENCE)
        if name == "overview":
            until(lambda: window.session.newest.preview_image is not None, _PATIENCE)
        until(lambda: False, 1.2)
        pictured = _sheet(window, name)
        save_picture(pictured.grab().toImage(), out / f"{name}-{theme}@{scale}.png")
    window.close()
    follower.stop()
    return 0


def save_picture(picture: Any, path: Path) -> None:
    """Write a picture in its 256 most frequent colours, the others as the nearest of them."""
    import numpy as np
    from livepdf_gui.qt import QtGui

    shown = picture.convertToFormat(QtGui.QImage.Format_RGB32)
    rows, columns = shown.height(), shown.width()
    buffer = shown.constBits()
    buffer.setsize(4 * rows * columns)
    pixels = np.frombuffer(buffer, dtype=np.uint32).reshape(rows, columns) & 0xF8F8F8
    colours, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(counts)[::-1][:_COLOURS]]
    parts = [np.stack([(c >> s) & 255 for s in (16, 8, 0)], 1).astype(int) for c in (colours, kept)]
    far = ((parts[0][:, None] - parts[1][None]) ** 2).sum(2)
    index = far.argmin(1).astype(np.uint8)[places.reshape(rows, columns)]
    # the lower bits that were left out are those of white where the colour is bright
    split = [(int(c) >> 16 & 255, int(c) >> 8 & 255, int(c) & 255) for c in kept]
    table = [
        0xFF000000 | (r | r >> 5) << 16 | (g | g >> 5) << 8 | (b | b >> 5) for r, g, b in split
    ]
    wide = -(-columns // 4) * 4
    padded = np.zeros((rows, wide), dtype=np.uint8)
    padded[:, :columns] = index
    small = QtGui.QImage(padded.tobytes(), columns, rows, wide, QtGui.QImage.Format_Indexed8)
    small.setColorTable(table)
    if not small.save(str(path), "PNG", 0):
        raise SystemExit(f"{path} cannot be written")


Scenes = tuple[tuple[str, tuple[str, ...]], ...]
_WHOLE_WINDOW = ("overview", "old-window", "together")
_SCENES: Scenes = (
    ("overview", ()),
    ("gr", ("panel 1",)),
    ("gr-compared", ("older", "much older", "much older", "pin", "live", "structure")),
    ("gr-difference", ("difference",)),
    ("iq", ("difference", "panel 1", "panel 2")),
    ("sq", ("curve",)),
    ("fq", ("curve",)),
    ("detector", ("curve", "panel 2", "rings", "panel 3")),
    ("frames", ("panel 3", "panel 4")),
    ("map-gr", ("panel 4", "panel 5")),
    ("map-dgr", ("map",)),
    ("map-iq-frames", ("map", "axis", "axis")),
    ("map-fq-temperature", ("map", "axis")),
    ("trends", ("axis", "map", "panel 5", "panel 6")),
    (
        "together",
        ("panel 6", "live", "older", "range from", "much older", "much older", "range to"),
    ),
    ("old-window", ("live", "much older")),
    ("retune", ("live", "retune")),
    ("keys", ("retune", "help")),
)
"""Name of the picture, and what is done before it is taken."""


def _step(window: "Window", step: str) -> None:
    from livepdf_gui.show.tasks import Calculate

    if step == "structure":
        window._follower.ask(Calculate(name="hfo2-monoclinic"))
    elif step == "retune" and window.retune.isVisible():
        window.retune.close()
    else:
        window.act(step)


def _sheet(window: "Window", name: str) -> Any:
    sheets = {"retune": window.retune, "keys": window.keys}
    whole = window if name in _WHOLE_WINDOW else window.board.widget
    return sheets.get(name, whole)


if __name__ == "__main__":
    sys.exit(main())
