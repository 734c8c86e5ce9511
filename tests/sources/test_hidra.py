"""HiDRA: chunks to files to frames, and the orders given to a sender that answers as it does.

The sender here is ours, made from what its wire shows: no HiDRA can be had from a package index.
"""

import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import tifffile
import zmq

from livepdf.config.sources import Hidra
from livepdf.errors import FrameError, SourceError
from livepdf.model.frame import FrameRefused, RunStart, SourceItem
from livepdf.simulate.hidra import alive, file_messages
from livepdf.sources.hidra import Assembly, Chunk, parse
from livepdf.sources.hidra_files import HidraFeed
from livepdf.sources.hidra_socket import HidraSource
from tests.sources.conftest import kinds, wait_for
from tests.sources.streams import frames, pixels, raw

SETTINGS = Hidra(kind="hidra", signal="tcp://127.0.0.1:1", listen="127.0.0.1:0")
TIMEOUT = 4.0
"""s that a file may take to be read."""


def image(number: int) -> np.ndarray:
    return np.arange(30 * 40, dtype=np.uint16).reshape(30, 40) + number


def tiff(number: int) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, image(number))
    return stream.getvalue()


def sent(name: str, content: bytes, *, chunk_size: int = 1000) -> list[list[bytes]]:
    path = PurePosixPath("current/raw/scan_7", name)
    return list(file_messages(path, content, chunk_size=chunk_size, modified=1_700_000_000.0))


@pytest.fixture
def feed() -> Iterator[HidraFeed]:
    feed = HidraFeed(SETTINGS)
    yield feed
    feed.close()


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 3000, 3500])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_file_is_whole_when_its_last_chunk_and_all_before_have_come(
    size: int, backwards: bool
) -> None:
    content = bytes(np.random.default_rng(size).bytes(size))
    messages = sent("a.tif", content)
    assembly = Assembly(1 << 20)

    chunks = [parse(m) for m in (messages[::-1] if backwards else messages)]
    files = [assembly.add(c, now=0.0) for c in chunks if isinstance(c, Chunk)]

    assert files[:-1] == [None] * (len(messages) - 1)
    assert files[-1] is not None
    assert files[-1].content == content


def test_a_file_that_grew_ends_with_its_first_short_chunk() -> None:
    messages = sent("a.tif", b"x" * 2500)
    headers = [
        json.dumps({**json.loads(head), "filesize": 100_000}).encode() for head, _ in messages
    ]
    assembly = Assembly(1 << 20)

    files = [
        assembly.add(chunk, now=0.0)
        for head, (_, payload) in zip(headers, messages, strict=True)
        if (chunk := parse([head, payload])) is not None
    ]

    assert files[-1] is not None
    assert files[-1].content == b"x" * 2500


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("..", "a.tif"),
        ("/etc", "passwd"),
        ("a", ""),
        ("a", "../../b"),
        ("a/../..", "b"),
        ("a", "b\0"),
    ],
)
def test_no_name_leads_out_of_the_folder(folder: str, name: str) -> None:
    head, payload = sent("a.tif", b"x")[0]
    fields = {**json.loads(head), "relative_path": folder, "filename": name}

    with pytest.raises(FrameError, match="malformed"):
        parse([json.dumps(fields).encode(), payload])


def test_a_sign_of_life_is_no_file(feed: HidraFeed) -> None:
    assert feed.feed(raw(alive())) == []


def test_files_of_one_scan_are_the_frames_of_one_series(feed: HidraFeed) -> None:
    items = []
    for number in (5, 6, 7):
        for parts in sent(f"scan_{number:05d}.tif", tiff(number)):
            items += feed.feed(raw(parts))

    assert kinds(items) == ["RunStart", "Frame", "Frame", "Frame"]
    assert [frame.index for frame in frames(items)] == [0, 1, 2]
    for number, frame in zip((5, 6, 7), frames(items), strict=True):
        np.testing.assert_array_equal(pixels(frame), image(number))
        assert frame.time == 1_700_000_000.0
    assert isinstance(items[0], RunStart)


def test_a_file_whose_chunks_never_all_come_is_counted_once(feed: HidraFeed) -> None:
    messages = sent("scan_00001.tif", tiff(1))
    feed.feed(raw(messages[0], 100.0))

    assert feed.tick(now=105.0) == []
    late = feed.tick(now=111.0)

    assert [i.reason for i in late if isinstance(i, FrameRefused)] == ["incomplete"]
    assert feed.tick(now=130.0) == []


def test_a_broken_file_is_refused_and_the_next_one_flows(feed: HidraFeed) -> None:
    items = []
    for number, content in ((1, tiff(1)), (2, tiff(2)[:800]), (3, tiff(3))):
        for parts in sent(f"scan_{number:05d}.tif", content):
            items += feed.feed(raw(parts))

    assert kinds(items) == ["RunStart", "Frame", "FrameRefused", "Frame"]
    assert feed.lost == 0


