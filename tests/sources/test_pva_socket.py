"""EPICS PVA against servers that we did not write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.config.control_sources import EpicsPva
from livepdf.errors import SourceError
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.simulate.ntndarray import ntndarray
from livepdf.sources import pva_client
from livepdf.sources.pva_frames import pva_feed
from livepdf.sources.pva_socket import PvaSource
from tests.sources.conftest import wait_for
from tests.sources.pva_servers import P4pServer, pvapy_simulator

pytest.importorskip("p4p")

CHANNEL = "test:image"
STACK = (np.arange(5 * 40 * 64).reshape(5, 40, 64) % 997).astype("<u2")
T0 = 1_700_000_000.0


def settings(address: str, **changes: Any) -> EpicsPva:
    table = {"kind": "epics-pva", "channel": CHANNEL, "addresses": [address], "broadcast": False}
    return EpicsPva.model_validate({**table, **changes})


@contextmanager
def following(address: str, **changes: Any) -> Iterator[PvaSource]:
    source = PvaSource(settings(address, **changes))
    source.open()
    try:
        yield source
    finally:
        source.close()


def frames(items: list[SourceItem]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def refused(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused)]


def pixels(frame: Frame) -> NDArray[Any]:
    image = frame.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


def array(number: int, **changes: Any) -> dict[str, Any]:
    image = changes.pop("image", STACK[number % 5])
    return ntndarray(image, unique_id=number, time=T0 + number, **changes)


def serve(server: P4pServer, source: PvaSource, numbers: range, **changes: Any) -> list[SourceItem]:
    """Post image after image, each when the one before has arrived: nothing is overrun."""
    items: list[SourceItem] = []
    for number in numbers:
        server.post(array(number, **changes))
        items += wait_for(
            lambda: source.poll(0.1), lambda got: any(not isinstance(i, RunStart) for i in got)
        )
    return items


def test_raw_images_of_pvapy_arrive_pixel_by_pixel(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", STACK)
    with (
        pvapy_simulator(CHANNEL, "-if", str(tmp_path / "images.npy"), "-fps", "50") as address,
        following(address) as source,
    ):
        items = wait_for(lambda: source.poll(0.2), lambda got: len(frames(got)) >= 20)

    found = frames(items)
    offset = next(n for n in range(5) if (pixels(found[0]) == STACK[n]).all())
    for frame in found:
        np.testing.assert_array_equal(pixels(frame), STACK[(frame.index + offset) % 5])
    assert refused(items) == ["stale first image"]
    assert source.lost() == found[-1].index + 1 - len(found)


FILTERS = {
    "bslz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "lz4": hdf5plugin.LZ4(),
    "blosc": hdf5plugin.Blosc(cname="blosclz", clevel=5, shuffle=1),
}


@pytest.mark.parametrize("codec", FILTERS)
def test_codecs_of_pvapy_arrive_pixel_by_pixel(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=STACK, chunks=(1, 40, 64), **FILTERS[codec])
    options = ("-if", str(path), "-hds", "data", "-hcm", "-fps", "50")
    with pvapy_simulator(CHANNEL, *options) as address, following(address) as source:
        items = wait_for(lambda: source.poll(0.2), lambda got: len(frames(got)) >= 10)

    start = next(item for item in items if isinstance(item, RunStart))
    assert start.metadata["codec"] == codec
    found = frames(items)
    offset = next(n for n in range(5) if (pixels(found[0]) == STACK[n]).all())
    for frame in found:
        np.testing.assert_array_equal(pixels(frame), STACK[(frame.index + offset) % 5])


def test_the_image_that_is_there_on_connecting_is_not_taken_for_new() -> None:
    with P4pServer(CHANNEL) as server:
        server.post(array(7))
        with following(server.address) as source:
            first = wait_for(lambda: source.poll(0.1), bool)
            later = serve(server, source, range(8, 11))

    assert refused(first) == ["stale first image"]
    assert [frame.index for frame in frames(later)] == [0, 1, 2]
    assert [frame.origin for frame in frames(later)] == [f"{CHANNEL}/{n}" for n in (8, 9, 10)]
    assert [frame.time for frame in frames(later)] == [T0 + 8, T0 + 9, T0 + 10]


def test_attributes_that_were_asked_for_come_with_the_frame() -> None:
    values = {"monitor": "I0", "temperature": "T", "exposure": "AcquireTime"}
    with P4pServer(CHANNEL) as server:
        server.post(array(0))
        with following(server.address, attributes=values) as source:
            wait_for(lambda: source.poll(0.1), bool)
            attributes = {"I0": 5e4, "T": 523.5, "AcquireTime": 0.25, "Gain": 3}
            (frame,) = frames(serve(server, source, range(1, 2), attributes=attributes))

    assert frame.monitor == 5e4
    assert frame.exposure == 0.25
    assert frame.environment == {"temperature": 523.5}


def test_a_server_that_restarts_begins_a_new_run() -> None:
    with P4pServer(CHANNEL) as server:
        server.post(array(0))
        with following(server.address) as source:
            wait_for(lambda: source.poll(0.1), bool)
            before = serve(server, source, range(1, 4))
            server.server.stop()
            wait_for(lambda: source.poll(0.1), lambda _: source.state().startswith("lost"))
            with P4pServer(CHANNEL, port=server.port) as again:
                fields = {**array(1), "timeStamp": array(50)["timeStamp"]}
                again.post(fields)
                after = wait_for(lambda: source.poll(0.1), frames)

    assert [frame.index for frame in frames(before)] == [0, 1, 2]
    kinds = [type(item) for item in after]
    assert kinds == [RunEnd, RunStart, Frame]
    assert frames(after)[0].series != frames(before)[0].series


def test_a_recording_of_a_channel_gives_the_same_items_again() -> None:
    recorded: list[RawMessage] = []
    with P4pServer(CHANNEL) as server:
        server.post(array(0))
        source = PvaSource(settings(server.address), tap=recorded.append)
        source.open()
        try:
            live = wait_for(lambda: source.poll(0.1), bool)
            live += serve(server, source, range(1, 6))
        finally:
            source.close()

    feed = pva_feed(settings(server.address))
    again = [item for raw in recorded for item in feed.feed(raw)]
    assert [type(item) for item in again] == [type(item) for item in live]
    for one, other in zip(frames(live), frames(again), strict=True):
        assert (one.series, one.index, one.time) == (other.series, other.index, other.time)
        np.testing.assert_array_equal(pixels(one), pixels(other))


def test_a_channel_that_nobody_serves_is_waited_for() -> None:
    with following("127.0.0.1:1") as source:
        assert source.poll(0.0) == []
        assert source.state() == f"waiting: no server has {CHANNEL} yet"


def test_a_reader_that_is_slow_loses_images_and_counts_them() -> None:
    big = np.zeros((1024, 1024), "<u2")
    with P4pServer(CHANNEL) as server:
        server.post(array(0, image=big))
        with following(server.address, queue=2) as source:
            wait_for(lambda: source.poll(0.1), bool)
            for number in range(1, 200):
                server.post(array(number, image=big))
            items = wait_for(
                lambda: source.poll(0.1),
                lambda got: any(f.origin.endswith("/199") for f in frames(got)),
            )

    found = frames(items)
    assert [frame.index for frame in found] == sorted({frame.index for frame in found})
    first = int(found[0].origin.rpartition("/")[2])
    assert source.lost() == 200 - first - len(found)


def test_without_p4p_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "p4p.client.thread", None)
    with pytest.raises(SourceError, match=r"pip install 'livepdf\[pva\]'"):
        pva_client.PvaClient(addresses=[], broadcast=True)


def test_stamps_are_of_the_clock_that_was_asked_for() -> None:
    fields = {**array(1), "dataTimeStamp": array(30)["timeStamp"]}
    with P4pServer(CHANNEL) as server:
        server.post(array(0))
        with following(server.address, time="detector") as source:
            wait_for(lambda: source.poll(0.1), bool)
            server.post(fields)
            (frame,) = frames(wait_for(lambda: source.poll(0.1), frames))

    assert frame.time == T0 + 30
    assert abs(frame.received - time.time()) < 60


@pytest.mark.parametrize("kind", ["number", "enum"])
def test_a_run_ends_when_the_acquire_pv_falls(kind: str) -> None:
    from p4p.nt import NTEnum, NTScalar

    wrap: Any = NTScalar("i").wrap
    if kind == "enum":
        made = NTEnum()

        def wrap(index: int) -> Any:
            return made.wrap({"index": index, "choices": ["Done", "Acquire"]})

    with P4pServer(CHANNEL) as server, P4pServer("test:Acquire") as switch:
        server.post(array(0))
        switch.pv.open(wrap(1))
        addresses = [server.address, switch.address]
        more = {"addresses": addresses, "acquire": "test:Acquire", "gap_timeout": 0.05}
        with following(server.address, **more) as source:
            wait_for(lambda: source.poll(0.1), lambda _: source._frames._acquiring)
            wait_for(lambda: source.poll(0.1), lambda _: source.state() == "connected")
            serve(server, source, range(1, 3))
            switch.pv.post(wrap(0))
            (end,) = wait_for(lambda: source.poll(0.02), bool)
    assert isinstance(end, RunEnd)
    assert end.reason == "end"
