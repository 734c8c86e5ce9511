"""Arrays as seedee writes them, and messages of ASAP::O.

The packed bytes are what DESY's library gave for zeros((4, 5), '<u2'). No broker was at hand: the
consumer here is made by us and raises the exceptions of the real package.
"""

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import fabio
import numpy as np
import pytest

from livepdf.config.control_sources import Asapo
from livepdf.errors import FrameError, SourceError
from livepdf.model.frame import Frame, FrameRefused, PackedImage, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.simulate.stream2 import bitshuffle_lz4
from livepdf.sources.asapo_frames import AsapoFeed, pack_message
from livepdf.sources.asapo_socket import AsapoSource
from livepdf.sources.seedee import seedee_image
from tests.sources.conftest import wait_for
from tests.sources.fuzz import damaged

GOLDEN = {
    0: bytes(40),
    1: bytes.fromhex("785e6360200e000000280001"),
    32004: bytes.fromhex("0000000000000028000000280000000b1f0001000f500000000000"),
    32008: bytes.fromhex("0000000000000028000020000000000b1f000100075000000000000000000000000000"),
}
"""Payload by compression."""


def header(compression: int = 0, shape: tuple[int, ...] = (4, 5), **array: Any) -> dict[str, Any]:
    fields = {
        "byteorder": ord("<"), "datatype": ord("u"), "itemsize": 2, "ndims": 2,
        "shape": list(shape), "size": 40, "stride": None,
    }  # fmt: skip
    return {
        "array": {**fields, **array},
        "compression": compression,
        "compression_opts": [0, 2] if compression == 32008 else None,
        "data_format": "hdf5_chunk",
        "protocol": "seedee",
        "version_major": 1,
        "version_minor": 0,
    }


def pixels(image: PackedImage) -> Any:
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


@pytest.mark.parametrize("compression", GOLDEN)
def test_what_seedee_wrote_is_read(compression: int) -> None:
    image = seedee_image(json.dumps(header(compression)), GOLDEN[compression])
    np.testing.assert_array_equal(pixels(image), np.zeros((4, 5), "<u2"))


def test_pixels_survive_bitshuffle() -> None:
    array = np.arange(4 * 5, dtype="<u2").reshape(4, 5)
    image = seedee_image(header(32008), bitshuffle_lz4(array))
    np.testing.assert_array_equal(pixels(image), array)


def test_what_cannot_be_an_image_is_refused_with_its_reason() -> None:
    cases: list[tuple[str, Any, bytes]] = [
        ("malformed", "no json", b""),
        ("malformed", {}, b""),
        ("malformed", {**header(), "version_major": 2}, bytes(40)),
        ("wrong size", header(), bytes(39)),
        ("wrong size", header(1), GOLDEN[1][:8]),
        ("undecodable", header(1), bytes(20)),
        ("wrong size", header(32008, (400, 5)), GOLDEN[32008]),
        ("wrong size", header(32004), bytes(5)),
        ("unsupported compression", header(32015), bytes(40)),
        ("unsupported compression", {**header(32008), "compression_opts": [0, 3]}, bytes(40)),
        ("unsupported shape", header(shape=(4, 5, 1)), bytes(40)),
        ("unsupported dtype", header(datatype=ord("O")), bytes(40)),
        ("malformed", header(shape=(0, 5)), b""),
        ("too large", header(shape=(1 << 20, 1 << 20)), bytes(40)),
    ]
    for reason, head, payload in cases:
        with pytest.raises(FrameError) as caught:
            seedee_image(head, payload)
        assert caught.value.reason == reason, (head, payload)


def settings(**changes: Any) -> Asapo:
    table = {
        "kind": "asapo", "server": "broker:8400", "beamtime": "11001", "data_source": "detector",
        "token": "token", "patience": 0.05,
    }  # fmt: skip
    return Asapo.model_validate({**table, **changes})


def meta(number: int, **user: Any) -> dict[str, Any]:
    user = user or {"_data_format": json.dumps(header()), "temperature": 300.0 + number}
    return {
        "_id": number, "name": f"raw/scan_{number:05d}", "size": 40,
        "timestamp": 1_700_000_000_000_000_000 + number, "meta": user,
    }  # fmt: skip


def message(number: int, stream: str = "scan1", **changes: Any) -> RawMessage:
    parts = pack_message(stream, meta(number), bytes([number]) + bytes(39))
    return RawMessage(channel="stream", received=1e9, parts=parts, **changes)


def summary(items: list[SourceItem]) -> list[object]:
    names = {RunStart: "start", RunEnd: "end"}
    return [
        names.get(type(item)) or getattr(item, "reason", None) or getattr(item, "index", None)
        if not isinstance(item, Frame)
        else item.index
        for item in items
    ]


