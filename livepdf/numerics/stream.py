"""A packed image as numbers, and its pixels in clean pieces, wherever they come from.

A clean piece is uint16 and ready to be added without a look. A pixel that the mask ignores is 0 in
it. So is one that is odd (no data, saturated, negative or above what uint16 holds): it is listed
with its value, and the list is worked off one by one.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray
from numpy.typing import NDArray

from livepdf.numerics.blocks import RAW, SHUFFLED, read_block, read_pixels, read_rest
from livepdf.numerics.groups import clean_group
from livepdf.numerics.kernel import inner
from livepdf.numerics.planes import (
    GROUP,
    any_bit,
    unshuffle_8_to_16,
    unshuffle_16_to_16,
    unshuffle_32_to_32,
)
from livepdf.numerics.vectors import LINE, fetch_line, pointer

Array = NDArray[Any]

AHEAD = 1024
"""Pixels: a raw image and its bins are asked for so far before they are needed. What is read along
the way keeps the processor from noticing by itself that they are read in order."""
TOP = 65535
"""The largest value of a clean pixel."""


class Source(NamedTuple):
    """Where the pixels of an image come from."""

    mode: int
    address: int
    """Of the packed or raw image: read-only buffers then need no loops of their own."""
    size: int
    """bytes"""
    scratch: Array
    """(piece,) of the type of the image; integers without their sign, whose bits are the same."""
    lz4: int
    """What :func:`livepdf.numerics.lz4_call.lz4_or_own` returns."""


class Stream(NamedTuple):
    """The same with the bytes behind the address."""

    mode: int
    packed: Array
    """(bytes,) uint8"""
    pixels: Array
    """(pixels,) of the image itself where it is raw, else scratch for one piece."""
    piece: int
    """Pixels of a piece: a multiple of 8, one LZ4 block where there are blocks."""
    lz4: int


class Places(NamedTuple):
    """Which bin each pixel belongs to, and what it weighs."""

    bins: Array
    """(pixels,) bin, or ``n`` and above for pixels that are ignored."""
    live: Array
    """(pixels / 8 + 1,) uint8: a bit for each pixel that is not ignored."""
    weight: Array
    """(pixels,) float32"""
    dark: Array
    """(pixels,) float32, or empty."""
    n: int
    """Number of bins."""


class Limits(NamedTuple):
    """Which values of an integer image are data."""

    low: int
    high: int
    top: int
    """Values from 0 to here can be clean."""
    wrap: int
    """2^bits for pixels with a sign, else 0."""


class Desk(NamedTuple):
    """Scratch for one piece of one image."""

    planes: Array
    """(2, bytes) uint8"""
    words: Array
    """(256,) uint32"""
    odd: Array
    """(2, pixels) int64: number and value."""


@inner
def opened(source: Source) -> Any:
    """Return the stream of a source."""
    address = pointer(source.address)
    packed = carray(address, source.size, np.uint8)
    pixels = source.scratch
    if source.mode == RAW:
        pixels = carray(address, source.size // pixels.itemsize, pixels.dtype)
    return Stream(source.mode, packed, pixels, source.scratch.size, source.lz4)


@inner
def clean_piece(
    stream: Stream, place: int, start: int, places: Places, limits: Limits, desk: Desk, tile: Array
) -> Any:
    """Fill ``tile`` with the clean pixels from ``start`` on, at most a piece.

    Returns where the next block starts, or a flaw (< 0), and the number of odd pixels.
    """
    count = tile.size
    item = stream.pixels.itemsize
    if stream.mode == RAW:
        part = stream.pixels[start : start + count]
        return place, _clean_pixels(part, start, places, limits, desk, tile)
    if stream.mode == SHUFFLED and count % GROUP == 0:
        planes = desk.planes[0, : count * item]
        place = read_block(stream.mode, stream.packed, place, planes, stream.lz4)
        found = 0 if place < 0 else _clean_planes(planes, item, start, places, limits, desk, tile)
        return place, found
    target = stream.pixels.view(np.uint8)[: count * item]
    place = read_pixels(stream.mode, stream.packed, place, target, desk.planes, item, stream.lz4)
    part = stream.pixels[:count]
    return place, 0 if place < 0 else _clean_pixels(part, start, places, limits, desk, tile)


@inner
def clean_rest(
    stream: Stream, place: int, start: int, places: Places, limits: Limits, desk: Desk, tile: Array
) -> Any:
    """Do the same for the pixels that are stored as they are after the last block."""
    part = stream.pixels[: tile.size]
    place = read_rest(stream.packed, place, part.view(np.uint8))
    return place, 0 if place < 0 else _clean_pixels(part, start, places, limits, desk, tile)


@inner
def _clean_pixels(
    pixels: Array, start: int, places: Places, limits: Limits, desk: Desk, tile: Array
) -> Any:
    found = 0
    item, of = pixels.itemsize, places.bins.itemsize
    n, top = places.bins.dtype.type(places.n), pixels.dtype.type(limits.top)
    whole = pixels.size // GROUP * GROUP
    for begin in range(0, whole, GROUP):
        at = pixels.ctypes.data + np.uint64(begin * item)
        index = places.bins.ctypes.data + np.uint64((start + begin) * of)
        to = tile.ctypes.data + np.uint64(2 * begin)
        fetch_ahead(at, item)
        fetch_ahead(index, of)
        if clean_group(at, index, n, top, to):
            part, clean = pixels[begin : begin + GROUP], tile[begin : begin + GROUP]
            found = list_odd(part, start + begin, places, limits, desk.odd, found, clean)
    for i in range(whole, pixels.size):
        tile[i] = np.uint16(pixels[i]) if places.bins[start + i] < n else np.uint16(0)
    part, clean = pixels[whole:], tile[whole:]
    return list_odd(part, start + whole, places, limits, desk.odd, found, clean)


@inner
def fetch_ahead(address: int, item: int) -> None:
    """Ask for the group that is `AHEAD` of the one at an address; ``item`` is bytes of a pixel."""
    for offset in range(AHEAD * item, (AHEAD + GROUP) * item, LINE):
        fetch_line(address + np.uint64(offset))


@inner
def fetch_lines(address: int, size: int) -> None:
    """Ask for so many bytes at an address, which need not exist, to be put into cache."""
    for offset in range(0, size, LINE):
        fetch_line(address + np.uint64(offset))


@inner
def list_odd(
    pixels: Array,
    start: int,
    places: Places,
    limits: Limits,
    odd: Array,
    found: int,
    tile: Array,
) -> int:
    """List the odd ones of clean pixels copied to ``tile``; return the number listed so far."""
    for i in range(pixels.size):
        value = np.int64(pixels[i])
        if places.bins[start + i] < places.n and value > limits.top:
            found = _put_aside(value, start + i, limits, odd, found)
            tile[i] = 0
    return found


@inner
def _clean_planes(
    planes: Array, item: int, start: int, places: Places, limits: Limits, desk: Desk, tile: Array
) -> int:
    row = np.uint64(tile.size // 8)
    live = places.live[start // 8 :]
    found = 0
    for begin in range(0, tile.size, GROUP):
        at = planes.ctypes.data + np.uint64(begin // 8)
        alive = live.ctypes.data + np.uint64(begin // 8)
        out = tile.ctypes.data + np.uint64(2 * begin)
        clean = tile[begin : begin + GROUP]
        if item == 4 and (
            any_bit(at + np.uint64(16) * row, row, alive)
            | any_bit(at + np.uint64(24) * row, row, alive)
        ):
            unshuffle_32_to_32(at, row, alive, desk.words.ctypes.data)
            found = _sort_out(desk.words, start + begin, limits, desk.odd, found, clean)
            continue
        short = item == 1 or not any_bit(at + np.uint64(8) * row, row, alive)
        if short:
            unshuffle_8_to_16(at, row, alive, out)
        else:
            unshuffle_16_to_16(at, row, alive, out)
        if limits.top < (255 if short else TOP) and _highest(clean) > limits.top:
            found = _sort_out(clean, start + begin, limits, desk.odd, found, clean)
    return found


@inner
def _highest(tile: Array) -> Any:
    highest = np.uint16(0)
    for i in range(tile.size):
        highest = max(highest, tile[i])
    return highest


@inner
def _sort_out(
    values: Array, start: int, limits: Limits, odd: Array, found: int, tile: Array
) -> int:
    for i in range(values.size):
        value = np.int64(values[i])
        if value <= limits.top:
            tile[i] = value
        else:
            found = _put_aside(value, start + i, limits, odd, found)
            tile[i] = 0
    return found


@inner
def _put_aside(value: int, pixel: int, limits: Limits, odd: Array, found: int) -> int:
    odd[0, found] = pixel
    odd[1, found] = value - limits.wrap if 2 * value >= limits.wrap > 0 else value
    return found + 1
