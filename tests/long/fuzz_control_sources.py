"""10 000 damaged messages of each source behind a control system: all counted, memory stays.

Not in the suite: ``python -m pytest tests/long/fuzz_control_sources.py -s``.
"""

import gc
import random
import sys
import time
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
from tests.sources.fuzz import damaged
from tests.sources.test_seedee import header, meta, pack_message

COUNT = 10_000
GROWTH = 30 << 20
"""Bytes that a process may grow by, of what Python's own allocator keeps."""
IMAGE = np.arange(60 * 80, dtype="<u2").reshape(60, 80)


def blosc_update() -> list[bytes]:
    blosc = pytest.importorskip("blosc")
    packed = np.frombuffer(blosc.compress(IMAGE.tobytes(), typesize=2, cname="blosclz"), "u1")
    fields = ntndarray(IMAGE, unique_id=7, time=1e9)
    fields |= {"value": packed, "codec": {"name": "blosc", "parameters": 6}}
    return [bytes(part) for part in pack_update(fields, type_spec=TYPE)]


def pva() -> tuple[Feed, list[bytes]]:
    settings = EpicsPva.model_validate({"kind": "epics-pva", "channel": "x"})
    fields = ntndarray(IMAGE, unique_id=7, time=1e9, codec="bslz4")
    return PvaFrames(settings), [bytes(p) for p in pack_update(fields, type_spec=TYPE)]


def pva_blosc() -> tuple[Feed, list[bytes]]:
    return pva()[0], blosc_update()


def bluesky() -> tuple[Feed, list[bytes]]:
    table = {"kind": "bluesky-documents", "endpoint": "tcp://x:1"}
    event = made.event("a", number=1, time=1e9, data={made.KEY: IMAGE.tolist(), "T": 3.0})
    feed = BlueskyFeed(BlueskyDocuments.model_validate(table))
    for document in (
        made.start("a", scan=1, time=1e9),
        made.descriptor("a", shape=IMAGE.shape, external=False, values=["T"]),
    ):
        feed.feed(RawMessage(channel="image", received=1e9, parts=(document,)))
    return feed, [event]


def asapo() -> tuple[Feed, list[bytes]]:
    table = {"kind": "asapo", "server": "x", "beamtime": "1", "data_source": "d", "token": "t"}
    user = {"_data_format": header(32008, IMAGE.shape)}
    parts = pack_message("scan", meta(3, **user), bitshuffle_lz4(IMAGE))
    return AsapoFeed(Asapo.model_validate(table)), list(parts)


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("make", [pva, pva_blosc, bluesky, asapo])
@pytest.mark.timeout(600)
def test_ten_thousand_damaged_messages_are_all_counted_and_memory_stays(
    make: Callable[[], tuple[Feed, list[bytes]]], capsys: pytest.CaptureFixture[str]
) -> None:
    feed, good = make()
    damaged(feed, good, channel="image", count=500, rng=random.Random(1))
    before, began = resident(), time.monotonic()

    tally = damaged(feed, good, channel="image", count=COUNT, rng=random.Random(2))

    grown, took = resident() - before, time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n{make.__name__}: {took:.1f} s, {grown / 1e6:+.1f} MB, {tally}\n")
    # A document whose first word was hit is one of another publisher, and none of our business.
    passed_over = 0.05 * COUNT if make is bluesky else 0
    assert COUNT - passed_over <= sum(tally.values()) <= COUNT
    assert grown < GROWTH
