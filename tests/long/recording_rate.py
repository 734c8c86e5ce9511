"""How fast a recording is written: 250 images of 1.1 MB a second, then as fast as it goes.

Run with ``python -m pytest tests/long/recording_rate.py -s --basetemp=DIRECTORY`` on the disk that
is meant. The kernel holds back writers that are faster than the disk for long.
"""

import os
import time
from pathlib import Path

import pytest

from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Origin
from livepdf.sinks.recording import Recorder

BLOB = os.urandom(1_100_000)
SECONDS = 8


def message() -> RawMessage:
    return RawMessage(channel="stream", received=time.time(), parts=(BLOB,))


@pytest.mark.parametrize("rate", [250, 400])
def test_a_rate_is_kept_for_some_seconds(tmp_path: Path, rate: int) -> None:
    recorder = Recorder(tmp_path / "a.mcap", origin=Origin(kind="measured"))
    began, longest = time.perf_counter(), 0.0
    for number in range(rate * SECONDS):
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        before = time.perf_counter()
        recorder.put(message())
        longest = max(longest, time.perf_counter() - before)
    waiting = recorder.state().waiting
    state = recorder.close()
    (tmp_path / "a.mcap").unlink()
    print(f"\n{rate} Hz: {state.dropped} dropped, {waiting} wait, longest put {longest:.4f} s")  # noqa: T201
    assert state.dropped == 0


def test_as_fast_as_it_goes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mcap", origin=Origin(kind="measured"))
    began, busy, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < SECONDS:
        if recorder.state().waiting > 100:
            time.sleep(0.001)
            continue
        recorder.put(message())
        count += 1
    given = time.perf_counter() - began
    recorder.close()
    share = (time.process_time() - busy) / given
    (tmp_path / "a.mcap").unlink()
    print(f"\n{count / given:.0f} Hz, {share:.2f} of a core")  # noqa: T201
