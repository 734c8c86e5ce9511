"""Decompress detector images; sizes are checked first, and no input can crash it."""

from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from livepdf.numerics.bitshuffle import unshuffle
from livepdf.numerics.lz4_call import decompress_safe, lz4_address

Algorithm = Literal["raw", "bslz4", "lz4", "lz4-block"]
"""``bslz4`` and ``lz4`` carry the 12-byte HDF5 header; ``lz4-block`` is one bare LZ4 block."""
Flaw = Literal["truncated", "wrong size", "corrupt"]

HEADER = 12
"""Bytes: u64 size of the image, u32 size of a block, both big-endian."""
DEFAULT_BLOCK = 8192
"""Bytes of a bitshuffle block whose header says 0."""
_FLAWS: dict[int, Flaw] = {1: "truncated", 2: "corrupt"}


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
    written = _expand_one(packed, target, lz4_address())
    if written < 0:
        raise UnpackError("corrupt", "the LZ4 block cannot be decoded")
    if written != target.size:
        raise UnpackError("wrong size", f"unpacks to {written} bytes, wanted {target.size}")


def _blocks(
    packed: NDArray[np.uint8], target: NDArray[np.uint8], *, item: int, shuffled: bool
) -> None:
    if packed.size < HEADER:
        raise UnpackError("truncated", f"{packed.size} bytes, the header alone has {HEADER}")
    announced = int.from_bytes(packed[:8].tobytes(), "big")
    if announced != target.size:
        raise UnpackError("wrong size", f"header says {announced} bytes, wanted {target.size}")
    block = int.from_bytes(packed[8:HEADER].tobytes(), "big")
    if shuffled:
        block = block or DEFAULT_BLOCK // (8 * item) * (8 * item)
        if block % (8 * item):
            raise UnpackError("corrupt", f"blocks of {block} bytes are not 8 × {item}-byte pixels")
        flaw = _expand_shuffled(packed, target, _scratch(block, target), item, block, lz4_address())
    elif block == 0 and target.size:
        raise UnpackError("corrupt", "blocks of 0 bytes")
    else:
        flaw = _expand_plain(packed, target, block, lz4_address())
    if flaw:
        raise UnpackError(_FLAWS[flaw], f"a block of {packed.size} bytes cannot be decoded")


def _scratch(block: int, target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Words inside, so that whole words may be loaded; never larger than the image asks for.
    words = min(block, target.size) // 8 + 1
    return np.empty((2, words), np.uint64).view(np.uint8)


@njit(nogil=True, cache=True)
def _expand_one(packed: Any, target: Any, lz4: int) -> Any:
    return decompress_safe(lz4, packed.ctypes.data, target.ctypes.data, packed.size, target.size)


@njit(nogil=True, cache=True)
def _block_length(packed: Any, place: int) -> int:
    if place + 4 > packed.size:
        return -1
    length = 0
    for i in range(4):
        length = length * 256 + packed[place + i]
    return length if place + 4 + length <= packed.size else -1


@njit(nogil=True, cache=True)
def _expand_plain(packed: Any, target: Any, block: int, lz4: int) -> int:
    place = HEADER
    done = 0
    while done < target.size:
        wanted = min(block, target.size - done)
        length = _block_length(packed, place)
        if length < 0:
            return 1
        place += 4
        if length == wanted:
            # A block that did not shrink is stored as it is.
            for i in range(wanted):
                target[done + i] = packed[place + i]
        else:
            source = packed.ctypes.data + np.uint64(place)
            written = decompress_safe(
                lz4, source, target.ctypes.data + np.uint64(done), length, wanted
            )
            if written != wanted:
                return 2
        place += length
        done += wanted
    return 0 if place == packed.size else 2


@njit(nogil=True, cache=True)
def _expand_shuffled(
    packed: Any, target: Any, scratch: Any, item: int, block: int, lz4: int
) -> int:
    place = HEADER
    done = 0
    # The last pixels that do not fill a group of 8 are stored as they are.
    rest = target.size % (8 * item)
    end = target.size - rest
    while done < end:
        wanted = min(block, end - done)
        length = _block_length(packed, place)
        if length < 0:
            return 1
        place += 4
        source = packed.ctypes.data + np.uint64(place)
        written = decompress_safe(lz4, source, scratch[0].ctypes.data, length, wanted)
        if written != wanted:
            return 2
        unshuffle(scratch[0], wanted // item, item, scratch[1], target[done : done + wanted])
        place += length
        done += wanted
    if place + rest != packed.size:
        return 1 if place + rest > packed.size else 2
    for i in range(rest):
        target[done + i] = packed[place + i]
    return 0
