"""A detector image small enough for the screen."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

PREVIEW_SIDE = 512
"""Pixels of the longer side, at most."""


def binning_factor(shape: tuple[int, int], *, side: int) -> int:
    """Return the smallest whole factor that brings the longer side to at most ``side``."""
    return max(1, math.ceil(max(shape) / side))


def shrink(image: NDArray[Any], *, ignored: NDArray[np.bool_], factor: int) -> NDArray[np.float32]:
    """Return the mean of the pixels in use in squares of ``factor`` pixels.

    Parameters
    ----------
    image : (ny, nx)
    ignored : (ny, nx) bool
        True = ignore.

    Returns
    -------
    small : (⌈ny/factor⌉, ⌈nx/factor⌉) float32
        NaN where no pixel is in use; squares at the far edges hold what is left.
    """
    used = ~ignored
    if image.dtype.kind == "f":
        used &= np.isfinite(image)
    total = _sum_squares(np.where(used, image, 0).astype(np.float32), factor)
    count = _sum_squares(used.astype(np.float32), factor)
    small = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(total, count, out=small, where=count > 0)
    return small


def any_of(pixels: NDArray[np.bool_], *, factor: int) -> NDArray[np.bool_]:
    """Return (⌈ny/factor⌉, ⌈nx/factor⌉) bool: whether a square of pixels holds one that is True."""
    return _sum_squares(pixels.astype(np.float32), factor) > 0


def _sum_squares(array: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    ny, nx = array.shape
    rows, columns = -(-ny // factor), -(-nx // factor)
    if array.shape != (rows * factor, columns * factor):
        padded = np.zeros((rows * factor, columns * factor), dtype=np.float32)
        padded[:ny, :nx] = array
        array = padded
    # Adding whole lines is many times quicker than adding a few neighbours at a time.
    high = np.zeros((rows, array.shape[1]), dtype=np.float32)
    for k in range(factor):
        high += array[k::factor]
    total = np.zeros((rows, columns), dtype=np.float32)
    for k in range(factor):
        total += high[:, k::factor]
    return total
