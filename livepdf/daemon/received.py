"""Which frames came in last, in memory that a killed process leaves behind.

The intake notes every frame here before anything else may happen to it. The file lies in the
memory file system of the machine where there is one, so that noting never waits for a disk; it
is then gone after a restart of the machine.
"""

import hashlib
import mmap
import os
import struct
from pathlib import Path

PLACES = 1 << 18
"""Newest entries that are kept; more frames than that do not wait in memory."""
_ENTRY = struct.Struct("<qq")
_SHARED = Path("/dev/shm")  # noqa: S108  its owner is looked at


class Received:
    """Serial and number of each of the newest frames; one thread notes, a later process reads."""

    def __init__(self, folder: Path) -> None:
        """Open what an earlier process left for the folder, or begin.

        Raises
        ------
        OSError
            When there is no room for it.
        """
        self.path = _place(folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self.path, flags, 0o600)
        try:
            if os.fstat(file).st_uid != os.geteuid():
                raise PermissionError(0, f"{self.path} belongs to somebody else")
            size = PLACES * _ENTRY.size
            # Room is taken now: a full disk would end the process later, without a word.
            os.posix_fallocate(file, 0, size)
            self._map = mmap.mmap(file, size)
        finally:
            os.close(file)

    def note(self, serial: int, index: int) -> None:
        """Keep the number of a frame, -1 for what is no frame."""
        _ENTRY.pack_into(self._map, serial % PLACES * _ENTRY.size, serial + 1, index)

    def since(self, serial: int) -> dict[int, int]:
        """Return the numbers of all that were noted above a serial, by serial, in order."""
        found = {}
        for place in range(PLACES):
            noted, index = _ENTRY.unpack_from(self._map, place * _ENTRY.size)
            if noted - 1 > serial:
                found[noted - 1] = index
        return dict(sorted(found.items()))

    def close(self) -> None:
        """Let go of it, and of the file: there is nothing to take up."""
        self._map.close()
        self.path.unlink(missing_ok=True)


def _place(folder: Path) -> Path:
    if _SHARED.is_dir() and os.access(_SHARED, os.W_OK):
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        return _SHARED / f"livepdf-{os.geteuid()}-{name}"
    return folder / "received"
