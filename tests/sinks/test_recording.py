"""Recordings are whole, byte for byte, as the library of the format reads them."""

import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from mcap.reader import NonSeekingReader, make_reader

from livepdf.errors import FileError
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Attached, Origin, nanoseconds, seconds
from livepdf.sinks.recording import Recorder, RecorderState

ORIGIN = Origin(kind="dectris-stream-v2", settings='{"endpoint": "tcp://dcu:31001"}')


def raw(number: int, *, size: int = 1000, channel: str = "stream") -> RawMessage:
    noise = random.Random(number)
    parts = (noise.randbytes(20), noise.randbytes(size), b"")
    return RawMessage(channel=channel, received=1_700_000_000.1 + 0.004 * number, parts=parts)


def record(path: Path, messages: list[RawMessage], **more: object) -> RecorderState:
    recorder = Recorder(path, origin=ORIGIN, **more)  # type: ignore[arg-type]
    for message in messages:
        recorder.put(message)
    return recorder.close()


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_the_library_of_the_format_reads_every_byte_with_its_time_and_number(
    tmp_path: Path,
) -> None:
    messages = [raw(n, channel="ab"[n % 2], size=n * 997 % 300_000) for n in range(100)]

    state = record(tmp_path / "a.mcap", messages)

    assert (state.received, state.written, state.dropped) == (100, 100, 0)
    with (tmp_path / "a.mcap").open("rb") as file:
        read = list(make_reader(file, validate_crcs=True).iter_messages(log_time_order=False))
    assert len(read) == 100
    for number, (_, channel, message) in enumerate(read):
        assert tuple(cbor2.loads(message.data)) == messages[number].parts
        assert message.log_time == nanoseconds(messages[number].received)
        assert channel.topic == "ab"[number % 2]
        assert channel.metadata["kind"] == "dectris-stream-v2"
        assert message.sequence == number // 2


def test_the_index_finds_messages_by_time_and_the_statistics_are_right(tmp_path: Path) -> None:
    messages = [raw(n, size=2_000_000) for n in range(10)]
    record(tmp_path / "a.mcap", messages)

    with (tmp_path / "a.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        times = [nanoseconds(m.received) for m in messages]
        found = list(reader.iter_messages(starting_at=times[4], ending_before=times[7]))
        summary = reader.get_summary()

    assert [message.sequence for _, _, message in found] == [4, 5, 6]
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == 10
    assert summary.statistics.message_start_time == times[0]
    assert summary.statistics.message_end_time == times[-1]
    assert len(summary.chunk_indexes) > 1


def test_settings_go_along_as_attachments(tmp_path: Path) -> None:
    attached = [Attached(name="profile.toml", data=b"a = 1\n", media_type="text/plain")]
    record(tmp_path / "a.mcap", [raw(0)], attached=attached)

    with (tmp_path / "a.mcap").open("rb") as file:
        (found,) = NonSeekingReader(file, validate_crcs=True).iter_attachments()
    assert (found.name, found.data) == ("profile.toml", b"a = 1\n")


def test_times_come_back_to_the_last_bit() -> None:
    noise = random.Random(1)
    for _ in range(1000):
        moment = noise.uniform(1.4e9, 2.2e9)
        assert seconds(nanoseconds(moment)) == moment


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"precious")
    with pytest.raises(FileError, match=r"a\.mcap: File exists"):
        Recorder(tmp_path / "a.mcap", origin=ORIGIN)
    assert (tmp_path / "a.mcap").read_bytes() == b"precious"


def test_what_the_queue_has_no_room_for_is_counted_and_said_and_leaves_a_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "a.mcap", origin=ORIGIN, queue=100_000, reserve=1 << 60)
    recorder.tell(said.append)
    for number in range(300):
        recorder.put(raw(number))
    wait_until(lambda: bool(said) and "MiB are free" in said[-1])
    state = recorder.state()
    assert state.received == 300 == state.written + state.dropped + state.waiting
    assert state.dropped > 200
    assert f"{state.dropped} messages are missing" in said[-1]

    final = recorder.close()
    assert final.written == 0
    assert final.dropped == 300
    assert "300 messages are missing" in caplog.text


def test_a_disk_that_has_room_again_goes_on_with_what_waited(tmp_path: Path) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "a.mcap", origin=ORIGIN, reserve=1 << 60)
    recorder.tell(said.append)
    recorder.put(raw(0))
    wait_until(lambda: bool(said))
    assert "nothing is recorded now, 1 messages wait" in said[0]

    recorder.reserve = 0
    wait_until(lambda: recorder.state().written == 1)
    wait_until(lambda: said[-1] == "")
    assert recorder.close().dropped == 0


def test_a_disk_that_is_full_in_the_middle_of_a_write_keeps_the_file_whole(tmp_path: Path) -> None:
    script = (
        "import sys, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pathlib import Path\n"
        "from livepdf.model.raw import RawMessage\n"
        "from livepdf.model.recorded import Origin\n"
        "from livepdf.sinks.recording import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]), origin=Origin(kind='x'))\n"
        "for n in range(40):\n"
        "    recorder.put(RawMessage(channel='s', received=1.0 + n, parts=(bytes(1 << 20),)))\n"
        "state = recorder.close()\n"
        "print(state.written, state.dropped, state.received)\n"
    )
    limit = 20 << 20
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.mcap")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    written, dropped, received = map(int, done.stdout.split())
    assert written + dropped == received == 40
    assert 8 <= written < 20
    with (tmp_path / "a.mcap").open("rb") as file:
        assert len(list(NonSeekingReader(file, validate_crcs=True).iter_messages())) == written


def test_a_killed_recorder_has_lost_no_more_than_its_last_moment(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from livepdf.model.raw import RawMessage\n"
        "from livepdf.model.recorded import Origin\n"
        "from livepdf.sinks.recording import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]), origin=Origin(kind='x'))\n"
        "for n in range(10):\n"
        "    recorder.put(RawMessage(channel='s', received=1.0 + n, parts=(b'small',)))\n"
        "while recorder.state().written < 10: time.sleep(0.01)\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    path = tmp_path / "a.mcap"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()

    with path.open("rb") as file:
        messages = NonSeekingReader(file).iter_messages(log_time_order=False)
        assert [next(messages)[2].sequence for _ in range(10)] == list(range(10))


def test_putting_never_waits_for_the_disk(tmp_path: Path) -> None:
    blob = bytes(1 << 20)
    recorder = Recorder(tmp_path / "a.mcap", origin=ORIGIN, queue=64 << 20)
    longest = 0.0
    for number in range(200):
        message = RawMessage(channel="s", received=1.0 + number, parts=(blob,))
        before = time.perf_counter()
        recorder.put(message)
        longest = max(longest, time.perf_counter() - before)
    state = recorder.close()
    assert state.received == 200 == state.written + state.dropped
    assert longest < 0.1


@pytest.mark.logs_errors
def test_a_recorder_that_breaks_says_so_and_counts_all_that_it_does_not_write(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    wrong: Any = {}  # no text, as nobody may give it: the writing thread ends at the first message
    recorder = Recorder(tmp_path / "a.mcap", origin=Origin(kind="stins", settings=wrong))
    recorder.tell(said.append)

    recorder.put(RawMessage(channel="stream", received=1.0, parts=(b"x",)))
    recorder._thread.join(10.0)
    recorder.put(RawMessage(channel="stream", received=2.0, parts=(b"y",)))
    state = recorder.close()

    assert (state.received, state.written, state.dropped, state.waiting) == (2, 0, 2, 0)
    assert "stopped by a defect" in state.trouble
    assert said
