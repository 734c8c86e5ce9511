"""Add up whole pixels per bin: the loops for one image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import HEADER, RAW, SHUFFLED, read_pixels, read_rest
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.stream import Desk, Limits, Places, Source, clean_piece, clean_rest, opened

TRASH = 32
"""Extra bins that take turns for ignored pixels, so that a gap does not wait on one address."""
COPIES = 4
"""Private histograms, so that neighbours in the same bin do not wait for one another."""
TILE = 256
"""Pixels tested together for values to ignore: the test is then nearly free."""

Array = NDArray[Any]


@kernel
def add_counts(
    source: Source,
    places: Places,
    limits: Limits,
    desk: Desk,
    tile: Array,
    sums: Array,
    wide: Array,
    removed: Array,
) -> Any:
    """Add an integer image up; return 0, or a flaw (< 0).

    ``sums`` (COPIES, n + TRASH) gets the clean pixels, ``wide`` (n,) int64 those that do not fit
    into a ``tile``, ``removed`` (3, n) weight, number and dark of the pixels that are no data.
    """
    stream = opened(source)
    place = HEADER
    size = places.bins.size
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    for start in range(0, end, stream.piece):
        part = tile[: min(stream.piece, end - start)]
        place, found = clean_piece(stream, place, start, places, limits, desk, part)
        if place < 0:
            return place
        add_clean(part, places.bins[start : start + part.size], sums)
        drain(desk.odd, found, places, limits, wide, removed)
    if stream.mode == RAW:
        return 0
    part = tile[: size - end]
    place, found = clean_rest(stream, place, end, places, limits, desk, part)
    if place < 0:
        return place
    add_clean(part, places.bins[end:], sums)
    drain(desk.odd, found, places, limits, wide, removed)
    return 0


@inner
def add_clean(tile: Array, index: Array, sums: Array) -> None:
    """Add clean pixels to ``sums`` (COPIES, n + TRASH), four in turns."""
    whole = tile.size // COPIES * COPIES
    if index.itemsize == 2:
        _add_by_words(tile[:whole].view(np.uint64), index[:whole].view(np.uint64), sums)
    else:
        for i in range(0, whole, COPIES):
            sums[0, index[i]] += tile[i]
            sums[1, index[i + 1]] += tile[i + 1]
            sums[2, index[i + 2]] += tile[i + 2]
            sums[3, index[i + 3]] += tile[i + 3]
    for i in range(whole, tile.size):
        sums[0, index[i]] += tile[i]


@inner
def _add_by_words(tile: Array, index: Array, sums: Array) -> None:
    # Four pixels and four bin numbers per load.
    mask = np.uint64(0xFFFF)
    shift1, shift2, shift3 = np.uint64(16), np.uint64(32), np.uint64(48)
    for k in range(tile.size):
        word = tile[k]
        place = index[k]
        sums[0, place & mask] += np.uint32(word & mask)
        sums[1, (place >> shift1) & mask] += np.uint32((word >> shift1) & mask)
        sums[2, (place >> shift2) & mask] += np.uint32((word >> shift2) & mask)
        sums[3, place >> shift3] += np.uint32(word >> shift3)


@inner
def drain(
    odd: Array, found: int, places: Places, limits: Limits, wide: Array, removed: Array
) -> None:
    """Work the list of odd pixels off: those that are data are added to ``wide``."""
    for k in range(found):
        i, value = odd[0, k], odd[1, k]
        if limits.low <= value <= limits.high:
            wide[places.bins[i]] += value
        else:
            remove(i, places.bins[i], places, removed)


@inner
def remove(i: int, bin_: int, places: Places, removed: Array) -> None:
    """Add what pixel ``i`` would have added to the totals to ``removed`` (3, n)."""
    removed[0, bin_] += places.weight[i]
    removed[1, bin_] += 1.0
    if places.dark.size:
        removed[2, bin_] += places.dark[i]


@kernel
def add_numbers(
    source: Source,
    places: Places,
    low: Any,
    high: Any,
    planes: Array,
    sums: Array,
    removed: Array,
) -> Any:
    """Do the same for numbers of any type (floats, 64 bits) within ``low`` … ``high``, no NaN."""
    stream = opened(source)
    pixels, size = stream.pixels, places.bins.size
    if stream.mode == RAW:
        _add(pixels, 0, places, low, high, sums, removed)
        return 0
    raw = pixels.view(np.uint8)
    item = pixels.itemsize
    place = HEADER
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    for start in range(0, end, stream.piece):
        count = min(stream.piece, end - start)
        target = raw[: count * item]
        place = read_pixels(stream.mode, stream.packed, place, target, planes, item, stream.lz4)
        if place < 0:
            return place
        _add(pixels[:count], start, places, low, high, sums, removed)
    place = read_rest(stream.packed, place, raw[: (size - end) * item])
    if place < 0:
        return place
    _add(pixels[: size - end], end, places, low, high, sums, removed)
    return 0


@inner
def _add(
    pixels: Array, start: int, places: Places, low: Any, high: Any, sums: Array, removed: Array
) -> None:
    index = places.bins[start : start + pixels.size]
    whole = pixels.size // TILE * TILE
    for begin in range(0, whole, TILE):
        if _spoilt(pixels, index, begin, places.n, low, high):
            end = begin + TILE
            _add_carefully(pixels, start, begin, end, places, low, high, sums, removed)
        else:
            for i in range(begin, begin + TILE, COPIES):
                sums[0, index[i]] += pixels[i]
                sums[1, index[i + 1]] += pixels[i + 1]
                sums[2, index[i + 2]] += pixels[i + 2]
                sums[3, index[i + 3]] += pixels[i + 3]
    _add_carefully(pixels, start, whole, pixels.size, places, low, high, sums, removed)


@inner
def _spoilt(pixels: Array, index: Array, begin: int, n: int, low: Any, high: Any) -> Any:
    spoilt = False
    for i in range(begin, begin + TILE):
        value = pixels[i]
        # The last comparison finds NaN; for integers the compiler drops it.
        strange = (value < low) | (value > high) | (value != value)
        spoilt = spoilt | (strange & (index[i] < n))
    return spoilt


@inner
def _add_carefully(
    pixels: Array,
    start: int,
    begin: int,
    end: int,
    places: Places,
    low: Any,
    high: Any,
    sums: Array,
    removed: Array,
) -> None:
    for i in range(begin, end):
        bin_ = places.bins[start + i]
        if low <= pixels[i] <= high:
            sums[i % COPIES, bin_] += pixels[i]
        elif bin_ < places.n:
            remove(start + i, bin_, places, removed)
