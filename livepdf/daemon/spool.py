"""What waits on disk: records one after another in files of some size, gone once settled.

A record that was written survives a killed process; after a loss of power those of the last second
may be missing (`SYNC`). A record that was cut off, or whose ends are not what was written, is told
by its checksum. The middle of a large image is not summed: its own packing is checked when it is
unpacked, and summing would cost as much as writing.
"""

import contextlib
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SYNC = 1.0
"""s after which what was written is forced onto the medium."""
SEGMENT = 64 << 20
"""Bytes after which another file is begun."""
_HEAD = struct.Struct("<4sBxxxIQQI")
_MAGIC = b"LPS1"
_ENDS = 4096
_NAME = "segment-"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one record lies."""

    segment: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was written."""

    kind: int
    serial: int
    head: bytes
    blob: memoryview


@dataclass(slots=True)
class _Segment:
    size: int = 0
    serial: int = -1
    """The highest in it."""


class Spool:
    """Appends records in one thread; any thread reads them; settled files are deleted."""

    def __init__(
        self, directory: Path, *, reserve: int, budget: int = 1 << 62, segment: int = SEGMENT
    ) -> None:
        """Make it; the directory is made when something is written.

        Parameters
        ----------
        reserve : int
            Bytes that stay free on the disk: the results are worth more than the queue.
        budget : int
            Bytes that it may take of the disk.
        """
        self._directory = directory
        self._reserve = reserve
        self._budget = budget
        self._most = segment
        self._lock = threading.Lock()
        self._segments: dict[int, _Segment] = {}
        self._number = 0
        self._file = -1
        self._unsynced: dict[int, int] = {}
        """Files that were written to since they were forced onto the medium, by their number."""
        self.held_bytes = 0
        """Bytes that lie on disk, settled ones of a file that is still needed included."""

    def append(
        self, kind: int, head: bytes, blob: bytes | memoryview = b"", *, serial: int
    ) -> Slot:
        """Write one record.

        Raises
        ------
        OSError
            When the disk, or the budget, has no room for it; the spool is as before.
        """
        pieces = [memoryview(_framed(kind, head, blob, serial)), memoryview(head)]
        pieces.append(memoryview(blob).cast("B"))
        length = sum(map(len, pieces))
        self._require_room(length)
        if self._file < 0 or self._segments[self._number].size + length > self._most:
            self._begin()
        segment = self._segments[self._number]
        start = segment.size
        try:
            _write_all(self._file, pieces, start)
        except OSError:
            self._give_up_segment(start)
            raise
        with self._lock:
            segment.size = start + length
            self.held_bytes += length
            segment.serial = max(segment.serial, serial)
            if self._number not in self._unsynced:
                self._unsynced[self._number] = os.dup(self._file)
        return Slot(self._number, start, length)

    def sync(self) -> None:
        """Force onto the medium what was written; takes as long as the medium does.

        Raises
        ------
        OSError
            When it cannot.
        """
        with self._lock:
            files, self._unsynced = self._unsynced, {}
            needed = [number for number in files if number in self._segments]
        try:
            for number in needed:
                os.fdatasync(files[number])
        finally:
            for file in files.values():
                os.close(file)

    def read(self, slot: Slot) -> Record:
        """Read a record back.

        Raises
        ------
        OSError
            When the disk does not give it back as it was written.
        """
        file = os.open(self._path(slot.segment), os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(file, slot.length, slot.offset)
        finally:
            os.close(file)
        record = _parsed(data)
        if record is None:
            raise OSError(0, f"the spool gave back other bytes than it was given ({slot})")
        return record

    def settle(self, serial: int) -> None:
        """Delete every file that holds nothing above this serial; any thread may call it."""
        with self._lock:
            over = [n for n, segment in self._segments.items() if segment.serial <= serial]
            # The file that is written to goes as well once it is large: a new one is begun then.
            over = [n for n in over if n != self._number or self._file < 0]
            for number in over:
                self.held_bytes -= self._segments.pop(number).size
        for number in over:
            with contextlib.suppress(OSError):
                self._path(number).unlink()

    def found(self) -> Iterator[tuple[Slot, int, int, bytes]]:
        """Yield slot, kind, serial and head of all records that lie there from before, in order.

        What was cut off at the end of a file is passed over. Call it before the first `append`.
        """
        for path in sorted(self._directory.glob(f"{_NAME}*")):
            number = int(path.name.removeprefix(_NAME))
            segment = self._segments[number] = _Segment(size=path.stat().st_size)
            self._number = max(self._number, number)
            self.held_bytes += segment.size
            for slot, kind, serial, head in _records(path, number):
                segment.serial = max(segment.serial, serial)
                yield slot, kind, serial, head

    def close(self, *, settled: bool) -> None:
        """Let go of the files; delete them where nothing in them is needed."""
        with contextlib.suppress(OSError):
            self.sync()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if settled:
            self.settle(1 << 62)
            # Only where it is empty: whatever else lies there is not ours.
            with contextlib.suppress(OSError):
                self._directory.rmdir()

    def _require_room(self, length: int) -> None:
        if self.held_bytes + length > self._budget:
            raise OSError(0, f"the {self._budget >> 20} MiB that may wait on disk are full")
        self._directory.mkdir(parents=True, exist_ok=True)
        state = os.statvfs(self._directory)
        if state.f_bavail * state.f_frsize - length < self._reserve:
            raise OSError(0, f"less than {self._reserve >> 20} MiB would stay free on the disk")

    def _begin(self) -> None:
        number = self._number + 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = os.open(self._path(number), flags, 0o600)
        if self._file >= 0:
            os.close(self._file)
        with self._lock:
            self._number, self._file = number, file
            self._segments[number] = _Segment()

    def _give_up_segment(self, size: int) -> None:
        """Take back a record that was written in part; go on in another file."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, size)
        with contextlib.suppress(OSError):
            os.close(self._file)
        self._file = -1

    def _path(self, number: int) -> Path:
        return self._directory / f"{_NAME}{number:08d}"


def _framed(kind: int, head: bytes, blob: bytes | memoryview, serial: int) -> bytes:
    bare = _HEAD.pack(_MAGIC, kind, len(head), len(blob), serial, 0)
    return _HEAD.pack(_MAGIC, kind, len(head), len(blob), serial, _sum(bare, head, blob))


def _sum(bare: bytes, head: bytes, blob: bytes | memoryview) -> int:
    view = memoryview(blob).cast("B")
    crc = zlib.crc32(view[:_ENDS], zlib.crc32(head, zlib.crc32(bare)))
    return zlib.crc32(view[max(_ENDS, len(view) - _ENDS) :], crc)


def _parsed(data: bytes) -> Record | None:
    if len(data) < _HEAD.size:
        return None
    magic, kind, head_length, blob_length, serial, crc = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEAD.size + head_length + blob_length:
        return None
    head = data[_HEAD.size : _HEAD.size + head_length]
    blob = memoryview(data)[_HEAD.size + head_length :]
    if _sum(_HEAD.pack(magic, kind, head_length, blob_length, serial, 0), head, blob) != crc:
        return None
    return Record(kind, serial, head, blob)


def _records(path: Path, number: int) -> Iterator[tuple[Slot, int, int, bytes]]:
    """Yield the records of a file as far as they are whole; what they hold is not read yet."""
    offset, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while len(start := file.read(_HEAD.size)) == _HEAD.size:
            magic, kind, head_length, blob_length, serial, _ = _HEAD.unpack(start)
            length = _HEAD.size + head_length + blob_length
            if magic != _MAGIC or offset + length > size:
                return
            yield Slot(number, offset, length), kind, serial, file.read(head_length)
            offset += length
            file.seek(offset)


def _write_all(file: int, pieces: Sequence[memoryview], offset: int) -> None:
    rest = [piece for piece in pieces if len(piece)]
    while rest:
        written = os.pwritev(file, rest, offset)
        offset += written
        while rest and written >= len(rest[0]):
            written -= len(rest.pop(0))
        if rest and written:
            rest[0] = rest[0][written:]
