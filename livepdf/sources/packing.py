"""Wrap an array in memory as the image of a frame."""

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage

NUMBERS = "iuf"


def packed(pixels: NDArray[np.generic] | None) -> PackedImage:
    """Wrap an array as an image; FrameError where it is none."""
    if pixels is None:
        raise FrameError("incomplete", "the reader found no pixels")
    if pixels.ndim != 2 or not pixels.size:
        raise FrameError("no image", f"an array of shape {pixels.shape}")
    if pixels.dtype.kind not in NUMBERS or pixels.dtype.itemsize > 8:
        raise FrameError("unsupported dtype", str(pixels.dtype))
    rows, columns = pixels.shape
    blob = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data
    return PackedImage(blob=blob, algorithm="raw", shape=(rows, columns), dtype=pixels.dtype)
