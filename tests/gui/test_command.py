import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gui.publisher import Publisher, growing_result

HERE = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join([str(HERE), str(HERE / "gui")])


def _livepdf(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return _python("-m", "livepdf.cli.main", "gui", *map(str, arguments))


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": PYTHONPATH}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.system
def test_the_command_shows_a_running_daemon(publisher: Publisher, tmp_path: Path) -> None:
    publisher.keep(growing_result(0, start=time.time()))
    picture = tmp_path / "window.png"

    done = _livepdf(publisher.endpoint, "--duration", "3", "--screenshot", picture)

    assert done.returncode == 0, done.stderr
    assert publisher.visited.is_set()
    assert picture.exists()


@pytest.mark.system
def test_a_target_that_is_neither_file_nor_address_is_refused() -> None:
    done = _livepdf("nowhere.toml")

    assert done.returncode == 2
    assert "nowhere.toml: no such profile, and no address" in done.stderr


@pytest.mark.system
def test_a_wrong_profile_is_told_by_the_daemon_and_opens_no_window(tmp_path: Path) -> None:
    profile, recipe = tmp_path / "profile.toml", tmp_path / "recipe.toml"
    profile.write_text("nonsense = 1\n")
    recipe.write_text("nonsense = 1\n")

    done = _livepdf(profile, "--recipe", recipe)

    assert done.returncode == 3
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.system
def test_without_qt_the_command_says_what_to_install() -> None:
    done = _python(
        "-c",
        "import sys; sys.modules['PyQt5'] = None; from livepdf.cli.main import main;"
        "main(['gui', 'tcp://127.0.0.1:9'])",
    )

    assert done.returncode == 1
    assert 'PyQt5 not found, wanted for the window: pip install "livepdf[gui]"' in done.stderr
