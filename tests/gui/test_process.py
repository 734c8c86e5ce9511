import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gui.publisher import Publisher, growing_result

HERE = Path(__file__).parents[2]


def _python(code: str) -> str:
    path = os.pathsep.join([str(HERE), str(HERE / "gui")])
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_what_decides_does_not_load_qt() -> None:
    out = _python(
        "import sys, livepdf_gui.show.session, livepdf_gui.follower;"
        "print([m for m in sys.modules if m.startswith(('PyQt5', 'pyqtgraph'))])"
    )
    assert out.strip() == "[]"


def test_the_window_loads_no_number_crunching() -> None:
    out = _python(
        "import sys, livepdf_gui.app;"
        "heavy = {'numba', 'pyFAI', 'h5py', 'fabio', 'scipy', 'matplotlib', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert out.strip() == "[]"


def test_one_module_alone_imports_qt() -> None:
    importers = [
        path.name
        for path in (HERE / "gui" / "livepdf_gui").rglob("*.py")
        if "import PyQt5" in path.read_text() or "import pyqtgraph" in path.read_text()
    ]
    assert importers == ["qt.py"]


@pytest.mark.system
def test_the_first_paint_comes_soon_after_the_start() -> None:
    code = (
        "import time; from livepdf_gui.app import Window, Follower, application;"
        "app = application(); f = Follower('tcp://127.0.0.1:9');"
        "w = Window(app, f, endpoint='e'); w.show(); app.processEvents(); w.grab();"
        "print(time.process_time())"
    )
    # CPU time: a busy machine must not fail it
    assert float(_python(code)) < 2.0


@pytest.mark.system
def test_the_program_leaves_a_picture_when_the_daemon_goes(tmp_path: Path) -> None:
    publisher = Publisher()
    publisher.keep(growing_result(0, start=time.time()))
    picture = tmp_path / "end.png"
    path = os.pathsep.join([str(HERE), str(HERE / "gui")])
    window = subprocess.Popen(
        [sys.executable, "-m", "livepdf_gui", publisher.endpoint, "--screenshot", str(picture)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": path},
    )
    try:
        assert publisher.visited.wait(120.0)
    finally:
        publisher.stop()
    assert window.wait(120.0) == 0
    assert picture.stat().st_size > 20_000


@pytest.mark.system
def test_an_address_that_is_none_is_refused_with_what_was_wanted() -> None:
    path = os.pathsep.join([str(HERE), str(HERE / "gui")])
    done = subprocess.run(
        [sys.executable, "-m", "livepdf_gui", "nonsense"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "found 'nonsense', wanted an address" in done.stderr
