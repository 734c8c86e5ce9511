"""Split pixels, shared out among the bins that they cover."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics import lanes, split_lanes, splitting
from livepdf.numerics.adders import LANE_ORDER, LANES
from livepdf.numerics.binning import SplitBins
from livepdf.numerics.blocks import RAW
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
from livepdf.numerics.packed import RAW_PIECE, Packed
from livepdf.numerics.shares import (
    FOUR,
    RUN,
    TILE,
    Shares,
    count_fours,
    drop,
    fill_fours,
    find_ends,
)
from livepdf.numerics.side_by_side import desk_of, in_lanes
from livepdf.numerics.stream import Limits, Places
from livepdf.numerics.unpack import UnpackError, flawed
from livepdf.numerics.vectors import LINE, width

PEN = np.float64 if width() == LINE else np.float32
"""What 16 images are laid out as: widened once rather than with each share, where registers are
wide; processors with small ones have small caches too, which float64 would fill."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitProjection:
    """Pixels shared out among the bins that they cover."""

    places: Places
    """Its bins are the first ones of each pixel."""
    shares: Shares
    totals: Totals

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        """See :class:`livepdf.numerics.integrate.Projection`."""
        sums, removed = self._add(image, low=low, high=high)
        return remaining(self.totals, removed=removed, signal=sums[0], variance=sums[1])

    def project_batch(
        self, images: Sequence[Packed], *, low: Scalar, high: Scalar
    ) -> list[BinSums | UnpackError]:
        """See :class:`livepdf.numerics.integrate.Projection`."""
        short = self.places.bins.dtype == np.uint16
        return in_lanes(self, images, low=low, high=high, together=self._lanes if short else None)

    def without(self, mask: NDArray[np.bool_]) -> "SplitProjection":
        """See :class:`livepdf.numerics.integrate.Projection`."""
        index = self.places.bins.copy()
        index[mask] = self.places.n
        places = self.places._replace(bins=index, live=live_bits(index < self.places.n))
        shares = self.shares._replace(parts=self.shares.parts.copy())
        drop(shares, mask)
        return _with_totals(replace(self, places=places, shares=shares))

    def _add(
        self, image: Packed, *, low: Scalar, high: Scalar
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = self.places.n
        sums, spill = aligned((n, 2, FOUR), np.float64), np.zeros((2, n))
        removed = np.zeros((3, n))
        if image.dtype.kind == "f" or image.dtype.itemsize == 8:
            flaw = splitting.share_numbers(
                image.source(),
                self.places,
                self.shares,
                low,
                high,
                image.planes(),
                np.empty(TILE + image.piece, _float_of(image.dtype)),
                sums,
                removed,
            )
        else:
            flaw = splitting.share_counts(
                image.source(bits=True),
                self.places,
                self.shares,
                limits_of(image.dtype, low=low, high=high),
                desk_of(image),
                np.empty(TILE + image.piece, np.uint16),
                sums,
                spill,
                removed,
            )
        if flaw:
            raise flawed(flaw, image.raw.size)
        return spill + sums.sum(axis=2).T, removed

    def _lanes(self, batch: lanes.Batch, bench: lanes.Bench, limits: Limits) -> list[BinSums]:
        n = self.places.n
        piece = bench.tiles.shape[1]
        sums = aligned((n, 2, LANES), np.float64)
        spill, removed = np.zeros((LANES, 2, n)), np.zeros((LANES, 3, n))
        split_lanes.share_batch(
            batch,
            self.places,
            self.shares,
            limits,
            bench,
            aligned((TILE + piece + LANES, LANES), PEN),
            aligned((RUN, 2, FOUR), np.float64),
            sums,
            spill,
            removed,
        )
        by_image = np.empty((LANES, 2, n))
        by_image[list(LANE_ORDER)] = sums.transpose(2, 1, 0)
        by_image += spill
        return [
            remaining(
                self.totals,
                removed=removed[k],
                signal=by_image[k, 0],
                variance=by_image[k, 1],
            )
            for k in range(LANES)
        ]


def split_projection(
    bins: SplitBins,
    *,
    order: NDArray[np.int64],
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
) -> SplitProjection:
    """Prepare the adding up of split pixels.

    Parameters
    ----------
    order : (ny, nx) int64
        For each pixel of the image, its number in ``bins``.
    weight, dark : (ny, nx) float64
        In the orientation of the image, finite wherever a pixel is in a bin.
    """
    n = bins.centres.size
    first, shares = _laid_out(bins, order=order.ravel())
    places = Places(
        bins=first, live=live_bits(first < n), weight=flat(weight), dark=flat(dark), n=n
    )
    nothing = np.zeros(n)
    totals = Totals(weight=nothing, pixels=nothing, dark=nothing)
    return _with_totals(SplitProjection(places=places, shares=shares, totals=totals))


def _laid_out(bins: SplitBins, *, order: NDArray[np.int64]) -> tuple[NDArray[Any], Shares]:
    n = bins.centres.size
    first = np.full(order.size, n, np.uint16 if n < 2**16 else np.uint32)
    last = first.copy()
    find_ends(bins.starts, bins.bins, order, first, last)
    count, fours = np.empty(n, np.int64), np.empty(-(-order.size // TILE), np.int64)
    count_fours(bins.starts, bins.bins, order, count, fours)
    starts = np.concatenate([[0], np.cumsum(fours)])
    size = int(starts[-1])
    shares = Shares(
        starts=starts,
        bins=np.zeros(size, np.uint32),
        pixels=np.zeros((size, FOUR), np.uint16),
        parts=np.zeros((size, FOUR), np.float32),
        last=last,
    )
    fill_fours(bins.starts, bins.bins, bins.shares, order, count, shares)
    return first, shares


def _float_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def _with_totals(projection: SplitProjection) -> SplitProjection:
    edge = np.finfo(np.float32).max

    def total(values: NDArray[np.float32]) -> NDArray[np.float64]:
        raw = np.ascontiguousarray(values).view(np.uint8)
        image = Packed(mode=RAW, raw=raw, dtype=values.dtype, piece=RAW_PIECE)
        sums, _ = projection._add(image, low=-edge, high=edge)
        return np.asarray(sums[0], dtype=np.float64)

    ones = np.ones_like(projection.places.weight)
    dark = projection.places.dark if projection.places.dark.size else np.zeros_like(ones)
    totals = Totals(weight=total(projection.places.weight), pixels=total(ones), dark=total(dark))
    return replace(projection, totals=totals)
