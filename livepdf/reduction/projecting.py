"""Which pixel adds to which bin: whole or split, ring by ring or sector by sector."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.binning import OUTSIDE, Splitting, centre_bins, split_bins
from livepdf.numerics.centre_projection import centre_projection
from livepdf.numerics.geometry import Geometry, RadialUnit
from livepdf.numerics.integrate import Projection
from livepdf.numerics.sectors import FEWEST_SECTORS, sector_numbers
from livepdf.numerics.shared_noise import split_correlation
from livepdf.numerics.split_projection import split_projection
from livepdf.reduction.corrections import Flip, flipped

Variance = Literal["poisson", "measured"]
"""Of the sums: gain × counts, or the scatter of the pixels in each bin."""


def check_rings(*, split: Splitting, variance: Variance, sectors: int, clip: float | None) -> None:
    """Raise ValueError for rings that cannot be cut, averaged or clipped so."""
    if split != "no" and (variance == "measured" or sectors != 1):
        raise ValueError("split pixels give neither a measured variance nor sectors")
    if clip is not None and not (clip > 0 and sectors >= FEWEST_SECTORS):
        raise ValueError(
            f"clip {clip} with {sectors} sectors, wanted above 0 and at least {FEWEST_SECTORS}"
        )


def project_pixels(
    geometry: Geometry,
    *,
    npt: int,
    unit: RadialUnit,
    radial_range: tuple[float, float] | None,
    split: Splitting,
    flip: Flip,
    sectors: int,
    unused: NDArray[np.bool_],
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], Projection, tuple[float, ...]]:
    """Return bin centres, the projection, and the correlation of bins 1, 2, … apart.

    ``unused``, ``weight`` and ``dark`` are (ny, nx) in the orientation of the images as read.
    """
    mask = flipped(unused, flip=flip)
    if split == "no":
        whole = centre_bins(geometry, npt=npt, unit=unit, radial_range=radial_range, mask=mask)
        number = whole.number
        if sectors != 1:
            sector = sector_numbers(geometry, sectors=sectors)
            number = np.where(number == OUTSIDE, OUTSIDE, number + npt * sector)
        turned = flipped(number, flip=flip)
        projection = centre_projection(turned, n=npt * sectors, weight=weight, dark=dark)
        return whole.centres, projection, ()
    parts = split_bins(
        geometry, npt=npt, unit=unit, radial_range=radial_range, mask=mask, split=split
    )
    order = flipped(np.arange(mask.size).reshape(mask.shape), flip=flip)
    shared = split_correlation(parts, used=~mask)
    projection_of = split_projection(parts, order=order, weight=weight, dark=dark)
    return parts.centres, projection_of, shared
