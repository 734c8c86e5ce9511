"""Raw messages in an MCAP file that is whole after every write, whatever happens next.

The records of the format (https://mcap.dev/spec) come from its library; the chunks with the
messages are put together here, because the library copies every message five times.
"""

import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Statistics,
    SummaryOffset,
)

from livepdf.model.recorded import ENCODING, Attached, Bytes, Origin, Recorded, framed, nanoseconds

MAGIC = b"\x89MCAP0\r\n"
_MESSAGE = struct.Struct("<BQHIQQ")
_CHUNK = struct.Struct("<BQQQQIIQ")
_RECORD_HEAD = 9
"""Bytes of opcode and length."""
_WRAP = 1 << 32
_PORTION = 1 << 20
"""Bytes per system call, so that a full disk is met early and little has to be taken back."""
_SMALL = 64 << 10
"""Bytes below which pieces are joined instead of handed over one by one."""


@dataclass(slots=True)
class _Summary:
    """What the end of the file will say about it."""

    channels: dict[str, Channel] = field(default_factory=dict)
    chunks: list[ChunkIndex] = field(default_factory=list)
    attachments: list[AttachmentIndex] = field(default_factory=list)
    metadata: list[MetadataIndex] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)


class RecordingFile:
    """One recording, written by one thread. Every method may raise OSError."""

    def __init__(
        self, path: Path, *, origin: Origin, attached: Sequence[Attached] = (), now: float
    ) -> None:
        """Create the file, which must not exist, with its attachments.

        Parameters
        ----------
        now : float
            Unix seconds, the time of the attachments.
        """
        self.path = path
        self._origin = origin
        self._summary = _Summary()
        self._end = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            self._append([MAGIC, _built(Header(profile="livepdf", library="livepdf"))])
            for item in attached:
                self._attach(item, nanoseconds(now))
        except OSError:
            os.close(self._file)
            raise

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._end

    def write(self, messages: Sequence[Recorded]) -> None:
        """Append messages as one chunk; after an OSError the file is as it was before."""
        chunk = _Chunk(known=self._summary.channels, origin=self._origin)
        for message in messages:
            chunk.add(message)
        if not messages:
            return
        start = self._end
        indexes = {
            channel: _built(MessageIndex(channel_id=channel, records=records))
            for channel, records in chunk.index.items()
        }
        head = chunk.head()
        self._append([head, *chunk.pieces, *indexes.values()])
        length = len(head) + chunk.size
        places, place = {}, start + length
        for channel, text in indexes.items():
            places[channel] = place
            place += len(text)
        self._summary.channels.update(chunk.new)
        self._summary.counts.update({c: len(records) for c, records in chunk.index.items()})
        self._summary.chunks.append(
            ChunkIndex(
                chunk_start_offset=start,
                chunk_length=length,
                compression="",
                compressed_size=chunk.size,
                uncompressed_size=chunk.size,
                message_start_time=chunk.first,
                message_end_time=chunk.last,
                message_index_offsets=places,
                message_index_length=place - start - length,
            )
        )

    def close(self, notes: Mapping[str, str]) -> None:
        """Write notes, index and statistics, bring everything to the disk, let go of the file.

        After an OSError the file is let go of as well; it holds every message, but no index.
        """
        try:
            text = _built(Metadata(name="livepdf", metadata=dict(notes)))
            index = MetadataIndex(offset=self._end, length=len(text), name="livepdf")
            self._append([text])
            self._summary.metadata.append(index)
            self._append(_ending(self._summary, start=self._end))
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def _attach(self, item: Attached, now: int) -> None:
        text = _built(
            Attachment(
                create_time=now,
                log_time=now,
                name=item.name,
                media_type=item.media_type,
                data=item.data,
            )
        )
        index = AttachmentIndex(
            offset=self._end,
            length=len(text),
            log_time=now,
            create_time=now,
            data_size=len(item.data),
            name=item.name,
            media_type=item.media_type,
        )
        self._append([text])
        self._summary.attachments.append(index)

    def _append(self, pieces: Sequence[Bytes]) -> None:
        try:
            for portion in _written_as(pieces):
                _write_all(self._file, portion)
        except OSError:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += sum(map(len, pieces))


