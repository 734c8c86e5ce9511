"""Add up whole pixels per bin: the loops for one image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import HEADER, RAW, SHUFFLED, read_pixels, read_rest
from livepdf.numerics.groups import clean_group, odd_group
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.planes import GROUP
from livepdf.numerics.stream import (
    Desk,
    Limits,
    Places,
    Source,
    clean_piece,
    clean_rest,
    fetch_ahead,
    fetch_lines,
    list_odd,
    opened,
)

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
    begin = 0
    if stream.mode == RAW:
        begin = _add_groups(stream.pixels, places, limits, desk, tile, sums, wide, removed)
    for start in range(begin, end, stream.piece):
        part = tile[: min(stream.piece, end - start)]
        # Asked for while the block is unpacked, the bins are there when they are needed.
        of = places.bins.ctypes.data + np.uint64(start * places.bins.itemsize)
        fetch_lines(of, part.size * places.bins.itemsize)
        place, found = clean_piece(stream, place, start, places, limits, desk, part)
        if place < 0:
            return place
        _add_run(part, places.bins[start : start + part.size], 0, part.size, sums)
        drain(desk.odd, found, places, limits, wide, removed)
    if stream.mode == RAW:
        return 0
    part = tile[: size - end]
    place, found = clean_rest(stream, place, end, places, limits, desk, part)
    if place < 0:
        return place
    _add_run(part, places.bins[end:], 0, part.size, sums)
    drain(desk.odd, found, places, limits, wide, removed)
    return 0


@inner
def _add_groups(
    pixels: Array,
    places: Places,
    limits: Limits,
    desk: Desk,
    tile: Array,
    sums: Array,
    wide: Array,
    removed: Array,
) -> int:
    """Add the pixels of a raw image up from where they lie; return where the last ones start.

    Only a group with an odd pixel is copied and made clean. A pixel that the mask ignores goes to
    a bin that nobody reads.
    """
    bins = places.bins
    n, top = bins.dtype.type(places.n), pixels.dtype.type(limits.top)
    whole = pixels.size // GROUP * GROUP
    for begin in range(0, whole, GROUP):
        at = pixels.ctypes.data + np.uint64(begin * pixels.itemsize)
        of = bins.ctypes.data + np.uint64(begin * bins.itemsize)
        fetch_ahead(at, pixels.itemsize)
        fetch_ahead(of, bins.itemsize)
        if not odd_group(at, of, n, top):
            _add_run(pixels, bins, begin, GROUP, sums)
            continue
        part, clean = pixels[begin : begin + GROUP], tile[:GROUP]
        clean_group(at, of, n, top, clean.ctypes.data)
        found = list_odd(part, begin, places, limits, desk.odd, 0, clean)
        _add_run(clean, bins[begin : begin + GROUP], 0, GROUP, sums)
        drain(desk.odd, found, places, limits, wide, removed)
    return whole


@inner
def _add_run(pixels: Array, bins: Array, start: int, count: int, sums: Array) -> None:
    """Add ``count`` pixels from ``start`` on to ``sums`` (COPIES, n + TRASH), four in turns.

    Callers give a ``start`` that the compiler can see is not negative: it need not be looked at
    for every pixel then.
    """
    one, two, three, four = sums[0], sums[1], sums[2], sums[3]
    whole = count // COPIES * COPIES
    for i in range(start, start + whole, COPIES):
        one[bins[i]] += pixels[i]
        two[bins[i + 1]] += pixels[i + 1]
        three[bins[i + 2]] += pixels[i + 2]
        four[bins[i + 3]] += pixels[i + 3]
    for i in range(start + whole, start + count):
        one[bins[i]] += pixels[i]


@kernel
def gathered(sums: Array, wide: Array, total: Array) -> None:
    """Write what the copies of ``sums`` and ``wide`` make together into ``total`` (n,) float64."""
    for k in range(total.size):
        whole = wide[k]
        for copy in range(COPIES):
            whole += np.int64(sums[copy, k])
        total[k] = whole


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
