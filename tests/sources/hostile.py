"""Messages changed at random, and the law that each of them is counted once."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import UnpackError, unpack
from livepdf.simulate import hidra, karabo, stins, stream1, stream2
from livepdf.sources.hidra import Assembly, Chunk, parse
from livepdf.sources.source import Feed
from tests.sources.streams import feed_of

PIXELS = np.arange(32 * 40, dtype=np.uint32).reshape(32, 40) % 251
SERIES = stream2.Series(
    series_id=7,
    unique_id="A",
    images=100,
    shape=(32, 40),
    energy=60.0,
    distance_m=0.3,
    pixel_m=172e-6,
    beam=(16.0, 20.0),
    frame_time=0.1,
    blind=PIXELS == 0,
    armed=datetime(2025, 1, 2, tzinfo=UTC),
)
SOURCE, KEY = "DET:output", "data.image"
KARABO = {"image": {"source": SOURCE, "key": KEY}, "monitor": {"source": "XGM", "key": "i"}}
Parts = list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How one protocol's messages are made, and what reads them."""

    start: Callable[[], list[Parts]]
    image: Callable[[int], Parts]
    settings: dict[str, Any] = field(default_factory=dict)


def _v2_image(index: int) -> Parts:
    user_data = {"temperature": 300.0 + index}
    return [stream2.image_message(SERIES, index=index, image=PIXELS, user_data=user_data)]


def _train(index: int) -> dict[str, dict[str, Any]]:
    return {SOURCE: {KEY: PIXELS, "n": index}, "XGM": {"i": np.float64(index).item()}}


PROTOCOLS = {
    "dectris-stream-v1": Protocol(
        start=lambda: [stream1.header_parts(SERIES, detail="all", appendix=b"{}")],
        image=lambda index: stream1.image_parts(SERIES, index=index, image=PIXELS, appendix=b"{}"),
    ),
    "dectris-stream-v2": Protocol(start=lambda: [[stream2.start_message(SERIES)]], image=_v2_image),
    "jungfraujoch": Protocol(
        start=lambda: [[stream2.start_message(SERIES)]],
        image=_v2_image,
        settings={"pattern": "pull"},
    ),
    "stins": Protocol(
        start=lambda: [stins.header_parts(SERIES, message=0, filename="/a/b.h5")],
        image=lambda index: stins.image_parts(SERIES, message=index + 1, frame=index, image=PIXELS),
    ),
    "karabo-bridge 1.0": Protocol(
        start=list,
        image=lambda index: karabo.train_parts(
            _train(index), train=1000 + index, time=index / 10, version="1.0"
        ),
        settings=KARABO,
    ),
    "karabo-bridge 2.2": Protocol(
        start=list,
        image=lambda index: karabo.train_parts(_train(index), train=1000 + index, time=index / 10),
        settings=KARABO,
    ),
}


def changed(parts: Sequence[bytes], chance: random.Random) -> Parts:
    """Damage a message in one to three places: bits, lengths, parts, numbers, types."""
    damaged = [bytes(part) for part in parts]
    for _ in range(chance.randint(1, 3)):
        if not damaged:
            break
        _damage(damaged, chance)
    return damaged


def _damage(parts: Parts, chance: random.Random) -> None:
    place = chance.randrange(len(parts))
    part = bytearray(parts[place])
    way = chance.randrange(9)
    spot = chance.randrange(len(part) + 1) if chance.random() < 0.5 else chance.randint(0, 60)
    if way == 0 and spot < len(part):
        part[spot] ^= 1 << chance.randrange(8)
    elif way == 1:
        del part[spot:]
    elif way == 2:
        part[spot:spot] = chance.randbytes(chance.randint(1, 40))
    elif way == 3:
        part[spot : spot + chance.randint(1, 40)] = b""
    elif way == 4:
        part[spot : spot + 8] = chance.choice((b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7))
    elif way == 5:
        digits = chance.choice((b"-1", b"1e999", b"9" * 400, b"null", b"[]", b'"x"', b"NaN"))
        part[spot : spot + 1] = digits
    elif way == 6:
        parts.insert(place, chance.randbytes(chance.randint(0, 60)))
        return
    elif way == 7:
        del parts[place]
        return
    else:
        parts[place], parts[-1] = parts[-1], parts[place]
        return
    parts[place] = bytes(part)


def unpacked(items: Sequence[SourceItem], tally: Counter[str]) -> None:
    """Count items as the intake and a worker would: used, or refused by reason."""
    for item in items:
        if isinstance(item, FrameRefused):
            tally[item.reason] += 1
        elif isinstance(item, Frame):
            image = item.image
            try:
                unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
            except UnpackError as error:
                tally[f"unpack: {error.reason}"] += 1
            else:
                tally["used"] += 1


def flood(name: str, count: int, *, seed: int = 1) -> Counter[str]:
    """Send ``count`` messages, half of them damaged; return what became of each.

    Every 50th message begins another series, so that a damaged number does no lasting harm.
    """
    chance = random.Random(seed)
    protocol = PROTOCOLS[name]
    feed: Feed = feed_of(name.partition(" ")[0], **protocol.settings)
    tally: Counter[str] = Counter()
    now = 0.0
    for number in range(count):
        now += 0.01
        if number % 50 == 0:
            for parts in protocol.start():
                _give(feed, parts, now, tally)
        parts = protocol.image(number % 50 if protocol.start() else number)
        _give(feed, changed(parts, chance) if number % 2 else parts, now, tally)
    unpacked(feed.tick(now=now + 1000.0), tally)
    unpacked(feed.tick(now=now + 9000.0), tally)
    return tally


def _give(feed: Feed, parts: Sequence[bytes], now: float, tally: Counter[str]) -> None:
    raw = RawMessage(channel="stream", received=now, parts=tuple(parts))
    unpacked(feed.feed(raw), tally)
    unpacked(feed.tick(now=now), tally)


def flood_hidra(count: int, *, seed: int = 1) -> Counter[str]:
    """Send ``count`` chunks, three to a file, one in four damaged; no file is read."""
    chance = random.Random(seed)
    assembly = Assembly(1 << 20)
    tally: Counter[str] = Counter()
    for number in range(count):
        path = PurePosixPath("a", f"{number // 3}.tif")
        chunks = list(hidra.file_messages(path, b"x" * 900, chunk_size=400))
        parts = chunks[number % 3]
        try:
            chunk = parse(changed(parts, chance) if chance.random() < 0.25 else parts)
            whole = isinstance(chunk, Chunk) and assembly.add(chunk, now=float(number))
            tally["whole" if whole else "alive" if chunk is None else "held"] += 1
        except FrameError as error:
            tally[error.reason] += 1
        tally["given up"] += len(assembly.give_up(now=float(number), patience=10.0))
        assert assembly.held <= 20 * 900
    tally["given up"] += len(assembly.give_up(now=float("inf"), patience=0.0))
    assert assembly.held == 0
    return tally
