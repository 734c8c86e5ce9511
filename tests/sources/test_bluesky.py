"""bluesky documents: made by hand, and by bluesky's own RunEngine through its Proxy."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from livepdf.config.control_sources import BlueskyDocuments
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.simulate import bluesky_documents as made
from livepdf.sources.bluesky_runs import BlueskyFeed
from livepdf.sources.open_source import make_source
from livepdf.sources.source import Source
from tests.sources.conftest import wait_for
from tests.sources.fuzz import damaged

T0 = 1_700_000_000.0


def settings(**changes: Any) -> BlueskyDocuments:
    table = {"kind": "bluesky-documents", "endpoint": "tcp://127.0.0.1:1", **changes}
    return BlueskyDocuments.model_validate(table)


class Fed:
    """A feed and its clock."""

    def __init__(self, **changes: Any) -> None:
        self.feed = BlueskyFeed(settings(**changes))
        self.now = T0

    def __call__(self, *messages: bytes) -> list[SourceItem]:
        items = []
        for message in messages:
            raw = RawMessage(channel="stream", received=self.now, parts=(message,))
            items += self.feed.feed(raw)
        return items

    def tick(self, later: float) -> list[SourceItem]:
        self.now += later
        return self.feed.tick(now=self.now)


@pytest.fixture
def fed() -> Iterator[Fed]:
    fed = Fed()
    yield fed
    fed.feed.close()


def pixels(frame: Frame) -> Any:
    image = frame.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


def frames(items: list[SourceItem]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def reasons(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused | RunEnd)]


def inline_run(run: str, count: int, first: int = 1) -> list[bytes]:
    return [
        made.start(run, scan=5, time=T0, sample="SnO2"),
        made.descriptor(run, shape=[2, 3], external=False, values=["T", "I0"]),
        *(
            made.event(
                run,
                number=n,
                time=T0 + n,
                data={made.KEY: [[n, 2, 3], [4, 5, 6]], "T": 300.0 + n, "I0": 10 * n},
            )
            for n in range(first, first + count)
        ),
        made.stop(run, time=T0 + 99),
    ]


def test_images_inside_events_come_with_the_values_of_their_event() -> None:
    fed = Fed(values={"temperature": "T", "monitor": "I0"})
    items = fed(*inline_run("a", 3))
    start, *between, end = items
    assert isinstance(start, RunStart)
    assert (start.name, start.series, start.time) == ("SnO2-scan-5", "a", T0)
    assert isinstance(end, RunEnd)
    assert end.reason == "end"
    assert [frame.index for frame in frames(between)] == [0, 1, 2]
    assert [frame.monitor for frame in frames(between)] == [10.0, 20.0, 30.0]
    assert [frame.environment["temperature"] for frame in frames(between)] == [301, 302, 303]
    np.testing.assert_array_equal(pixels(frames(between)[1]), [[2, 2, 3], [4, 5, 6]])


def test_who_joins_late_says_which_image_was_first_and_counts_none_as_lost(fed: Fed) -> None:
    _, descriptor, *events = inline_run("a", 3, first=5)
    start, *rest = fed(descriptor, *events)
    assert isinstance(start, RunStart)
    assert start.metadata == {"header": "missing", "first frame seen": 4}
    assert [frame.index for frame in frames(rest)] == [4, 5, 6]
    assert fed.feed.lost == 0


def test_events_without_their_descriptor_are_counted(fed: Fed) -> None:
    _, _, *events, stop = inline_run("a", 2)
    assert reasons(fed(*events, stop)) == ["missing descriptor"] * 2


def test_an_event_that_comes_twice_counts_once_and_a_lost_one_is_counted(fed: Fed) -> None:
    start, descriptor, one, two, three, stop = inline_run("a", 3)
    items = fed(start, descriptor, one, one, three) + fed.tick(3.0) + fed(stop) + fed.tick(3.0)
    assert reasons(items) == ["duplicate", "end"]
    assert [frame.index for frame in frames(items)] == [0, 2]
    assert fed.feed.lost == 1
    assert two


def test_a_run_that_was_restarted_ends_the_one_before(fed: Fed) -> None:
    items = fed(*inline_run("a", 2)[:-1], *inline_run("b", 2))
    assert reasons(items) == ["next start", "end"]
    assert {frame.series for frame in frames(items)} == {"a", "b"}


def test_a_run_without_images_is_no_run(fed: Fed) -> None:
    start, _, stop = (made.start("a", scan=1, time=T0), None, made.stop("a", time=T0))
    keys = {"I0": {"dtype": "number", "shape": [], "source": ""}}
    fields = {"uid": "d", "run_start": "a", "name": "primary", "data_keys": keys}
    assert fed(start, made.message("descriptor", fields), stop) == []


def test_a_pickle_is_refused_with_the_remedy_and_never_loaded(fed: Fed) -> None:
    # Loading this would raise SystemExit
    bomb = b"\x80\x04cbuiltins\nexit\n)R."
    (item,) = fed(b" start " + bomb)
    assert isinstance(item, FrameRefused)
    assert item.reason == "pickled document"
    assert "serializer=msgpack.packb" in item.detail


def test_documents_of_another_publisher_are_passed_over() -> None:
    fed = Fed(prefix="p02")
    assert fed(b"other start {}") == []
    assert reasons(fed(b"p02 nonsense {}")) == ["unknown message"]


def test_images_of_a_file_wait_for_the_file_and_for_their_event(fed: Fed, tmp_path: Path) -> None:
    stack = np.arange(4 * 5 * 6, dtype="<u2").reshape(4, 5, 6)
    path = tmp_path / "data" / "scan.h5"
    fed.feed._settings = settings(paths={"/ioc": str(tmp_path / "data")})
    run = [
        made.start("a", scan=1, time=T0),
        made.descriptor("a", shape=[1, 5, 6], external=True, values=["T"]),
        made.hdf5_resource("a", Path("/ioc/scan.h5"), dataset="/entry/instrument/images"),
        made.hdf5_images("a", first=0, count=4),
    ]
    events = [made.event("a", number=n, time=T0 + n, data={"T": 20.0 * n}) for n in range(1, 5)]
    assert fed(*run) == []
    assert fed(*events[:3]) == []
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["entry/instrument/images"] = stack
        file["entry/instrument/other"] = np.zeros((9, 50, 50))
    start, *got = fed(*events[3:])
    assert isinstance(start, RunStart)
    assert [frame.environment for frame in frames(got)] == [{"T": 20.0 * n} for n in (1, 2, 3, 4)]
    assert [frame.time for frame in frames(got)] == [T0 + n for n in (1, 2, 3, 4)]
    for frame in frames(got):
        np.testing.assert_array_equal(pixels(frame), stack[frame.index])
    assert reasons(fed(made.stop("a", time=T0))) == ["end"]


def test_a_file_that_never_comes_costs_its_images_only(fed: Fed) -> None:
    run = [
        made.start("a", scan=1, time=T0),
        made.descriptor("a", shape=[1, 5, 6], external=True),
        made.hdf5_resource("a", Path("/nowhere/scan.h5"), dataset="images"),
        made.hdf5_images("a", first=0, count=3),
        made.stop("a", time=T0),
    ]
    assert fed(*run) == []
    assert reasons(fed.tick(11.0)) == ["unreadable"] * 3 + ["end"]
    assert reasons(fed(*inline_run("b", 1))) == ["end"]


def test_a_mount_that_hangs_holds_neither_the_documents_nor_the_next_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "scan.h5")  # opening it waits for a writer, as on a mount that hangs
    feed = BlueskyFeed(settings(file_timeout=1.0, read_timeout=1.0), live=True)
    fed = Fed()
    fed.feed.close()
    fed.feed = feed
    run = [
        made.start("a", scan=1, time=T0),
        made.descriptor("a", shape=[1, 5, 6], external=True),
        made.hdf5_resource("a", tmp_path / "scan.h5", dataset="images"),
        made.hdf5_images("a", first=0, count=50),
    ]
    slowest = 0.0

    def timed(call: Callable[[], list[SourceItem]]) -> list[SourceItem]:
        nonlocal slowest
        began = time.monotonic()
        items = call()
        slowest = max(slowest, time.monotonic() - began)
        return items

    try:
        items = timed(lambda: fed(*run, *inline_run("b", 2)))
        deadline = time.monotonic() + 60
        while reasons(items)[-1:] != ["end"] and time.monotonic() < deadline:
            items += timed(lambda: fed.tick(0.1))
    finally:
        feed.close()

    assert reasons(items) == ["reader hung"] * 50 + ["next start", "end"]
    assert len(frames(items)) == 2
    assert slowest < 2.0  # a process is started and killed; nothing waits for the file


def test_documents_cannot_make_more_images_wait_than_there_is_room_for(fed: Fed) -> None:
    fed(
        made.start("a", scan=1, time=T0),
        made.descriptor("a", shape=[1, 5, 6], external=True),
        made.hdf5_resource("a", Path("/nowhere/scan.h5"), dataset="images"),
    )
    asked = [made.hdf5_images("a", first=n * 90_000, count=90_000) for n in range(3)]
    assert reasons(fed(*asked)) == ["too many waiting"]


def test_references_that_are_no_files_of_images_are_refused(fed: Fed) -> None:
    descriptor = made.descriptor("a", shape=[1, 5, 6], external=True)
    for uri, kind in (("http://x/y", "application/x-hdf5"), ("file://localhost/a", "text/csv")):
        fields = {"uid": "a-file", "uri": uri, "mimetype": kind}
        fed(descriptor, made.message("stream_resource", fields))
        assert reasons(fed(made.hdf5_images("a", first=0, count=1))) == ["unsupported reference"]


def test_a_file_name_template_cannot_look_into_objects(fed: Fed) -> None:
    fed(made.descriptor("a", shape=[1, 5, 6], external=True))
    for template in ("{0.__class__}", "{:9999999999d}", "%(a)s", "%*d", "../{:d}.tif"):
        fields = {
            "uid": "a-file",
            "uri": "file://localhost/data",
            "mimetype": "multipart/related;type=image/tiff",
            "parameters": {"template": template},
        }
        fed(made.message("stream_resource", fields))
        assert reasons(fed(made.hdf5_images("a", first=0, count=1))) == ["malformed"]


def test_pages_are_taken_apart_into_events(fed: Fed) -> None:
    start, descriptor, *_ = inline_run("a", 1)
    page = {
        "descriptor": "a-primary",
        "seq_num": [1, 2],
        "time": [T0, T0 + 1],
        "uid": ["x", "y"],
        "data": {made.KEY: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "T": [1.0, 2.0]},
        "timestamps": {"T": [T0, T0]},
    }
    items = fed(start, descriptor, made.message("event_page", page))
    assert [frame.environment["T"] for frame in frames(items)] == [1.0, 2.0]
    page["time"] = [T0]
    assert reasons(fed(made.message("event_page", page))) == ["malformed"]


def test_damaged_documents_are_counted_or_are_none_that_matters() -> None:
    rng = random.Random(3)
    fed = Fed(idle_timeout=1e9)
    run = inline_run("a", 400)
    fed(*run[:2])
    for message in run[2:-1]:
        tally = damaged(fed.feed, [message], channel="stream", count=2, rng=rng)
        assert set(tally) <= {
            "frame", "malformed", "unknown message", "pickled document", "duplicate", "late",
            "missing descriptor", "missing resource", "no image", "unsupported dtype",
            "unsupported shape", "wrong size", "implausible index",
        }  # fmt: skip


@contextmanager
def engine(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run bluesky's Proxy and its RunEngine; yields the engine and the port to listen at."""
    proxy = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from bluesky.callbacks.zmq import Proxy\n"
            "import socket\n"
            "proxy = Proxy('127.0.0.1:*', '127.0.0.1:*')\n"
            "print(proxy.in_port, proxy.out_port, flush=True)\n"
            "proxy.start()\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proxy.stdout is not None
    into, out = (str(word).rpartition(":")[2] for word in proxy.stdout.readline().split())
    peer = Path(__file__).with_name("bluesky_peer.py")
    process = subprocess.Popen(
        [sys.executable, str(peer), f"127.0.0.1:{into}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, int(out)
    finally:
        for child in (process, proxy):
            child.kill()
            child.communicate()


def run_engine(
    *arguments: str, enough: int, **changes: Any
) -> tuple[list[SourceItem], list[RawMessage]]:
    heard: list[RawMessage] = []
    with engine(*arguments) as (process, port):
        table = settings(endpoint=f"tcp://127.0.0.1:{port}", **changes)
        source: Source = make_source(table, tap=heard.append)
        source.open()
        try:
            wait_for(lambda: source.poll(0.1), lambda _: heard)
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            items = wait_for(
                lambda: source.poll(0.1),
                lambda got: len([i for i in got if not isinstance(i, RunStart)]) >= enough,
            )
        finally:
            source.close()
    return items, heard


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_a_scan_of_the_run_engine_arrives_whole(serializer: str, tmp_path: Path) -> None:
    pytest.importorskip("bluesky")
    values = {"temperature": "furnace"}
    items, heard = run_engine(serializer, str(tmp_path), "4", enough=5, values=values)
    start, *between, end = items
    assert isinstance(start, RunStart)
    assert start.name == "SnO2-scan-1"
    assert isinstance(end, RunEnd)
    got = frames(between)
    assert [frame.index for frame in got] == [0, 1, 2, 3]
    first = int(pixels(got[0])[0, 0])
    for frame in got:
        expected = np.arange(12).reshape(3, 4) + first + frame.index
        np.testing.assert_array_equal(pixels(frame), expected)
    temperatures = [frame.environment["temperature"] for frame in got]
    np.testing.assert_array_equal(np.diff(temperatures), 1.0)
    again = BlueskyFeed(settings(values=values))
    repeated = [item for raw in heard for item in again.feed(raw)]
    again.close()
    assert [type(item) for item in repeated] == [type(item) for item in items]


def test_the_run_engine_with_its_default_is_refused_in_clear_words(tmp_path: Path) -> None:
    pytest.importorskip("bluesky")
    items, _ = run_engine("pickle", str(tmp_path), "2", enough=5)
    assert set(reasons(items)) == {"pickled document"}


def test_json_with_numbers_that_are_none_is_read(fed: Fed) -> None:
    start, descriptor, *_ = inline_run("a", 1)
    data = {made.KEY: [[1, 2], [3, 4]], "T": float("nan")}
    assert "NaN" in json.dumps(data)
    (_, frame) = fed(start, descriptor, made.event("a", number=1, time=T0, data=data))
    assert isinstance(frame, Frame)
    assert frame.environment == {}
