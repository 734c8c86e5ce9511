"""10 000 messages of every stream, half of them damaged: no crash, no hang, no growth of memory.

Not in the suite: ``python -m pytest tests/long/fuzz_streams.py -s``.
"""

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.hostile import PROTOCOLS, flood, flood_hidra

COUNT = 10_000
GROWTH = 30 << 20
"""Bytes that a process may grow by, of what Python's own allocator keeps."""


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("name", [*sorted(PROTOCOLS), "hidra"])
@pytest.mark.timeout(600)
def test_ten_thousand_messages_are_all_counted_and_memory_stays(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    play: Callable[[int], object] = (
        (lambda count: flood_hidra(count, seed=2))
        if name == "hidra"
        else (lambda count: flood(name, count, seed=2))
    )
    play(500)  # what is loaded and compiled once
    before = resident()
    began = time.monotonic()

    tally = flood_hidra(COUNT) if name == "hidra" else flood(name, COUNT)

    grown = resident() - before
    took = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {took:.1f} s, {grown / 1e6:+.1f} MB, {dict(tally)}\n")
    counted = tally.total() - (tally["given up"] if name == "hidra" else 0)
    assert counted == COUNT
    assert grown < GROWTH
