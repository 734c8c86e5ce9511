"""10 000 messages of each source behind a control system, half damaged: all counted, memory stays.

Not in the suite: ``python -m pytest tests/long/fuzz_control_sources.py -s``.
"""

import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.config.control_sources import Asapo, BlueskyDocuments, EpicsPva
from livepdf.model.raw import RawMessage
from livepdf.simulate import bluesky_documents as made
from livepdf.simulate.ntndarray import TYPE, ntndarray
from livepdf.simulate.stream2 import bitshuffle_lz4
from livepdf.sources.asapo_frames import AsapoFeed
from livepdf.sources.bluesky_runs import BlueskyFeed
from livepdf.sources.pva_frames import PvaFrames
from livepdf.sources.pva_raw import pack_update
from livepdf.sources.source import Feed
from tests.sources.hostile import Parts, changed, unpacked
from tests.sources.test_seedee import header, meta, pack_message

COUNT = 10_000
SERIES = 50
"""Messages of one series, so that a damaged number does no lasting harm."""
GROWTH = 30 << 20
"""Bytes that a process may grow by, of what Python's own allocator keeps."""
IMAGE = np.arange(60 * 80, dtype="<u2").reshape(60, 80)
SMALL = np.arange(12).reshape(3, 4)
Made = tuple[Feed, Callable[[int], list[Parts]]]
"""A feed, and the messages of one image by its number: what announces it, and the image last."""


def pva() -> Made:
    settings = EpicsPva.model_validate({"kind": "epics-pva", "channel": "x"})

    def image(number: int) -> list[Parts]:
        fields = ntndarray(IMAGE, unique_id=number, time=1e9 + number, codec="bslz4")
        return [[bytes(part) for part in pack_update(fields, type_spec=TYPE)]]

    return PvaFrames(settings), image


def pva_blosc() -> Made:
    blosc = pytest.importorskip("blosc")
    packed = np.frombuffer(blosc.compress(IMAGE.tobytes(), typesize=2, cname="blosclz"), "u1")

    def image(number: int) -> list[Parts]:
        fields = ntndarray(IMAGE, unique_id=number, time=1e9 + number)
        fields |= {"value": packed, "codec": {"name": "blosc", "parameters": 6}}
        return [[bytes(part) for part in pack_update(fields, type_spec=TYPE)]]

    return pva()[0], image


def bluesky() -> Made:
    table = {"kind": "bluesky-documents", "endpoint": "tcp://x:1"}

    def image(number: int) -> list[Parts]:
        run, place = f"run-{number // SERIES}", number % SERIES
        data = {made.KEY: SMALL.tolist(), "T": 3.0}
        event = made.event(run, number=place + 1, time=1e9 + number, data=data)
        if place:
            return [[event]]
        begin = made.start(run, scan=1, time=1e9)
        described = made.descriptor(run, shape=SMALL.shape, external=False, values=["T"])
        return [[begin], [described], [event]]

    return BlueskyFeed(BlueskyDocuments.model_validate(table)), image


def asapo() -> Made:
    table = {"kind": "asapo", "server": "x", "beamtime": "1", "data_source": "d", "token": "t"}
    user = {"_data_format": json.dumps(header(32008, IMAGE.shape))}
    packed = bitshuffle_lz4(IMAGE)

    def image(number: int) -> list[Parts]:
        stream, place = f"scan{number // SERIES}", number % SERIES
        return [list(pack_message(stream, meta(place + 1, **user), packed))]

    return AsapoFeed(Asapo.model_validate(table)), image


def flood(make: Callable[[], Made], count: int, *, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    feed, image = make()
    tally: Counter[str] = Counter()
    now = 1e9
    for number in range(count):
        now += 0.01
        *before, parts = image(number)
        sent = [*before, changed(parts, chance) if number % 2 else parts]
        for message in sent:
            raw = RawMessage(channel="image", received=now, parts=tuple(message))
            unpacked(feed.feed(raw), tally)
            unpacked(feed.tick(now=now), tally)
    for _ in range(3):
        now += 1e4
        unpacked(feed.tick(now=now), tally)
    return tally


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("make", [pva, pva_blosc, bluesky, asapo])
@pytest.mark.timeout(600)
def test_ten_thousand_messages_are_all_counted_and_memory_stays(
    make: Callable[[], Made], capsys: pytest.CaptureFixture[str]
) -> None:
    flood(make, 500, seed=1)
    before, began = resident(), time.monotonic()

    tally = flood(make, COUNT, seed=2)

    grown, took = resident() - before, time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n{make.__name__}: {took:.1f} s, {grown / 1e6:+.1f} MB, {dict(tally)}\n")
    # A document whose first word was hit is one of another publisher, and none of our business.
    passed_over = 0.05 * COUNT if make is bluesky else 0
    assert COUNT - passed_over <= tally.total() <= COUNT
    assert tally["used"] >= 0.4 * COUNT
    assert grown < GROWTH
