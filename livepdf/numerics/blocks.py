"""Walk through a compressed image block by block; each is read into a buffer that stays in cache.

What is said about a packed image travels as numbers, so that compiled loops can walk through
several of them side by side.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.bitshuffle import unshuffle
from livepdf.numerics.kernel import inner
from livepdf.numerics.lz4_call import expand

Bytes = NDArray[Any]

RAW, PLAIN, SHUFFLED = 0, 1, 2
"""Bare pixels; LZ4 blocks of pixels; LZ4 blocks of bit planes."""
HEADER = 12
"""Bytes: u64 size of the image, u32 size of a block, both big-endian."""
TRUNCATED, CORRUPT = -1, -2
"""What takes the place of a position where a block cannot be read."""


@inner
def block_length(packed: Bytes, place: int) -> Any:
    """Return the length that the four bytes at ``place`` announce, or −1 if it is not all there."""
    if place + 4 > packed.size:
        return -1
    length = 0
    for i in range(4):
        length = length * 256 + packed[place + i]
    return length if place + 4 + length <= packed.size else -1


@inner
def read_block(mode: int, packed: Bytes, place: int, target: Bytes, lz4: int) -> Any:
    """Fill ``target`` with the block at ``place``; return where the next starts, or a flaw (< 0).

    Bit planes stay bit planes.
    """
    wanted = target.size
    if mode == RAW:
        if place + wanted > packed.size:
            return TRUNCATED
        _copy(packed, place, target)
        return place + wanted
    length = block_length(packed, place)
    if length < 0:
        return TRUNCATED
    place += 4
    if mode == PLAIN and length == wanted:
        # A block that did not shrink is stored as it is.
        _copy(packed, place, target)
    elif expand(lz4, packed[place : place + length], target) != wanted:
        return CORRUPT
    return place + length


@inner
def read_pixels(
    mode: int, packed: Bytes, place: int, target: Bytes, scratch: Bytes, item: int, lz4: int
) -> Any:
    """Do the same, with bit planes turned into pixels; ``scratch`` is (2, bytes of a block)."""
    if mode != SHUFFLED:
        return np.int64(read_block(mode, packed, place, target, lz4))
    planes = scratch[0, : target.size]
    place = read_block(mode, packed, place, planes, lz4)
    if place >= 0:
        unshuffle(scratch[0], target.size // item, item, scratch[1], target)
    return place


@inner
def read_rest(packed: Bytes, place: int, target: Bytes) -> Any:
    """Fill ``target`` with what is stored after the last block; it must be all that is left."""
    if place + target.size != packed.size:
        return TRUNCATED if place + target.size > packed.size else CORRUPT
    _copy(packed, place, target)
    return packed.size


@inner
def _copy(packed: Bytes, place: int, target: Bytes) -> None:
    for i in range(target.size):
        target[i] = packed[place + i]
