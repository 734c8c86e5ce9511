"""The raw stream recorded from the window, in the middle of a run, and played once more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.beamline import SHAPE, counts, write_settings
from tests.system.daemon import Daemon, Detector

LONG = 120_000


@pytest.mark.system
def test_a_recording_begun_in_the_middle_of_a_run_can_be_replayed(
    qtbot, open_window, tmp_path: Path
) -> None:
    from livepdf_gui.show.tasks import Act

    with Detector() as detector:
        profile, recipe = write_settings(tmp_path, port=detector.port, window="frames = 1")
        with Daemon(profile, recipe, "--out", str(tmp_path / "live"), "--runs", "1") as daemon:
            window = open_window(daemon.address())
            detector.start(1, SHAPE)
            for index in range(4):
                detector.image(1, index, counts(index))
            qtbot.waitUntil(lambda: _used(window) == 4, timeout=LONG)

            window._follower.ask(Act(deed="begin recording"))
            qtbot.waitUntil(lambda: "is recorded in" in window.session.newest.said, timeout=LONG)
            qtbot.waitUntil(lambda: bool(window.session.newest.status.recording), timeout=LONG)
            assert "recorded" in window.session.headline(now=0.0).output.label
            for index in range(4, 9):
                detector.image(1, index, counts(index))
            qtbot.waitUntil(lambda: _used(window) == 9, timeout=LONG)
            window._follower.ask(Act(deed="end recording"))

            qtbot.waitUntil(lambda: "messages are" in window.session.newest.said, timeout=LONG)
            # the start of the series goes along with its last five images
            assert window.session.newest.said.startswith("6 messages")
            window._follower.ask(Act(deed="end recording"))
            qtbot.waitUntil(lambda: "nothing is being" in window.problems.text(), timeout=LONG)
            detector.end(1)
            assert daemon.wait(120.0) == 0, daemon.errors
    (recording,) = (tmp_path / "live").glob("*.mcap")
    command = [sys.executable, "-m", "livepdf.cli.main", "replay", str(recording)]
    again = subprocess.run(
        [*command, "--speed", "max", "--out", str(tmp_path / "again"), "--json"],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    counters = json.loads(again.stdout.splitlines()[-1])["counters"]
    assert counters["used"] == 5, again.stderr


def _used(window) -> int:
    status = window.session.newest.status
    return 0 if status is None else status.counters.used
