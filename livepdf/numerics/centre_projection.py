"""Whole pixels, each in the one bin of its centre: integer images are added up exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics import histogram, lanes
from livepdf.numerics.adders import LANE_ORDER, LANES
from livepdf.numerics.binning import OUTSIDE
from livepdf.numerics.integrate import (
    BinSums,
    Scalar,
    Totals,
    aligned,
    flat,
    limits_of,
    live_bits,
    remaining,
)
from livepdf.numerics.packed import Packed
from livepdf.numerics.side_by_side import desk_of, in_lanes
from livepdf.numerics.stream import TOP, Places
from livepdf.numerics.unpack import UnpackError, flawed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CentreProjection:
    """Whole pixels: integer images are added up exactly."""

    places: Places
    totals: Totals
    narrow: bool
    """Whether sums of clean pixels fit into 32 bits."""

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        """See :class:`livepdf.numerics.integrate.Projection`."""
        n = self.places.n
        removed = np.zeros((3, n))
        if image.dtype.kind == "f" or image.dtype.itemsize == 8:
            signal = self._numbers(image, low, high, removed)
        else:
            signal = self._counts(image, low, high, removed)
        return remaining(self.totals, removed=removed, signal=signal, variance=signal)

    def project_batch(
        self, images: Sequence[Packed], *, low: Scalar, high: Scalar
    ) -> list[BinSums | UnpackError]:
        """See :class:`livepdf.numerics.integrate.Projection`."""
        short = self.places.bins.dtype == np.uint16 and self.narrow
        return in_lanes(self, images, low=low, high=high, together=self._lanes if short else None)

    def without(self, mask: NDArray[np.bool_]) -> "CentreProjection":
        """See :class:`livepdf.numerics.integrate.Projection`."""
        n = self.places.n
        index = self.places.bins.copy()
        # Gaps that the detector names once more are in no bin already: few pixels are left.
        more = np.flatnonzero(mask & (index < n))
        index[more] = n + more % histogram.TRASH
        return _prepared(index, n=n, weight=self.places.weight, dark=self.places.dark)

    def _counts(
        self, image: Packed, low: Scalar, high: Scalar, removed: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        n = self.places.n
        accumulator = np.uint32 if self.narrow else np.uint64
        sums = aligned((histogram.COPIES, n + histogram.TRASH), accumulator)
        wide = np.zeros(n, np.int64)
        tile = np.empty(image.piece, np.uint16)
        limits = limits_of(image.dtype, low=low, high=high)
        flaw = histogram.add_counts(
            image.source(bits=True), self.places, limits, desk_of(image), tile, sums, wide, removed
        )
        if flaw:
            raise flawed(flaw, image.raw.size)
        total = np.empty(n)
        histogram.gathered(sums, wide, total)
        return total

    def _numbers(
        self, image: Packed, low: Scalar, high: Scalar, removed: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        n = self.places.n
        wide = {"f": np.float64, "i": np.int64, "u": np.uint64}[image.dtype.kind]
        sums = np.zeros((histogram.COPIES, n + histogram.TRASH), wide)
        flaw = histogram.add_numbers(
            image.source(), self.places, low, high, image.planes(), sums, removed
        )
        if flaw:
            raise flawed(flaw, image.raw.size)
        return np.asarray(sums[:, :n].sum(axis=0), dtype=np.float64)

    def _lanes(self, batch: lanes.Batch, bench: lanes.Bench, limits: Any) -> list[BinSums]:
        n = self.places.n
        sums = aligned((n + histogram.TRASH, LANES), np.uint32)
        wide = np.zeros((LANES, n), np.int64)
        removed = np.zeros((LANES, 3, n))
        lanes.add_batch(batch, self.places, limits, bench, sums, wide, removed)
        signal = np.empty((LANES, n))
        signal[list(LANE_ORDER)] = sums[:n].T
        signal += wide
        return [
            remaining(self.totals, removed=removed[k], signal=signal[k], variance=signal[k])
            for k in range(LANES)
        ]


def centre_projection(
    number: NDArray[np.int64],
    *,
    n: int,
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
) -> CentreProjection:
    """Prepare the adding up of whole pixels.

    Parameters
    ----------
    number : (ny, nx) int64
        Bin of each pixel, −1 for none, in the orientation of the image.
    n : int
        Number of bins.
    weight, dark : (ny, nx) float64
        Finite wherever a pixel is in a bin.
    """
    flat_number = number.ravel()
    index_type = np.uint16 if n + histogram.TRASH <= 2**16 else np.uint32
    trash = _trash(n, flat_number.size)
    index = np.where(flat_number == OUTSIDE, trash, flat_number).astype(index_type)
    return _prepared(index, n=n, weight=flat(weight), dark=flat(dark))


def _prepared(
    index: NDArray[Any], *, n: int, weight: NDArray[np.float32], dark: NDArray[np.float32]
) -> CentreProjection:
    wide = index.astype(np.intp)

    def total(values: NDArray[Any] | None) -> NDArray[np.float64]:
        return np.asarray(np.bincount(wide, values, minlength=n)[:n], dtype=np.float64)

    totals = Totals(
        weight=total(weight), pixels=total(None), dark=total(dark) if dark.size else np.zeros(n)
    )
    places = Places(bins=index, live=live_bits(index < n), weight=weight, dark=dark, n=n)
    # A bin that nobody reads may overflow.
    narrow = float(totals.pixels.max(initial=0.0)) * TOP < 2**32
    return CentreProjection(places=places, totals=totals, narrow=narrow)


def _trash(n: int, size: int) -> NDArray[np.int64]:
    return n + np.arange(size) % histogram.TRASH
