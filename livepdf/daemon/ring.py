"""Memory that a worker process shares with the daemon: packed images in, sums out.

It is made once, has no name anywhere and lives as long as one of the two: nothing is left behind,
whoever is killed. Each batch begins at the front again, so that the same pages are used for ever.
"""

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import Algorithm, Frame, PackedImage
from livepdf.model.sums import Sums

ROOM = 32 << 20
"""Bytes for images, at least; there is always room for one that did not shrink."""
_LINE = 64
"""Bytes that a blob begins at a multiple of."""
_COLUMNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the memory is divided: sums first, images behind."""

    frames: int
    """In one batch."""
    bins: int
    room: int
    """Bytes for images."""

    @property
    def sums_bytes(self) -> int:
        """Bytes of the sums."""
        return self.frames * _COLUMNS * self.bins * 8

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.sums_bytes + self.room


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An image in the memory, and what its frame says beside it."""

    offset: int
    length: int
    algorithm: Algorithm
    shape: tuple[int, int]
    dtype: str
    monitor: float | None
    exposure: float | None


def layout_for(*, frames: int, bins: int, shape: tuple[int, int]) -> Layout:
    """Return a layout with room for an image of 4 bytes a pixel that packing made no smaller."""
    raw = 4 * shape[0] * shape[1]
    return Layout(frames=frames, bins=bins, room=max(ROOM, raw + raw // 16 + _LINE))


class Ring:
    """The memory, mapped by this process."""

    def __init__(self, handle: int, layout: Layout) -> None:
        """Map what :func:`make` made; the handle is closed."""
        self.layout = layout
        try:
            self._memory = mmap.mmap(handle, layout.size)
        finally:
            os.close(handle)
        self._bytes = np.frombuffer(self._memory, np.uint8)
        sums = self._bytes[: layout.sums_bytes].view(np.float64)
        self._sums = sums.reshape(layout.frames, _COLUMNS, layout.bins)

    def load(self, frames: Sequence[Frame]) -> list[Place]:
        """Copy in the images of as many of the frames as there is room for, from the front on."""
        places: list[Place] = []
        offset = self.layout.sums_bytes
        for frame in frames[: self.layout.frames]:
            image = frame.image
            length = len(image.blob)
            if offset + length > self.layout.size:
                break
            self._bytes[offset : offset + length] = np.frombuffer(image.blob, np.uint8)
            places.append(
                Place(
                    offset=offset,
                    length=length,
                    algorithm=image.algorithm,
                    shape=image.shape,
                    dtype=image.dtype.str,
                    monitor=frame.monitor,
                    exposure=frame.exposure,
                )
            )
            offset += -(-length // _LINE) * _LINE
        return places

    def image(self, place: Place) -> PackedImage:
        """Return the image at a place: a view."""
        blob = memoryview(self._memory)[place.offset : place.offset + place.length]
        return PackedImage(
            blob=blob, algorithm=place.algorithm, shape=place.shape, dtype=np.dtype(place.dtype)
        )

    def give(self, number: int, sums: Sums) -> None:
        """Leave the sums of frame ``number`` of the batch."""
        self._sums[number] = (sums.signal, sums.variance, sums.weight, sums.pixels)

    def fetch(self, number: int) -> NDArray[np.float64]:
        """Return (4, bins): signal, variance, weight and pixels of frame ``number``, a copy."""
        return np.array(self._sums[number], dtype=np.float64)


def make(layout: Layout) -> int:
    """Return a handle of new memory, all of it set aside.

    Raises
    ------
    OSError
        When there is not that much.
    """
    handle = os.memfd_create("livepdf worker")
    try:
        os.posix_fallocate(handle, 0, layout.size)
    except OSError:
        os.close(handle)
        raise
    return handle
