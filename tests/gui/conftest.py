"""Every test of the window runs offscreen, on a real socket, and leaves no widget behind."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.gui.publisher import Publisher

if TYPE_CHECKING:
    from livepdf_gui.widgets.window import Window

    from tests.gui.beamtime import Beamtime

os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path, monkeypatch) -> None:
    """Keep what windows remember away from the user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def no_widget_left_behind() -> Iterator[None]:
    """Fail any test after which a window, menu or dialog is still alive."""
    before = _top_level()
    yield
    gc.collect()
    left = _top_level() - before
    assert not left, f"widgets left behind: {left}"


def _top_level() -> set[str]:
    widgets = sys.modules.get("PyQt5.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return set()
    core = sys.modules["PyQt5.QtCore"]
    core.QCoreApplication.sendPostedEvents(None, core.QEvent.DeferredDelete)
    return {f"{w!r} {w.windowTitle()}" for w in widgets.QApplication.topLevelWidgets()}


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Return a daemon that stops with the test."""
    running = Publisher()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def beamtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Beamtime"]:
    """Return a whole daemon with six windows, one for each file of tests."""
    from tests.gui.beamtime import begun

    with begun(tmp_path_factory.mktemp("beamtime")) as running:
        yield running


@pytest.fixture
def open_window(qtbot, qapp) -> Iterator[Callable[[str], "Window"]]:
    """Return a function that opens the window on an endpoint."""
    from livepdf_gui.follower import Follower
    from livepdf_gui.qt import application
    from livepdf_gui.widgets.window import Window

    opened: list[tuple[Window, Follower]] = []

    def make(endpoint: str) -> Window:
        follower = Follower(endpoint)
        follower.start()
        window = Window(application(), follower, endpoint=endpoint)
        window.resize(1600, 1000)
        window.show()
        opened.append((window, follower))
        return window

    yield make
    for window, follower in opened:
        window.close()
        follower.stop()
        window.deleteLater()
    opened.clear()
