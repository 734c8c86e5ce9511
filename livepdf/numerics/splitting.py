"""Add up pixels shared out among bins: the loops."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

WIDTH = 4
"""Neighbouring bins that a row holds; what reaches further goes to a short list."""
COPIES = 2
"""Private accumulators that neighbouring pixels take in turn."""

Array = NDArray[Any]


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def share_rows(
    image: Array,
    first: Array,
    rows: Array,
    low: Any,
    high: Any,
    weight: Array,
    dark: Array,
    sums: Array,
    removed: Array,
) -> None:
    """Add ``image`` to ``sums`` (2, COPIES, n + WIDTH) and what was ignored to ``removed`` (3, n+).

    ``sums[0]`` gets share × value, ``sums[1]`` share² × value: the signal and its Poisson variance.
    """
    for i in range(image.size):
        value = image[i]
        place = first[i]
        if low <= value <= high:
            copy = i % COPIES
            x = np.float64(value)
            for k in range(WIDTH):
                share = np.float64(rows[i, k])
                part = share * x
                sums[0, copy, place + k] += part
                sums[1, copy, place + k] += share * part
        else:
            for k in range(WIDTH):
                share = np.float64(rows[i, k])
                removed[0, place + k] += share * weight[i]
                removed[1, place + k] += share
                if dark.size:
                    removed[2, place + k] += share * dark[i]


@njit(nogil=True, cache=True)
def share_wide(
    image: Array,
    wide_pixel: Array,
    wide_bin: Array,
    wide_share: Array,
    low: Any,
    high: Any,
    weight: Array,
    dark: Array,
    sums: Array,
    removed: Array,
) -> None:
    """Add the listed entries in the same way."""
    for j in range(wide_pixel.size):
        i = wide_pixel[j]
        value = image[i]
        place = wide_bin[j]
        share = np.float64(wide_share[j])
        if low <= value <= high:
            part = share * np.float64(value)
            sums[0, 0, place] += part
            sums[1, 0, place] += share * part
        else:
            removed[0, place] += share * weight[i]
            removed[1, place] += share
            if dark.size:
                removed[2, place] += share * dark[i]
