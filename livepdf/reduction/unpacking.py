"""From packed images, and images in memory, to what the loops read piece by piece."""

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.numerics.packed import Packed, bare, open_packed
from livepdf.numerics.unpack import UnpackError, unpack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unpacker:
    """Opens images of one detector; any number of threads may use it at once."""

    shape: tuple[int, int]
    """(ny, nx)"""
    held: threading.local = field(default_factory=threading.local)
    """One unpacked image per thread, re-used."""

    def __reduce__(self) -> tuple[Any, ...]:
        # What a thread holds stays here when an integrator goes to another process.
        return partial(Unpacker, shape=self.shape), ()

    def check(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Refuse images of another shape or of no numbers.

        Raises
        ------
        FrameError
            ``wrong shape`` or ``wrong dtype``.
        """
        if shape != self.shape:
            raise FrameError("wrong shape", f"found {shape}, wanted {self.shape}")
        if dtype.kind not in "iuf" or dtype.itemsize > 8:
            raise FrameError("wrong dtype", f"found {dtype}, wanted integers or floats")

    def in_pieces(self, image: PackedImage) -> Packed | None:
        """Open an image; None for one that must be unpacked as a whole.

        Raises
        ------
        FrameError
            As :meth:`check`, and ``truncated``, ``wrong size`` or ``corrupt``.
        """
        self.check(image.shape, image.dtype)
        try:
            return open_packed(
                image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype
            )
        except UnpackError as error:
            raise refused(error) from error

    def opened(self, image: PackedImage) -> Packed:
        """Open an image, through the buffer of this thread if need be; errors as above."""
        ready = self.in_pieces(image)
        if ready is not None:
            return ready
        return self.in_memory(unpacked(image, out=self._buffer(image.dtype)))

    def in_memory(self, image: NDArray[Any]) -> Packed:
        """Open (ny, nx) numbers in memory; errors as in :meth:`check`."""
        self.check(image.shape, image.dtype)
        kind = image.dtype.newbyteorder("=")
        if kind == np.float16:
            kind = np.dtype(np.float32)
        flat = np.ascontiguousarray(image, dtype=kind).reshape(-1)
        return bare(flat if flat.flags.aligned else flat.copy())

    def _buffer(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        native = dtype.newbyteorder("=")
        held: NDArray[Any] | None = getattr(self.held, "image", None)
        if held is None or held.dtype != native:
            held = np.empty(self.shape, native)
            self.held.image = held
        return held


def unpacked(image: PackedImage, *, out: NDArray[Any] | None) -> NDArray[Any]:
    """Unpack an image as a whole; FrameError for one that cannot be."""
    try:
        return unpack(
            image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype, out=out
        )
    except UnpackError as error:
        raise refused(error) from error


def refused(error: UnpackError) -> FrameError:
    """Return why a frame is dropped."""
    return FrameError(error.reason, str(error))
