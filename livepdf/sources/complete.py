"""Whether an image file is whole, from its sizes alone, before any reader is let at it.

Readers are no test: one loops for ever on a header that is cut, another returns wrong pixels for
data that are cut.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from livepdf.errors import FrameError

LONGEST_HEADER = 1 << 20
MOST_PAGES = 100_000
CBF_MARK = b"\x0c\x1a\x04\xd5"
CBF_TAIL = b"--CIF-BINARY-FORMAT-SECTION----"
HDF5_MARK = b"\x89HDF\r\n\x1a\n"
STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES = 273, 279, 324, 325
TIFF_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


def check_complete(path: Path) -> None:
    """Raise FrameError ``incomplete`` where a file is still being written or was cut.

    ``corrupt`` where its checksum is wrong, ``unreadable`` where it is no file of its kind. HDF5
    files, and kinds unknown here, pass: their readers tell.
    """
    check = CHECKS.get(path.suffix.lower())
    if check is None:
        return
    try:
        with path.open("rb") as file:
            check(file, path.stat().st_size)
    except struct.error as error:
        raise FrameError("incomplete", f"{path.name} ends inside its header") from error
    except OSError as error:
        raise FrameError("unreadable", f"{path}: {error.strerror}") from error


def is_swmr(path: Path) -> bool:
    """Whether an HDF5 file is being written by a writer that lets others read meanwhile.

    Only such a file is opened while it grows: opening any other could get in its writer's way.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[:8] == HDF5_MARK and len(head) == 12 and head[8] >= 3 and bool(head[11] & 4)


def _want(size: int, wanted: int, what: str) -> None:
    if size < wanted:
        raise FrameError("incomplete", f"{size} bytes of {wanted} ({what})")


def _tiff(file: BinaryIO, size: int) -> None:
    head = file.read(16)
    _want(len(head), 8, "TIFF header")
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or head[2:4] not in (b"\x2a\0", b"\0\x2a", b"\x2b\0", b"\0\x2b"):
        if not any(head):
            raise FrameError("incomplete", "zeros where the TIFF header will be")
        raise FrameError("unreadable", "no TIFF file")
    big = 43 in head[2:4]
    (page,) = (
        struct.unpack_from(order + "Q", head, 8)
        if big
        else struct.unpack_from(order + "I", head, 4)
    )
    if page == 0:
        raise FrameError("incomplete", "no TIFF directory yet")
    for _ in range(MOST_PAGES):
        if page == 0:
            return
        _want(size, page + 2, "TIFF directory")
        page = _tiff_page(file, size, page=page, order=order, big=big)


def _tiff_page(file: BinaryIO, size: int, *, page: int, order: str, big: bool) -> int:
    """Check the pixels of one page; return where the next directory is, 0 for none."""
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    counter, link = (order + "Q", order + "Q") if big else (order + "H", order + "I")
    file.seek(page)
    (count,) = struct.unpack(counter, file.read(struct.calcsize(counter)))
    _want(size, page + count * entry.size, "TIFF directory")
    table = file.read(count * entry.size)
    (following,) = struct.unpack(link, file.read(struct.calcsize(link)))
    tags: dict[int, list[int]] = {}
    for tag, kind, number, value in entry.iter_unpack(table):
        if tag in (STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES):
            tags[tag] = _tiff_values(file, size, order + TIFF_TYPES.get(kind, "I"), number, value)
    offsets = tags.get(STRIP_OFFSETS) or tags.get(TILE_OFFSETS) or []
    sizes = tags.get(STRIP_SIZES) or tags.get(TILE_SIZES) or []
    if not any(sizes):
        raise FrameError("incomplete", "no TIFF strips yet")
    for offset, length in zip(offsets, sizes, strict=False):
        _want(size, offset + length, "TIFF strips")
    return int(following)


def _tiff_values(file: BinaryIO, size: int, code: str, number: int, value: bytes) -> list[int]:
    one = struct.calcsize(code)
    if number * one > len(value):
        (offset,) = struct.unpack(code[0] + ("I" if len(value) == 4 else "Q"), value)
        _want(size, offset + number * one, "TIFF table of strips")
        file.seek(offset)
        value = file.read(number * one)
    return list(struct.unpack(f"{code[0]}{number}{code[1]}", value[: number * one]))


def _cbf(file: BinaryIO, size: int) -> None:
    head = file.read(LONGEST_HEADER)
    mark = head.find(CBF_MARK)
    stated = re.search(rb"X-Binary-Size:\s*(\d+)", head[: max(mark, 0)])
    if mark < 0 or stated is None:
        raise FrameError("incomplete", "the CBF header ends before its binary section")
    begin, length = mark + len(CBF_MARK), int(stated[1])
    _want(size, begin + length + len(CBF_TAIL), "CBF binary section")
    file.seek(begin)
    binary = file.read(length)
    if CBF_TAIL not in file.read(8192 + len(CBF_TAIL)):
        raise FrameError("incomplete", "no end of the CBF binary section")
    digest = re.search(rb"Content-MD5:\s*(\S+)", head[:mark])
    md5 = hashlib.md5(binary, usedforsecurity=False).digest()
    if digest is not None and base64.b64encode(md5) != digest[1]:
        raise FrameError("corrupt", "the CBF checksum does not fit its data")


def _edf(file: BinaryIO, size: int) -> None:
    position = 0
    for _ in range(MOST_PAGES):
        file.seek(position)
        head = file.read(LONGEST_HEADER)
        if position and not head.lstrip().startswith(b"{"):
            return
        end = head.find(b"}\n")
        if end < 0:
            raise FrameError("incomplete", "the EDF header has no end yet")
        position += end + 2 + _edf_size(head[:end])
        _want(size, position, "EDF data")


def _edf_size(head: bytes) -> int:
    pairs = re.findall(rb"([\w-]+)\s*=\s*([^;]*?)\s*;", head)
    keys = {key.lower(): value for key, value in pairs}
    for key in (b"edf_binarysize", b"size"):
        if keys.get(key, b"").isdigit():
            return int(keys[key])
    raise FrameError("unreadable", "the EDF header has neither Size nor EDF_BinarySize")


def _npy(file: BinaryIO, size: int) -> None:
    try:
        version = np.lib.format.read_magic(file)
        reader = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        shape, _, dtype = reader[version[0]](file)
    except (ValueError, KeyError) as error:
        raise FrameError("incomplete", f"npy header: {error}") from error
    _want(size, file.tell() + prod(shape) * dtype.itemsize, "npy data")


CHECKS: dict[str, Callable[[BinaryIO, int], None]] = {
    ".tif": _tiff,
    ".tiff": _tiff,
    ".cbf": _cbf,
    ".edf": _edf,
    ".npy": _npy,
}
