"""A file for image bytes that memory has no room for; read back once, each."""

import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one blob lies in the spool."""

    offset: int
    length: int


class Spool:
    """Append blobs, read each back once; the file shrinks to nothing when all are read.

    The file has no name in the directory, so that a killed daemon leaves none behind. It is
    made when first needed.
    """

    def __init__(self, directory: Path, *, reserve: int) -> None:
        self._directory = directory
        self._reserve = reserve
        """Bytes that stay free on the disk: the results are worth more than the queue."""
        self._lock = threading.Lock()
        self._file = -1
        self._end = 0
        self._held = 0
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """Bytes not read back yet."""
        return self._bytes

    def append(self, blob: bytes | memoryview) -> Slot:
        """Write one blob.

        Raises
        ------
        OSError
            When the disk has no room for it; the spool is as before.
        """
        with self._lock:
            if self._file < 0:
                self._file = self._open()
            state = os.fstatvfs(self._file)
            if state.f_bavail * state.f_frsize - len(blob) < self._reserve:
                raise OSError(f"less than {self._reserve >> 20} MiB would stay free on the disk")
            _write_all(self._file, blob, self._end)
            slot = Slot(self._end, len(blob))
            self._end += len(blob)
            self._held += 1
            self._bytes += len(blob)
            return slot

    def read(self, slot: Slot) -> bytes:
        """Read a blob back; its room is free afterwards.

        Raises
        ------
        OSError
            When the disk does not give it back.
        """
        try:
            blob = os.pread(self._file, slot.length, slot.offset)
            if len(blob) != slot.length:
                raise OSError(f"the spool gave {len(blob)} bytes of {slot.length}")
            return blob
        finally:
            self._release(slot)

    def close(self) -> None:
        """Give the file up."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _release(self, slot: Slot) -> None:
        with self._lock:
            self._held -= 1
            self._bytes -= slot.length
            if self._held == 0:
                os.ftruncate(self._file, 0)
                self._end = 0

    def _open(self) -> int:
        with tempfile.TemporaryFile(dir=self._directory) as file:
            return os.dup(file.fileno())


def _write_all(file: int, blob: bytes | memoryview, offset: int) -> None:
    rest = memoryview(blob).cast("B")
    while rest:
        written = os.pwrite(file, rest, offset)
        rest = rest[written:]
        offset += written
