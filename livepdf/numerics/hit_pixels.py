"""Pixels that saw light in one shot: how many, and how many photons at each Q."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import kernel


def lit_photons(
    image: NDArray[Any],
    *,
    bins: NDArray[Any],
    n: int,
    threshold: float,
    highest: float,
    photon: float,
) -> tuple[int, NDArray[np.float64]]:
    """Return how many pixels are lit, and the whole photons in them by bin.

    Parameters
    ----------
    image : (ny, nx)
        NaN is not lit.
    bins : (ny × nx,) or (ny, nx) unsigned integers
        Bin of each pixel; from ``n`` on it is ignored.
    n : int
        Number of bins.
    threshold : float
        In units of the image: a pixel above is lit.
    highest : float
        Above, a pixel says nothing: saturated, or the detector's word for "no data".
    photon : float
        What one photon reads, in units of the image.

    Returns
    -------
    lit : int
    photons : (n,) float64

    Raises
    ------
    ValueError
        Shapes differ.
    """
    if image.size != bins.size:
        raise ValueError(f"an image of {image.shape} and bins of {bins.shape} differ")
    out = np.zeros(n)
    lit = _lit_photons(image.ravel(), bins.ravel(), threshold, highest, 1.0 / photon, out)
    return int(lit), out


@kernel
def _lit_photons(image, bins, threshold, highest, per_unit, out):  # type: ignore[no-untyped-def]
    lit = 0
    for i in range(image.size):
        # most pixels are dark: nothing else is read for them
        if image[i] > threshold and image[i] <= highest and bins[i] < out.size:
            lit += 1
            out[bins[i]] += np.rint(image[i] * per_unit)
    return lit
