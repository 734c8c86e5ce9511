"""Decompress detector images; sizes are checked first, and no input can crash it."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.bitshuffle import ROOM
from livepdf.numerics.blocks import (
    CORRUPT,
    HEADER,
    PLAIN,
    SHUFFLED,
    TRUNCATED,
    read_pixels,
    read_rest,
)
from livepdf.numerics.kernel import kernel
from livepdf.numerics.lz4_call import expand, lz4_or_own

Algorithm = Literal["raw", "bslz4", "lz4", "lz4-block"]
"""``bslz4`` and ``lz4`` carry the 12-byte HDF5 header; ``lz4-block`` is one bare LZ4 block."""
Flaw = Literal["truncated", "wrong size", "corrupt"]

DEFAULT_BLOCK = 8192
"""Bytes of a bitshuffle block whose header says 0."""
_FLAWS: dict[int, Flaw] = {TRUNCATED: "truncated", CORRUPT: "corrupt"}


class UnpackError(ValueError):
    """An image that cannot be unpacked; ``reason`` is a fixed phrase to count it under."""

    def __init__(self, reason: Flaw, detail: str) -> None:
        self.reason: Flaw = reason
        super().__init__(detail)


def unpack(
    blob: bytes | memoryview,
    *,
    algorithm: Algorithm,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Decompress one image.

    Parameters
    ----------
    blob : bytes
    algorithm : {"raw", "bslz4", "lz4", "lz4-block"}
    shape : (ny, nx)
    dtype : integer or float of 1, 2, 4 or 8 bytes
        With the byte order of the blob.
    out : (ny, nx), native byte order, contiguous, optional
        Filled and returned. Undefined after an error.

    Returns
    -------
    image : (ny, nx), native byte order
        A read-only view of the blob where it is raw, native and no ``out`` is given.

    Raises
    ------
    UnpackError
        ``truncated`` (it ends early), ``wrong size`` (not the size of the image) or ``corrupt``.
        A changed payload can still give wrong pixels: the formats have no checksum.
    ValueError
        An unusable ``dtype``, ``out`` or algorithm.
    """
    native = _native(dtype)
    if out is not None and (
        out.shape != shape or out.dtype != native or not out.flags.c_contiguous
    ):
        raise ValueError(f"out is {out.shape} {out.dtype}, wanted contiguous {shape} {native}")
    packed = np.frombuffer(blob, np.uint8)
    size = shape[0] * shape[1] * dtype.itemsize
    if algorithm == "raw":
        return _plain(packed, shape=shape, dtype=dtype, size=size, out=out)
    image = np.empty(shape, native) if out is None else out
    target = image.reshape(-1).view(np.uint8)
    if algorithm == "lz4-block":
        _one_block(packed, target)
    elif algorithm in ("bslz4", "lz4"):
        _blocks(packed, target, item=dtype.itemsize, shuffled=algorithm == "bslz4")
    else:
        raise ValueError(f"unknown algorithm {algorithm!r}")
    return image if dtype.isnative else image.byteswap(inplace=True)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in "iuf" or dtype.itemsize not in (1, 2, 4, 8):
        raise ValueError(f"pixels of type {dtype} are not supported")
    return dtype.newbyteorder("=")


def _plain(
    packed: NDArray[np.uint8],
    *,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    size: int,
    out: NDArray[Any] | None,
) -> NDArray[Any]:
    if packed.size != size:
        reason: Flaw = "truncated" if packed.size < size else "wrong size"
        raise UnpackError(reason, f"{packed.size} bytes of pixels, wanted {size}")
    image = packed.view(dtype).reshape(shape)
    if out is None:
        return image if dtype.isnative else image.astype(_native(dtype))
    out[...] = image
    return out


def _one_block(packed: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    # LZ4 cannot shrink more than 255 times: less is certainly not the whole image.
    if packed.size * 255 < target.size:
        raise UnpackError("truncated", f"{packed.size} bytes cannot hold {target.size}")
    written = _expand(lz4_or_own(), packed, target)
    if written < 0:
        raise UnpackError("corrupt", "the LZ4 block cannot be decoded")
    if written != target.size:
        raise UnpackError("wrong size", f"unpacks to {written} bytes, wanted {target.size}")


def _blocks(
    packed: NDArray[np.uint8], target: NDArray[np.uint8], *, item: int, shuffled: bool
) -> None:
    block = checked_block(packed, size=target.size, item=item, shuffled=shuffled)
    mode = SHUFFLED if shuffled else PLAIN
    scratch = plane_scratch(min(block, target.size) if shuffled else 0)
    flaw = _expand_blocks(mode, packed, target, scratch, item, block, lz4_or_own())
    if flaw < 0:
        raise flawed(flaw, packed.size)


def checked_block(packed: NDArray[np.uint8], *, size: int, item: int, shuffled: bool) -> int:
    """Check the header of a blob; return the size of its blocks in bytes.

    Parameters
    ----------
    size : int
        Bytes of the image.
    item : int
        Bytes of a pixel.

    Raises
    ------
    UnpackError
    """
    if packed.size < HEADER:
        raise UnpackError("truncated", f"{packed.size} bytes, the header alone has {HEADER}")
    announced = int.from_bytes(packed[:8].tobytes(), "big")
    if announced != size:
        raise UnpackError("wrong size", f"header says {announced} bytes, wanted {size}")
    block = int.from_bytes(packed[8:HEADER].tobytes(), "big")
    if shuffled:
        block = block or DEFAULT_BLOCK // (8 * item) * (8 * item)
        if block % (8 * item):
            raise UnpackError("corrupt", f"blocks of {block} bytes are not 8 × {item}-byte pixels")
    elif block == 0 and size:
        raise UnpackError("corrupt", "blocks of 0 bytes")
    return block


def flawed(flaw: int, size: int) -> UnpackError:
    """Return the error for a flaw that a loop has found in a blob of ``size`` bytes."""
    return UnpackError(_FLAWS[flaw], f"a block of {size} bytes cannot be decoded")


def plane_scratch(block: int) -> NDArray[np.uint8]:
    """Return (2, bytes): room for the bit planes of a block, and what undoing them needs."""
    return np.empty((2, max(block, ROOM)), np.uint8)


@kernel
def _expand(lz4: int, packed: Any, target: Any) -> Any:
    return expand(lz4, packed, target)


@kernel
def _expand_blocks(
    mode: int, packed: Any, target: Any, scratch: Any, item: int, block: int, lz4: int
) -> Any:
    # The last pixels that do not fill a group of 8 are stored as they are.
    rest = target.size % (8 * item) if mode == SHUFFLED else 0
    end = target.size - rest
    place = HEADER
    done = 0
    while done < end:
        part = target[done : min(done + block, end)]
        place = read_pixels(mode, packed, place, part, scratch, item, lz4)
        if place < 0:
            return place
        done += part.size
    return read_rest(packed, place, target[done:])
