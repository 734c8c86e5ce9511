"""The door answers without an environment where none is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.door import commands, environment
from tools.door.console import run_logged
from tools.door.guide import GUIDE, OVERVIEW

DOOR = Path(__file__).resolve().parents[2] / "tools" / "dev.py"


def door(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the door as a user does, with a Python that sees nothing but its own library."""
    command = [sys.executable, "-I", "-S", str(DOOR), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [(), ("--help",), ("demo", "--help")])
def test_help_needs_nothing_but_the_standard_library(words: tuple[str, ...]) -> None:
    answer = door(*words)
    assert answer.returncode == 0, answer.stderr
    assert "usage: python3 tools/dev.py" in answer.stdout


def test_an_unknown_command_is_a_usage_error_that_names_the_known_ones() -> None:
    answer = door("frobnicate")
    assert answer.returncode == 2
    assert "frobnicate" in answer.stdout
    assert "demo, test, check" in answer.stdout


def test_every_command_is_taught() -> None:
    assert set(GUIDE) == set(commands.COMMANDS)
    assert all(f"\n  {name} " in OVERVIEW for name in commands.COMMANDS)


def test_an_environment_of_somebody_else_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    monkeypatch.setenv("LIVEPDF_VENV", str(tmp_path))

    assert commands.enter(["set-up"]) == 1
    assert commands.enter(["clean"]) == 1
    assert "was not made by tools/dev.py" in capsys.readouterr().err
    assert (tmp_path / "pyvenv.cfg").exists()


def test_a_folder_that_cannot_be_written_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("LIVEPDF_VENV", str(file / "venv"))

    assert commands.enter(["set-up"]) == 1
    assert "set LIVEPDF_VENV" in capsys.readouterr().err


def test_programs_of_the_environment_do_not_see_the_users_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/beamline/packages")
    assert "PYTHONPATH" not in environment.child_environment()


def test_a_failing_installer_shows_its_last_words_and_keeps_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    words = "for i in range(100): print('line', i)\nraise SystemExit(3)"

    assert not run_logged([sys.executable, "-c", words], log=log, env={}, show=("line 1",))

    printed = capsys.readouterr().out
    assert "  | line 99" in printed
    assert "  | line 50" not in printed
    assert "dev:   line 10\n" in printed
    assert "line 0\n" in log.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("[Errno -3] Failed to establish a new connection: name resolution", "network"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED) ... (from versions: none)", "certificate"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("metadata-generation-failed", "the lines above"),
    ],
)
def test_what_pip_says_is_put_into_plain_words(words: str, told: str) -> None:
    assert told in environment.cause_of(f"Collecting hatchling\n{words}\n")
