"""Kill the daemon at random moments of a run, many times; two runs side by side.

``LIVEPDF_KILLS=200 python -m pytest tests/long/kills.py -s``
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.system.kill_bench import Outcome, hammer, verify

KILLS = int(os.environ.get("LIVEPDF_KILLS", "200"))
EACH = 10
"""Kills in one run."""
BESIDE = 2
"""Runs at a time."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, -(-KILLS // EACH), BESIDE))
def test_every_frame_that_was_on_disk_is_used_once(tmp_path: Path, first: int) -> None:
    def run(seed: int) -> tuple[int, Outcome]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        kills = min(EACH, KILLS - seed * EACH)
        return seed, hammer(folder, kills=kills, seed=seed, journal=seed % 5 > 0)

    seeds = [seed for seed in range(first, first + BESIDE) if seed * EACH < KILLS]
    with ThreadPoolExecutor(BESIDE) as pool:
        for seed, outcome in pool.map(run, seeds):
            verify(outcome)
            print(  # noqa: T201
                f"seed {seed}: {outcome.kills} kills, {len(outcome.seen_on_disk)} frames seen on "
                f"disk, {outcome.books.used} used, {outcome.books.counted[2]} refused, "
                f"{outcome.files} files",
                flush=True,
            )
