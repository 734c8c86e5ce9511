"""The additive sums from which every curve is made."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Σ over pixels and frames, per Q bin; adding two sums merges their frames in any order."""

    signal: NDArray[np.float64]
    """(n_q,) Σ counts, dark already subtracted."""
    variance: NDArray[np.float64]
    """(n_q,) Σ variance of the counts."""
    weight: NDArray[np.float64]
    """(n_q,) Σ solid angle × polarization × flat × monitor × exposure, as the recipe says."""
    pixels: NDArray[np.float64]
    """(n_q,) number of pixels (fractions where pixels are split)."""
    frames: int
    monitor: float
    """Σ monitor, NaN where any frame lacks one."""
    exposure: float
    """Σ exposure in s, NaN where any frame lacks one."""

    def __add__(self, other: "Sums") -> "Sums":
        if self.signal.shape != other.signal.shape:
            raise ValueError(
                f"sums of {self.signal.shape[0]} and {other.signal.shape[0]} bins do not add"
            )
        return Sums(
            signal=self.signal + other.signal,
            variance=self.variance + other.variance,
            weight=self.weight + other.weight,
            pixels=self.pixels + other.pixels,
            frames=self.frames + other.frames,
            monitor=self.monitor + other.monitor,
            exposure=self.exposure + other.exposure,
        )


def empty_sums(n_q: int) -> Sums:
    """Return the neutral element of addition."""
    return Sums(
        signal=np.zeros(n_q),
        variance=np.zeros(n_q),
        weight=np.zeros(n_q),
        pixels=np.zeros(n_q),
        frames=0,
        monitor=0.0,
        exposure=0.0,
    )


def intensity(sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide the sums, last of all: I = Σ signal / Σ weight with its σ; an empty bin is NaN.

    σ is NaN also where the variance is negative: images that were corrected before they were
    counted can sum up to less than nothing.

    Returns
    -------
    intensity, sigma : (n_q,) float64
    """
    filled = sums.weight > 0
    divided = np.full(sums.signal.shape, np.nan)
    sigma = np.full(sums.signal.shape, np.nan)
    np.divide(sums.signal, sums.weight, out=divided, where=filled)
    known = filled & (sums.variance >= 0)
    np.sqrt(sums.variance, out=sigma, where=known)
    np.divide(sigma, sums.weight, out=sigma, where=known)
    return divided, sigma
