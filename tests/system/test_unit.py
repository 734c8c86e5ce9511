"""The unit for systemd, by systemd's own judgement."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from livepdf.cli.run import run

UNIT = Path(__file__).parents[2] / "tools" / "livepdf.service"


def analyze(*words: str) -> str:
    """Return what systemd-analyze says; fails where it complains."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (package systemd)")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the unit as somebody installs it: with a program that is there."""
    program = tmp_path / "livepdf"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "livepdf.service"
    unit.write_text(UNIT.read_text().replace("/opt/livepdf/bin/livepdf", str(program)))
    return unit


def test_systemd_finds_nothing_to_complain_of(installed: Path) -> None:
    assert str(installed.parent / "livepdf") in installed.read_text()
    assert analyze("verify", "--man=no", str(installed)).strip() == ""


def test_what_the_unit_starts_is_a_command_with_options_that_there_are() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), flags=re.MULTILINE)
    program, command, *rest = line.split()

    known = {option for parameter in run.params for option in parameter.opts}
    assert (program, command) == ("/opt/livepdf/bin/livepdf", "run")
    assert {word for word in rest if word.startswith("--")} <= known
