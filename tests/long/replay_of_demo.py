"""A recording of the whole demo, played as fast as may be, gives the same numbers.

``python -m pytest tests/long/replay_of_demo.py -s``
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livepdf.cli.demo_files import write_demo
from livepdf.simulate.run import demo_run
from tests.system.daemon import Daemon
from tests.system.test_replay import LIVEPDF, assert_same_numbers, livepdf


@contextmanager
def simulated_detector(*, frames: int) -> Iterator[str]:
    """Start `livepdf simulate`, yield its address, and leave nothing of it behind."""
    command = [*LIVEPDF, "simulate", "--frames", str(frames), "--rate", "30", "--wait", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as detector:
        assert detector.stdout is not None
        try:
            yield detector.stdout.readline().split()[1]
        finally:
            detector.kill()


def test_a_recording_of_the_demo_replayed_at_max_gives_the_same_numbers(tmp_path: Path) -> None:
    profile, recipe = tmp_path / "instrument/profile.toml", tmp_path / "instrument/recipe.toml"
    with simulated_detector(frames=60) as endpoint:
        run = demo_run("hfo2", frames=60, rate=30.0)
        write_demo(tmp_path / "instrument", run=run, endpoint=endpoint, window=10)
        profile.write_text(profile.read_text() + "\n[output]\nrecord = true\n")
        # About every eighth image is looked at.
        recipe.write_text(recipe.read_text() + "\n[quality]\nlook_every = 0.27\n")
        more = ("--out", str(tmp_path / "live"), "--requests", "tcp://127.0.0.1:0", "--runs", "1")
        with Daemon(profile, recipe, *more) as daemon:
            daemon.address()
            assert daemon.wait(120.0) == 0, daemon.errors
    (recording,) = (tmp_path / "live").glob("*.mcap")

    # Nothing but the recording is used: the settings travel in it.
    for file in (tmp_path / "instrument").iterdir():
        file.unlink()
    again = livepdf("replay", recording, "--speed", "max", "--out", tmp_path / "again", "--json")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["counters"]["used"] == 60
    assert_same_numbers(tmp_path, windows=6)
