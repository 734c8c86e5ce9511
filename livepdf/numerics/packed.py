"""A packed image checked and made ready to be read piece by piece."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import PLAIN, RAW, SHUFFLED
from livepdf.numerics.lz4_call import lz4_or_own
from livepdf.numerics.stream import Source
from livepdf.numerics.unpack import Algorithm, UnpackError, checked_block, plane_scratch

RAW_PIECE = 4096
"""Pixels of a piece of a raw image."""
LARGEST = 1 << 17
"""Bytes of the largest block that is worth being read piece by piece: it must stay in cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """An image whose sizes are right; what its blocks hold is not known yet."""

    mode: int
    raw: NDArray[np.uint8]
    """(bytes,) as received."""
    dtype: np.dtype[Any]
    """Native byte order."""
    piece: int
    """Pixels."""

    def source(self, *, bits: bool = False) -> Source:
        """Return it as the loops want it, with scratch of its own; keep this as long as that.

        Parameters
        ----------
        bits : bool
            For loops that see integers without their sign, so that fewer must be compiled.
        """
        scratch = self.scratch(bits=bits)
        return Source(self.mode, self.raw.ctypes.data, self.raw.size, scratch, lz4_or_own())

    def scratch(self, *, bits: bool = False) -> NDArray[Any]:
        """Return room for the pixels of a piece."""
        return np.empty(self.piece, f"u{self.dtype.itemsize}" if bits else self.dtype)

    def planes(self) -> NDArray[np.uint8]:
        """Return room for the bit planes of a piece."""
        return plane_scratch(self.piece * self.dtype.itemsize if self.mode == SHUFFLED else 0)


def open_packed(
    blob: bytes | memoryview, *, algorithm: Algorithm, shape: tuple[int, int], dtype: np.dtype[Any]
) -> Packed | None:
    """Check the sizes of an image; None for one that can only be unpacked as a whole.

    That is one of the other byte order, a bare LZ4 block, and blocks that do not fit into cache or
    cut through a group of eight pixels.

    Raises
    ------
    UnpackError
        ``truncated``, ``wrong size`` or ``corrupt``, as :func:`livepdf.numerics.unpack.unpack`.
    """
    raw = np.frombuffer(blob, np.uint8)
    item = dtype.itemsize
    size = shape[0] * shape[1] * item
    if not dtype.isnative or dtype.kind not in "iuf" or item not in (1, 2, 4, 8):
        return None
    if algorithm == "raw":
        if raw.size != size:
            reason: Any = "truncated" if raw.size < size else "wrong size"
            raise UnpackError(reason, f"{raw.size} bytes of pixels, wanted {size}")
        aligned = raw.ctypes.data % item == 0
        return Packed(mode=RAW, raw=raw, dtype=dtype, piece=RAW_PIECE) if aligned else None
    if algorithm not in ("bslz4", "lz4"):
        return None
    shuffled = algorithm == "bslz4"
    block = checked_block(raw, size=size, item=item, shuffled=shuffled)
    if block > LARGEST or block == 0 or block % (8 * item):
        return None
    return Packed(mode=SHUFFLED if shuffled else PLAIN, raw=raw, dtype=dtype, piece=block // item)


def bare(image: NDArray[Any]) -> Packed:
    """Wrap an image in memory: flat, contiguous, native byte order."""
    return Packed(mode=RAW, raw=image.view(np.uint8), dtype=image.dtype, piece=RAW_PIECE)
