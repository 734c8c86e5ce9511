"""How many particles have which size, corrected for those that are too small to be seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

_LEAST = 0.05
"""Share of particles seen below which nothing is said about those that are not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeHistogram:
    """Particles by diameter."""

    edges: NDArray[np.float64]
    """(n + 1,) Å"""
    seen: NDArray[np.int64]
    """(n,) hits with a size."""
    efficiency: NDArray[np.float64]
    """(n,) share of the particles of that size that are found."""
    corrected: NDArray[np.float64]
    """(n,) seen / efficiency, NaN where fewer than 5 % are found."""
    sigma: NDArray[np.float64]


def efficiency(
    diameters: NDArray[np.float64],
    *,
    photons: float,
    at: float,
    threshold: float,
    fluences: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share of particles that give at least so many photons.

    A small sphere scatters photons ∝ D⁶ × fluence; the count is a Poisson number.

    Parameters
    ----------
    diameters : (n,) float64, Å
    photons, at : float
        Mean photons of a particle of diameter ``at`` (Å) at fluence 1.
    threshold : float
        Photons above which a shot counts as a hit.
    fluences : (m,) float64
        Drawn from the beam as particles meet it, e.g. I0 of the shots over its mean.
    """
    mean = photons * np.outer((diameters / at) ** 6, fluences)
    found: NDArray[np.float64] = poisson.sf(threshold - 1, mean).mean(axis=1)
    return found


def size_histogram(
    diameters: NDArray[np.float64],
    *,
    edges: NDArray[np.float64],
    efficiency: NDArray[np.float64],
) -> SizeHistogram:
    """Count sizes and correct for efficiency.

    Parameters
    ----------
    diameters : (n_hits,) float64, Å
        NaN where no size was given: not counted.
    edges : (n + 1,) float64, Å
    efficiency : (n,) float64
        At the middle of each bin.
    """
    if len(efficiency) != len(edges) - 1:
        raise ValueError(f"{len(efficiency)} efficiencies for {len(edges) - 1} bins")
    seen = np.histogram(diameters[np.isfinite(diameters)], edges)[0]
    known = efficiency >= _LEAST
    corrected = np.full(len(seen), np.nan)
    sigma = np.full(len(seen), np.nan)
    np.divide(seen, efficiency, out=corrected, where=known)
    np.divide(np.sqrt(np.maximum(seen, 1)), efficiency, out=sigma, where=known)
    return SizeHistogram(
        edges=edges, seen=seen, efficiency=efficiency, corrected=corrected, sigma=sigma
    )
