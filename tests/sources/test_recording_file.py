"""Recordings are read whatever state they are in, and as others wrote them."""

import json
import random
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from livepdf.cli.main import main
from livepdf.cli.recording_open import opened, settings_of
from livepdf.config.sources import DectrisStreamV2, EpicsPva, Hidra
from livepdf.config.table import Table
from livepdf.errors import FileError
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Attached, Origin, Recorded, framed, unframed
from livepdf.sinks.recording_file import RecordingFile
from livepdf.sinks.recording_settings import origin_of
from livepdf.sources.recording_file import RecordingReader
from livepdf.sources.recording_settings import lay_out

ORIGIN = Origin(kind="dectris-stream-v2", settings='{"endpoint": "tcp://dcu:31001"}')


def messages(count: int) -> list[Recorded]:
    noise = random.Random(count)
    found = []
    for number in range(count):
        parts = (noise.randbytes(16), noise.randbytes(noise.randrange(40, 4000)))
        raw = RawMessage(channel="ab"[number % 2], received=1e9 + number, parts=parts)
        found.append(Recorded(raw=raw, sequence=number // 2))
    return found


def write(path: Path, recorded: list[Recorded], *, chunk: int = 7, close: bool = True) -> None:
    attached = [Attached(name="profile.toml", data=b"[instrument]\n")]
    file = RecordingFile(path, origin=ORIGIN, attached=attached, now=1e9)
    for first in range(0, len(recorded), chunk):
        file.write(recorded[first : first + chunk])
    if close:
        file.close({"dropped": "0"})


def parts(message: Recorded) -> tuple[bytes, ...]:
    return tuple(map(bytes, message.raw.parts))


@given(st.lists(st.binary(max_size=70_000), max_size=30))
def test_framed_parts_are_a_cbor_array_and_come_back(given_parts: list[bytes]) -> None:
    text = b"".join(framed(given_parts))
    assert cbor2.loads(text) == given_parts
    assert [bytes(part) for part in unframed(memoryview(text))] == given_parts


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_crashes_the_unframing(garbage: bytes) -> None:
    try:
        found = unframed(memoryview(garbage))
    except ValueError:
        return
    assert sum(map(len, found)) <= len(garbage)


def test_every_byte_time_and_number_comes_back(tmp_path: Path) -> None:
    recorded = messages(40)
    write(tmp_path / "a.mcap", recorded)

    with RecordingReader(tmp_path / "a.mcap") as reader:
        read = list(reader.messages())
        assert reader.attached()[0].data == b"[instrument]\n"
        assert reader.origin() == ORIGIN
    assert [parts(message) for message in read] == [parts(message) for message in recorded]
    assert [m.raw.received for m in read] == [m.raw.received for m in recorded]
    assert [m.sequence for m in read] == [m.sequence for m in recorded]
    assert (reader.found.whole, reader.found.damaged, reader.found.checked) == (True, 0, 6)


def test_a_part_by_time_is_found_without_reading_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "a.mcap", messages(100))
    with RecordingReader(tmp_path / "a.mcap") as reader:
        read = list(reader.messages(start=1e9 + 50, stop=1e9 + 53))
    assert [message.raw.received - 1e9 for message in read] == [50, 51, 52]
    assert reader.found.checked == 1


def test_cut_off_at_any_byte_it_gives_back_every_whole_message(tmp_path: Path) -> None:
    recorded = messages(60)
    write(tmp_path / "whole.mcap", recorded)
    text = (tmp_path / "whole.mcap").read_bytes()
    ends = [text.index(parts(message)[1]) + len(parts(message)[1]) for message in recorded]
    places = random.Random(5).sample(range(8, len(text)), 300)

    for place in [*places, *ends[::5], *(end - 1 for end in ends[::5]), len(text) - 1]:
        (tmp_path / "cut.mcap").write_bytes(text[:place])
        with RecordingReader(tmp_path / "cut.mcap") as reader:
            read = [parts(message) for message in reader.messages()]
        assert read == [parts(m) for m, end in zip(recorded, ends, strict=True) if end <= place]
        assert not reader.found.whole


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_recording_repairs_to_its_last_whole_message(tmp_path: Path, seed: int) -> None:
    recorded = messages(60)
    write(tmp_path / "whole.mcap", recorded)
    text = (tmp_path / "whole.mcap").read_bytes()
    place = random.Random(seed).randrange(len(text) // 4, len(text))
    (tmp_path / "cut.mcap").write_bytes(text[:place])

    with pytest.raises(SystemExit) as end:
        main(["recording", "repair", str(tmp_path / "cut.mcap")])

    assert end.value.code == 0
    assert (tmp_path / "cut.mcap").read_bytes() == text[:place]
    whole = [m for m in recorded if text.index(parts(m)[1]) + len(parts(m)[1]) <= place]
    with (tmp_path / "cut-repaired.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        read = [m for _, _, m in reader.iter_messages(log_time_order=False)]
        summary = reader.get_summary()
    assert [tuple(cbor2.loads(message.data)) for message in read] == [parts(m) for m in whole]
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == len(whole)


def test_a_flipped_bit_is_found_and_costs_its_chunk_only(tmp_path: Path) -> None:
    recorded = messages(42)
    write(tmp_path / "a.mcap", recorded)
    text = bytearray((tmp_path / "a.mcap").read_bytes())
    text[text.index(parts(recorded[10])[1]) + 5] ^= 1
    (tmp_path / "a.mcap").write_bytes(text)

    with RecordingReader(tmp_path / "a.mcap") as reader:
        read = [parts(message) for message in reader.messages()]

    assert read == [parts(m) for m in [*recorded[:7], *recorded[14:]]]
    assert (reader.found.damaged, reader.found.checked) == (1, 5)


def test_garbage_inside_never_crashes_the_reader(tmp_path: Path) -> None:
    write(tmp_path / "a.mcap", messages(30))
    text = (tmp_path / "a.mcap").read_bytes()
    noise = random.Random(3)
    for _ in range(300):
        hurt = bytearray(text)
        for _ in range(noise.randrange(1, 6)):
            hurt[noise.randrange(8, len(hurt))] = noise.randrange(256)
        (tmp_path / "b.mcap").write_bytes(hurt)
        with RecordingReader(tmp_path / "b.mcap") as reader:
            assert len(list(reader.messages())) <= 30
            reader.attached()


@pytest.mark.parametrize("compression", list(CompressionType))
def test_a_recording_that_another_program_compressed_is_read(
    tmp_path: Path, compression: CompressionType
) -> None:
    recorded = messages(20)
    with (tmp_path / "a.mcap").open("wb") as file:
        writer = Writer(file, chunk_size=10_000, compression=compression)
        writer.start()
        channel = writer.register_channel("s", "cbor", 0, {"kind": "stins", "settings": "{}"})
        other = writer.register_channel("t", "json", 0)
        for number, message in enumerate(recorded):
            data = cbor2.dumps(list(parts(message)))
            writer.add_message(channel, number, data, number, sequence=number)
        writer.add_message(other, 99, b"{}", 99)
        writer.finish()

    with RecordingReader(tmp_path / "a.mcap") as reader:
        assert [parts(m) for m in reader.messages()] == [parts(m) for m in recorded]
        assert (reader.found.whole, reader.found.foreign) == (True, 1)


def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"something else")
    with pytest.raises(FileError, match="no MCAP recording"):
        RecordingReader(tmp_path / "a.mcap")
    with pytest.raises(FileError, match="No such file"):
        RecordingReader(tmp_path / "b.mcap")


def test_settings_never_leave_the_folder_that_they_are_laid_out_in(tmp_path: Path) -> None:
    hostile = ["../../up.poni", "/etc/absolute.poni", "~/home.poni", "inside/fine.poni"]
    listed = ", ".join(f'"{name}"' for name in hostile)
    attached = [
        Attached(name="profile.toml", data=f"masks = [{listed}]".encode()),
        *(Attached(name=f"profile/{name}", data=name.encode()) for name in hostile),
    ]
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)

    settings = lay_out(attached, inside)

    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(inside) for path in written)
    assert settings.profile is not None
    assert settings.recipe is None
    named = settings.profile.read_text().split('"')[1::2]
    contents = [(settings.profile.parent / name).read_text() for name in named]
    assert contents == hostile


