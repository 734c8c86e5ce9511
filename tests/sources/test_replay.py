"""A recording played again: the same messages, at the pace asked for, on any way out."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from pydantic import TypeAdapter

from livepdf.config.sources import Source as Settings
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Origin, Recorded
from livepdf.sinks.recording_file import RecordingFile
from livepdf.sources.cbors import CborsReader, protocol_of
from livepdf.sources.open_source import make_feed
from livepdf.sources.replay import Pace, ReplaySource
from tests.sources.conftest import end_message, image_message, start_message

BEGIN = 1_700_000_000.0
AT_MAX = Pace()


class Messages:
    """A recording that fits on a screen."""

    def __init__(self, timed: list[tuple[float, bytes]]) -> None:
        self.timed = timed

    def messages(self) -> Iterator[Recorded]:
        for number, (when, message) in enumerate(self.timed):
            raw = RawMessage(channel="stream", received=BEGIN + when, parts=(message,))
            yield Recorded(raw=raw, sequence=number)


def series(indexes: list[int], *, step: float = 0.5) -> Messages:
    timed = [(0.0, start_message())]
    timed += [(step * (n + 1), image_message(index)) for n, index in enumerate(indexes)]
    return Messages([*timed, (step * (len(indexes) + 1), end_message())])


def source(reader: Any, *, pace: Pace = AT_MAX, **settings: Any) -> ReplaySource:
    given = {"kind": "dectris-stream-v2", "endpoint": "tcp://127.0.0.1:9", **settings}
    chosen = TypeAdapter[Any](Settings).validate_python(given)
    return ReplaySource(
        reader, lambda: make_feed(chosen), description="test", pace=pace, largest_message=10_000
    )


def played(replay: ReplaySource) -> list[SourceItem]:
    over = threading.Event()
    replay.when_over(over.set)
    items: list[SourceItem] = []
    while not over.is_set():
        items += replay.poll(0.01)
    return items


def indexes(items: list[SourceItem]) -> list[int]:
    return [item.index for item in items if isinstance(item, Frame)]


def test_at_max_everything_comes_at_once_with_the_times_of_the_recording() -> None:
    before = time.time()
    items = played(source(series(list(range(20)))))
    assert indexes(items) == list(range(20))
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.time - BEGIN for frame in frames] == [0.5 * (n + 1) for n in range(20)]
    assert all(frame.received >= before for frame in frames)
    assert isinstance(items[0], RunStart)
    assert isinstance(items[-1], RunEnd)
    assert items[-1].reason == "end"


def test_a_gap_is_waited_for_in_recorded_time_not_in_ours() -> None:
    # 3 is missing for 4 s of the recording, longer than the patience of 2 s; then it comes late.
    items = played(source(series([0, 1, 2, *range(4, 12), 3])))
    assert indexes(items) == [0, 1, 2, *range(4, 12)]
    assert [item.reason for item in items if isinstance(item, FrameRefused)] == ["late"]
    # And here for 1 s: it is put in its place.
    items = played(source(series([0, 1, 2, 4, 3, 5, 6])))
    assert indexes(items) == list(range(7))


def test_a_series_without_end_is_over_after_the_idle_time_of_the_recording() -> None:
    reader = Messages([(0.0, start_message()), (1.0, image_message(0)), (1.5, image_message(1))])
    items = played(source(reader, idle_timeout=30.0))
    assert isinstance(items[-1], RunEnd)
    assert items[-1].reason == "idle"
    assert items[-1].time == pytest.approx(BEGIN + 31.5, abs=0.2)


def test_a_message_that_was_too_large_live_is_refused_again() -> None:
    reader = Messages([(0.0, start_message()), (0.1, bytes(20_000)), (0.2, image_message(0))])
    items = played(source(reader))
    assert [item.reason for item in items if isinstance(item, FrameRefused)] == ["too large"]
    assert indexes(items) == [0]


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_speed_keeps_the_distances_in_time(speed: float) -> None:
    replay = source(series(list(range(4)), step=0.1 * speed), pace=Pace(speed=speed))
    arrivals: list[float] = []
    over = threading.Event()
    replay.when_over(over.set)
    while not over.is_set():
        arrivals += [time.monotonic() for item in replay.poll(0.01) if isinstance(item, Frame)]
    took = arrivals[-1] - arrivals[0]
    assert 0.28 <= took < 3.0


def test_a_loop_goes_on_and_time_never_runs_backwards() -> None:
    replay = source(series([0, 1, 2]), pace=Pace(loop=True))
    items: list[SourceItem] = []
    while sum(isinstance(item, RunEnd) for item in items) < 3:
        items += replay.poll(0.01)
    starts = [item for item in items if isinstance(item, RunStart)]
    assert len({start.series for start in starts}) == len(starts) >= 3
    times = [item.time for item in items if isinstance(item, Frame)]
    assert times == sorted(times)
    assert replay.progress.rounds >= 2


def test_messages_missing_in_the_recording_are_counted() -> None:
    class Holes(Messages):
        def messages(self) -> Iterator[Recorded]:
            return (m for m in super().messages() if m.sequence not in (3, 4))

    replay = source(Holes(series(list(range(6))).timed))
    items = played(replay)
    assert replay.progress.missing == 2
    assert replay.lost() == 2
    assert indexes(items) == [0, 1, 4, 5]


def test_frames_lost_in_a_run_are_known_at_its_end_and_not_before_its_start() -> None:
    reader = Messages([*series([0, 1, 5]).timed, *((9.0 + t, m) for t, m in series([0]).timed)])
    replay = source(reader)
    told: list[tuple[str, int]] = []
    over = threading.Event()
    replay.when_over(over.set)
    while not over.is_set():
        for item in replay.poll(0.01):
            if isinstance(item, RunStart | RunEnd):
                told.append((type(item).__name__, replay.lost()))
    assert told == [("RunStart", 0), ("RunEnd", 3), ("RunStart", 3), ("RunEnd", 3)]


@pytest.mark.parametrize(
    ("name", "kind", "messages", "frames"),
    [
        ("streams/dump_xrd.cbors", "stins", 11, 9),
        ("streams/eiger-small.cbors", "dectris-stream-v1", 5, 0),
        ("protocols/dectris_v2_eiger1_si1m_all_10frames.cborseq", "dectris-stream-v2", 12, 10),
        ("protocols/stins_danmax_orca_uint16_none.cborseq", "stins", 13, 11),
    ],
)
def test_recordings_of_others_are_played_by_the_protocol_that_they_show(
    name: str, kind: str, messages: int, frames: int, data_path: Any
) -> None:
    reader = CborsReader(data_path(name))
    assert reader.origin() == Origin(kind=kind)
    assert len(list(reader.messages())) == messages
    settings = {"kind": kind, "endpoint": "tcp://127.0.0.1:9"}
    chosen = TypeAdapter[Any](Settings).validate_python(settings)
    replay = ReplaySource(reader, lambda: make_feed(chosen), description="test", pace=Pace())
    items = played(replay)
    assert len(indexes(items)) == frames
    # The blobs of one of them were cut off by whoever published it.
    assert len(indexes(items)) + sum(isinstance(i, FrameRefused) for i in items) >= frames


def test_what_is_no_known_protocol_is_none() -> None:
    assert protocol_of([b"something"]) is None
    assert protocol_of([]) is None


@pytest.mark.system
@pytest.mark.parametrize(
    ("kind", "settings", "socket"),
    [
        ("dectris-stream-v2", "{}", zmq.PULL),
        ("karabo-bridge", '{"pattern": "sub"}', zmq.SUB),
        ("karabo-bridge", '{"pattern": "req"}', zmq.REQ),
    ],
)
def test_on_a_socket_the_messages_go_out_as_they_came_and_wait_for_a_slow_reader(
    tmp_path: Path, kind: str, settings: str, socket: int
) -> None:
    sent = [(b"%d" % number, bytes(200_000)) for number in range(60)]
    file = RecordingFile(
        tmp_path / "a.mcap", origin=Origin(kind=kind, settings=settings), now=BEGIN
    )
    for number, parts in enumerate(sent):
        raw = RawMessage(channel="stream", received=BEGIN + number, parts=parts)
        file.write([Recorded(raw=raw, sequence=number)])
    file.close({})
    command = [sys.executable, "-m", "livepdf.cli.main", "replay", str(tmp_path / "a.mcap")]
    command += ["--to-socket", "tcp://127.0.0.1:0", "--speed", "max"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        zmq.Context() as context,
        context.socket(socket) as reader,
    ):
        assert process.stdout is not None
        reader.setsockopt(zmq.RCVHWM, 2)
        if socket == zmq.SUB:
            reader.setsockopt(zmq.SUBSCRIBE, b"")
        reader.connect(process.stdout.readline().split()[1])
        for parts in sent:
            if socket == zmq.REQ:
                reader.send(b"next")
            assert reader.poll(20_000)
            assert tuple(reader.recv_multipart()) == parts
            threading.Event().wait(0.005)
        assert process.wait(20) == 0
