"""Recorded streams and their published values; raw messages without a socket."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from livepdf.config.sources import Source as AnySource
from livepdf.model.frame import Frame, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.sources.open_source import make_feed
from livepdf.sources.source import Feed

Find = Callable[[str], Path]


def raw(parts: Sequence[bytes], received: float = 1000.0) -> RawMessage:
    return RawMessage(channel="stream", received=received, parts=tuple(parts))


def play(
    feed: Feed, messages: Iterable[Sequence[bytes]], *, after: float = 1.0
) -> list[SourceItem]:
    """Feed messages 0.1 s apart, then let ``after`` s go by."""
    items: list[SourceItem] = []
    now = 1000.0
    for parts in messages:
        now += 0.1
        items += feed.feed(raw(parts, now))
        items += feed.tick(now=now)
    return items + feed.tick(now=now + after)


def frames(items: Iterable[SourceItem]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def pixels(frame: Frame) -> np.ndarray[Any, Any]:
    image = frame.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


def digest(frame: Frame, dtype: str) -> str:
    """Digest of the little-endian image, as the published values have it."""
    return hashlib.sha256(np.ascontiguousarray(pixels(frame), dtype).tobytes()).hexdigest()


def zipped(find: Find, name: str) -> tuple[list[list[bytes]], dict[str, Any]]:
    """Read a stream kept as one file for each part, and what it must decode to."""
    with zipfile.ZipFile(find(f"streams/{name}.zip")) as archive:
        index = json.loads(archive.read("index.json"))
        messages = [
            [archive.read(f"msg{number:04d}.part{part}.bin") for part in range(count)]
            for number, count in enumerate(index["n_parts"])
        ]
    return messages, index


def settings(kind: str, **more: Any) -> Any:
    """Return the settings of a stream of that kind, checked as a profile's are."""
    given = {"kind": kind, "endpoint": "tcp://127.0.0.1:1", **more}
    return TypeAdapter(AnySource).validate_python(given)


def feed_of(kind: str, **more: Any) -> Feed:
    return make_feed(settings(kind, **more))
