"""From the pixels of one image to additive sums per bin, with what must be ignored left out."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics import histogram, splitting
from livepdf.numerics.binning import OUTSIDE, CentreBins, SplitBins

Sentinels = Literal["mask", "keep"]
"""Whether values that detectors send for "no data" are ignored: the largest value of an integer
type and, where it has a sign, every negative one."""

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
    """Adds the pixels of an image up into bins; may be used by several threads at once."""

    def project(self, image: NDArray[Any], *, low: Scalar, high: Scalar) -> BinSums:
        """Add up the pixels within ``low`` … ``high``, both included; NaN never is.

        ``image`` is flat, contiguous and in native byte order; the limits are of its type.
        """
        ...

    def without(self, mask: NDArray[np.bool_]) -> "Projection":
        """Return the same with more pixels ignored; ``mask`` is flat, True = ignore."""
        ...


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CentreProjection:
    """Whole pixels: integer images are added up exactly."""

    index: NDArray[np.unsignedinteger[Any]]
    """(pixels,) bin of each pixel, or one of the trash bins from n on."""
    weight: NDArray[np.float32]
    """(pixels,)"""
    dark: NDArray[np.float32]
    """(pixels,), or empty where there is none."""
    totals: Totals

    def project(self, image: NDArray[Any], *, low: Scalar, high: Scalar) -> BinSums:
        """See :class:`Projection`."""
        n = self.totals.pixels.size
        sums = np.zeros((histogram.COPIES, n + histogram.TRASH), self._accumulator(image.dtype))
        removed = np.zeros((3, n))
        words = image.dtype == np.uint16 == self.index.dtype and sums.dtype == np.uint32
        add = histogram.histogram_by_words if words else histogram.histogram
        add(image, self.index, low, high, self.weight, self.dark, sums, removed)
        signal = sums[:, :n].sum(axis=0, dtype=_wide(sums.dtype)).astype(np.float64)
        return _remaining(self.totals, removed=removed, signal=signal, variance=signal)

    def without(self, mask: NDArray[np.bool_]) -> "CentreProjection":
        """See :class:`Projection`."""
        n = self.totals.pixels.size
        index = self.index.copy()
        index[mask] = _trash(n, mask.size)[mask]
        return _centre_projection(index, n=n, weight=self.weight, dark=self.dark)

    def _accumulator(self, dtype: np.dtype[Any]) -> type[np.generic]:
        if dtype.kind == "f" or dtype.itemsize == 8:
            return np.float64
        if dtype.kind == "i":
            return np.int64
        # A trash bin may overflow: nobody reads it.
        fullest = float(self.totals.pixels.max(initial=0.0))
        fits = dtype.itemsize <= 2 and fullest * np.iinfo(dtype).max < 2**32
        return np.uint32 if fits else np.uint64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitProjection:
    """Pixels shared out among the bins that they cover."""

    first: NDArray[np.int32]
    """(pixels,) bin of the first column of the pixel's row, n for a pixel that is ignored."""
    rows: NDArray[np.float32]
    """(pixels, WIDTH) shares."""
    wide_pixel: NDArray[np.int64]
    """(entries,) pixels that reach beyond their row, each with a bin and a share."""
    wide_bin: NDArray[np.int64]
    wide_share: NDArray[np.float32]
    weight: NDArray[np.float32]
    """(pixels,)"""
    dark: NDArray[np.float32]
    """(pixels,), or empty where there is none."""
    totals: Totals

    def project(self, image: NDArray[Any], *, low: Scalar, high: Scalar) -> BinSums:
        """See :class:`Projection`."""
        sums, removed = self._add(image, low=low, high=high)
        return _remaining(self.totals, removed=removed, signal=sums[0], variance=sums[1])

    def _add(
        self, image: NDArray[Any], *, low: Scalar, high: Scalar
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = self.totals.pixels.size
        sums = np.zeros((2, splitting.COPIES, n + splitting.WIDTH))
        removed = np.zeros((3, n + splitting.WIDTH))
        common = (low, high, self.weight, self.dark, sums, removed)
        splitting.share_rows(image, self.first, self.rows, *common)
        splitting.share_wide(image, self.wide_pixel, self.wide_bin, self.wide_share, *common)
        return sums.sum(axis=1)[:, :n], removed[:, :n]

    def without(self, mask: NDArray[np.bool_]) -> "SplitProjection":
        """See :class:`Projection`."""
        first = self.first.copy()
        first[mask] = self.totals.pixels.size
        kept = ~mask[self.wide_pixel]
        fewer = replace(
            self,
            first=first,
            wide_pixel=self.wide_pixel[kept],
            wide_bin=self.wide_bin[kept],
            wide_share=self.wide_share[kept],
        )
        return _with_totals(fewer)


def centre_projection(
    bins: CentreBins, *, weight: NDArray[np.float64], dark: NDArray[np.float64] | None
) -> CentreProjection:
    """Prepare the adding up of whole pixels.

    Parameters
    ----------
    bins : CentreBins
        In the orientation of the image.
    weight, dark : (ny, nx) float64
        Finite wherever a pixel is in a bin.
    """
    n = bins.centres.size
    number = bins.number.ravel()
    index_type = np.uint16 if n + histogram.TRASH <= 2**16 else np.uint32
    index = np.where(number == OUTSIDE, _trash(n, number.size), number).astype(index_type)
    return _centre_projection(index, n=n, weight=_flat(weight), dark=_flat(dark))


def split_projection(
    bins: SplitBins,
    *,
    order: NDArray[np.int64],
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
) -> SplitProjection:
    """Prepare the adding up of split pixels; arguments as in :func:`centre_projection`.

    Parameters
    ----------
    order : (ny, nx) int64
        For each pixel of the image, its number in ``bins``.
    """
    n, size = bins.centres.size, order.size
    first = np.empty(size, np.int32)
    rows = np.zeros((size, splitting.WIDTH), np.float32)
    left = splitting.fill_rows(bins.starts, bins.bins, bins.shares, n, first, rows)
    wide_pixel, wide_bin = np.empty(left, np.int64), np.empty(left, np.int64)
    wide_share = np.empty(left, np.float32)
    splitting.list_wide(bins.starts, bins.bins, bins.shares, wide_pixel, wide_bin, wide_share)
    places = np.empty(size, np.int64)
    places[order.ravel()] = np.arange(size)
    nothing = np.zeros(n)
    return _with_totals(
        SplitProjection(
            first=first[order.ravel()],
            rows=np.ascontiguousarray(rows[order.ravel()]),
            wide_pixel=places[wide_pixel],
            wide_bin=wide_bin,
            wide_share=wide_share,
            weight=_flat(weight),
            dark=_flat(dark),
            totals=Totals(weight=nothing, pixels=nothing, dark=nothing),
        )
    )


def _centre_projection(
    index: NDArray[Any], *, n: int, weight: NDArray[np.float32], dark: NDArray[np.float32]
) -> CentreProjection:
    def total(values: NDArray[Any] | None) -> NDArray[np.float64]:
        return np.asarray(np.bincount(index, values, minlength=n)[:n], dtype=np.float64)

    totals = Totals(
        weight=total(weight), pixels=total(None), dark=total(dark) if dark.size else np.zeros(n)
    )
    return CentreProjection(index=index, weight=weight, dark=dark, totals=totals)


def _with_totals(projection: SplitProjection) -> SplitProjection:
    edge = np.finfo(np.float32).max

    def total(values: NDArray[np.float32]) -> NDArray[np.float64]:
        sums, _ = projection._add(_shielded(values), low=-edge, high=edge)
        return np.asarray(sums[0], dtype=np.float64)

    ones = np.ones_like(projection.weight)
    dark = projection.dark if projection.dark.size else np.zeros_like(ones)
    totals = Totals(weight=total(projection.weight), pixels=total(ones), dark=total(dark))
    return replace(projection, totals=totals)


def _remaining(
    totals: Totals,
    *,
    removed: NDArray[np.float64],
    signal: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> BinSums:
    pixels = totals.pixels - removed[1]
    # What is left of a subtraction that should give 0 is rounding, not a pixel.
    filled = pixels > 1e-6
    return BinSums(
        signal=np.where(filled, signal - (totals.dark - removed[2]), 0.0),
        variance=np.where(filled, variance, 0.0),
        weight=np.where(filled, totals.weight - removed[0], 0.0),
        pixels=np.where(filled, pixels, 0.0),
    )


def _trash(n: int, size: int) -> NDArray[np.int64]:
    return n + np.arange(size) % histogram.TRASH


def _flat(values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    if values is None:
        return np.empty(0, np.float32)
    return np.ascontiguousarray(values.ravel(), dtype=np.float32)


def _shielded(values: NDArray[Any]) -> NDArray[Any]:
    # One compiled kernel serves all images: received buffers are read-only anyway.
    view = values.view()
    view.flags.writeable = False
    return view


def _wide(dtype: np.dtype[Any]) -> type[np.generic]:
    return {"f": np.float64, "i": np.int64, "u": np.uint64}[dtype.kind]
