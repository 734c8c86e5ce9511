"""Read a recording: whole, still growing, cut off by a kill, or written by another program."""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Attachment, Channel, Chunk, Metadata
from mcap.stream_reader import get_chunk_data_stream

from livepdf.errors import FileError
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import ENCODING, Attached, Origin, Recorded, seconds, unframed

MAGIC = b"\x89MCAP0\r\n"
_HEAD = struct.Struct("<BQ")
_CHUNK = struct.Struct("<QQQI")
_MESSAGE = struct.Struct("<HIQQ")
_UNREADABLE = (struct.error, UnicodeDecodeError, McapError, MemoryError)
_LARGEST = 4 << 30
"""Bytes of a record beyond which its length is taken for damaged."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What a walk through a recording has met so far."""

    channels: dict[int, Channel] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    damaged: int = 0
    """Chunks whose check sum is wrong; no message of theirs is handed out."""
    checked: int = 0
    """Chunks whose check sum is right."""
    foreign: int = 0
    """Messages that livepdf did not record."""
    whole: bool = False
    """Whether the file was closed in order."""
    sound: int = 0
    """Bytes from the start up to which all records are whole."""


class RecordingReader:
    """An open recording; use it as a context."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises
        ------
        FileError
            When it cannot be opened or is no MCAP file.
        """
        self.path = path
        self.found = Found()
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror or error}") from None
        if self._file.read(len(MAGIC)) != MAGIC:
            self._file.close()
            raise FileError(f"{path} is no MCAP recording")
        self.size = os.fstat(self._file.fileno()).st_size
        self._listed = self._channels_of_summary()
        """Channels that the end of the file lists; none where it was not closed in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def position(self) -> int:
        """Bytes read so far, of ``size``."""
        return self._file.tell()

    def attached(self) -> tuple[Attached, ...]:
        """Return the files that go along; those of a recording are before its first message."""
        items = []
        for opcode, length in self._records():
            if opcode == Opcode.ATTACHMENT:
                text = io.BytesIO(self._file.read(length))
                with contextlib.suppress(*_UNREADABLE):
                    record = Attachment.read(ReadDataStream(text))
                    kind = record.media_type
                    items.append(Attached(name=record.name, data=record.data, media_type=kind))
            elif opcode == Opcode.CHUNK:
                break
            else:
                self._file.seek(length, os.SEEK_CUR)
        return tuple(items)

    def origin(self) -> Origin | None:
        """Return where the messages came from, None where the file does not say."""
        before = self.found
        next(self.messages(), None)
        channels, self.found = self.found.channels.values(), before
        for channel in channels:
            if "kind" in channel.metadata:
                settings = channel.metadata.get("settings", "{}")
                return Origin(kind=channel.metadata["kind"], settings=settings)
        return None

    def messages(
        self, *, start: float | None = None, stop: float | None = None
    ) -> Iterator[Recorded]:
        """Walk through the messages in the order of the file.

        ``found`` says afterwards in which state the file is.

        Parameters
        ----------
        start, stop : float, optional
            Unix seconds; messages before, or from there on, are passed over.
        """
        self.found = Found(channels=dict(self._listed))
        for opcode, length in self._records():
            if opcode == Opcode.CHUNK:
                yield from _between(self._chunk(length, start, stop), start, stop)
            elif opcode == Opcode.MESSAGE:
                message = self._message(memoryview(self._file.read(length)))
                yield from _between(() if message is None else (message,), start, stop)
            elif opcode == Opcode.CHANNEL:
                self._take_channel(memoryview(self._file.read(length)))
            elif opcode == Opcode.METADATA:
                self._take_notes(self._file.read(length))
            elif opcode == Opcode.DATA_END:
                self.found.whole = self._ends_in_order()
                return
            else:
                self._file.seek(length, os.SEEK_CUR)
            self.found.sound = self._file.tell()

    def _records(self) -> Iterator[tuple[int, int]]:
        """Yield opcode and length of each whole record, and of a chunk that is cut off."""
        self._file.seek(len(MAGIC))
        while True:
            start = self._file.tell()
            head = self._file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            opcode, length = _HEAD.unpack(head)
            if length > _LARGEST or opcode == 0:
                return
            if opcode != Opcode.CHUNK and start + _HEAD.size + length > self.size:
                return
            yield opcode, length
            if self._file.tell() > self.size:
                return

    def _chunk(self, length: int, start: float | None, stop: float | None) -> Iterator[Recorded]:
        begin = self._file.tell()
        head = self._file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return
        first, last, size, crc = _CHUNK.unpack(head)
        whole = begin + length <= self.size
        past = (start is not None and seconds(last) < start) or (
            stop is not None and seconds(first) >= stop
        )
        if whole and past and self._listed:
            self._file.seek(begin + length)
            return
        text = self._file.read(length - _CHUNK.size)
        name, records = _compression(text)
        if not whole:
            self._file.seek(self.size + 1)
            if name == b"":
                yield from self._inside(records)
            return
        if name:
            records = _unpacked(name, records, size)
        if (crc and zlib.crc32(records) != crc) or len(records) != size:
            self.found.damaged += 1
            return
        self.found.checked += 1
        yield from self._inside(records)

    def _inside(self, records: memoryview) -> Iterator[Recorded]:
        place = 0
        while place + _HEAD.size <= len(records):
            opcode, length = _HEAD.unpack_from(records, place)
            place += _HEAD.size
            if place + length > len(records):
                return
            record = records[place : place + length]
            place += length
            if opcode == Opcode.CHANNEL:
                self._take_channel(record)
            elif opcode == Opcode.MESSAGE:
                message = self._message(record)
                if message is not None:
                    yield message

    def _message(self, record: memoryview) -> Recorded | None:
        try:
            number, sequence, received, _ = _MESSAGE.unpack_from(record)
            channel = self.found.channels[number]
            if channel.message_encoding != ENCODING:
                raise ValueError(channel.message_encoding)
            parts = unframed(record[_MESSAGE.size :])
        except (KeyError, ValueError, struct.error):
            self.found.foreign += 1
            return None
        raw = RawMessage(channel=channel.topic, received=seconds(received), parts=parts)
        return Recorded(raw=raw, sequence=sequence)

    def _take_channel(self, record: memoryview) -> None:
        try:
            channel = Channel.read(ReadDataStream(io.BytesIO(record)))
        except _UNREADABLE:
            return  # its messages will be counted as foreign
        self.found.channels[channel.id] = channel

    def _take_notes(self, record: bytes) -> None:
        with contextlib.suppress(*_UNREADABLE):
            self.found.notes |= Metadata.read(ReadDataStream(io.BytesIO(record))).metadata

    def _channels_of_summary(self) -> dict[int, Channel]:
        self._file.seek(0)
        try:
            summary = make_reader(self._file).get_summary()
        except (*_UNREADABLE, OSError, ValueError):
            return {}
        return {} if summary is None else dict(summary.channels)

    def _ends_in_order(self) -> bool:
        self._file.seek(-len(MAGIC), os.SEEK_END)
        return self._file.read() == MAGIC


def _between(
    messages: "Iterator[Recorded] | tuple[Recorded, ...]", start: float | None, stop: float | None
) -> Iterator[Recorded]:
    for message in messages:
        received = message.raw.received
        if (start is None or received >= start) and (stop is None or received < stop):
            yield message


def _compression(text: bytes) -> tuple[bytes, memoryview]:
    """Part the name of the compression, and the records, of as much as there is of a chunk."""
    if len(text) < 4:
        return b"", memoryview(b"")
    size = int.from_bytes(text[:4], "little")
    return text[4 : 4 + size], memoryview(text)[4 + size + 8 :]


def _unpacked(name: bytes, records: memoryview, size: int) -> memoryview:
    chunk = Chunk(
        compression=name.decode(errors="replace"),
        data=bytes(records),
        message_start_time=0,
        message_end_time=0,
        uncompressed_crc=0,
        uncompressed_size=size,
    )
    try:
        stream, length = get_chunk_data_stream(chunk)
        return memoryview(stream.read(length))
    except (McapError, RuntimeError, ValueError, EOFError) as error:
        raise FileError(
            f"a chunk packed with {chunk.compression} cannot be read: {error}"
        ) from None
