"""Share pixels of 16 images out side by side: each share is then read once for all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adders import LANES, lay_lanes, lay_lines
from livepdf.numerics.blocks import RAW, SHUFFLED
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.lanes import Batch, Bench, fill, list_line, start_lines
from livepdf.numerics.sharers import share_lanes, widen_shares
from livepdf.numerics.shares import ROUND, RUN, TILE, Shares, fetch_run
from livepdf.numerics.splitting import share_odd
from livepdf.numerics.stream import Limits, Places
from livepdf.numerics.vectors import LINE

Array = NDArray[Any]

_SUMS = 2 * 8 * LANES


@kernel
def share_batch(
    batch: Batch,
    places: Places,
    shares: Shares,
    limits: Limits,
    bench: Bench,
    pen: Array,
    spread: Array,
    sums: Array,
    spill: Array,
    removed: Array,
) -> None:
    """Share pixels out.

    ``pen`` (TILE + piece + 16, 16) float and ``spread`` (RUN, 2, 4) float64 are scratch.
    ``sums`` (n, 2, 16) float64 get share × value and share² × value, columns in the order of
    ``LANE_ORDER``; ``spill`` (16, 2, n) the same of pixels too large for a clean one, ``removed``
    is (16, 3, n).
    """
    size = places.bins.size
    have, number, begin = 0, 0, 0
    if batch.mode == RAW and batch.scratch.itemsize > 1:
        item = batch.scratch.itemsize
        count = LINE // item
        n, top = places.bins.dtype.type(places.n), batch.scratch.dtype.type(limits.top)
        table, of = batch.addresses.ctypes.data, places.bins.ctypes.data
        room, to, like = bench.room.ctypes.data, pen.ctypes.data, pen[0, 0]
        begin = start_lines(batch, bench, size)
        for start in range(0, begin, count):
            at, bins = np.uint64(start * item), of + np.uint64(2 * start)
            out = to + np.uint64(pen.strides[0] * have)
            if lay_lines(table, at, bins, n, top, room, like, out):
                _put_aside(batch, start, count, places, limits, bench, pen[have:])
                _share_odd(bench, places, shares, limits, spill, removed)
            have += count
            if have == TILE:
                _add_tile(pen, number, shares, spread, sums)
                have, number = 0, number + 1
    end = size // 8 * 8 if batch.mode == SHUFFLED else size
    for start in range(begin, end, batch.scratch.size):
        count = min(batch.scratch.size, end - start)
        fill(batch, start, count, False, places, limits, bench)
        _lay(bench, count, pen[have:])
        _share_odd(bench, places, shares, limits, spill, removed)
        have, number = _add_full(pen, have + count, number, shares, spread, sums)
    if batch.mode != RAW:
        fill(batch, end, size - end, True, places, limits, bench)
        _lay(bench, size - end, pen[have:])
        _share_odd(bench, places, shares, limits, spill, removed)
        have, number = _add_full(pen, have + size - end, number, shares, spread, sums)
    if have:
        _add_tile(pen, number, shares, spread, sums)


@inner
def _put_aside(
    batch: Batch,
    start: int,
    count: int,
    places: Places,
    limits: Limits,
    bench: Bench,
    pen: Array,
) -> None:
    """List odd pixels, and put 0 in their place."""
    for lane in range(LANES):
        found = list_line(batch, lane, start, count, places, limits, bench)
        for k in range(found):
            pen[bench.odd[lane, 0, k] - start, lane // 2 + lane % 2 * (LANES // 2)] = 0


@inner
def _lay(bench: Bench, count: int, pen: Array) -> None:
    """Lay the pixels of the 16 images side by side; up to 15 more are laid behind the last."""
    stride = np.uint64(bench.tiles.strides[0])
    at, to = bench.tiles.ctypes.data, pen.ctypes.data
    for i in range(0, count, LANES):
        lay_lanes(at + np.uint64(2 * i), stride, pen[0, 0], to + np.uint64(pen.strides[0] * i))


@inner
def _share_odd(
    bench: Bench, places: Places, shares: Shares, limits: Limits, spill: Array, removed: Array
) -> None:
    for lane in range(LANES):
        if bench.found[lane]:
            odd, found = bench.odd[lane], bench.found[lane]
            share_odd(odd, found, places, shares, limits, spill[lane], removed[lane])


@inner
def _add_full(
    pen: Array, have: int, number: int, shares: Shares, spread: Array, sums: Array
) -> Any:
    done = 0
    while have - done >= TILE:
        _add_tile(pen[done:], number, shares, spread, sums)
        done += TILE
        number += 1
    if done:
        for k in range(have - done):
            pen[k] = pen[done + k]
    return have - done, number


@inner
def _add_tile(pen: Array, number: int, shares: Shares, spread: Array, sums: Array) -> None:
    begin, end = shares.starts[number], shares.starts[number + 1]
    at, to, wide = pen.ctypes.data, sums.ctypes.data, spread.ctypes.data
    pixels, parts = shares.pixels.ctypes.data, shares.parts.ctypes.data
    for start in range(begin, end, RUN):
        fetch_run(shares, start + RUN)
        # Without a sign: nothing is counted from the end then, which would be looked for.
        first, count = np.uint64(start), np.uint64(min(RUN, end - start))
        for k in range(count):
            widen_shares(parts + np.uint64(16) * (first + k), ROUND, wide + np.uint64(64) * k)
        for k in range(count):
            of = first + k
            target = to + np.uint64(shares.bins[of]) * np.uint64(_SUMS)
            four = pixels + np.uint64(8) * of
            share_lanes(four, wide + np.uint64(64) * k, pen[0, 0], at, target)
