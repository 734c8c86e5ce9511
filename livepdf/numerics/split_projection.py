"""Split pixels, shared out among the bins that they cover."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics import lanes, splitting
from livepdf.numerics.adders import LANE_ORDER, LANES
from livepdf.numerics.binning import SplitBins
from livepdf.numerics.blocks import RAW
from livepdf.numerics.integrate import (
    BinSums,
    Scalar,
    Totals,
    aligned,
    flat,
    live_bits,
    remaining,
)
from livepdf.numerics.packed import RAW_PIECE, Packed
from livepdf.numerics.side_by_side import in_lanes
from livepdf.numerics.splitting import WIDTH, Shares
from livepdf.numerics.stream import Limits, Places
from livepdf.numerics.unpack import UnpackError, flawed


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
        return in_lanes(self, images, low=low, high=high, together=self._lanes)

    def without(self, mask: NDArray[np.bool_]) -> "SplitProjection":
        """See :class:`livepdf.numerics.integrate.Projection`."""
        index = self.places.bins.copy()
        index[mask] = self.places.n
        kept = ~mask[self.shares.wide_pixel]
        shares = self.shares._replace(
            wide_pixel=self.shares.wide_pixel[kept],
            wide_bin=self.shares.wide_bin[kept],
            wide_share=self.shares.wide_share[kept],
        )
        places = self.places._replace(bins=index, live=live_bits(index < self.places.n))
        return _with_totals(replace(self, places=places, shares=shares))

    def _add(
        self, image: Packed, *, low: Scalar, high: Scalar
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = self.places.n
        sums = aligned((splitting.COPIES, n, 2, WIDTH), np.float64)
        spill = np.zeros((2, n))
        removed = np.zeros((3, n + WIDTH))
        flaw = splitting.share_image(
            image.source(),
            self.places,
            self.shares,
            low,
            high,
            image.planes(),
            sums,
            spill,
            removed,
        )
        if flaw:
            raise flawed(flaw, image.raw.size)
        by_first = sums.sum(axis=0)
        for column in range(WIDTH):
            spill[:, column:] += by_first[: n - column, :, column].T
        return spill, removed[:, :n]

    def _lanes(self, batch: lanes.Batch, bench: lanes.Bench, limits: Limits) -> list[BinSums]:
        n = self.places.n
        size = n + WIDTH
        sums = aligned((size * 2 * LANES,), np.float32)
        totals = np.zeros(size * 2 * LANES)
        spill, removed = np.zeros((LANES, 2, size)), np.zeros((LANES, 3, size))
        lanes.share_batch(
            batch, self.places, self.shares, limits, bench, sums, totals, spill, removed
        )
        by_image = np.empty((LANES, 2, size))
        by_image[list(LANE_ORDER)] = totals.reshape(size, 2, LANES).transpose(2, 1, 0)
        by_image += spill
        return [
            remaining(
                self.totals,
                removed=removed[k, :, :n],
                signal=by_image[k, 0, :n],
                variance=by_image[k, 1, :n],
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
    first, shares = _rows(bins, order=order.ravel())
    places = Places(
        bins=first, live=live_bits(first < n), weight=flat(weight), dark=flat(dark), n=n
    )
    nothing = np.zeros(n)
    totals = Totals(weight=nothing, pixels=nothing, dark=nothing)
    return _with_totals(SplitProjection(places=places, shares=shares, totals=totals))


def _rows(bins: SplitBins, *, order: NDArray[np.int64]) -> tuple[NDArray[np.int32], Shares]:
    n, size = bins.centres.size, order.size
    first = np.empty(size, np.int32)
    rows = np.zeros((size, WIDTH), np.float32)
    left = splitting.fill_rows(bins.starts, bins.bins, bins.shares, n, first, rows)
    wide_pixel, wide_bin = np.empty(left, np.int64), np.empty(left, np.int64)
    wide_share = np.empty(left, np.float32)
    splitting.list_wide(bins.starts, bins.bins, bins.shares, wide_pixel, wide_bin, wide_share)
    places = np.empty(size, np.int64)
    places[order] = np.arange(size)
    rising = np.argsort(places[wide_pixel], kind="stable")
    shares = Shares(
        rows=np.ascontiguousarray(rows[order]),
        wide_pixel=places[wide_pixel][rising],
        wide_bin=wide_bin[rising],
        wide_share=wide_share[rising],
    )
    return first[order], shares


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
