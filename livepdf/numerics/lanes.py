"""Add 16 images up side by side: each index, each share is then read once for all of them."""

from typing import Any, NamedTuple

import numpy as np
from numba import carray
from numpy.typing import NDArray

from livepdf.numerics.adders import LANES, add_lanes, add_lines, share_lanes
from livepdf.numerics.blocks import RAW, SHUFFLED
from livepdf.numerics.groups import ALL, NONE, clean_group, copy_group, fetch_group, used_in
from livepdf.numerics.histogram import drain
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.planes import GROUP
from livepdf.numerics.splitting import WIDTH, Shares, remove_share
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

FLUSH = 65536
"""Pixels after which float32 sums are moved to float64, so that they stay exact to 1e-6."""
AHEAD = 1
"""Groups of an image that are asked for before they are needed."""


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
) -> int:
    """Add raw images up, all but the last pixels; return where these start."""
    item = batch.scratch.itemsize
    count = LINE // item
    lines = places.bins.size * item // LINE - 1
    n, top = places.bins.dtype.type(places.n), batch.scratch.dtype.type(limits.top)
    table, of = batch.addresses.ctypes.data, places.bins.ctypes.data
    room, to = bench.room.ctypes.data, sums.ctypes.data
    for lane in range(LANES // 2 if lines > 0 else LANES, LANES):
        bench.room[0, lane] = carray(pointer(batch.addresses[lane]), LINE, np.uint8)
    for line in range(lines):
        at, bins = np.uint64(line * LINE), of + np.uint64(2 * line * count)
        if add_lines(table, at, bins, n, top, room, to):
            _take_back(batch, line * count, count, places, limits, bench, sums)
            _drain_all(bench, places, limits, wide, removed)
    return max(lines, 0) * count


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
    item = batch.scratch.itemsize
    for lane in range(LANES):
        bench.found[lane] = 0
        if batch.flaws[lane] != 0:
            continue
        at = pointer(batch.addresses[lane] + np.uint64(start * item))
        pixels = carray(at, count, batch.scratch.dtype)
        column = lane // 2 + lane % 2 * (LANES // 2)
        for i in range(count):
            if places.bins[start + i] < places.n and pixels[i] > limits.top:
                sums[places.bins[start + i], column] -= np.uint32(pixels[i])
        odd, tile = bench.odd[lane], bench.tiles[lane]
        bench.found[lane] = list_odd(pixels, start, places, limits, odd, 0, tile)


@inner
def fill_group(batch: Batch, start: int, places: Places, limits: Limits, bench: Bench) -> bool:
    """Fill ``bench.tiles`` with 256 clean pixels of each raw image; return False if none is used.

    Small pieces, since equal places in 16 images often compete for the same lines of the cache.
    """
    used = used_in(places.live.ctypes.data + np.uint64(start // 8))
    if used == NONE:
        return False
    item, of = batch.scratch.itemsize, places.bins.itemsize
    n, top = places.bins.dtype.type(places.n), batch.scratch.dtype.type(limits.top)
    index = places.bins.ctypes.data + np.uint64(start * of)
    for lane in range(LANES):
        bench.found[lane] = 0
        if batch.flaws[lane] != 0:
            continue
        at = batch.addresses[lane] + np.uint64(start * item)
        to = bench.tiles.ctypes.data + np.uint64(lane * bench.tiles.strides[0])
        fetch_group(at + np.uint64(AHEAD * GROUP * item), top)
        odd = copy_group(at, top, to) if used == ALL else clean_group(at, index, n, top, to)
        if odd:
            pixels = carray(pointer(at), GROUP, batch.scratch.dtype)
            tile, listed = bench.tiles[lane, :GROUP], bench.odd[lane]
            bench.found[lane] = list_odd(pixels, start, places, limits, listed, 0, tile)
    return True


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


@kernel
def share_batch(
    batch: Batch,
    places: Places,
    shares: Shares,
    limits: Limits,
    bench: Bench,
    sums: Array,
    totals: Array,
    spill: Array,
    removed: Array,
) -> None:
    """Share pixels out.

    ``sums`` (n + WIDTH, 2, 16) float32, flat, is scratch full of zeros, ``totals`` the same in
    float64, columns in the order of ``LANE_ORDER``; ``spill`` (16, 2, n + WIDTH) float64 gets the
    wide entries and the pixels that are too large for a clean one, ``removed`` is
    (16, 3, n + WIDTH).
    """
    size = places.bins.size
    wide, waiting, begin = 0, 0, 0
    if batch.mode == RAW:
        begin = size // GROUP * GROUP
        for start in range(0, begin, GROUP):
            if fill_group(batch, start, places, limits, bench):
                wide = _share_tiles(bench, start, GROUP, wide, places, shares, sums, spill)
                _spill_odd(bench, places, shares, limits, spill, removed)
            if (start + GROUP) % FLUSH == 0:
                _flush(sums, totals)
    end = size // 8 * 8 if batch.mode == SHUFFLED else size
    for start in range(begin, end, batch.scratch.size):
        count = min(batch.scratch.size, end - start)
        fill(batch, start, count, False, places, limits, bench)
        wide = _share_tiles(bench, start, count, wide, places, shares, sums, spill)
        _spill_odd(bench, places, shares, limits, spill, removed)
        waiting += count
        if waiting >= FLUSH:
            _flush(sums, totals)
            waiting = 0
    if batch.mode != RAW:
        fill(batch, end, size - end, True, places, limits, bench)
        _share_tiles(bench, end, size - end, wide, places, shares, sums, spill)
        _spill_odd(bench, places, shares, limits, spill, removed)
    _flush(sums, totals)


@inner
def _share_tiles(
    bench: Bench,
    start: int,
    count: int,
    wide: int,
    places: Places,
    shares: Shares,
    sums: Array,
    spill: Array,
) -> int:
    tiles = bench.tiles
    whole = count // LANES * LANES
    stride = np.uint64(tiles.strides[0])
    for i in range(0, whole, LANES):
        at = tiles.ctypes.data + np.uint64(2 * i)
        of = places.bins.ctypes.data + np.uint64(4 * (start + i))
        rows = shares.rows.ctypes.data + np.uint64(4 * WIDTH * (start + i))
        share_lanes(at, stride, of, rows, sums.ctypes.data)
    for i in range(whole, count):
        for k in range(WIDTH):
            share = shares.rows[start + i, k]
            _spill(tiles, i, places.bins[start + i] + k, share, spill)
    while wide < shares.wide_pixel.size and shares.wide_pixel[wide] < start + count:
        i, bin_ = shares.wide_pixel[wide] - start, shares.wide_bin[wide]
        _spill(tiles, i, bin_, shares.wide_share[wide], spill)
        wide += 1
    return wide


@inner
def _spill(tiles: Array, i: int, bin_: int, share: float, spill: Array) -> None:
    for lane in range(LANES):
        part = np.float64(share) * tiles[lane, i]
        spill[lane, 0, bin_] += part
        spill[lane, 1, bin_] += np.float64(share) * part


@inner
def _spill_odd(
    bench: Bench, places: Places, shares: Shares, limits: Limits, spill: Array, removed: Array
) -> None:
    for lane in range(LANES):
        for k in range(bench.found[lane]):
            i, value = bench.odd[lane, 0, k], bench.odd[lane, 1, k]
            good = limits.low <= value <= limits.high
            for column in range(WIDTH):
                share = np.float64(shares.rows[i, column])
                bin_ = places.bins[i] + column
                _odd_share(i, share, bin_, value, good, places, spill[lane], removed[lane])
            j = np.searchsorted(shares.wide_pixel, i)
            while j < shares.wide_pixel.size and shares.wide_pixel[j] == i:
                share = np.float64(shares.wide_share[j])
                bin_ = shares.wide_bin[j]
                _odd_share(i, share, bin_, value, good, places, spill[lane], removed[lane])
                j += 1


@inner
def _odd_share(
    i: int,
    share: float,
    bin_: int,
    value: int,
    good: bool,
    places: Places,
    spill: Array,
    removed: Array,
) -> None:
    if good:
        spill[0, bin_] += share * value
        spill[1, bin_] += share * share * value
    else:
        remove_share(i, share, bin_, places, removed)


@inner
def _flush(sums: Array, totals: Array) -> None:
    for k in range(sums.size):
        totals[k] += sums[k]
        sums[k] = 0
