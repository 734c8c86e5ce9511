"""How pixels are shared out among bins: shares laid out so that they are quick to add up."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.sharers import TOGETHER
from livepdf.numerics.stream import fetch_lines

TILE = 4096
"""Pixels whose shares are sorted by bin: a bin is then fetched once for several of them."""
FOUR = 4
"""Shares of one bin that are added up together."""
BLOCK = 8
"""Neighbouring bins whose fours take turns: none then waits for the sums of the one before."""
RUN = 64
"""Fours that are worked off together; those of the next run are asked for meanwhile."""
STEPS = 2.0**23
"""Shares are multiples of 1/STEPS, so that sums of counts are exact, in any order, up to 2^30."""

ROUND = 1.5 * 2.0**52 / STEPS
"""Added to a number below 2^30 and taken off again, it rounds to a multiple of 1/STEPS."""

Array = NDArray[Any]


class Shares(NamedTuple):
    """How pixels are shared out, four shares of a bin together; left over places hold 0."""

    starts: Array
    """(tiles + 1,) int64, multiples of ``TOGETHER``: fours of tile t are ``starts[t]`` to
    ``starts[t + 1]``."""
    bins: Array
    """(fours,) uint32; blocks of bins rise within a tile, the bins of a block take turns."""
    pixels: Array
    """(fours, 4) uint16 within the tile."""
    parts: Array
    """(fours, 4) float32, multiples of 1/STEPS."""
    last: Array
    """(pixels,) last bin of each pixel; its first is that of :class:`Places`."""


@inner
def square(share: float) -> float:
    """Return the square of a share as a multiple of 1/STEPS."""
    return (share * share + ROUND) - ROUND


@kernel
def find_ends(starts: Array, bins: Array, order: Array, first: Array, last: Array) -> None:
    """Write the first and the last bin of each pixel; one in no bin is left as it is."""
    for i in range(order.size):
        begin, end = starts[order[i]], starts[order[i] + 1]
        if begin < end:
            first[i] = bins[begin]
            last[i] = bins[end - 1]


@kernel
def count_fours(starts: Array, bins: Array, order: Array, count: Array, fours: Array) -> None:
    """Write into ``fours`` (tiles,) how many each tile wants; ``count`` (n,) is scratch."""
    for tile in range(fours.size):
        _count(starts, bins, order, tile, count)
        number = 0
        for bin_ in range(count.size):
            number += (count[bin_] + FOUR - 1) // FOUR
        fours[tile] = (number + TOGETHER - 1) // TOGETHER * TOGETHER


@kernel
def fill_fours(
    starts: Array, bins: Array, parts: Array, order: Array, count: Array, shares: Shares
) -> None:
    """Fill the fours, which are 0, from the shares of the pixels in their order."""
    room = np.empty(count.size, np.int64)
    for tile in range(shares.starts.size - 1):
        _count(starts, bins, order, tile, count)
        _lay_out(shares, tile, count, room)
        for i in range(tile * TILE, min((tile + 1) * TILE, order.size)):
            for k in range(starts[order[i]], starts[order[i] + 1]):
                bin_ = bins[k]
                four = room[bin_]
                place = count[bin_] % FOUR
                shares.pixels[four, place] = i - tile * TILE
                shares.parts[four, place] = np.rint(parts[k] * STEPS) / STEPS
                count[bin_] += 1
                if place == FOUR - 1:
                    room[bin_] = _next(shares, four)


@inner
def _lay_out(shares: Shares, tile: int, count: Array, room: Array) -> None:
    """Say which bin each four of a tile is for; write the first of each into ``room``."""
    four = shares.starts[tile]
    for begin in range(0, count.size, BLOCK):
        end = min(begin + BLOCK, count.size)
        room[begin:end] = -1
        some = True
        while some:
            some = False
            for bin_ in range(begin, end):
                if count[bin_] <= 0:
                    continue
                shares.bins[four] = bin_
                if room[bin_] < 0:
                    room[bin_] = four
                count[bin_] -= FOUR
                four += 1
                some = True
        count[begin:end] = 0
    for left in range(four, shares.starts[tile + 1]):
        shares.bins[left] = shares.bins[four - 1]


@inner
def _next(shares: Shares, four: int) -> int:
    """Return the next four of the same bin; any where there is none."""
    k = four + 1
    while k < shares.bins.size and shares.bins[k] != shares.bins[four]:
        if shares.bins[k] // BLOCK != shares.bins[four] // BLOCK:
            return four
        k += 1
    return min(k, shares.bins.size - 1)


@kernel
def drop(shares: Shares, mask: Array) -> None:
    """Put 0 for the shares of the pixels of a flat mask."""
    for tile in range(shares.starts.size - 1):
        for four in range(shares.starts[tile], shares.starts[tile + 1]):
            for k in range(FOUR):
                if mask[tile * TILE + shares.pixels[four, k]]:
                    shares.parts[four, k] = 0


@inner
def fetch_run(shares: Shares, four: int) -> None:
    """Ask for the run of fours that begins at a number, which need not exist."""
    place = np.uint64(four)
    fetch_lines(shares.bins.ctypes.data + place * np.uint64(4), 4 * RUN)
    fetch_lines(shares.pixels.ctypes.data + place * np.uint64(2 * FOUR), 2 * FOUR * RUN)
    fetch_lines(shares.parts.ctypes.data + place * np.uint64(4 * FOUR), 4 * FOUR * RUN)


@inner
def first_of(shares: Shares, tile: int, bin_: int) -> Any:
    """Return the first four of a tile that may be of a bin."""
    low, high = shares.starts[tile], shares.starts[tile + 1]
    while low < high:
        middle = (low + high) // 2
        if shares.bins[middle] // BLOCK < bin_ // BLOCK:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _count(starts: Array, bins: Array, order: Array, tile: int, count: Array) -> None:
    count[:] = 0
    for i in range(tile * TILE, min((tile + 1) * TILE, order.size)):
        for k in range(starts[order[i]], starts[order[i] + 1]):
            count[bins[k]] += 1
