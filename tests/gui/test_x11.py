"""The real command on a real X11 screen, with a real daemon behind it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

HERE = Path(__file__).parents[2]
WIDTH, HEIGHT = 1600, 1000
_PATIENCE = 120.0
_DEPTH = 24


class Screen:
    """A display that exists in memory alone, and may be looked at."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("Xvfb")
        assert program is not None, "Xvfb is missing: apt-get install xvfb"
        self._memory = folder / "Xvfb_screen0"
        told, tell = os.pipe()
        size = f"{WIDTH}x{HEIGHT}x{_DEPTH}"
        command = [program, "-displayfd", str(tell), "-screen", "0", size, "-dpi", "96"]
        self._server = subprocess.Popen(
            [*command, "-fbdir", str(folder), "-nolisten", "tcp"],
            pass_fds=[tell],
            stderr=subprocess.DEVNULL,
        )
        os.close(tell)
        with os.fdopen(told) as number:
            self.name = f":{number.readline().strip()}"
        assert self.name != ":", "Xvfb does not start"

    def pixels(self) -> NDArray[np.uint8]:
        """Return what is on it now, (height, width, 3): the XWD format has rows of blue, green,
        red and nothing after a head that tells its own length and that of the table of colours."""
        raw = self._memory.read_bytes()
        head = np.frombuffer(raw, dtype=">u4", count=25)
        start, per_row = int(head[0] + 12 * head[19]), int(head[12])
        rows = np.frombuffer(raw, dtype=np.uint8, count=HEIGHT * per_row, offset=start)
        return rows.reshape(HEIGHT, per_row)[:, : 4 * WIDTH].reshape(HEIGHT, WIDTH, 4)[..., 2::-1]

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(30)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    shown = Screen(tmp_path)
    yield shown
    shown.close()


def _share(pixels: NDArray[np.uint8], colour: str) -> float:
    """Return the share of pixels of one colour."""
    return float((pixels == np.frombuffer(bytes.fromhex(colour), np.uint8)).all(axis=2).mean())


def _colours(pixels: NDArray[np.uint8]) -> int:
    """Return how many colours there are."""
    flat = pixels.reshape(-1, 3).astype(np.uint32)
    return np.unique(flat @ np.array([65536, 256, 1], dtype=np.uint32)).size


@pytest.mark.system
def test_the_window_paints_its_panels_on_a_screen_and_leaves_it_cleanly(
    beamtime, screen: Screen, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DISPLAY": screen.name,
        "QT_QPA_PLATFORM": "xcb",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "gui")]),
    }
    command = [sys.executable, "-m", "livepdf.cli.main", "gui", beamtime.endpoint]
    window = subprocess.Popen(
        [*command, "--theme", "light"], env=environment, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + _PATIENCE
    left, right = slice(0, 6 * WIDTH // 13), slice(6 * WIDTH // 13, WIDTH)
    try:
        while time.monotonic() < end and window.poll() is None:
            now = screen.pixels()
            # G(r) is blue and I(Q) vermilion on the left; the map has many colours on the right
            g, i = _share(now[:, left], "0072b2"), _share(now[:, left], "d55e00")
            if g > 1e-4 and i > 1e-4 and _colours(now[: HEIGHT // 2, right]) > 100:
                break
            time.sleep(0.2)
        shown = screen.pixels()
    finally:
        # as Ctrl-C does, to the command and to the window
        os.killpg(window.pid, signal.SIGINT)
    _, said = window.communicate(timeout=_PATIENCE)

    # the command tells that it was interrupted; the window closed in order and remembers itself
    assert window.returncode == 130, said
    assert "Traceback" not in said
    assert (tmp_path / "config" / "livepdf" / "window.json").exists()
    assert _share(shown, "ffffff") > 0.3, "panels are white sheets"
    assert _share(shown, "000000") < 0.3, "the screen is not covered"
    assert _share(shown[:, left], "0072b2") > 1e-4, "no curve of G"
    assert _share(shown[:, left], "d55e00") > 1e-4, "no curve of I"
    assert _colours(shown[: HEIGHT // 2, right]) > 100, "no map"
