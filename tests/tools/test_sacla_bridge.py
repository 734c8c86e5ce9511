# ruff: noqa: ARG002  (what stands in takes what the real one takes)
"""The example bridge: what it pushes is what our own V2 source understands.

SACLA's libraries are not public; what stands in for them here says what their documentation says.
"""

import numpy as np
import zmq

from livepdf.config.sources import DectrisStreamV2
from livepdf.model.frame import Frame, RunEnd, RunStart
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.sources.open_source import make_feed
from tools.sacla_bridge import publish, shots

TAGS = [500, 502, 504]
COUNTS = {
    (name, tag): np.full((4, 3), float(k + tag)) for k, name in enumerate("ab") for tag in TAGS
}


class Database:
    def read_hightagnumber(self, beamline: int, run: int) -> int:
        return 2016

    def read_taglist_byrun(self, beamline: int, run: int) -> list[int]:
        return TAGS

    def read_syncdatalist(self, name: str, high: int, tags: list[int]) -> list[str]:
        return ["10.0", "not-converged", "12.5"]


class StorageReader:
    def __init__(self, name: str, beamline: int, runs: tuple[int]) -> None:
        self.name = name

    def collect(self, buffer: "StorageBuffer", tag: int) -> None:
        buffer.tag = tag


class StorageBuffer:
    tag = 0

    def __init__(self, reader: StorageReader) -> None:
        self.reader = reader

    def read_det_data(self, number: int) -> np.ndarray:
        return COUNTS[self.reader.name, self.tag]

    def read_det_info(self, number: int) -> dict[str, float]:
        return {"mp_absgain": 17.0}


class Storage:
    StorageReader, StorageBuffer = StorageReader, StorageBuffer


def test_shots_arrive_as_photons_one_after_the_other() -> None:
    context = zmq.Context()
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    port = push.bind_to_random_port("tcp://127.0.0.1")
    pull.connect(f"tcp://127.0.0.1:{port}")
    found = shots(stpy=Storage(), dbpy=Database(), beamline=3, run=9, detectors=["a", "b"])

    assert publish(push, 9, found) == 2

    feed = make_feed(DectrisStreamV2(kind="dectris-stream-v2", endpoint="tcp://127.0.0.1:9"))
    items = []
    for moment in range(4):
        assert pull.poll(5000)
        raw = RawMessage(channel="stream", received=float(moment), parts=(pull.recv(),))
        items += feed.feed(raw)
    context.destroy(linger=0)

    assert isinstance(items[0], RunStart)
    assert isinstance(items[-1], RunEnd)
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == [0, 1]
    for frame, tag, energy in zip(frames, (500, 504), (10000.0, 12500.0), strict=True):
        image = frame.image
        pixels = unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
        counts = np.concatenate([COUNTS["a", tag], COUNTS["b", tag]])
        np.testing.assert_allclose(pixels, counts * 17.0 * 3.65 / energy, rtol=1e-6)
