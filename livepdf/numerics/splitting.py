"""Add up pixels shared out among bins: the loops for one image."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adders import share_one
from livepdf.numerics.blocks import HEADER, RAW, SHUFFLED, read_pixels, read_rest
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.stream import Places, Source, opened

WIDTH = 4
"""Neighbouring bins that a row holds; what reaches further goes to a short list."""
COPIES = 2
"""Private accumulators that neighbouring pixels take in turn."""

Array = NDArray[Any]

_ROW = 4 * WIDTH
_SUMS = 2 * 8 * WIDTH


class Shares(NamedTuple):
    """How pixels are shared out; their first bins are those of :class:`Places`."""

    rows: Array
    """(pixels, WIDTH) float32: shares of the first bin and the next ones."""
    wide_pixel: Array
    """(entries,) int64, rising: pixels that reach beyond their row, each with a bin and a share."""
    wide_bin: Array
    wide_share: Array


@kernel
def fill_rows(
    starts: Array, bins: Array, shares: Array, n_bins: int, first: Array, rows: Array
) -> int:
    """Write the nearest bins of each pixel into ``rows`` (pixels, WIDTH); return the number left.

    ``first`` (pixels,) is the bin of the row's first column, ``n_bins`` for a pixel in no bin.
    """
    left = 0
    for i in range(first.size):
        first[i] = n_bins
        for k in range(starts[i], starts[i + 1]):
            if k == starts[i]:
                first[i] = bins[k]
            column = bins[k] - bins[starts[i]]
            if column < WIDTH:
                rows[i, column] = shares[k]
            else:
                left += 1
    return left


@kernel
def list_wide(
    starts: Array,
    bins: Array,
    shares: Array,
    wide_pixel: Array,
    wide_bin: Array,
    wide_share: Array,
) -> None:
    """List the entries that do not fit into a row."""
    place = 0
    for i in range(starts.size - 1):
        for k in range(starts[i], starts[i + 1]):
            if bins[k] - bins[starts[i]] >= WIDTH:
                wide_pixel[place] = i
                wide_bin[place] = bins[k]
                wide_share[place] = shares[k]
                place += 1


@kernel
def share_image(
    source: Source,
    places: Places,
    shares: Shares,
    low: Any,
    high: Any,
    planes: Array,
    sums: Array,
    spill: Array,
    removed: Array,
) -> Any:
    """Share an image of any type out; return 0, or a flaw (< 0).

    ``sums`` (COPIES, n, 2, WIDTH) gets share × value and share² × value by the *first* bin of the
    pixel and the column of its row, ``spill`` (2, n) the same of the wide entries by their own bin,
    ``removed`` (3, n + WIDTH) weight, number and dark of the pixels outside ``low`` … ``high``.
    """
    stream = opened(source)
    pixels, size = stream.pixels, places.bins.size
    if stream.mode == RAW:
        _share_rows(pixels, 0, places, shares, low, high, sums, removed)
        _share_wide(pixels, 0, 0, places, shares, low, high, spill, removed)
        return 0
    raw = pixels.view(np.uint8)
    item = pixels.itemsize
    place, wide = HEADER, 0
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    for start in range(0, end, stream.piece):
        part = pixels[: min(stream.piece, end - start)]
        target = raw[: part.size * item]
        place = read_pixels(stream.mode, stream.packed, place, target, planes, item, stream.lz4)
        if place < 0:
            return place
        _share_rows(part, start, places, shares, low, high, sums, removed)
        wide = _share_wide(part, start, wide, places, shares, low, high, spill, removed)
    part = pixels[: size - end]
    place = read_rest(stream.packed, place, raw[: part.size * item])
    if place < 0:
        return place
    _share_rows(part, end, places, shares, low, high, sums, removed)
    _share_wide(part, end, wide, places, shares, low, high, spill, removed)
    return 0


@inner
def _share_rows(
    pixels: Array,
    start: int,
    places: Places,
    shares: Shares,
    low: Any,
    high: Any,
    sums: Array,
    removed: Array,
) -> None:
    # Addresses, since an array made for each pixel costs more than the pixel.
    rows = shares.rows.ctypes.data + np.uint64(start * _ROW)
    to = sums.ctypes.data
    copy = np.uint64(places.n * _SUMS)
    for i in range(pixels.size):
        value = pixels[i]
        bin_ = places.bins[start + i]
        if bin_ >= places.n:
            continue
        if low <= value <= high:
            place = np.uint64((start + i) % COPIES) * copy + np.uint64(bin_ * _SUMS)
            share_one(np.float64(value), rows + np.uint64(i * _ROW), to + place)
        else:
            for k in range(WIDTH):
                share = np.float64(shares.rows[start + i, k])
                remove_share(start + i, share, bin_ + k, places, removed)


@inner
def _share_wide(
    pixels: Array,
    start: int,
    wide: int,
    places: Places,
    shares: Shares,
    low: Any,
    high: Any,
    spill: Array,
    removed: Array,
) -> int:
    while wide < shares.wide_pixel.size and shares.wide_pixel[wide] < start + pixels.size:
        i, bin_ = shares.wide_pixel[wide], shares.wide_bin[wide]
        share = np.float64(shares.wide_share[wide])
        value = pixels[i - start]
        if low <= value <= high:
            part = share * np.float64(value)
            spill[0, bin_] += part
            spill[1, bin_] += share * part
        else:
            remove_share(i, share, bin_, places, removed)
        wide += 1
    return wide


@inner
def remove_share(i: int, share: float, bin_: int, places: Places, removed: Array) -> None:
    """Add what a share of pixel ``i`` would have added to the totals to ``removed`` (3, n)."""
    removed[0, bin_] += share * places.weight[i]
    removed[1, bin_] += share
    if places.dark.size:
        removed[2, bin_] += share * places.dark[i]
