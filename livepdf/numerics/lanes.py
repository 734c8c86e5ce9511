"""Add 16 images up side by side: each index, each share is then read once for all of them."""

from typing import Any, NamedTuple

import numpy as np
from numba import carray
from numpy.typing import NDArray

from livepdf.numerics.adders import LANES, add_lanes, add_lines
from livepdf.numerics.blocks import RAW, SHUFFLED
from livepdf.numerics.histogram import drain
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.stream import (
    Desk,
    Limits,
    Places,
    Source,
    clean_piece,
    clean_rest,
    list_odd,
    opened,
)
from livepdf.numerics.vectors import LINE, pointer

Array = NDArray[Any]


class Batch(NamedTuple):
    """Images of one kind."""

    mode: int
    addresses: Array
    """(16,) uint64 of the packed or raw images."""
    sizes: Array
    """(16,) int64, bytes."""
    flaws: Array
    """(16,) int64: 0, or what is wrong with the image; a lane without one is not used."""
    where: Array
    """(16,) int64: where the next block starts."""
    scratch: Array
    """(piece,) of the type of the images."""
    lz4: int


class Bench(NamedTuple):
    """Scratch for one piece of each image."""

    planes: Array
    words: Array
    odd: Array
    """(16, 2, piece) int64"""
    found: Array
    """(16,) int64: odd pixels of this piece."""
    tiles: Array
    """(16, stride) uint16; rows of unused lanes are 0"""
    room: Array
    """(2, 16, 64) uint8"""


@kernel
def add_batch(
    batch: Batch,
    places: Places,
    limits: Limits,
    bench: Bench,
    sums: Array,
    wide: Array,
    removed: Array,
) -> None:
    """Add whole pixels up.

    ``sums`` (n + TRASH, 16) uint32 has its columns in the order of ``LANE_ORDER``, ``wide`` (16, n)
    and ``removed`` (16, 3, n) are those of the loops for one image.
    """
    size = places.bins.size
    begin = 0
    if batch.mode == RAW and batch.scratch.itemsize > 1:
        begin = _add_raw(batch, places, limits, bench, sums, wide, removed)
    end = size // 8 * 8 if batch.mode == SHUFFLED else size
    for start in range(begin, end, batch.scratch.size):
        count = min(batch.scratch.size, end - start)
        fill(batch, start, count, False, places, limits, bench)
        _add_tiles(bench.tiles, places.bins[start : start + count], sums)
        _drain_all(bench, places, limits, wide, removed)
    if batch.mode != RAW:
        fill(batch, end, size - end, True, places, limits, bench)
        _add_tiles(bench.tiles, places.bins[end:], sums)
        _drain_all(bench, places, limits, wide, removed)


@inner
def fill(
    batch: Batch,
    start: int,
    count: int,
    last: bool,
    places: Places,
    limits: Limits,
    bench: Bench,
) -> None:
    """Fill ``bench.tiles`` with ``count`` clean pixels of each image; a flawed one gives zeros."""
    for lane in range(LANES):
        bench.found[lane] = 0
        if batch.flaws[lane] != 0:
            continue
        address, length = batch.addresses[lane], batch.sizes[lane]
        stream = opened(Source(batch.mode, address, length, batch.scratch, batch.lz4))
        desk = Desk(bench.planes, bench.words, bench.odd[lane])
        tile = bench.tiles[lane, :count]
        place = batch.where[lane]
        if last:
            place, found = clean_rest(stream, place, start, places, limits, desk, tile)
        else:
            place, found = clean_piece(stream, place, start, places, limits, desk, tile)
        batch.where[lane] = place
        bench.found[lane] = found
        if place < 0:
            batch.flaws[lane] = place
            bench.tiles[lane] = 0


@inner
def _add_raw(
    batch: Batch,
    places: Places,
    limits: Limits,
    bench: Bench,
    sums: Array,
    wide: Array,
    removed: Array,
) -> Any:
    """Add raw images up, all but the last pixels; return where these start."""
    item = batch.scratch.itemsize
    count = LINE // item
    n, top = places.bins.dtype.type(places.n), batch.scratch.dtype.type(limits.top)
    table, of = batch.addresses.ctypes.data, places.bins.ctypes.data
    room, to = bench.room.ctypes.data, sums.ctypes.data
    end = start_lines(batch, bench, places.bins.size)
    for start in range(0, end, count):
        at, bins = np.uint64(start * item), of + np.uint64(2 * start)
        if add_lines(table, at, bins, n, top, room, to):
            _take_back(batch, start, count, places, limits, bench, sums)
            _drain_all(bench, places, limits, wide, removed)
    return end


@inner
def start_lines(batch: Batch, bench: Bench, size: int) -> Any:
    """Make ready for reading raw images line by line; return how many pixels that will be."""
    count = LINE // batch.scratch.itemsize
    lines = size // count - 1
    if lines <= 0:
        return 0
    for lane in range(LANES // 2, LANES):
        bench.room[0, lane] = carray(pointer(batch.addresses[lane]), LINE, np.uint8)
    return lines * count


@inner
def list_line(
    batch: Batch,
    lane: int,
    start: int,
    count: int,
    places: Places,
    limits: Limits,
    bench: Bench,
) -> Any:
    """List the odd pixels of a line of one raw image; return how many there are."""
    bench.found[lane] = 0
    if batch.flaws[lane] == 0:
        at = pointer(batch.addresses[lane] + np.uint64(start * batch.scratch.itemsize))
        pixels = carray(at, count, batch.scratch.dtype)
        odd, tile = bench.odd[lane], bench.tiles[lane]
        bench.found[lane] = list_odd(pixels, start, places, limits, odd, 0, tile)
    return bench.found[lane]


@inner
def _take_back(
    batch: Batch,
    start: int,
    count: int,
    places: Places,
    limits: Limits,
    bench: Bench,
    sums: Array,
) -> None:
    """Undo the adding of odd pixels, and list them; sums are modulo 2^32, so nothing is lost."""
    for lane in range(LANES):
        found = list_line(batch, lane, start, count, places, limits, bench)
        column = lane // 2 + lane % 2 * (LANES // 2)
        for k in range(found):
            value = bench.odd[lane, 1, k]
            # As it was added: without its sign.
            raw = value + limits.wrap if value < 0 else value
            sums[places.bins[bench.odd[lane, 0, k]], column] -= np.uint32(raw)


@inner
def _add_tiles(tiles: Array, index: Array, sums: Array) -> None:
    whole = index.size // LANES * LANES
    stride = np.uint64(tiles.strides[0])
    at, of, to = tiles.ctypes.data, index.ctypes.data, sums.ctypes.data
    for i in range(0, whole, LANES):
        step = np.uint64(2 * i)
        add_lanes(at + step, stride, of + step, to)
    for i in range(whole, index.size):
        for lane in range(LANES):
            sums[index[i], lane // 2 + lane % 2 * (LANES // 2)] += tiles[lane, i]


@inner
def _drain_all(bench: Bench, places: Places, limits: Limits, wide: Array, removed: Array) -> None:
    for lane in range(LANES):
        if bench.found[lane]:
            found = bench.found[lane]
            drain(bench.odd[lane], found, places, limits, wide[lane], removed[lane])
