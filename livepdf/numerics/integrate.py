"""From the pixels of one image to additive sums per bin, with what must be ignored left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import kernel
from livepdf.numerics.packed import Packed
from livepdf.numerics.stream import TOP, Limits
from livepdf.numerics.unpack import UnpackError

Sentinels = Literal["mask", "keep"]
"""Whether values that detectors send for "no data" are ignored: the largest value of an integer
type and, where it has a sign, every negative one."""

Array = NDArray[Any]
Scalar = Any
"""A numpy scalar of the image's type."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinSums:
    """What one image, or a detector as a whole, adds to each bin."""

    signal: NDArray[np.float64]
    """(n,) Σ share × value, dark subtracted."""
    variance: NDArray[np.float64]
    """(n,) Σ share² × value before the dark was subtracted: the variance of counts."""
    weight: NDArray[np.float64]
    """(n,) Σ share × weight."""
    pixels: NDArray[np.float64]
    """(n,) Σ share."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Totals:
    """Sums over all pixels that the static mask leaves: (n,) float64 each."""

    weight: NDArray[np.float64]
    pixels: NDArray[np.float64]
    dark: NDArray[np.float64]


class Projection(Protocol):
    """Adds the pixels of images up into bins; may be used by several threads at once."""

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        """Add up the pixels within ``low`` … ``high``, both included; NaN never is.

        The limits are of the image's type.

        Raises
        ------
        UnpackError
            ``truncated`` or ``corrupt``.
        """
        ...

    def project_batch(
        self, images: Sequence[Packed], *, low: Scalar, high: Scalar
    ) -> list[BinSums | UnpackError]:
        """Add up images of one kind, 16 side by side where that is faster."""
        ...

    def without(self, mask: NDArray[np.bool_]) -> "Projection":
        """Return the same with more pixels ignored; ``mask`` is flat, True = ignore."""
        ...


@cache
def usable_range(
    dtype: np.dtype[Any], *, sentinels: Sentinels, saturation: float | None
) -> tuple[Scalar, Scalar]:
    """Return the lowest and the highest value that counts as data, as scalars of ``dtype``.

    Parameters
    ----------
    saturation : float, optional
        Values from here on are ignored.
    """
    if saturation is not None and not saturation > 0:
        raise ValueError(f"saturation is {saturation}, wanted above 0")
    if dtype.kind == "f":
        floats = np.finfo(dtype)
        top: Any = floats.max
        if saturation is not None:
            top = np.nextafter(dtype.type(saturation), dtype.type(-np.inf))
        return dtype.type(floats.min), dtype.type(top)
    limits = np.iinfo(dtype)
    masked = sentinels == "mask"
    highest = int(limits.max) - 1 if masked else int(limits.max)
    if saturation is not None and np.isfinite(saturation):
        highest = min(highest, int(np.ceil(saturation)) - 1)
    return dtype.type(0 if masked else limits.min), dtype.type(highest)


def limits_of(dtype: np.dtype[Any], *, low: Scalar, high: Scalar) -> Limits:
    """Return the limits of an integer image as its loops want them."""
    wrap = 2 ** (8 * dtype.itemsize) if dtype.kind == "i" else 0
    return Limits(low=int(low), high=int(high), top=min(int(high), TOP), wrap=wrap)


def remaining(
    totals: Totals,
    *,
    removed: NDArray[np.float64],
    signal: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> BinSums:
    """Take what was ignored in one image away from the totals of the detector.

    Parameters
    ----------
    removed : (3, n) float64
        Weight, number and dark of the ignored pixels.
    signal, variance : (n,) float64
        Before the dark is subtracted.
    """
    left = np.empty((4, len(signal)))
    own = (totals.weight, totals.pixels, totals.dark)
    _take_away(*own, removed, np.ascontiguousarray(signal), np.ascontiguousarray(variance), left)
    return BinSums(signal=left[0], variance=left[1], weight=left[2], pixels=left[3])


@kernel
def _take_away(
    weight: Array,
    pixels: Array,
    dark: Array,
    removed: Array,
    signal: Array,
    variance: Array,
    left: Array,
) -> None:
    # One walk instead of a dozen: for a small image they took a tenth of the time.
    for k in range(signal.size):
        here = pixels[k] - removed[1, k]
        # What is left of a subtraction that should give 0 is rounding, not a pixel.
        filled = here > 1e-6
        left[3, k] = here if filled else 0.0
        left[0, k] = signal[k] - (dark[k] - removed[2, k]) if filled else 0.0
        left[1, k] = variance[k] if filled else 0.0
        left[2, k] = weight[k] - removed[0, k] if filled else 0.0


def live_bits(live: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return (pixels,) bool as one bit each, the first pixel in the lowest."""
    return np.packbits(live, bitorder="little")


def flat(values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    """Return (ny, nx) as (pixels,) float32; nothing for None."""
    if values is None:
        return np.empty(0, np.float32)
    return np.ascontiguousarray(values.ravel(), dtype=np.float32)


def aligned(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Return zeros that start on a cache line: sums that straddle two take longer."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)
