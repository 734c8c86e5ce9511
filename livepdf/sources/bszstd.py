"""Bitshuffle-zstd images, which only Jungfraujoch sends: unpacked at once, by hdf5plugin's library.

The library trusts the lengths that stand before the blocks, so all of them are checked first.
"""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.sources.fields import Part

HEADER, LENGTH = 12, 4
"""Bytes of the header of an image (u64 size, u32 block, big-endian), and of a block (u32)."""
DEFAULT_BLOCK = 8192
"""Bytes of a block whose header says 0."""
LARGEST_BLOCK = 1 << 24
GROUP = 8
"""Pixels that are shuffled together; the rest of an image that fills no group is stored plain."""


def unpack_bszstd(
    blob: Part, *, shape: tuple[int, int], dtype: np.dtype[np.generic]
) -> NDArray[np.generic]:
    """Return the pixels (rows, columns), in the byte order they were sent in.

    Raises
    ------
    FrameError
        ``wrong size``, ``truncated`` or ``corrupt``; lengths are checked before any unpacking.
    """
    count = shape[0] * shape[1]
    block = _block(blob, size=count * dtype.itemsize, item=dtype.itemsize)
    _check_lengths(blob, count=count, block=block, item=dtype.itemsize)
    pixels = np.empty(shape, dtype)
    packed = np.frombuffer(blob, np.uint8)[HEADER:]
    used = _library().bshuf_decompress_zstd(
        packed.ctypes.data, pixels.ctypes.data, count, dtype.itemsize, block
    )
    if used < 0:
        raise FrameError("corrupt", f"a block of {len(blob)} bytes cannot be unpacked: {used}")
    return pixels


def _block(blob: Part, *, size: int, item: int) -> int:
    """Return the pixels in a block."""
    found = int.from_bytes(blob[:8], "big")
    if len(blob) < HEADER or found != size:
        raise FrameError("wrong size", f"header says {found} bytes for {size}")
    length = int.from_bytes(blob[8:HEADER], "big") or DEFAULT_BLOCK
    if length % (GROUP * item) or length > LARGEST_BLOCK:
        raise FrameError("corrupt", f"blocks of {length} bytes")
    return length // item


def _check_lengths(blob: Part, *, count: int, block: int, item: int) -> None:
    rest = count % GROUP
    blocks = -((rest - count) // block)
    place = HEADER
    for _ in range(blocks):
        if place + LENGTH > len(blob):
            raise FrameError("truncated", f"{len(blob)} bytes")
        place += LENGTH + int.from_bytes(blob[place : place + LENGTH], "big")
    if place + rest * item > len(blob):
        raise FrameError("truncated", f"{len(blob)} bytes, wanted {place + rest * item}")


@cache
def _library() -> ctypes.CDLL:
    import hdf5plugin

    library = ctypes.CDLL(str(Path(hdf5plugin.PLUGIN_PATH) / "libh5bshuf.so"))
    size, place = ctypes.c_size_t, ctypes.c_void_p
    library.bshuf_decompress_zstd.argtypes = [place, place, size, size, size]
    library.bshuf_decompress_zstd.restype = ctypes.c_int64
    return library
