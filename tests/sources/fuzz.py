"""Damage messages at random and see that a feed counts every one of them."""

import random
from collections.abc import Sequence

from livepdf.model.frame import Frame, FrameRefused, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.source import Feed


def damage(part: bytes, rng: random.Random) -> bytes:
    """Return the bytes cut, changed, doubled, or wholly made up."""
    kind = rng.randrange(5)
    place = rng.randrange(len(part) + 1)
    if kind == 0:
        return part[:place]
    if kind == 1:
        return part[:place] + rng.randbytes(rng.randrange(1, 9)) + part[place:]
    if kind == 2:
        return rng.randbytes(rng.randrange(64))
    changed = bytearray(part)
    for _ in range(rng.randrange(1, 6) if part else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def damaged(
    feed: Feed, good: Sequence[bytes], *, channel: str, count: int, rng: random.Random
) -> dict[str, int]:
    """Feed damaged copies of a message; return how many came out, by reason or as frames.

    A feed must not raise; after all is given up, nothing may be held any more.
    """
    tally: dict[str, int] = {}
    now = 1e9
    for _ in range(count):
        parts = list(good)
        place = rng.randrange(len(parts))
        parts[place] = damage(parts[place], rng)
        if rng.random() < 0.05:
            parts.pop(rng.randrange(len(parts)))
        now += 0.01
        raw = RawMessage(channel=channel, received=now, parts=tuple(parts))
        _count([*feed.feed(raw), *feed.tick(now=now)], tally)
    _count(feed.tick(now=now + 1e6), tally)
    return tally


def _count(items: list[SourceItem], tally: dict[str, int]) -> None:
    for item in items:
        if isinstance(item, FrameRefused):
            tally[item.reason] = tally.get(item.reason, 0) + 1
        elif isinstance(item, Frame):
            tally["frame"] = tally.get("frame", 0) + 1
