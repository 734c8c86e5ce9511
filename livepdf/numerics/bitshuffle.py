"""Undo bitshuffle: bit planes back to pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import kernel
from livepdf.numerics.vectors import (
    GROUP,
    any_bit,
    unshuffle_8_to_8,
    unshuffle_16_to_16,
    unshuffle_16_to_32,
    unshuffle_32_to_32,
)

Array = NDArray[Any]

_ALL = np.full(GROUP // 8, 0xFF, np.uint8)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS = np.uint64(0x3333333333333333)
_BITS = np.uint64(0x5555555555555555)


@kernel
def unshuffle(planes: Array, count: int, item: int, crossed: Array, out: Array) -> None:
    """Turn ``count`` pixels of ``item`` bytes (1, 2, 4 or 8) from bit planes into bytes ``out``.

    ``planes`` (bytes) holds, for each byte of a pixel and each bit of it, one row of ``count``
    bits; it is overwritten. ``crossed`` is scratch of the same size. Both start on a whole word;
    ``count`` is a multiple of 8.
    """
    row = count // 8
    if item <= 4 and count % GROUP == 0:
        _by_groups(planes, np.uint64(row), item, out)
    elif row % 8 == 0:
        words = planes.view(np.uint64)
        for byte in range(item):
            _cross_words(words, byte * row, row // 8)
        _gather(planes, row, item, out)
    else:
        for byte in range(item):
            _cross_bytes(planes, byte * count, row, crossed)
        _gather(crossed, row, item, out)


@kernel
def _by_groups(planes: Array, row: int, item: int, out: Array) -> None:
    live = _ALL.ctypes.data
    for group in range(row * np.uint64(8) // np.uint64(GROUP)):
        at = planes.ctypes.data + np.uint64(group * (GROUP // 8))
        to = out.ctypes.data + np.uint64(group * GROUP * item)
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


@kernel
def _cross_words(words: Array, start: int, n: int) -> None:
    # Eight rows of bits become eight rows of bytes: 8×8 bit matrices are transposed by three
    # exchanges (H. S. Warren, Hacker's Delight, 7-3), here eight of them in each word.
    eight = words[start : start + 8 * n]
    _exchange(eight[: 4 * n], eight[4 * n :], np.uint64(4), _NIBBLES)
    for k in (0, 4):
        near, far = eight[k * n : (k + 2) * n], eight[(k + 2) * n : (k + 4) * n]
        _exchange(near, far, np.uint64(2), _PAIRS)
    for k in (0, 2, 4, 6):
        near, far = eight[k * n : (k + 1) * n], eight[(k + 1) * n : (k + 2) * n]
        _exchange(near, far, np.uint64(1), _BITS)


@kernel
def _exchange(near: Array, far: Array, shift: int, mask: int) -> None:
    for m in range(near.size):
        moved = ((near[m] >> shift) ^ far[m]) & mask
        far[m] ^= moved
        near[m] ^= moved << shift


@kernel
def _cross_bytes(planes: Array, start: int, row: int, crossed: Array) -> None:
    for m in range(row):
        for j in range(8):
            value = 0
            for k in range(8):
                value |= ((planes[start + k * row + m] >> j) & 1) << k
            crossed[start + j * row + m] = value


@kernel
def _gather(rows: Array, row: int, item: int, out: Array) -> None:
    # One loop per size: written out like this, each is compiled to vector instructions.
    if item == 1:
        _gather_1(rows, row, out)
    elif item == 2:
        _gather_2(rows, row, out.view(np.uint16))
    elif item == 4:
        _gather_4(rows, row, out.view(np.uint32))
    else:
        _gather_8(rows, row, out)


@kernel
def _gather_1(rows: Array, row: int, out: Array) -> None:
    for m in range(row):
        for j in range(8):
            out[8 * m + j] = rows[j * row + m]


@kernel
def _gather_2(rows: Array, row: int, out: Array) -> None:
    shift = np.uint16(8)
    for m in range(row):
        for j in range(8):
            low = np.uint16(rows[j * row + m])
            out[8 * m + j] = low | (np.uint16(rows[(8 + j) * row + m]) << shift)


@kernel
def _gather_4(rows: Array, row: int, out: Array) -> None:
    shift1, shift2, shift3 = np.uint32(8), np.uint32(16), np.uint32(24)
    for m in range(row):
        for j in range(8):
            low = np.uint32(rows[j * row + m]) | (np.uint32(rows[(8 + j) * row + m]) << shift1)
            high = np.uint32(rows[(16 + j) * row + m]) << shift2
            top = np.uint32(rows[(24 + j) * row + m]) << shift3
            out[8 * m + j] = low | high | top


@kernel
def _gather_8(rows: Array, row: int, out: Array) -> None:
    for m in range(row):
        for j in range(8):
            for byte in range(8):
                out[(8 * m + j) * 8 + byte] = rows[(8 * byte + j) * row + m]