def reading_processes() -> list[int]:
    """The children of this process that read files."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rsplit(") ", 1)[1].split()[1]
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == os.getpid() and b"livepdf.sources.child" in words:
            found.append(int(folder.name))
    return found


@pytest.fixture
def apart() -> Iterator[HidraFeed]:
    feed = HidraFeed(SETTINGS.model_copy(update={"read_timeout": TIMEOUT}), apart=True)
    yield feed
    feed.close()


def handed_over(feed: HidraFeed, name: str, number: int) -> list[SourceItem]:
    return [item for parts in sent(name, tiff(number)) for item in feed.feed(raw(parts))]


def ticks(feed: HidraFeed) -> Callable[[], list[SourceItem]]:
    def tick() -> list[SourceItem]:
        threading.Event().wait(0.02)
        return feed.tick(now=1000.0)

    return tick


def test_a_file_that_hangs_is_refused_while_chunks_are_taken_as_ever(apart: HidraFeed) -> None:
    before = set(reading_processes())
    items = handed_over(apart, "a_0001.tif", 1)
    items += wait_for(ticks(apart), frames, 90.0)
    [reader] = set(reading_processes()) - before
    os.kill(reader, signal.SIGSTOP)

    began = time.monotonic()
    items += handed_over(apart, "a_0002.tif", 2) + handed_over(apart, "a_0003.tif", 3)
    assert time.monotonic() - began < TIMEOUT

    items += wait_for(ticks(apart), frames, 90.0)
    hung = [item for item in items if isinstance(item, FrameRefused)]
    assert [(item.reason, item.index) for item in hung] == [("reader hung", 1)]
    assert [frame.index for frame in frames(items)] == [0, 2]
    np.testing.assert_array_equal(pixels(frames(items)[1]), image(3))


def test_the_same_name_may_come_again_before_it_was_read(apart: HidraFeed) -> None:
    items = handed_over(apart, "scan.tif", 1) + handed_over(apart, "scan.tif", 2)
    items += wait_for(ticks(apart), lambda found: len(frames([*items, *found])) == 2, 90.0)

    for number, frame in enumerate(frames(items), 1):
        np.testing.assert_array_equal(pixels(frame), image(number))


@pytest.fixture
def sender() -> Iterator[zmq.Socket[bytes]]:
    """What takes orders, on a free port."""
    with zmq.Context() as context, context.socket(zmq.REP) as orders:
        orders.setsockopt(zmq.LINGER, 0)
        orders.setsockopt(zmq.RCVTIMEO, 10_000)
        orders.bind("tcp://127.0.0.1:0")
        yield orders


def test_files_are_ordered_received_and_ordered_off(sender: zmq.Socket[bytes]) -> None:
    settings = SETTINGS.model_copy(
        update={"signal": sender.getsockopt_string(zmq.LAST_ENDPOINT), "pattern": r".*\.tif$"}
    )
    source = HidraSource(settings)
    source.open()
    version, application, signal, targets = sender.recv_multipart()
    assert (version, application, signal) == (b"4.4.3", b"livepdf", b"START_STREAM")
    [[target, priority, pattern]] = json.loads(targets)
    assert (priority, pattern) == (1, r".*\.tif$")
    assert source.state().startswith("waiting")
    sender.send_multipart([signal])

    with zmq.Context() as context, context.socket(zmq.PUSH) as data:
        data.setsockopt(zmq.LINGER, 0)
        data.connect(f"tcp://{target}")
        for parts in sent("scan_00001.tif", tiff(1)):
            data.send_multipart(parts)
        # The answer to the order may come after the first file
        items = wait_for(
            lambda: source.poll(0.1),
            lambda got: "Frame" in kinds(got) and source.state() == "connected",
        )
        np.testing.assert_array_equal(pixels(frames(items)[0]), image(1))

    stopped: list[list[bytes]] = []

    def take_last_order() -> None:
        stopped.append(sender.recv_multipart())
        sender.send_multipart([b"STOP_STREAM"])

    thread = threading.Thread(target=take_last_order)
    thread.start()
    source.close()
    thread.join()
    assert stopped[0][2:] == [b"STOP_STREAM", targets]


def test_a_refusal_of_hidra_is_said(sender: zmq.Socket[bytes]) -> None:
    settings = SETTINGS.model_copy(update={"signal": sender.getsockopt_string(zmq.LAST_ENDPOINT)})
    source = HidraSource(settings)
    source.open()
    sender.recv_multipart()
    sender.send_multipart([b"VERSION_CONFLICT", b"5.0.0"])

    wait_for(lambda: source.poll(0.05), lambda _: not source.state().startswith("waiting"))

    assert source.state() == "lost: HiDRA refused: VERSION_CONFLICT"
    source.close()


def test_an_address_that_is_not_ours_is_a_source_error() -> None:
    source = HidraSource(SETTINGS.model_copy(update={"listen": "192.0.2.1:0"}))
    with pytest.raises(SourceError):
        source.open()
    source.close()
