"""Patterns that came integrated, as sums: they enter where images leave the integrator."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.integrate import BinSums, Scalar
from livepdf.numerics.packed import Packed
from livepdf.numerics.resample import resample_uniform
from livepdf.numerics.unpack import UnpackError
from livepdf.reduction.integrator import Integrator
from livepdf.reduction.unpacking import Unpacker

Floats = NDArray[np.float64]
ROWS = 3
"""Of a pattern as an image: intensity, σ, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GivenProjection:
    """Turns (3, n) of intensity per pixel, σ and pixels into sums on an equidistant grid."""

    q: Floats
    """(n,) Å⁻¹, as the patterns have it."""
    correction: Floats
    """On the grid: weight of a pixel that the intensities are still to be divided by."""

    def project(self, image: Packed, *, low: Scalar, high: Scalar) -> BinSums:
        """Return the sums of one pattern; a bin without intensity or pixels is empty.

        σ that is not known is NaN, and so is then the variance. The limits have no meaning.
        """
        del low, high
        rows = image.raw.view(image.dtype).reshape(ROWS, -1).astype(np.float64)
        _, intensity, sigma = resample_uniform(q=self.q, intensity=rows[0], sigma=rows[1])
        _, pixels, _ = resample_uniform(q=self.q, intensity=rows[2], sigma=rows[2])
        filled = np.isfinite(intensity) & (pixels > 0) & np.isfinite(self.correction)
        pixels = np.where(filled, pixels, 0.0)
        return BinSums(
            signal=np.where(filled, pixels * intensity, 0.0),
            variance=np.where(filled, (pixels * sigma) ** 2, 0.0),
            weight=np.where(filled, pixels * self.correction, 0.0),
            pixels=pixels,
        )

    def project_batch(
        self, images: Sequence[Packed], *, low: Scalar, high: Scalar
    ) -> list[BinSums | UnpackError]:
        """Return the sums of many patterns."""
        return [self.project(image, low=low, high=high) for image in images]

    def without(self, mask: NDArray[np.bool_]) -> "GivenProjection":
        """Return the same: a pattern has no pixels left to ignore."""
        del mask
        return self


def given_integrator(*, q: Floats, weighted: tuple[Floats, Floats] | None = None) -> Integrator:
    """Return what turns given patterns into sums, in place of a detector's integrator.

    Parameters
    ----------
    q : (n,) float64, Å⁻¹
        Increasing. Where it is not equidistant, as from bins of 2θ, patterns are interpolated.
    weighted : (q, weight), optional
        Mean weight of a pixel (solid angle, polarization) that the intensities are still to be
        divided by; NaN where it is not known.

    Raises
    ------
    ValueError
        When q does not increase or has fewer than two points.
    """
    if q.size < 2:
        raise ValueError(f"patterns of {q.size} points")
    nothing = np.zeros(q.shape)
    grid, _, _ = resample_uniform(q=q, intensity=nothing, sigma=nothing)
    correction = np.ones(grid.shape)
    if weighted is not None:
        known = np.isfinite(weighted[1])
        at, mean = weighted[0][known], weighted[1][known]
        correction = np.interp(grid, at, mean)
        step = (grid[-1] - grid[0]) / (grid.size - 1)
        correction[(grid < at[0] - step) | (grid > at[-1] + step)] = np.nan
    shape = (ROWS, q.size)
    return Integrator(
        q=grid,
        unit="q_A^-1",
        shape=shape,
        sentinels="keep",
        saturation=None,
        gain=1.0,
        projection=GivenProjection(q=q, correction=correction),
        unpacker=Unpacker(shape=shape),
    )
