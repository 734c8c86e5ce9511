"""Undo bitshuffle: bit planes back to pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner
from livepdf.numerics.planes import (
    GROUP,
    any_bit,
    unshuffle_8_to_8,
    unshuffle_16_to_16,
    unshuffle_16_to_32,
    unshuffle_32_to_32,
)

Array = NDArray[Any]

ROOM = 2 * GROUP * 8
"""Bytes of scratch for the last pixels, which do not fill a group."""

_ROW = GROUP // 8
_ALL = np.full(_ROW, 0xFF, np.uint8)


@inner
def unshuffle(planes: Array, count: int, item: int, scratch: Array, out: Array) -> None:
    """Turn ``count`` pixels of ``item`` bytes (1, 2, 4 or 8) from bit planes into bytes ``out``.

    ``planes`` (bytes) holds, for each byte of a pixel and each bit of it, one row of ``count``
    bits; ``count`` is a multiple of 8. ``scratch`` has at least ``ROOM`` bytes.
    """
    row = count // 8
    if item == 8:
        _unshuffle_longs(planes, row, out)
        return
    whole = row // _ROW
    for group in range(whole):
        at = planes.ctypes.data + np.uint64(group * _ROW)
        _unshuffle_group(
            at, np.uint64(row), item, out.ctypes.data + np.uint64(group * GROUP * item)
        )
    if whole * _ROW < row:
        _unshuffle_last(planes, row, whole * _ROW, item, scratch, out)


@inner
def _unshuffle_group(at: int, row: int, item: int, to: int) -> None:
    live = _ALL.ctypes.data
    if item == 1:
        unshuffle_8_to_8(at, row, live, to)
    elif item == 2:
        unshuffle_16_to_16(at, row, live, to)
    elif any_bit(at + np.uint64(16) * row, row, live) | any_bit(
        at + np.uint64(24) * row, row, live
    ):
        unshuffle_32_to_32(at, row, live, to)
    else:
        unshuffle_16_to_32(at, row, live, to)


@inner
def _unshuffle_last(
    planes: Array, row: int, done: int, item: int, scratch: Array, out: Array
) -> None:
    # A group of its own, so that nothing is read or written beyond the end.
    rest = row - done
    for plane in range(8 * item):
        for k in range(_ROW):
            scratch[plane * _ROW + k] = planes[plane * row + done + k] if k < rest else 0
    to = GROUP * item
    at = scratch.ctypes.data
    _unshuffle_group(at, np.uint64(_ROW), item, at + np.uint64(to))
    for k in range(8 * rest * item):
        out[8 * done * item + k] = scratch[to + k]


@inner
def _unshuffle_longs(planes: Array, row: int, out: Array) -> None:
    # Bit by bit: no detector sends pixels of 64 bits.
    for i in range(8 * row):
        for byte in range(8):
            value = 0
            for bit in range(8):
                value |= ((planes[(8 * byte + bit) * row + i // 8] >> (i % 8)) & 1) << bit
            out[8 * i + byte] = value
