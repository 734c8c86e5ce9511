"""Add up whole pixels per bin: the loops."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

TRASH = 32
"""Extra bins that take turns for ignored pixels, so that a gap does not wait on one address."""
COPIES = 4
"""Private histograms, so that neighbours in the same bin do not wait for one another."""
TILE = 256
"""Pixels tested together for values to ignore: the test is then nearly free."""

Array = NDArray[Any]


@njit(nogil=True, cache=True)
def histogram(
    image: Array,
    index: Array,
    low: Any,
    high: Any,
    weight: Array,
    dark: Array,
    sums: Array,
    removed: Array,
) -> None:
    """Add ``image`` to ``sums`` (COPIES, n + TRASH) and what was ignored to ``removed`` (3, n).

    ``removed`` holds weight, number and dark of the pixels outside ``low`` … ``high`` (NaN too).
    """
    whole = image.size // TILE * TILE
    for start in range(0, whole, TILE):
        if _spoilt(image, start, TILE, low, high):
            _add_carefully(image, index, start, TILE, low, high, weight, dark, sums, removed)
        else:
            for i in range(start, start + TILE, COPIES):
                sums[0, index[i]] += image[i]
                sums[1, index[i + 1]] += image[i + 1]
                sums[2, index[i + 2]] += image[i + 2]
                sums[3, index[i + 3]] += image[i + 3]
    rest = image.size - whole
    _add_carefully(image, index, whole, rest, low, high, weight, dark, sums, removed)


@njit(nogil=True, cache=True)
def histogram_by_words(
    image: Array,
    index: Array,
    low: Any,
    high: Any,
    weight: Array,
    dark: Array,
    sums: Array,
    removed: Array,
) -> None:
    """Do the same for uint16 pixels and bin numbers, four of each per load (a third faster)."""
    mask = np.uint64(0xFFFF)
    shift1, shift2, shift3 = np.uint64(16), np.uint64(32), np.uint64(48)
    whole = image.size // TILE * TILE
    pixels = image[:whole].view(np.uint64)
    bins = index[:whole].view(np.uint64)
    for start in range(0, whole, TILE):
        if _spoilt(image, start, TILE, low, high):
            _add_carefully(image, index, start, TILE, low, high, weight, dark, sums, removed)
        else:
            for k in range(start // 4, (start + TILE) // 4):
                word = pixels[k]
                place = bins[k]
                sums[0, place & mask] += np.uint32(word & mask)
                sums[1, (place >> shift1) & mask] += np.uint32((word >> shift1) & mask)
                sums[2, (place >> shift2) & mask] += np.uint32((word >> shift2) & mask)
                sums[3, place >> shift3] += np.uint32(word >> shift3)
    rest = image.size - whole
    _add_carefully(image, index, whole, rest, low, high, weight, dark, sums, removed)


@njit(nogil=True, cache=True, inline="always")
def _spoilt(image: Array, start: int, size: int, low: Any, high: Any) -> bool:
    spoilt = False
    for i in range(size):
        value = image[start + i]
        # The last comparison finds NaN; for integers the compiler drops it.
        spoilt = spoilt | (value < low) | (value > high) | (value != value)
    return spoilt


@njit(nogil=True, cache=True)
def _add_carefully(
    image: Array,
    index: Array,
    start: int,
    size: int,
    low: Any,
    high: Any,
    weight: Array,
    dark: Array,
    sums: Array,
    removed: Array,
) -> None:
    n_bins = removed.shape[1]
    for i in range(start, start + size):
        value = image[i]
        place = index[i]
        if low <= value <= high:
            sums[i % COPIES, place] += value
        elif place < n_bins:
            removed[0, place] += weight[i]
            removed[1, place] += 1.0
            if dark.size:
                removed[2, place] += dark[i]