class _Chunk:
    """Messages that are written together, with the channels that are new in them."""

    def __init__(self, *, known: Mapping[str, Channel], origin: Origin) -> None:
        self.pieces: list[Bytes] = []
        self.size = 0
        self.new: dict[str, Channel] = {}
        self.index: dict[int, list[tuple[int, int]]] = {}
        self.first = self.last = 0
        self._known = known
        self._origin = origin
        self._crc = 0

    def add(self, message: Recorded) -> None:
        channel = self._channel(message.raw.channel)
        received = nanoseconds(message.raw.received)
        pieces = framed(message.raw.parts)
        length = _MESSAGE.size - _RECORD_HEAD + sum(map(len, pieces))
        sequence = message.sequence % _WRAP
        head = _MESSAGE.pack(Opcode.MESSAGE, length, channel, sequence, received, received)
        self.first = min(self.first or received, received)
        self.last = max(self.last, received)
        self.index.setdefault(channel, []).append((received, self.size))
        self._put([head, *pieces])

    def head(self) -> bytes:
        length = _CHUNK.size - _RECORD_HEAD + self.size
        return _CHUNK.pack(
            Opcode.CHUNK, length, self.first, self.last, self.size, self._crc, 0, self.size
        )

    def _channel(self, topic: str) -> int:
        channel = self._known.get(topic) or self.new.get(topic)
        if channel is None:
            channel = Channel(
                id=len(self._known) + len(self.new) + 1,
                topic=topic,
                message_encoding=ENCODING,
                metadata=dict(self._origin.as_text()),
                schema_id=0,
            )
            self.new[topic] = channel
            self._put([_built(channel)])
        return channel.id

    def _put(self, pieces: Sequence[Bytes]) -> None:
        for piece in pieces:
            self._crc = zlib.crc32(piece, self._crc)
            self.size += len(piece)
        self.pieces += pieces


def _ending(summary: _Summary, *, start: int) -> list[bytes]:
    """Return the end of the data section, the summary of the file, and its footer."""
    opening = _built(DataEnd(data_section_crc=0))
    start += len(opening)
    groups: list[tuple[Opcode, Sequence[McapRecord]]] = [
        (Opcode.CHANNEL, list(summary.channels.values())),
        (Opcode.STATISTICS, [_statistics(summary)]),
        (Opcode.CHUNK_INDEX, summary.chunks),
        (Opcode.ATTACHMENT_INDEX, summary.attachments),
        (Opcode.METADATA_INDEX, summary.metadata),
    ]
    text, offsets = b"", b""
    for opcode, records in groups:
        group = b"".join(map(_built, records))
        if group:
            place = SummaryOffset(
                group_opcode=opcode, group_start=start + len(text), group_length=len(group)
            )
            offsets += _built(place)
        text += group
    places = start, start + len(text)
    crc = zlib.crc32(text + offsets + struct.pack("<BQQQ", Opcode.FOOTER, 20, *places))
    footer = Footer(summary_start=places[0], summary_offset_start=places[1], summary_crc=crc)
    return [opening, text, offsets, _built(footer), MAGIC]


def _statistics(summary: _Summary) -> Statistics:
    chunks = summary.chunks
    return Statistics(
        attachment_count=len(summary.attachments),
        channel_count=len(summary.channels),
        channel_message_counts=dict(summary.counts),
        chunk_count=len(chunks),
        message_count=sum(summary.counts.values()),
        message_start_time=min((chunk.message_start_time for chunk in chunks), default=0),
        message_end_time=max((chunk.message_end_time for chunk in chunks), default=0),
        metadata_count=len(summary.metadata),
        schema_count=0,
    )


def _built(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]


def _written_as(pieces: Sequence[Bytes]) -> Iterator[Bytes]:
    """Yield the bytes in portions for the kernel: small pieces joined, large ones cut."""
    small: list[Bytes] = []
    for piece in pieces:
        if len(piece) < _SMALL:
            small.append(piece)
            continue
        yield b"".join(small)
        small = []
        view = memoryview(piece)
        for first in range(0, len(view), _PORTION):
            yield view[first : first + _PORTION]
    yield b"".join(small)


def _write_all(file: int, portion: Bytes) -> None:
    left = memoryview(portion)
    while len(left):
        left = left[os.write(file, left) :]
