import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector

pytestmark = pytest.mark.system


def livepdf(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "livepdf.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def test_a_daemon_is_watched_asked_and_stopped_from_other_terminals(tmp_path: Path) -> None:
    with Detector() as detector:
        profile, recipe = beamline.write_settings(tmp_path, port=detector.port, window="frames = 1")
        detector.start(1, beamline.SHAPE)
        detector.image(1, 0, beamline.counts(0))
        with Daemon(profile, recipe, "--out", str(tmp_path), "--json") as daemon:
            address = daemon.address()

            watched = json.loads(livepdf("watch", address, "--once", "--json").stdout)
            asked = livepdf("status", address)
            told = json.loads(livepdf("status", address, "--json").stdout)
            stopped = livepdf("stop", address, "--wait")
            code = daemon.wait()
            counters = json.loads(daemon.rest())["counters"]

    assert watched["connection"] == "connected"
    assert asked.returncode == 0
    assert "frames:" in asked.stdout
    assert told["status"]["state"] in ("running", "waiting")
    assert stopped.returncode == 0
    assert stopped.stdout.startswith("stopped")
    assert code == 0
    assert counters["received"] == counters["used"] == 1


def test_nobody_there_is_exit_code_four() -> None:
    for arguments in (["status"], ["stop"], ["watch", "--once"]):
        done = livepdf(*arguments, "tcp://127.0.0.1:9", "--timeout", "0.5")
        assert done.returncode == 4
        assert "Traceback" not in done.stderr


def test_an_address_in_use_is_a_complaint_with_exit_code_three(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    with Daemon(profile, recipe, "--out", str(tmp_path)) as first:
        address = first.address()
        again = livepdf(
            "run",
            str(profile),
            "--recipe",
            str(recipe),
            "--out",
            str(tmp_path),
            "--requests",
            address,
        )
        first.process.send_signal(signal.SIGINT)
        assert first.wait() == 0

    assert again.returncode == 3
    assert again.stdout == ""
    assert "wire.requests: found" in again.stderr
    assert "address in use" in again.stderr
