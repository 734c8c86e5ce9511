"""The variance measured from the scatter of the pixels in a bin, where Poisson's is not trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.blocks import HEADER, RAW, SHUFFLED, read_pixels, read_rest
from livepdf.numerics.centre_projection import CentreProjection
from livepdf.numerics.integrate import BinSums, Scalar
from livepdf.numerics.kernel import inner, kernel
from livepdf.numerics.packed import Packed
from livepdf.numerics.side_by_side import in_lanes
from livepdf.numerics.stream import Places, Source, opened
from livepdf.numerics.unpack import UnpackError, flawed

Array = NDArray[Any]

_SIGNAL, _SQUARES, _PRODUCTS, _WEIGHTS, _WEIGHT_SQUARES, _PIXELS = range(6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredProjection:
    """Whole pixels, as they are added up elsewhere, with the scatter that they show."""

    places: Places

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        r"""See :class:`livepdf.numerics.integrate.Projection`.

        With the net counts u of a pixel, its weight w and I = Σu/Σw, the variance of Σu over N
        pixels is

        .. math:: \frac{N}{N-1} \sum (u - I w)^2

        and NaN for a single pixel.
        """
        sums = np.zeros((self.places.n, 6))
        flaw = add_squares(image.source(), self.places, low, high, image.planes(), sums)
        if flaw:
            raise flawed(flaw, image.raw.size)
        signal, weight, pixels = sums[:, _SIGNAL], sums[:, _WEIGHTS], sums[:, _PIXELS]
        intensity = np.divide(signal, weight, out=np.zeros_like(signal), where=weight > 0)
        scatter = sums[:, _SQUARES] - intensity * (
            2 * sums[:, _PRODUCTS] - intensity * sums[:, _WEIGHT_SQUARES]
        )
        # Rounding can leave less than nothing of a scatter that is none.
        variance = np.where(pixels > 0, np.nan, 0.0)
        several = pixels > 1
        np.divide(np.maximum(scatter, 0.0) * pixels, pixels - 1, out=variance, where=several)
        return BinSums(
            signal=signal.copy(), variance=variance, weight=weight.copy(), pixels=pixels.copy()
        )

    def project_batch(
        self, images: Sequence[Packed], *, low: Scalar, high: Scalar
    ) -> list[BinSums | UnpackError]:
        """See :class:`livepdf.numerics.integrate.Projection`; one by one."""
        return in_lanes(self, images, low=low, high=high, together=None)

    def without(self, mask: NDArray[np.bool_]) -> "MeasuredProjection":
        """See :class:`livepdf.numerics.integrate.Projection`."""
        bins = self.places.bins.copy()
        bins[mask] = self.places.n
        return replace(self, places=self.places._replace(bins=bins))


def measured(projection: CentreProjection) -> MeasuredProjection:
    """Return what measures the variance in the bins of another projection."""
    return MeasuredProjection(places=projection.places)


@kernel
def add_squares(
    source: Source, places: Places, low: Any, high: Any, planes: Array, sums: Array
) -> Any:
    """Add (n, 6) Σu, Σu², Σuw, Σw, Σw², N of the pixels within limits; return a flaw (< 0) or 0."""
    stream = opened(source)
    pixels, size = stream.pixels, places.bins.size
    if stream.mode == RAW:
        _add(pixels, 0, places, low, high, sums)
        return 0
    raw = pixels.view(np.uint8)
    item = pixels.itemsize
    place = HEADER
    end = size // 8 * 8 if stream.mode == SHUFFLED else size
    for start in range(0, end, stream.piece):
        count = min(stream.piece, end - start)
        target = raw[: count * item]
        place = read_pixels(stream.mode, stream.packed, place, target, planes, item, stream.lz4)
        if place < 0:
            return place
        _add(pixels[:count], start, places, low, high, sums)
    place = read_rest(stream.packed, place, raw[: (size - end) * item])
    if place < 0:
        return place
    _add(pixels[: size - end], end, places, low, high, sums)
    return 0


@inner
def _add(pixels: Array, start: int, places: Places, low: Any, high: Any, sums: Array) -> None:
    for i in range(pixels.size):
        value = pixels[i]
        bin_ = places.bins[start + i]
        if bin_ < places.n and low <= value <= high:
            net = np.float64(value)
            if places.dark.size:
                net -= places.dark[start + i]
            weight = np.float64(places.weight[start + i])
            sums[bin_, _SIGNAL] += net
            sums[bin_, _SQUARES] += net * net
            sums[bin_, _PRODUCTS] += net * weight
            sums[bin_, _WEIGHTS] += weight
            sums[bin_, _WEIGHT_SQUARES] += weight * weight
            sums[bin_, _PIXELS] += 1.0
