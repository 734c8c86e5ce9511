"""Detector images inside CBOR tags (RFC 8746 and DECTRIS), taken apart without unpacking them."""

from collections.abc import Sequence

import numpy as np
from cbor2 import CBORTag

from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, PackedImage
from livepdf.numerics.unpack import unpack
from livepdf.sources.bszstd import unpack_bszstd
from livepdf.sources.fields import in_words

ROW_MAJOR, COLUMN_MAJOR, COMPRESSED = 40, 1040, 56500
DTYPE = {
    64: "u1", 65: ">u2", 66: ">u4", 67: ">u8", 68: "u1", 69: "<u2", 70: "<u4", 71: "<u8",
    72: "i1", 73: ">i2", 74: ">i4", 75: ">i8", 77: "<i2", 78: "<i4", 79: "<i8",
    80: ">f2", 81: ">f4", 82: ">f8", 84: "<f2", 85: "<f4", 86: "<f8",
}  # fmt: skip
"""Typed-array tags. 83 and 87 are IEEE quads, which numpy has not."""

LARGEST_IMAGE = 1 << 30
"""Bytes of an unpacked image; no detector comes near, a damaged message may claim more."""
LZ4_RATIO = 256
"""LZ4 never packs better than 255 to 1: a larger claim is no image but a memory bomb."""
HEADER = 12
"""Bytes of the HDF5 header: u64 size of the image, u32 size of a block, both big-endian."""


def packed_image(value: object) -> PackedImage:
    """Take a tagged two-dimensional array apart; every size is checked before anything is unpacked.

    Raises FrameError: ``malformed``, ``unsupported dtype``, ``unsupported compression``,
    ``wrong size``, ``wrong element size`` or ``too large``.
    """
    array = _tag(value)
    if array.tag not in (ROW_MAJOR, COLUMN_MAJOR):
        raise FrameError("malformed", f"tag {array.tag} where an array (40 or 1040) was wanted")
    dims, content = _sequence(array.value, 2, "array")
    rows, columns = (_size(n) for n in _sequence(dims, 2, "shape"))
    if array.tag == ROW_MAJOR:
        return _image(content, shape=(rows, columns))
    return _transposed(_image(content, shape=(columns, rows)))


def _image(content: object, *, shape: tuple[int, int]) -> PackedImage:
    typed = _tag(content)
    if typed.tag not in DTYPE:
        raise FrameError("unsupported dtype", f"tag {typed.tag}")
    dtype = np.dtype(DTYPE[typed.tag])
    wanted = shape[0] * shape[1] * dtype.itemsize
    if wanted > LARGEST_IMAGE:
        raise FrameError("too large", f"an image of {shape[0]} × {shape[1]} pixels")
    if isinstance(typed.value, bytes | memoryview):
        if len(typed.value) != wanted:
            raise FrameError("wrong size", f"{len(typed.value)} bytes for {wanted}")
        return PackedImage(blob=typed.value, algorithm="raw", shape=shape, dtype=dtype)
    return _compressed(_tag(typed.value), shape=shape, dtype=dtype)


def _compressed(
    tag: CBORTag, *, shape: tuple[int, int], dtype: np.dtype[np.generic]
) -> PackedImage:
    if tag.tag != COMPRESSED:
        raise FrameError("malformed", f"tag {tag.tag} where bytes or tag {COMPRESSED} were wanted")
    name, element, blob = _sequence(tag.value, 3, "compressed bytes")
    if name not in ("bslz4", "lz4", "bszstd"):
        raise FrameError("unsupported compression", in_words(name))
    if not isinstance(blob, bytes | memoryview):
        raise FrameError("malformed", f"{type(blob).__name__} where compressed bytes were wanted")
    if element != dtype.itemsize and not (name == "lz4" and element == 0):
        raise FrameError(
            "wrong element size", f"{in_words(element)} for pixels of {dtype.itemsize} bytes"
        )
    if name == "bszstd":
        pixels = unpack_bszstd(blob, shape=shape, dtype=dtype)
        return PackedImage(blob=pixels.tobytes(), algorithm="raw", shape=shape, dtype=dtype)
    algorithm: Algorithm = "bslz4" if name == "bslz4" else "lz4"
    image = PackedImage(blob=blob, algorithm=algorithm, shape=shape, dtype=dtype)
    check_size(image)
    return image


def check_size(image: PackedImage) -> None:
    """Refuse a ``bslz4`` or ``lz4`` image whose header promises another size than its shape."""
    found = int.from_bytes(image.blob[:8], "big")
    if len(image.blob) < HEADER or found != image.image_bytes:
        raise FrameError("wrong size", f"header says {found} bytes for {image.image_bytes}")
    if image.image_bytes > LZ4_RATIO * len(image.blob):
        raise FrameError("wrong size", f"{len(image.blob)} bytes cannot hold {image.image_bytes}")


def _transposed(image: PackedImage) -> PackedImage:
    # No detector is known to send column-major arrays, so the intake may unpack the odd one.
    try:
        pixels = unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
    except ValueError as error:
        raise FrameError("undecodable", str(error)) from error
    return PackedImage(
        blob=np.ascontiguousarray(pixels.T).tobytes(),
        algorithm="raw",
        shape=(image.shape[1], image.shape[0]),
        dtype=image.dtype,
    )


def _tag(value: object) -> CBORTag:
    if not isinstance(value, CBORTag):
        raise FrameError("malformed", f"{type(value).__name__} where a tagged array was wanted")
    return value


def _sequence(value: object, length: int, what: str) -> Sequence[object]:
    # cbor2 6 gives tuples inside a tag, cbor2 5 lists.
    if not isinstance(value, list | tuple) or len(value) != length:
        raise FrameError("malformed", f"{what} is no list of {length}")
    return value


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise FrameError("malformed", f"array size {in_words(value)}")
    if value > LARGEST_IMAGE:
        raise FrameError("too large", f"array size {in_words(value)}")
    return value
