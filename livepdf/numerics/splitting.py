"""Add up pixels shared out among bins: the loops for one image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import HEADER, RAW, SHUFFLED, read_pixels, read_rest
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.sharers import TOGETHER, share_fours
from livepdf.numerics.shares import (
    BLOCK,
    FOUR,
    ROUND,
    RUN,
    TILE,
    Shares,
    fetch_run,
    first_of,
    square,
)
from livepdf.numerics.stream import Desk, Limits, Places, Source, clean_piece, clean_rest, opened

Array = NDArray[Any]


@kernel
def share_counts(
    source: Source,
    places: Places,
    shares: Shares,
    limits: Limits,
    desk: Desk,
    tile: Array,
    sums: Array,
    spill: Array,
    removed: Array,
) -> Any:
    """Share an integer image out; return 0, or a flaw (< 0).

    ``tile`` (TILE + piece,) uint16 is scratch. ``sums`` (n, 2, 4) get share × value and share² ×
    value, in four parts, ``spill`` (2, n) the same of pixels that do not fit into a tile,
    ``removed`` (3, n) weight, number and dark of the pixels that are no data.
    """
    stream = opened(source)
    place, have, number = HEADER, 0, 0
    size = places.bins.size
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    for start in range(0, end, stream.piece):
        part = tile[have : have + min(stream.piece, end - start)]
        place, found = clean_piece(stream, place, start, places, limits, desk, part)
        if place < 0:
            return place
        share_odd(desk.odd, found, places, shares, limits, spill, removed)
        have, number = _add_full(tile, have + part.size, number, shares, sums)
    if stream.mode != RAW:
        part = tile[have : have + size - end]
        place, found = clean_rest(stream, place, end, places, limits, desk, part)
        if place < 0:
            return place
        share_odd(desk.odd, found, places, shares, limits, spill, removed)
        have, number = _add_full(tile, have + part.size, number, shares, sums)
    if have:
        _add_tile(tile, number, shares, sums)
    return 0


@kernel
def share_numbers(
    source: Source,
    places: Places,
    shares: Shares,
    low: Any,
    high: Any,
    planes: Array,
    tile: Array,
    sums: Array,
    removed: Array,
) -> Any:
    """Do the same for numbers of any type within ``low`` … ``high``, no NaN; ``tile`` is float."""
    stream = opened(source)
    pixels, size = stream.pixels, places.bins.size
    place, have, number = HEADER, 0, 0
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    item = pixels.itemsize
    for start in range(0, end, stream.piece):
        count = min(stream.piece, end - start)
        part = pixels[start : start + count]
        if stream.mode != RAW:
            part = pixels[:count]
            target = pixels.view(np.uint8)[: count * item]
            place = read_pixels(stream.mode, stream.packed, place, target, planes, item, stream.lz4)
            if place < 0:
                return place
        _clean_numbers(part, start, places, shares, low, high, tile[have:], removed)
        have, number = _add_full(tile, have + count, number, shares, sums)
    if stream.mode != RAW:
        part = pixels[: size - end]
        place = read_rest(stream.packed, place, part.view(np.uint8))
        if place < 0:
            return place
        _clean_numbers(part, end, places, shares, low, high, tile[have:], removed)
        have, number = _add_full(tile, have + part.size, number, shares, sums)
    if have:
        _add_tile(tile, number, shares, sums)
    return 0


@inner
def _clean_numbers(
    pixels: Array,
    start: int,
    places: Places,
    shares: Shares,
    low: Any,
    high: Any,
    tile: Array,
    removed: Array,
) -> None:
    for i in range(pixels.size):
        value = pixels[i]
        good = low <= value <= high
        used = places.bins[start + i] < places.n
        tile[i] = value if good and used else 0
        if used and not good:
            _share_pixel(start + i, 0, False, places, shares, removed, removed)


@inner
def _add_full(tile: Array, have: int, number: int, shares: Shares, sums: Array) -> Any:
    """Add the full tiles; return how many pixels are left, and the number of their tile."""
    done = 0
    while have - done >= TILE:
        _add_tile(tile[done:], number, shares, sums)
        done += TILE
        number += 1
    if done:
        for k in range(have - done):
            tile[k] = tile[done + k]
    return have - done, number


@inner
def _add_tile(tile: Array, number: int, shares: Shares, sums: Array) -> None:
    # Addresses, since an array made for each four costs more than the four.
    at, to, bins = tile.ctypes.data, sums.ctypes.data, shares.bins.ctypes.data
    pixels, parts = shares.pixels.ctypes.data, shares.parts.ctypes.data
    like = tile[0]
    end = shares.starts[number + 1]
    for start in range(shares.starts[number], end, RUN):
        fetch_run(shares, start + RUN)
        for k in range(start, min(start + RUN, end), TOGETHER):
            of = np.uint64(k)
            four, part = pixels + of * np.uint64(8), parts + of * np.uint64(16)
            share_fours(at, like, bins + of * np.uint64(4), four, part, ROUND, to)


@inner
def share_odd(
    odd: Array,
    found: int,
    places: Places,
    shares: Shares,
    limits: Limits,
    spill: Array,
    removed: Array,
) -> None:
    """Work the list of odd pixels off: those that are data are added to ``spill``."""
    for k in range(found):
        good = limits.low <= odd[1, k] <= limits.high
        _share_pixel(odd[0, k], odd[1, k], good, places, shares, spill, removed)


@inner
def _share_pixel(
    i: int,
    value: int,
    good: bool,
    places: Places,
    shares: Shares,
    spill: Array,
    removed: Array,
) -> None:
    tile = i // TILE
    end = shares.starts[tile + 1]
    for bin_ in range(places.bins[i], shares.last[i] + 1):
        four = first_of(shares, tile, bin_)
        while four < end and shares.bins[four] // BLOCK == bin_ // BLOCK:
            if shares.bins[four] == bin_:
                _share_among(four, i, value, good, places, shares, spill, removed)
            four += 1


@inner
def _share_among(
    four: int,
    i: int,
    value: int,
    good: bool,
    places: Places,
    shares: Shares,
    spill: Array,
    removed: Array,
) -> None:
    bin_ = shares.bins[four]
    for k in range(FOUR):
        share = np.float64(shares.parts[four, k])
        if shares.pixels[four, k] != i % TILE or share == 0:
            continue
        if good:
            spill[0, bin_] += share * value
            spill[1, bin_] += square(share) * value
        else:
            removed[0, bin_] += share * places.weight[i]
            removed[1, bin_] += share
            if places.dark.size:
                removed[2, bin_] += share * places.dark[i]
