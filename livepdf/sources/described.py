"""A detector image whose shape, type and packing stand beside its bytes; checked, not unpacked."""

import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, PackedImage
from livepdf.sources.fields import Part, in_words
from livepdf.sources.typed_array import LARGEST_IMAGE, LZ4_RATIO, check_size

PIXELS = frozenset(
    f"{kind}{bits}"
    for kind, sizes in (("uint", (8, 16, 32, 64)), ("int", (8, 16, 32, 64)), ("float", (32, 64)))
    for bits in sizes
)
"""Names of pixel types that livepdf reads."""


def pixel_type(name: object, *, order: str = "<") -> np.dtype[np.generic]:
    """Return the type of a name such as ``uint16``. Raises FrameError ``unsupported dtype``."""
    if not isinstance(name, str) or name not in PIXELS:
        raise FrameError("unsupported dtype", in_words(name))
    return np.dtype(name).newbyteorder(order)  # type: ignore[arg-type]


def sizes(value: object, count: int | None = None) -> tuple[int, ...]:
    """Return the lengths of an array's axes. Raises FrameError ``malformed`` or ``too large``."""
    if not isinstance(value, list | tuple) or (count is not None and len(value) != count):
        raise FrameError("malformed", f"shape {in_words(value)}")
    for size in value:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise FrameError("malformed", f"shape {in_words(value)}")
        if size > LARGEST_IMAGE:
            raise FrameError("too large", f"shape {in_words(value)}")
    return tuple(value)


def described(
    blob: Part, *, shape: tuple[int, int], dtype: np.dtype[np.generic], algorithm: Algorithm
) -> PackedImage:
    """Put an image together; every size is checked before anything is unpacked.

    Parameters
    ----------
    shape
        (rows, columns)

    Raises
    ------
    FrameError
        ``too large``, ``truncated`` or ``wrong size``.
    """
    image = PackedImage(blob=blob, algorithm=algorithm, shape=shape, dtype=dtype)
    if image.image_bytes > LARGEST_IMAGE:
        raise FrameError("too large", f"an image of {shape[0]} × {shape[1]} pixels")
    if algorithm == "raw":
        if len(blob) != image.image_bytes:
            reason = "truncated" if len(blob) < image.image_bytes else "wrong size"
            raise FrameError(reason, f"{len(blob)} bytes for {image.image_bytes}")
    elif algorithm == "lz4-block":
        if image.image_bytes > LZ4_RATIO * len(blob):
            raise FrameError("wrong size", f"{len(blob)} bytes cannot hold {image.image_bytes}")
    else:
        check_size(image)
    return image
