"""Hand images to the loops for 16 at once, or one by one where these would not pay."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from livepdf.numerics.adders import LANES
from livepdf.numerics.blocks import HEADER, RAW
from livepdf.numerics.integrate import BinSums, Scalar, aligned, limits_of
from livepdf.numerics.lanes import Batch, Bench
from livepdf.numerics.lz4_call import lz4_or_own
from livepdf.numerics.packed import Packed
from livepdf.numerics.planes import GROUP
from livepdf.numerics.stream import Desk, Limits
from livepdf.numerics.unpack import UnpackError, flawed
from livepdf.numerics.vectors import LINE

FEWEST = 4
"""Images from which on 16 lanes are faster than one by one, even if the others stay empty."""
PAD = 32
"""Pixels between the tiles of two images: at a distance of 4096 bytes they would share cache."""
_UNUSED = -9


class OneByOne(Protocol):
    """What adds a single image up."""

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        """Add one image up."""
        ...


Together = Callable[[Batch, Bench, Limits], list[BinSums]]
"""Adds a batch up; returns the sums of its 16 lanes."""


def in_lanes(
    alone: OneByOne,
    images: Sequence[Packed],
    *,
    low: Scalar,
    high: Scalar,
    together: Together | None,
) -> list[BinSums | UnpackError]:
    """Add images of one type up, side by side where they are laid out alike.

    Parameters
    ----------
    together : optional
        None where the lanes cannot be used, e.g. because their sums would overflow.

    Returns
    -------
    sums : in the order of the images
        In place of one that cannot be unpacked, the error.
    """
    results: list[BinSums | UnpackError | None] = [None] * len(images)
    for numbers in _alike(images):
        kind = images[numbers[0]].dtype
        lanes = together if kind.kind != "f" and kind.itemsize <= 4 else None
        for start in range(0, len(numbers), LANES):
            part = numbers[start : start + LANES]
            chosen = [images[k] for k in part]
            if lanes is None or len(part) < FEWEST:
                found = [_alone(alone, image, low=low, high=high) for image in chosen]
            else:
                found = _together(lanes, chosen, limits_of(kind, low=low, high=high))
            for k, sums in zip(part, found, strict=True):
                results[k] = sums
    return [sums for sums in results if sums is not None]


def desk_of(image: Packed) -> Desk:
    """Return scratch for the clean pieces of one image."""
    odd = np.empty((2, image.piece), np.int64)
    return Desk(image.planes(), np.empty(GROUP, np.uint32), odd)


def _alike(images: Sequence[Packed]) -> list[list[int]]:
    groups: dict[tuple[int, int, str], list[int]] = {}
    for number, image in enumerate(images):
        groups.setdefault((image.mode, image.piece, image.dtype.str), []).append(number)
    return list(groups.values())


def _alone(alone: OneByOne, image: Packed, *, low: Scalar, high: Scalar) -> BinSums | UnpackError:
    try:
        return alone.project(image, low=low, high=high)
    except UnpackError as error:
        return error


def _together(
    together: Together, images: Sequence[Packed], limits: Limits
) -> list[BinSums | UnpackError]:
    batch, bench = _batch(images), _bench(images[0])
    sums = together(batch, bench, limits)
    return [
        flawed(int(batch.flaws[k]), image.raw.size) if batch.flaws[k] else sums[k]
        for k, image in enumerate(images)
    ]


def _batch(images: Sequence[Packed]) -> Batch:
    first = images[0]
    # Unused lanes read the first image as well, and nobody looks at their sums.
    addresses = np.full(LANES, first.raw.ctypes.data, np.uint64)
    sizes = np.zeros(LANES, np.int64)
    flaws = np.full(LANES, _UNUSED)
    for lane, image in enumerate(images):
        addresses[lane], sizes[lane] = image.raw.ctypes.data, image.raw.size
        flaws[lane] = 0
    return Batch(
        mode=first.mode,
        addresses=addresses,
        sizes=sizes,
        flaws=flaws,
        where=np.full(LANES, HEADER),
        scratch=first.scratch(bits=True)[: _piece(first)],
        lz4=lz4_or_own(),
    )


def _piece(image: Packed) -> int:
    # Raw pixels are there already: the fewer at once, the nearer they stay.
    return GROUP if image.mode == RAW else image.piece


def _bench(image: Packed) -> Bench:
    piece = _piece(image)
    return Bench(
        planes=image.planes(),
        words=np.empty(GROUP, np.uint32),
        odd=np.empty((LANES, 2, piece), np.int64),
        found=np.zeros(LANES, np.int64),
        tiles=np.zeros((LANES, piece + PAD), np.uint16),
        room=aligned((2, LANES, LINE), np.uint8),
    )
