"""Add 16 images up side by side: each index, each share is then read once for all of them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import RAW, SHUFFLED
from livepdf.numerics.histogram import drain
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.splitting import WIDTH, Shares, remove_share
from livepdf.numerics.stream import Desk, Limits, Places, Source, clean_piece, clean_rest, opened
from livepdf.numerics.vectors import LANES, add_lanes, share_lanes

Array = NDArray[Any]

FLUSH = 16384
"""Pixels after which float32 sums are moved to float64, so that they stay exact to 1e-6."""


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
    """(16, stride) uint16"""


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
    end = size // 8 * 8 if batch.mode == SHUFFLED else size
    for start in range(0, end, batch.scratch.size):
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
    end = size // 8 * 8 if batch.mode == SHUFFLED else size
    wide, waiting = 0, 0
    for start in range(0, end, batch.scratch.size):
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
