"""Kill the daemon at random moments of a run, many times.

``LIVEPDF_KILLS=200 python -m pytest tests/long/kills.py -s``
"""

import os
from pathlib import Path

import pytest

from tests.system.kill_bench import hammer, verify

KILLS = int(os.environ.get("LIVEPDF_KILLS", "200"))
EACH = 10
"""Kills in one run."""


@pytest.mark.parametrize("seed", range(-(-KILLS // EACH)))
def test_every_frame_that_was_on_disk_is_used_once(tmp_path: Path, seed: int) -> None:
    outcome = hammer(
        tmp_path, kills=min(EACH, KILLS - seed * EACH), seed=seed, journal=seed % 5 > 0
    )
    verify(outcome)
    print(  # noqa: T201
        f"seed {seed}: {outcome.kills} kills, {len(outcome.seen_on_disk)} frames seen on disk, "
        f"{outcome.books.used} used, {outcome.books.counted[2]} refused, {outcome.files} files",
        flush=True,
    )
