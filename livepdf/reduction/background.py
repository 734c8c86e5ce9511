"""What is not the sample is taken away, and empty bins are bridged in the open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.ramp import Ramp
from livepdf.numerics.resample import interpolate

Floats = NDArray[np.float64]
BackgroundScale = float | Literal["fit", "monitor"]
"""A number; ``fit`` finds it in every pattern; ``monitor`` is one over the background's I0."""

EMPTY_SHARE = 0.1
"""More empty bins than this share of the range are too many to bridge."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Background:
    """One pattern that is not the sample: cell, solvent, air."""

    name: str
    intensity: Floats
    """(n_q,) on the plan's grid, in the sample's units; NaN where a bin is empty."""
    sigma: Floats
    """(n_q,) one standard uncertainty, NaN where unknown."""
    scale: BackgroundScale = 1.0
    monitor: float | None = None
    """I0 counts while it was measured; for the scale ``monitor``, when the sample's intensities
    are per I0 count and these are not."""
    cell: bool = False
    """Whether it is the sample's own empty capillary, which the sample then shades."""
    signed: bool = False
    """Whether a fitted scale may be negative, as that of a change about a mean."""
    ramp: Ramp | None = None
    """A series of blanks over temperature; ``intensity`` is its mean, or one of its changes."""
    made: bool = False
    """Whether it is no longer a file as it was read: denoised, or of a temperature in between."""
    match: str | None = None
    """The number of a frame's surroundings, by name, that says where in the ramp it is."""

    @property
    def factor(self) -> float:
        """What it is subtracted with; NaN when that is found in every pattern."""
        if self.scale == "fit":
            return float("nan")
        if self.scale == "monitor":
            if self.monitor is None or not self.monitor > 0:
                raise ValueError(f"background {self.name} needs its monitor, found {self.monitor}")
            return 1.0 / self.monitor
        return self.scale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bridged:
    """A pattern without gaps."""

    intensity: Floats
    """(n_q,)"""
    variance: Floats
    """(n_q,), NaN where unknown."""
    bridged: int
    """How many empty bins were interpolated."""


def background_on(
    *,
    grid: Floats,
    name: str,
    q: Floats,
    intensity: Floats,
    sigma: Floats | None,
    scale: BackgroundScale = 1.0,
    monitor: float | None = None,
    cell: bool = False,
) -> Background:
    """Bring a background onto a plan's grid by linear interpolation.

    Parameters
    ----------
    grid : (n_q,) float64, Å⁻¹
    q, intensity, sigma : (m,) float64
        As measured; q increasing, σ None where unknown. ValueError when q does not increase.

    Returns
    -------
    background : on the grid, NaN beyond its own ends
    """
    if not np.all(np.diff(q) > 0):
        raise ValueError(f"the Q axis of background {name} does not increase")
    values, spread = intensity, np.full(q.shape, np.nan) if sigma is None else sigma
    # The same axis but for printed digits needs no interpolation, which would mix neighbours.
    step = (grid[-1] - grid[0]) / (grid.size - 1)
    if q.shape != grid.shape or np.any(np.abs(q - grid) >= 1e-2 * step):
        values, spread = interpolate(onto=grid, q=q, intensity=values, sigma=spread)
    return Background(
        name=name, intensity=values, sigma=spread, scale=scale, monitor=monitor, cell=cell
    )


def subtract(
    *, intensity: Floats, sigma: Floats, backgrounds: Sequence[Background]
) -> tuple[Floats, Floats]:
    """Return I − Σ scale·B of the backgrounds whose scale is known, and its variance.

    Both have the shape of the intensity, (..., n_q); NaN where either is.
    """
    left = intensity.astype(np.float64)
    variance = np.square(sigma, dtype=np.float64)
    for background in backgrounds:
        factor = background.factor
        if factor == 0 or background.scale == "fit":
            continue
        left -= factor * background.intensity
        variance += (factor * background.sigma) ** 2
    return left, variance


def bridge(*, q: Floats, intensity: Floats, variance: Floats) -> Bridged:
    """Interpolate linearly across empty (NaN) bins.

    A bridged bin gets the variance of its interpolated value, (1−t)²·v₁ + t²·v₂; that it shares
    noise with its neighbours is left out, which a tenth of the bins cannot make visible.

    Raises
    ------
    ValueError
        When an edge of the range is empty or more than a tenth of its bins are.
    """
    empty = np.isnan(intensity)
    count = int(np.count_nonzero(empty))
    if count == 0:
        return Bridged(intensity=intensity, variance=variance, bridged=0)
    if empty[0] or empty[-1]:
        filled = q[~empty]
        there = f"{filled[0]:.3f} to {filled[-1]:.3f}" if filled.size else "nowhere"
        raise ValueError(
            f"no intensity at an edge of the range {q[0]:.3f} to {q[-1]:.3f} 1/A: "
            f"there is some from {there}; move qmin or qmaxinst"
        )
    if count > EMPTY_SHARE * q.size:
        raise ValueError(f"{count} of {q.size} bins between qmin and qmaxinst are empty")
    filled_at = np.flatnonzero(~empty)
    right = np.searchsorted(filled_at, np.flatnonzero(empty))
    a, b = filled_at[right - 1], filled_at[right]
    t = (q[empty] - q[a]) / (q[b] - q[a])
    whole, spread = intensity.copy(), variance.copy()
    whole[empty] = (1 - t) * intensity[a] + t * intensity[b]
    spread[empty] = (1 - t) ** 2 * variance[a] + t**2 * variance[b]
    return Bridged(intensity=whole, variance=spread, bridged=count)
