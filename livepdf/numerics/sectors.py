"""Rings cut into sectors: I(Q, χ), and averages that a zinger or a crystal spot does not spoil."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry
from livepdf.numerics.integrate import BinSums

FEWEST_COUNTS = 9.0
"""Counts that more than half of the sectors of a bin must have: below, the skew of Poisson's
distribution would be taken for a spoilt sector, and the average would come out too low."""
FEWEST_SECTORS = 5
"""Sectors with pixels that a bin must have for its median to be trusted."""
_NORMAL = 1.4826
"""Standard deviation over median absolute deviation, for a normal distribution."""


def sector_numbers(geometry: Geometry, *, sectors: int) -> NDArray[np.int64]:
    """Return the sector of each pixel centre, counted from χ = −180° in equal steps.

    Returns
    -------
    number : (ny, nx) int64, 0 … sectors − 1
        In the orientation of the calibration; χ is pyFAI's azimuth.
    """
    if sectors < 1:
        raise ValueError(f"the number of sectors is {sectors}, wanted at least 1")
    azimuth = geometry.pyfai.array_from_unit(geometry.shape, "center", "chi_rad", scale=False)
    turn = np.asarray(azimuth, np.float64) / (2 * np.pi) + 0.5
    geometry.pyfai.reset(collect_garbage=False)
    return np.clip(np.floor(turn * sectors).astype(np.int64), 0, sectors - 1)


def sector_centres(sectors: int) -> NDArray[np.float64]:
    """Return (sectors,) the azimuth χ of their middles, degrees."""
    return -180.0 + 360.0 * (np.arange(sectors) + 0.5) / sectors


def by_sector(sums: BinSums, *, sectors: int) -> BinSums:
    """Return the sums of (sectors · n,) bins as (sectors, n)."""
    return BinSums(
        signal=sums.signal.reshape(sectors, -1),
        variance=sums.variance.reshape(sectors, -1),
        weight=sums.weight.reshape(sectors, -1),
        pixels=sums.pixels.reshape(sectors, -1),
    )


def ring_sums(sums: BinSums, *, kept: NDArray[np.bool_] | None = None) -> BinSums:
    """Add the sectors (sectors, n) up to rings (n,), those that are ``kept`` where that is said."""
    chosen: Any = True if kept is None else kept
    return BinSums(
        signal=sums.signal.sum(axis=0, where=chosen),
        variance=sums.variance.sum(axis=0, where=chosen),
        weight=sums.weight.sum(axis=0, where=chosen),
        pixels=sums.pixels.sum(axis=0, where=chosen),
    )


def agreeing_sectors(sums: BinSums, *, limit: float) -> NDArray[np.bool_]:
    """Tell which sectors agree with the median of their ring.

    A sector is left out where its intensity is further from the median than ``limit`` times the
    larger of its counting noise and the scatter of the sectors (median absolute deviation). The
    noise is that of the whole ring: a spot adds to it, but its distance grows faster. All are
    kept in bins with too few counts or sectors to judge.

    Parameters
    ----------
    sums : (sectors, n)

    Returns
    -------
    kept : (sectors, n) bool
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}, wanted above 0")
    filled = sums.weight > 0
    count = filled.sum(axis=0)
    intensity = _quotient(sums.signal, sums.weight)
    middle = _median(intensity, count)
    per_weight = _quotient(sums.variance.sum(axis=0), sums.weight.sum(axis=0))
    noise = np.sqrt(_quotient(np.broadcast_to(per_weight, filled.shape), sums.weight))
    away = np.abs(intensity - middle)
    scale = np.maximum(noise, _NORMAL * _median(away, count))
    enough = 2 * (filled & (sums.variance >= FEWEST_COUNTS)).sum(axis=0) > count
    judged = (count >= FEWEST_SECTORS) & enough
    return np.asarray(~(judged & (away > limit * scale)))


def _quotient(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient = np.full(below.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def _median(values: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (n,) the median of each column of (sectors, n); NaN ones are not among ``count``."""
    # A plain sort puts NaN last, and takes a tenth of the time of nanmedian.
    ordered = np.sort(values, axis=0)
    halves = [np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[0] - 1)]
    return np.asarray(np.take_along_axis(ordered, np.stack(halves), axis=0).mean(axis=0))
