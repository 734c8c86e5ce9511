"""Decode V2 recordings and vectors and print what came out; run with one or another cbor2."""

import hashlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path

import cbor2
import numpy as np

from livepdf.model.frame import Frame, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.sources.dectris_v2_frames import DectrisV2Frames
from livepdf.sources.series import Patience


def shown(item: SourceItem) -> list[object]:
    """Everything in an item that can be compared."""
    if isinstance(item, Frame):
        image = item.image
        pixels = unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
        digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
        return ["frame", item.index, item.time, item.exposure, str(pixels.dtype), digest]
    if isinstance(item, RunStart):
        mask = None if item.mask is None else int(np.count_nonzero(item.mask))
        return ["start", item.series, item.time, item.expected, mask, dict(item.metadata)]
    return [type(item).__name__, getattr(item, "reason", "")]


def decoded(messages: list[list[bytes]], channel: str | None) -> list[list[object]]:
    feed = DectrisV2Frames(channel=channel, patience=Patience(gap=1.0, header=1.0, idle=10.0))
    items: list[SourceItem] = []
    for number, parts in enumerate(messages):
        raw = RawMessage(channel="stream", received=float(number), parts=tuple(parts))
        items += feed.feed(raw)
    return [shown(item) for item in items + feed.tick(now=1000.0)]


def main(folder: Path) -> None:
    found: dict[str, object] = {"cbor2": version("cbor2")}
    for path in sorted(folder.glob("dectris_v2_*.cborseq")):
        data, messages = path.read_bytes(), []
        stream = io.BytesIO(data)
        while stream.tell() < len(data):
            messages.append(list(cbor2.load(stream)))
        found[path.name] = decoded(messages, None)
    vectors = json.loads((folder / "vectors.json").read_text())["v2"]
    parts = [[bytes.fromhex(text)] for text in vectors.values()]
    for channel in (None, "threshold_1", "threshold_2", "difference"):
        found[f"vectors {channel}"] = decoded(parts, channel)
    hostile = [b"", b"\xa0", b"\xd9\xd9\xf7\xa1", b"\xbf\x00", b"\xa1\x64type\xfb", b"\xff" * 9]
    found["hostile"] = decoded([[part] for part in hostile], None)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