def test_ids_are_frames_from_0_and_who_joins_late_has_lost_none() -> None:
    feed = AsapoFeed(settings())
    assert summary(feed.feed(message(7))) == ["start", 6]
    assert summary(feed.feed(message(8))) == [7]
    assert summary(feed.feed(message(8))) == ["duplicate"]
    assert feed.feed(message(10)) == []
    assert summary(feed.tick(now=1e9 + 2)) == [9]
    assert feed.lost == 1
    assert summary(feed.feed(message(1, "scan2"))) == ["end", "start", 0]


def test_a_whole_file_in_a_message_is_read(tmp_path: Path) -> None:
    array = np.arange(12, dtype="i4").reshape(3, 4)
    fabio.cbfimage.CbfImage(data=array).write(str(tmp_path / "a.cbf"))
    described = {**meta(1), "name": "raw/scan_00001.cbf", "meta": {"hidra": {}}}
    parts = pack_message("scan1", described, (tmp_path / "a.cbf").read_bytes())
    feed = AsapoFeed(settings())
    try:
        _, frame = feed.feed(RawMessage(channel="stream", received=1e9, parts=parts))
        assert isinstance(frame, Frame)
        np.testing.assert_array_equal(pixels(frame.image), array)
        folder = feed._folder
        assert folder.is_relative_to(tempfile.gettempdir())
    finally:
        feed.close()
    assert not folder.exists()


def test_damaged_messages_are_counted_and_nothing_else() -> None:
    good = [bytes(part) for part in message(3).parts]
    tally = damaged(AsapoFeed(settings()), good, channel="stream", count=1000, rng=random.Random(6))
    assert sum(tally.values()) == 1000
    assert tally["malformed"] > 100


class Broker:
    """Streams in memory, served as ASAP::O's consumer serves them; made by us."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[int, bytes]] = {}
        self.finished: set[str] = set()
        self.broken = False

    def get_stream_list(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "lastId": max(ids, default=0), "timestampCreated": place}
            for place, (name, ids) in enumerate(list(self.streams.items()))
        ]

    def get_by_id(
        self, number: int, *, meta_only: bool, stream: str
    ) -> tuple[bytes, dict[str, Any]]:
        errors = pytest.importorskip("asapo_consumer")
        assert not meta_only
        if self.broken:
            raise errors.AsapoUnavailableServiceError("the broker is away")
        ids = self.streams[stream]
        if number in ids:
            if not ids[number]:
                raise errors.AsapoDataNotInCacheError("gone")
            return ids[number], meta(number)
        if number < max(ids, default=0):
            raise errors.AsapoNoDataError("a gap")
        if stream in self.finished:
            raise errors.AsapoStreamFinishedError(b"finished", 9, b"")
        raise errors.AsapoEndOfStreamError("not yet")


def test_streams_are_followed_over_gaps_ends_and_outages() -> None:
    pytest.importorskip("asapo_consumer")
    broker = Broker()
    broker.streams["old"] = {n: bytes(40) for n in range(1, 6)}
    source = AsapoSource(settings(gap_timeout=0.05), consumer=lambda _: broker)
    source.open()
    try:
        wait_for(lambda: source.poll(0.05), lambda _: source.state() == "connected")
        broker.streams["old"] |= {6: bytes(40), 7: b"", 9: bytes(40)}
        items = wait_for(lambda: source.poll(0.05), lambda got: len(got) >= 4)
        assert summary(items) == ["start", 5, "unknown message", 8]
        assert source.lost() == 1
        broker.broken = True
        wait_for(lambda: source.poll(0.05), lambda _: source.state().startswith("lost"))
        broker.broken = False
        broker.finished.add("old")
        broker.streams["new"] = {1: bytes(40)}
        items = wait_for(lambda: source.poll(0.05), lambda got: len(got) >= 3)
        assert summary(items) == ["end", "start", 0]
        (frame,) = (item for item in items if isinstance(item, Frame))
        assert frame.environment == {"temperature": 301.0}
        assert frame.time == pytest.approx(1.7e9)
        assert abs(frame.received - time.time()) < 60
    finally:
        source.close()


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asapo_consumer", None)
    with pytest.raises(SourceError, match=r"pip install 'livepdf\[asapo\]'"):
        AsapoSource(settings()).open()


def test_a_refused_message_says_which(tmp_path: Path) -> None:
    parts = pack_message("scan1", meta(1, note="text"), b"text")
    _, item = AsapoFeed(settings()).feed(RawMessage(channel="s", received=1e9, parts=parts))
    assert isinstance(item, FrameRefused)
    assert "raw/scan_00001" in item.detail
