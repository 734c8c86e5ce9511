"""Make the file of a killed writer one that opens everywhere, and cut off what is not certain.

A killed writer leaves the mark "somebody writes to this" in the head of an HDF5 file, with which
only SWMR readers open it. Here the mark is taken out, as ``h5clear`` does, and rows are cut off
that were not certain yet: they come again in the next part of the run. Run it as a process of its
own, ``python -m livepdf.sinks.nexus_mend FILE ROWS``: HDF5 may crash on a damaged file. With
``all`` for ROWS every row stays that all columns have.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEAD = 48
"""Bytes of the superblock, version 3; see the HDF5 file format specification, II.A."""
_FLAGS, _END_OF_FILE, _CHECKSUM = 11, 28, 44
_WORD = 0xFFFFFFFF
_WHOLE = ("entry/windows/", "entry/sums/", "entry/pdf/G")
"""Columns that every window fills."""
_NOT_ROWS = ("entry/events/", "entry/references/")
"""Groups with columns that grow by themselves, not by windows."""


def mend(path: Path, *, rows: int | None) -> None:
    """Take the mark out and cut every column of windows to ``rows``.

    Parameters
    ----------
    rows : int or None
        None: as many as all columns have that every window fills.

    Raises
    ------
    OSError, ValueError
        When the file cannot be mended; its rows are as they were.
    """
    _clear_mark(path)
    with h5py.File(path, "r+", libver="latest") as file:
        columns = [(n, d) for n, d in _growing(file) if not n.startswith(_NOT_ROWS)]
        if rows is None:
            rows = min(d.shape[0] for n, d in columns if n.startswith(_WHOLE))
        for _, dataset in columns:
            dataset.resize(rows, axis=0)
        for group in _NOT_ROWS:
            found = [d for name, d in _growing(file) if name.startswith(group)]
            shortest = min((column.shape[0] for column in found), default=0)
            for column in found:
                column.resize(shortest, axis=0)
        _read_through(file)


def _growing(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield every column that grows, by its name."""
    found: list[tuple[str, Any]] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.maxshape and item.maxshape[0] is None:
            found.append((name, item))

    file.visititems(look)
    yield from found


def _read_through(file: Any) -> None:
    """Read the last row of every column: what is broken is to break here."""
    for _, dataset in _growing(file):
        if dataset.shape[0]:
            dataset[-1]


def _clear_mark(path: Path) -> None:
    with path.open("r+b") as file:
        head = bytearray(file.read(_HEAD))
        if len(head) != _HEAD or not head.startswith(_SIGNATURE) or head[8] != 3:
            raise ValueError(f"{path} is no HDF5 file as livepdf writes them")
        if head[_FLAGS] == 0:
            return
        size = path.stat().st_size
        (told,) = struct.unpack_from("<Q", head, _END_OF_FILE)
        if told > size:
            file.truncate(told)
        head[_FLAGS] = 0
        struct.pack_into("<Q", head, _END_OF_FILE, max(size, told))
        struct.pack_into("<I", head, _CHECKSUM, lookup3(bytes(head[:_CHECKSUM])))
        file.seek(0)
        file.write(head)


def lookup3(data: bytes) -> int:
    """Return the checksum of HDF5's metadata: lookup3 by B. Jenkins (2006), initial value 0."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    whole = max(len(data) - 1, 0) // 12 * 12
    for place in range(0, whole, 12):
        x, y, z = struct.unpack_from("<III", data, place)
        a, b, c = _mixed((a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD)
    if not data:
        return c
    x, y, z = struct.unpack("<III", data[whole:].ljust(12, b"\0"))
    return _last((a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD)


def _turned(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _WORD


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & _WORD) ^ _turned(c, bits)
        c = (c + b) & _WORD
        a, b, c = b, c, a
    return a, b, c


def _last(a: int, b: int, c: int) -> int:
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, bits)) & _WORD
        a, b, c = b, c, a
    return b


if __name__ == "__main__":
    mend(Path(sys.argv[1]), rows=None if sys.argv[2] == "all" else int(sys.argv[2]))
