"""What frames were given live is what they get from a recording."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from livepdf.cli.main import main
from livepdf.config.sources import DectrisStreamV2
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import SLOW, Recorded
from livepdf.sinks.recording_file import RecordingFile
from livepdf.sinks.recording_settings import origin_of
from livepdf.sources.recording_file import RecordingReader
from livepdf.sources.replay import Pace, Progress, timed_messages
from livepdf.sources.slow_beside import Beside
from livepdf.sources.slow_recorded import (
    RecordedSlow,
    given_in,
    message_of,
    names_to_attach,
    recorded_slow,
)
from tests.daemon.beamline import frame
from tests.sources.conftest import end_message, image_message, start_message

NAMES = ("monitor", "heater")
BEGIN = 1_700_000_000.0


def given(index: int, *, monitor: float | None, heater: float, series: str = "1") -> RawMessage:
    known = frame(index, series=series, received=BEGIN + index, monitor=monitor)
    why = {"monitor": monitor is None, "heater": math.isnan(heater)}
    beside = Beside(
        frame=replace(known, environment={**known.environment, "heater": heater}),
        reasons=tuple((name, "silent for 7 s") for name, missing in why.items() if missing),
        settled=True,
    )
    return message_of(beside, names=NAMES)


def test_every_bit_of_a_value_comes_back_and_a_missing_one_with_its_reason() -> None:
    slow = RecordedSlow(NAMES)
    slow.take(given(0, monitor=0.1 + 0.2, heater=1e22 / 3))
    slow.take(given(1, monitor=None, heater=math.nan))
    first, second = slow.close_books(frame(0)), slow.close_books(frame(1))
    assert (first.frame.monitor, first.reasons) == (0.1 + 0.2, ())
    assert first.frame.environment == {"temperature": 300.0, "heater": 1e22 / 3}
    assert second.frame.monitor is None
    assert math.isnan(second.frame.environment["heater"])
    assert dict(second.reasons) == dict.fromkeys(NAMES, "silent for 7 s")
    (status,) = slow.status()
    assert (status.joined, status.missing) == (1, {"missing live": 2})


def test_a_frame_waits_until_its_values_were_read_or_all_was_read() -> None:
    slow = RecordedSlow(NAMES)
    assert slow.wait == math.inf
    assert not slow.join(frame(0)).settled
    before = slow.readings
    slow.take(given(0, monitor=5.0, heater=20.0))
    assert slow.readings != before
    assert slow.join(frame(0)).settled
    assert not slow.join(frame(1)).settled
    before = slow.readings
    slow.end()
    assert slow.readings != before
    late = slow.join(frame(1))
    assert late.settled
    assert dict(late.reasons) == dict.fromkeys(NAMES, "not in the recording")
    assert late.frame.monitor is None


def test_values_of_the_same_number_come_in_the_order_of_the_recording_and_again_in_a_loop() -> None:
    slow = RecordedSlow(NAMES, loop=True)
    # A detector that sends a series again: its second use is told apart by "+1".
    for monitor, series in ((1.0, "1"), (2.0, "1+1")):
        slow.take(given(0, monitor=monitor, heater=20.0, series=series))
    slow.take(given(0, monitor=3.0, heater=20.0, series="2"))
    first = [slow.close_books(frame(0, series=use)).frame.monitor for use in ("1", "1+1")]
    assert first == [1.0, 2.0]
    slow.end()
    slow.take(given(0, monitor=9.0, heater=20.0))
    again = [slow.close_books(frame(0, series=f"1+{n}")).frame.monitor for n in range(2, 6)]
    assert again == [1.0, 2.0, 1.0, 2.0]
    assert slow.close_books(frame(0, series="2")).frame.monitor == 3.0


def test_without_i0_of_a_feed_that_of_the_detector_stays() -> None:
    slow = RecordedSlow(("heater",))
    slow.end()
    assert slow.join(frame(0, monitor=7.0)).frame.monitor == 7.0


def test_what_cannot_be_read_is_said() -> None:
    slow = RecordedSlow(NAMES)
    for part in (b"\xff", b"[]", b"{}"):
        slow.take(RawMessage(channel=SLOW, received=BEGIN, parts=(part,)))
    assert slow.problems() == ("3 messages with slow values cannot be read",)


def recording(path: Path, *, frames: int) -> None:
    stream = [(0.0, start_message()), *((float(n), image_message(n)) for n in range(frames))]
    stream.append((float(frames), end_message()))
    messages = [
        Recorded(
            raw=RawMessage(channel="stream", received=BEGIN + when, parts=(message,)),
            sequence=number,
        )
        for number, (when, message) in enumerate(stream)
    ]
    values = [given(n, monitor=1.0 + n, heater=20.0, series="unique-1") for n in range(frames)]
    messages += [Recorded(raw=raw, sequence=n) for n, raw in enumerate(values)]
    settings = DectrisStreamV2(kind="dectris-stream-v2", endpoint="tcp://127.0.0.1:9")
    attached = [names_to_attach(NAMES)]
    file = RecordingFile(path, origin=origin_of(settings), attached=attached, now=BEGIN)
    file.write(messages)
    file.close({})


def slow_frames(path: Path) -> list[int]:
    with RecordingReader(path) as reader:
        assert recorded_slow(reader.attached()) is not None
        found = [given_in(m.raw) for m in reader.messages() if m.raw.channel == SLOW]
    return [one.frame for one in found if one is not None]


@pytest.mark.parametrize("piece", [("--from", "2", "--to", "5"), ("--frames", "2:5")])
def test_a_piece_holds_the_values_of_its_frames(tmp_path: Path, piece: tuple[str, ...]) -> None:
    recording(tmp_path / "a.mcap", frames=8)
    assert code_of("recording", "cut", tmp_path / "a.mcap", "-o", tmp_path / "b.mcap", *piece) == 0
    assert slow_frames(tmp_path / "b.mcap") == [2, 3, 4]


def test_a_recording_that_a_kill_cut_off_still_says_that_it_holds_slow_values(
    tmp_path: Path,
) -> None:
    recording(tmp_path / "a.mcap", frames=8)
    whole = (tmp_path / "a.mcap").read_bytes()
    end = whole.index(b'"frame":5')
    (tmp_path / "killed.mcap").write_bytes(whole[:end])
    assert slow_frames(tmp_path / "killed.mcap") == [0, 1, 2, 3, 4]


def test_info_shows_the_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording(tmp_path / "a.mcap", frames=8)
    assert code_of("recording", "info", tmp_path / "a.mcap") == 0
    shown = capsys.readouterr().out
    assert "slow " in shown
    assert "slow.json" in shown


def test_in_a_loop_time_goes_on_from_the_newest_message_of_the_detector(tmp_path: Path) -> None:
    recording(tmp_path / "a.mcap", frames=3)
    with RecordingReader(tmp_path / "a.mcap") as reader:
        progress = Progress()
        told = timed_messages(reader, pace=Pace(loop=True), progress=progress)
        times = [d.raw.received for d in (next(told) for _ in range(16)) if d.raw.channel != SLOW]
    assert times == sorted(times)
    assert progress.missing == 0


def test_holes_in_the_slow_values_are_counted(tmp_path: Path) -> None:
    recording(tmp_path / "a.mcap", frames=6)

    class Holes(RecordingReader):
        def messages(self, **part: float | None) -> Iterator[Recorded]:
            told = super().messages(**part)
            return (m for m in told if m.raw.channel != SLOW or m.sequence not in (2, 3))

    with Holes(tmp_path / "a.mcap") as reader:
        progress = Progress()
        read = list(timed_messages(reader, pace=Pace(), progress=progress))
    assert sum(due.raw.channel == SLOW for due in read) == 4
    assert (progress.missing_slow, progress.missing) == (2, 0)


def code_of(*arguments: object) -> object:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code
