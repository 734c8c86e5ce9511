"""Pixels that are shared out, or no whole numbers: a replay gives the very numbers of the run."""

import json
import threading
from pathlib import Path

import cbor2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.daemon.beamline import SHAPE, counts, write_settings
from tests.system.daemon import Daemon, Detector
from tests.system.test_replay import assert_same_numbers, livepdf

FRAMES = 40
_LITTLE_ENDIAN_FLOAT32 = 85
"""Tag of typed arrays in CBOR, RFC 8746."""


class FloatDetector(Detector):
    """A detector that corrects its images itself, and sends them as float32."""

    def start(self, series: int, shape: tuple[int, int]) -> None:
        self._send(
            {
                "type": "start",
                "series_id": series,
                "series_unique_id": f"unique-{series}",
                "image_dtype": "float32",
                "image_size_x": shape[1],
                "image_size_y": shape[0],
                "channels": ["threshold_1"],
            }
        )

    def image(self, series: int, index: int, counts: NDArray[np.uint16]) -> None:
        pixels = (counts / np.float32(1.7) - 3.1).astype("<f4")
        typed = cbor2.CBORTag(_LITTLE_ENDIAN_FLOAT32, pixels.tobytes())
        self._send(
            {
                "type": "image",
                "series_id": series,
                "series_unique_id": f"unique-{series}",
                "image_id": index,
                "data": {"threshold_1": cbor2.CBORTag(40, [list(counts.shape), typed])},
            }
        )


@pytest.mark.system
@pytest.mark.parametrize("kind", [Detector, FloatDetector])
def test_a_replay_of_split_pixels_repeats_every_number(
    tmp_path: Path, kind: type[Detector]
) -> None:
    with kind() as detector:
        profile, recipe = write_settings(tmp_path, port=detector.port)
        text = profile.read_text().replace("[output]", "[output]\nrecord = true")
        profile.write_text(text.replace("[integration]", '[integration]\nsplit = "full"'))
        with Daemon(profile, recipe, "--out", str(tmp_path / "live"), "--runs", "1") as daemon:
            daemon.address()
            detector.start(1, SHAPE)
            for index in range(FRAMES):
                detector.image(1, index, counts(index))
                # Apart, so that most are added up alone; the replay has them all waiting.
                threading.Event().wait(0.03)
            detector.end(1)
            assert daemon.wait(120.0) == 0, daemon.errors
    (recording,) = (tmp_path / "live").glob("*.mcap")

    again = livepdf("replay", recording, "--speed", "max", "--out", tmp_path / "again", "--json")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["counters"]["used"] == FRAMES
    assert_same_numbers(tmp_path, windows=10)
