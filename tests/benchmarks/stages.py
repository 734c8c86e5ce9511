"""What nobody can do without: reading the pixels, and decoding LZ4."""

from typing import Any

import numpy as np
from numba import njit

from livepdf.numerics.blocks import HEADER, block_length
from livepdf.numerics.lz4_call import expand, lz4_or_own

BLOCK = 8192
"""Bytes of the blocks that hdf5plugin makes."""


def read(image: np.ndarray) -> int:
    """Read every byte once and keep next to nothing."""
    raw = image.reshape(-1).view(np.uint8)
    return int(_sum(raw[: raw.size // 8 * 8].view(np.uint64)))


def decode(blob: np.ndarray, size: int) -> int:
    """Decode the LZ4 blocks of a bitshuffled image, one after the other into the same place."""
    return int(_decode(blob, np.empty(BLOCK, np.uint8), size, lz4_or_own()))


@njit(nogil=True)
def _sum(words: Any) -> Any:
    total = np.uint64(0)
    for k in range(words.size):
        total += words[k]
    return total


@njit(nogil=True)
def _decode(blob: Any, target: Any, size: int, lz4: int) -> int:
    place, done = HEADER, 0
    while done < size:
        wanted = min(target.size, size - done)
        length = block_length(blob, place)
        place += 4
        expand(lz4, blob[place : place + length], target[:wanted])
        place += length
        done += wanted
    return place
