"""The recorder beside a detector of 250 Hz: PILATUS 2M blobs, 20 s, nothing dropped.

Not in the suite: ``python -m pytest tests/long/record_rate.py -s``. Writes 5 GB.
"""

import sys
import time
from pathlib import Path

import pytest

from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Origin
from livepdf.simulate.powder import CAMERAS, powder_images
from livepdf.simulate.stream2 import bitshuffle_lz4
from livepdf.sinks.recording import Recorder

RATE, SECONDS = 250.0, 20.0


def test_a_pilatus_2m_at_250_hz_is_recorded_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = next(iter(powder_images(CAMERAS["pilatus-2m"], count=1, seed=1)))
    blob = bitshuffle_lz4(image)
    count = int(RATE * SECONDS)
    recorder = Recorder(tmp_path / "a.mcap", origin=Origin(kind="dectris-stream-v2"))
    began, used = time.monotonic(), time.process_time()

    for number in range(count):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        recorder.put(RawMessage(channel="stream", received=time.time(), parts=(blob,)))
    given = time.monotonic() - began
    state = recorder.close()

    took, used = time.monotonic() - began, time.process_time() - used
    with capsys.disabled():
        sys.stdout.write(
            f"\n{count} blobs of {len(blob) / 1e6:.2f} MB in {given:.1f} s, written after "
            f"{took:.1f} s, {used:.1f} s of CPU: {state}\n"
        )
    (tmp_path / "a.mcap").unlink()
    assert (state.written, state.dropped) == (count, 0)
