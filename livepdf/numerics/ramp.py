"""Blanks over a range of temperatures: their mean, how they change, one for any."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_COMPONENTS = 4
"""Kinds of change, of those that stand above noise: two at 1e7 photons, three at 1e8, where the
third, left out, moved a solute that is a tenth of the counts by half its σ."""
_WITHOUT_SIGMA = 2
"""Where nothing tells which stand above noise."""
_ABOVE_NOISE = 1.05
"""Times the largest singular value that noise alone would have."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ramp:
    """A series of blanks, B(T) = mean + Σ a(T)·V, without the noise of each."""

    temperatures: Floats
    """(n,) rising."""
    mean: Floats
    """(n_q,) NaN where any of the blanks is empty."""
    sigma: Floats
    """(n_q,) of one blank, NaN where unknown."""
    components: Floats
    """(k, n_q) V, the changes that stand above noise, in the unit of the blanks."""
    amplitudes: Floats
    """(n, k) a at each temperature."""
    shares: Floats
    """(n, k) of each blank in each component, orthonormal."""

    def at(self, temperature: float) -> tuple[Floats, Floats]:
        """Return the blank at a temperature and its σ, (n_q,); ValueError outside the ramp."""
        first, last = self.temperatures[0], self.temperatures[-1]
        # A controller swings by a degree about the ends of what was recorded.
        reach = 0.02 * (last - first)
        if not first - reach <= temperature <= last + reach:
            raise ValueError(f"{temperature:g} lies outside the ramp from {first:g} to {last:g}")
        amplitudes = self._between(self.amplitudes, temperature)
        shares = self._between(self.shares, temperature)
        # B(T) is a weighted sum of the blanks, and each amplitude, in parts of σ, is known to 1.
        variance = self.sigma**2 * (1 / self.temperatures.size + np.sum(shares**2))
        if np.all(np.isfinite(variance[np.isfinite(self.mean)])):
            variance = variance + np.sum(self.components**2, axis=0)
        return self.mean + amplitudes @ self.components, np.sqrt(variance)

    def mean_sigma(self) -> Floats:
        """Return σ of the mean, (n_q,)."""
        return np.asarray(self.sigma / np.sqrt(self.temperatures.size), dtype=np.float64)

    def component_sigmas(self) -> Floats:
        """Return σ of each component, (k, n_q): that of a blank over the singular value."""
        sizes = np.sqrt(np.sum(self.amplitudes**2, axis=0))
        return np.asarray(self.sigma / sizes[:, None], dtype=np.float64)

    def _between(self, rows: Floats, temperature: float) -> Floats:
        found = [np.interp(temperature, self.temperatures, column) for column in rows.T]
        return np.asarray(found, dtype=np.float64)


def build_ramp(
    *,
    temperatures: Floats,
    intensities: Floats,
    sigmas: Floats,
    most: int = MOST_COMPONENTS,
    freedom: int | None = None,
) -> Ramp:
    """Split blanks into their mean and the changes that stand above their own noise.

    The singular values of the blanks less their mean, in parts of σ, are compared with the
    largest that pure noise of that shape has, √n_q + √(n − 1); where σ is not known, ``most``
    components are taken, two at most. Temperatures between those recorded get interpolated
    amplitudes.

    Parameters
    ----------
    temperatures : (n,) float64
        In any order. ValueError for less than two different ones.
    intensities, sigmas : (n, n_q) float64
        All with one scale: the same exposure, or divided by it; NaN where a bin is empty or its
        σ not known.
    freedom : int, optional
        How many independent numbers the noise of a blank has: n_q, or less where it was filtered.
    """
    order = np.argsort(temperatures)
    rising = temperatures[order]
    if rising.size < 2 or not np.all(np.diff(rising) > 0):
        raise ValueError("a ramp needs two or more blanks at different temperatures")
    blanks, spread = intensities[order], sigmas[order]
    n = rising.size
    mean = np.mean(blanks, axis=0)
    noise = np.sqrt(np.mean(spread**2, axis=0))
    usable = np.isfinite(mean)
    known = bool(np.all(np.isfinite(noise[usable]) & (noise[usable] > 0)))
    weight = noise[usable] if known else np.ones(np.count_nonzero(usable))
    left, values, right = np.linalg.svd((blanks - mean)[:, usable] / weight, full_matrices=False)
    independent = weight.size if freedom is None else freedom
    limit = _ABOVE_NOISE * (np.sqrt(independent) + np.sqrt(n - 1)) if known else 0.0
    count = min(most, n - 1, int(np.count_nonzero(values > limit)))
    count = count if known else min(count, _WITHOUT_SIGMA)
    components = np.full((count, mean.size), np.nan)
    components[:, usable] = right[:count] * weight
    return Ramp(
        temperatures=rising,
        mean=mean,
        sigma=noise,
        components=components,
        amplitudes=left[:, :count] * values[:count],
        shares=left[:, :count],
    )
