"""The diameter of a single particle from the fringes of one shot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GRID = 1.015
"""Ratio of neighbouring diameters that are tried first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SphereFit:
    """What one hit says of its particle; NaN with a reason where it says nothing."""

    diameter: float
    """Å"""
    sigma: float
    photons: float
    """That the particle scattered, as fitted."""
    background: float
    """Photons that are not the particle's."""
    goodness: float
    """Poisson deviance per degree of freedom: near 1 for a sphere."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SphereLimits:
    """What is believed."""

    smallest: float
    """Å"""
    largest: float
    """Å"""
    goodness: float = 1.5
    share: float = 0.1
    """σ(D) / D above which no size is given."""
    blur: float = 0.0
    """Å⁻¹, how far the centre of the pattern may be off: fringes are smeared by it."""

    def __post_init__(self) -> None:
        if not 0 < self.smallest < self.largest:
            raise ValueError(f"diameters from {self.smallest} to {self.largest} Å make no range")


def sphere_form(q: NDArray[np.float64], diameter: float) -> NDArray[np.float64]:
    """Return |form factor|² of a sphere, 1 at Q = 0 (Rayleigh 1911).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    diameter : float, Å
    """
    x = np.maximum(q * diameter / 2, 1e-4)
    amplitude = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    squared: NDArray[np.float64] = amplitude**2
    return squared


def fit_sphere(
    *,
    q: NDArray[np.float64],
    counts: NDArray[np.float64],
    weight: NDArray[np.float64],
    limits: SphereLimits,
) -> SphereFit:
    """Fit a sphere on a flat background by Poisson likelihood.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    counts : (n_q,) float64
        Photons in each bin, not divided by anything: zeros count.
    weight : (n_q,) float64
        What the bin would count for an intensity of 1 (pixels × solid angle × …).
    limits : SphereLimits

    Raises
    ------
    ValueError
        Shapes differ or counts are negative.
    """
    if not q.shape == counts.shape == weight.shape:
        raise ValueError(f"q, counts, weight differ: {q.shape}, {counts.shape}, {weight.shape}")
    used = weight > 0
    q, counts, weight = q[used], counts[used], weight[used]
    if np.any(counts < 0):
        raise ValueError("negative photon counts: subtract no background before this fit")
    if counts.sum() < 50 or len(q) < 8:
        return _no_size(f"{counts.sum():.0f} photons in {len(q)} bins are too few")
    steps = int(np.ceil(np.log(limits.largest / limits.smallest) / np.log(_GRID))) + 1
    grid = np.geomspace(limits.smallest, limits.largest, steps)
    deviance = _best_scales(_columns(q, weight, grid, limits.blur), counts)[1]
    best = int(np.argmin(deviance))
    if best in (0, steps - 1):
        return _no_size(f"the best diameter is at the limit of {grid[best]:.0f} Å")
    return _refined(q, counts, weight, (grid[best - 1], grid[best + 1]), limits)


def _columns(
    q: NDArray[np.float64],
    weight: NDArray[np.float64],
    diameters: NDArray[np.float64],
    blur: float,
) -> NDArray[np.float64]:
    """Shares of each bin in the photons of the sphere and of the background, (n, 2, n_q)."""
    # A centre that is off by b spreads each ring over Q ± b cos φ.
    shifts = blur * np.cos(np.pi * (np.arange(6) + 0.5) / 6) if blur > 0 else np.zeros(1)
    places = np.abs(q + shifts[:, None])
    form = np.array([sphere_form(places, one).mean(axis=0) for one in diameters])
    columns = np.stack([form * weight, np.broadcast_to(weight, form.shape)], axis=1)
    normed: NDArray[np.float64] = columns / columns.sum(axis=2, keepdims=True)
    return normed


def _best_scales(
    columns: NDArray[np.float64], counts: NDArray[np.float64], rounds: int = 40
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Photons of sphere and background of the highest likelihood (n, 2), and the deviance (n,).

    By expectation maximisation, as Richardson (1972) and Lucy (1974) did.
    """
    share = np.tile(np.array([0.8, 0.2]) * counts.sum(), (len(columns), 1))
    for _ in range(rounds):
        model = np.einsum("nk,nkq->nq", share, columns)
        share = share * np.einsum("nq,nkq->nk", counts / model, columns)
    return share, _deviance(counts, np.einsum("nk,nkq->nq", share, columns))


def _deviance(counts: NDArray[np.float64], model: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.where(counts > 0, counts / model, 1.0)
    found: NDArray[np.float64] = 2 * np.sum(counts * np.log(ratio) - (counts - model), axis=-1)
    return found


def _refined(
    q: NDArray[np.float64],
    counts: NDArray[np.float64],
    weight: NDArray[np.float64],
    between: tuple[float, float],
    limits: SphereLimits,
) -> SphereFit:
    # A parabola through the deviance near its minimum, found on a grid eight times as fine.
    fine = np.linspace(*between, 17)
    columns = _columns(q, weight, fine, limits.blur)
    scales, deviance = _best_scales(columns, counts, 150)
    best = int(np.clip(np.argmin(deviance), 2, len(fine) - 3))
    near = slice(best - 2, best + 3)
    a, b, _ = np.polyfit(fine[near] - fine[best], deviance[near], 2)
    if a <= 0:
        return _no_size("the likelihood has no maximum near the best diameter")
    diameter = float(np.clip(fine[best] - b / (2 * a), *between))
    goodness = _goodness(counts, scales[best] @ columns[best])
    # −2 log L rises by 1 at one σ.
    sigma = float(np.sqrt(1 / a) * np.sqrt(max(goodness, 1.0)))
    reason = ""
    if goodness > limits.goodness:
        reason = f"not a sphere: misfit {goodness:.1f} per degree of freedom"
    elif sigma > limits.share * diameter:
        reason = f"the fringes are too weak: σ is {100 * sigma / diameter:.0f} % of the diameter"
    nan = float("nan")
    return SphereFit(
        diameter=nan if reason else diameter,
        sigma=nan if reason else sigma,
        photons=float(scales[best, 0]),
        background=float(scales[best, 1]),
        goodness=goodness,
        reason=reason,
    )


def _goodness(counts: NDArray[np.float64], model: NDArray[np.float64]) -> float:
    """Pearson's χ² per degree of freedom, over bins joined until each expects five photons."""
    part = np.floor(np.cumsum(model) / 5.0).astype(int)
    seen, wanted = np.bincount(part, counts), np.bincount(part, model)
    full = wanted >= 4
    degrees = np.count_nonzero(full) - 3
    if degrees < 1:
        return 1.0
    return float(np.sum((seen[full] - wanted[full]) ** 2 / wanted[full]) / degrees)


def _no_size(reason: str) -> SphereFit:
    nan = float("nan")
    return SphereFit(
        diameter=nan, sigma=nan, photons=nan, background=nan, goodness=nan, reason=reason
    )