@pytest.mark.parametrize(
    "settings",
    [
        Hidra(kind="hidra", signal="tcp://a:1", listen="b:2"),
        EpicsPva(kind="epics-pva", channel="A:B"),
        DectrisStreamV2(kind="dectris-stream-v2", endpoint="tcp://a:1", gap_timeout=3.0),
    ],
)
def test_a_recording_knows_the_settings_of_its_source(tmp_path: Path, settings: Table) -> None:
    path = tmp_path / "a.mcap"
    file = RecordingFile(path, origin=origin_of(settings), now=1e9)
    file.write(messages(2))
    file.close({})
    with opened(path) as recording:
        assert settings_of(recording) == settings


def test_a_hole_and_a_pause_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = messages(20)
    write(tmp_path / "a.mcap", [m for n, m in enumerate(recorded) if n not in (6, 8)])

    with pytest.raises(SystemExit) as end:
        main(["recording", "info", str(tmp_path / "a.mcap"), "--json"])

    assert end.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is True
    assert told["channels"]["a"]["holes"] == 2
    assert told["channels"]["a"]["longest_pause"] == 6.0
    assert told["channels"]["b"] == {
        **told["channels"]["b"],
        "messages": 10,
        "holes": 0,
        "rate": 0.5,
    }


def test_a_piece_holds_the_frames_asked_for_and_the_header(
    tmp_path: Path, si1m: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = [
        Recorded(raw=RawMessage(channel="stream", received=1e9 + n, parts=(m,)), sequence=n)
        for n, m in enumerate(si1m)
    ]
    write(tmp_path / "a.mcap", recorded)

    more = ["--frames", "3:6"]
    with pytest.raises(SystemExit) as end:
        main(
            ["recording", "cut", *map(str, (tmp_path / "a.mcap", "-o", tmp_path / "b.mcap")), *more]
        )

    assert end.value.code == 0
    with RecordingReader(tmp_path / "b.mcap") as reader:
        read = list(reader.messages())
    kept = [si1m[0], *si1m[4:7], si1m[-1]]
    assert [parts(message)[0] for message in read] == kept
    assert [message.sequence for message in read] == list(range(5))


@pytest.mark.parametrize("ending", [".mcap", ".cbors"])
def test_a_missing_recording_is_a_message_not_a_traceback(
    tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(SystemExit) as end:
        main(["recording", "info", str(path)])
    assert end.value.code == 1
    assert str(path) in capsys.readouterr().err
