"""The Karabo bridge: byte-exact trains, and the reference server in both versions and all ways."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from karabo_bridge.serializer import deserialize, serialize
from karabo_bridge.server import ServerInThread

from livepdf.config.sources import KaraboBridge
from livepdf.errors import FrameError
from livepdf.model.frame import FrameRefused, RunStart
from livepdf.simulate.karabo import run_messages, train_parts
from livepdf.sources.karabo import Array, parse
from livepdf.sources.open_source import make_source
from tests.sources.conftest import kinds, wait_for
from tests.sources.streams import feed_of, frames, pixels, play

SOURCE, KEY = "HED_IA1_VAREX/DET/1:output", "data.image"
XGM = "HED_XTD6_XGM/XGM/DOOCS:output"
PIXELS = np.arange(6 * 8, dtype=np.uint16).reshape(6, 8)
GOLDEN = [
    "83a6736f75726365a9412f422f433a6f7574a7636f6e74656e74a76d73677061636ba86d6574616461746184a6736f"
    "75726365a9412f422f433a6f7574ad74696d657374616d702e74696401ad74696d657374616d702e736563a131ae74"
    "696d657374616d702e66726163a130",
    "81a16e03",
    "85a6736f75726365a9412f422f433a6f7574a7636f6e74656e74a56172726179a470617468a178a56474797065a766"
    "6c6f61743332a57368617065920203",
    "000000000000803f0000004000004040000080400000a040",
]
"""{'A/B/C:out': {'x': float32 [[0, 1, 2], [3, 4, 5]], 'n': 3}} as a bridge sent it."""


def bridge(**more: Any) -> dict[str, Any]:
    return {"image": {"source": SOURCE, "key": KEY}, **more}


def trains(count: int, *, first: int = 100, version: Any = "2.2", **more: Any) -> list[list[bytes]]:
    images = [PIXELS + number for number in range(count)]
    given = {"source": SOURCE, "key": KEY, "first_train": first, "version": version, **more}
    return list(run_messages(images, **given))


def test_the_byte_exact_train_is_read() -> None:
    train = parse([bytes.fromhex(part) for part in GOLDEN])["A/B/C:out"]

    assert (train.train, train.time, train.values["n"]) == (1, 1.0, 3)
    array = train.values["x"]
    assert isinstance(array, Array)
    np.testing.assert_array_equal(array.values, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("version", ["1.0", "2.2"])
def test_the_reference_program_reads_our_trains_and_we_read_its(version: Any) -> None:
    values = {"x": PIXELS.astype(">f4"), "n": 3, "text": "Å", "scalar": 1.5}
    ours = train_parts({"A": values}, train=7, time=1.5, version=version)

    data, meta = deserialize(ours)
    np.testing.assert_array_equal(data["A"]["x"], values["x"])
    assert (data["A"]["n"], meta["A"]["timestamp.tid"]) == (3, 7)

    train = parse([bytes(part) for part in serialize(data, meta, protocol_version=version)])["A"]
    assert (train.train, train.time) == (7, 1.5)
    assert {k: v for k, v in train.values.items() if k != "x"} == {
        "n": 3,
        "text": "Å",
        "scalar": 1.5,
    }
    assert isinstance(train.values["x"], Array)
    np.testing.assert_array_equal(train.values["x"].values, PIXELS)


@pytest.fixture
def server() -> Iterator[Callable[..., ServerInThread]]:
    """Start servers of the reference program on free ports."""
    started: list[ServerInThread] = []

    def start(socket: str, version: str) -> ServerInThread:
        server = ServerInThread("tcp://127.0.0.1:0", sock=socket, protocol_version=version)
        server.start()
        started.append(server)
        return server

    yield start
    for one in started:
        if one.thread.is_alive():
            one.stop()


@pytest.mark.parametrize("version", ["1.0", "2.2"])
@pytest.mark.parametrize(("socket", "pattern"), [("REP", "req"), ("PUB", "sub"), ("PUSH", "pull")])
def test_trains_of_the_reference_server_arrive(
    socket: str, pattern: str, version: str, server: Callable[..., ServerInThread]
) -> None:
    running = server(socket, version)
    settings = KaraboBridge.model_validate(
        {
            "kind": "karabo-bridge",
            "endpoint": running.endpoint,
            "pattern": pattern,
            "gap_timeout": 0.2,
            **bridge(monitor={"source": XGM, "key": "data.intensityTD"}),
        }
    )
    source = make_source(settings)
    source.open()
    sent = iter(range(1000))

    def step() -> list[Any]:
        number = next(sent)
        if not running.buffer.full():
            train = 100 + number
            data = {
                SOURCE: {KEY: PIXELS + train, "gain": np.float32(2.0)},
                XGM: {"data.intensityTD": np.array([1e3 + train], np.float32)},
            }
            meta = {name: {"source": name, "timestamp.tid": train} for name in data}
            running.feed(data, meta)
        return source.poll(0.05)

    items = wait_for(step, lambda got: kinds(got).count("Frame") >= 5)
    source.close()

    assert kinds(items)[0] == "RunStart"
    assert "FrameRefused" not in kinds(items)
    for frame in frames(items):
        train = int(frame.origin.split()[1].rstrip(","))
        np.testing.assert_array_equal(pixels(frame), PIXELS + train)
        assert frame.monitor == 1e3 + train


def test_a_bridge_that_is_started_again_is_asked_again(
    server: Callable[..., ServerInThread],
) -> None:
    first = server("REP", "2.2")
    settings = KaraboBridge.model_validate(
        {"kind": "karabo-bridge", "endpoint": first.endpoint, **bridge()}
    )
    source = make_source(settings)
    source.open()
    data, meta = deserialize(trains(1)[0])
    first.feed(data, meta)
    wait_for(lambda: source.poll(0.05), lambda got: "Frame" in kinds(got))
    address = first.endpoint
    first.stop()
    wait_for(lambda: source.poll(0.05), lambda _: source.state().startswith("lost"))

    second = ServerInThread(address, protocol_version="2.2")
    with second:
        data, meta = deserialize(trains(1, first=101)[0])
        second.feed(data, meta)
        wait_for(lambda: source.poll(0.05), lambda got: "Frame" in kinds(got))
    source.close()


@pytest.mark.parametrize("version", ["1.0", "2.2"])
def test_missing_trains_are_counted_as_lost(version: str) -> None:
    messages = trains(8, version=version)
    feed = feed_of("karabo-bridge", **bridge())

    items = play(feed, messages[:3] + messages[5:], after=5.0)

    assert [frame.index for frame in frames(items)] == [0, 1, 2, 5, 6, 7]
    assert feed.lost == 2


AXES = {
    ("pulse", "module", "slow", "fast"): (0, 1, 2, 3),
    ("module", "fast", "slow", "pulse"): (1, 3, 2, 0),
    ("module", "slow", "fast", "pulse"): (1, 2, 3, 0),
}


@pytest.mark.parametrize("axes", sorted(AXES))
def test_pulses_and_modules_are_found_in_any_order_of_axes(axes: tuple[str, ...]) -> None:
    train = np.arange(3 * 2 * 4 * 5, dtype=np.float32).reshape(3, 2, 4, 5)
    sent = train.transpose(AXES[axes])
    intensities = np.arange(10, dtype=np.float32) + 100
    messages = run_messages(
        [sent, sent], source=SOURCE, key=KEY, first_train=7, beside={XGM: {"i": intensities}}
    )
    feed = feed_of("karabo-bridge", **bridge(axes=list(axes), monitor={"source": XGM, "key": "i"}))

    found = frames(play(feed, messages, after=5.0))

    assert [frame.index for frame in found] == list(range(6))
    assert [frame.monitor for frame in found] == [100, 101, 102] * 2
    for frame in found:
        np.testing.assert_array_equal(pixels(frame), train[frame.index % 3].reshape(8, 5))


def test_a_train_without_the_detector_takes_its_place_as_refused() -> None:
    messages = trains(4)
    messages[1] = train_parts({XGM: {"n": 1}}, train=101, time=0.0)
    feed = feed_of("karabo-bridge", **bridge())

    items = play(feed, messages, after=5.0)

    assert [(i.reason, i.index) for i in items if isinstance(i, FrameRefused)] == [("no image", 1)]
    assert feed.lost == 0


def test_a_new_number_of_pulses_or_far_trains_begin_a_new_run() -> None:
    stack = np.zeros((3, 2, 2), np.uint16)
    settings = bridge(axes=["pulse", "slow", "fast"])
    messages = [
        train_parts({SOURCE: {KEY: stack[:pulses]}}, train=train, time=0.0)
        for train, pulses in (
            (10, 3),
            (11, 3),
            (12, 2),
            (13, 2),
            (8_000_000, 2),
            (8_000_001, 2),
            (5, 2),
            (6, 2),
        )
    ]

    items = play(feed_of("karabo-bridge", **settings), messages, after=5.0)

    runs = [item.series for item in items if isinstance(item, RunStart)]
    assert runs == ["10", "12", "8000001", "6"]
    assert len(frames(items)) == 14
    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["stray series"] * 2


def test_one_train_with_a_damaged_number_does_not_end_the_run() -> None:
    messages = trains(5)
    messages[2] = trains(1, first=9_000_000)[0]
    feed = feed_of("karabo-bridge", **bridge())

    items = play(feed, messages, after=5.0)

    assert [frame.index for frame in frames(items)] == [0, 1, 3, 4]
    assert [i.reason for i in items if isinstance(i, FrameRefused)] == ["stray series"]
    assert kinds(items).count("RunStart") == 1
    assert feed.lost == 1


def test_after_a_silence_the_next_train_begins_a_new_run_without_a_gap() -> None:
    feed = feed_of("karabo-bridge", **bridge(idle_timeout=1.0))
    first, second = trains(2), trains(2, first=5000)

    items = play(feed, first, after=2.0) + play(feed, second, after=0.0)

    assert [i.series for i in items if isinstance(i, RunStart)] == ["100", "5000"]
    assert [frame.index for frame in frames(items)] == [0, 1, 0, 1]
    assert feed.lost == 0


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [b"Error: bad request"],
        [b"\xc1"],
        [b"\x91" * 100_000],
        [msgspec.msgpack.encode({"A": 1})],
        [msgspec.msgpack.encode({1: {}})],
        [b"x", b"y", b"z"],
        [msgspec.msgpack.encode({"source": "A", "content": "pickle"}), b""],
        [msgspec.msgpack.encode({"source": 1, "content": "msgpack"}), b"\x80"],
        [msgspec.msgpack.encode({"source": "A", "content": "array"}), b""],
    ],
)
def test_what_is_no_train_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(FrameError):
        parse(parts)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unsupported dtype", {"dtype": "object"}),
        ("unsupported dtype", {"dtype": 5}),
        ("wrong size", {"shape": [6, 7]}),
        ("truncated", {"shape": [6, 9]}),
        ("too large", {"shape": [1 << 20, 1 << 20]}),
        ("malformed", {"shape": [6, 8, -1]}),
        ("malformed", {"shape": [48]}),
    ],
)
def test_an_array_that_cannot_be_used_is_refused(reason: str, changes: dict[str, Any]) -> None:
    whole = trains(2)
    header = {**msgspec.msgpack.decode(whole[1][2]), **changes}
    broken = [*whole[1][:2], msgspec.msgpack.encode(header), whole[1][3]]

    items = play(feed_of("karabo-bridge", **bridge()), [whole[0], broken], after=5.0)

    assert [(i.reason, i.index) for i in items if isinstance(i, FrameRefused)] == [(reason, 1)]


@pytest.mark.parametrize("axes", [["slow", "pulse"], ["slow", "slow"], ["slow", "fast", "fast"]])
def test_axes_must_name_an_image(axes: list[str]) -> None:
    with pytest.raises(ValueError, match="axes that name"):
        feed_of("karabo-bridge", **bridge(axes=axes))
