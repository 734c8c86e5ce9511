"""Rings cut into sectors: I(Q, χ), and averages that a zinger or a crystal spot does not spoil."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry
from livepdf.numerics.integrate import BinSums
from livepdf.numerics.kernel import kernel

Array = NDArray[Any]

FEWEST_COUNTS = 9.0
"""Counts that the median sector of a bin must have: below, the skew of Poisson's distribution
would be taken for a spoilt sector, and the average would come out too low."""
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
    azimuth = np.asarray(geometry.pyfai.chiArray(geometry.shape), np.float64)
    geometry.pyfai.reset(collect_garbage=False)
    turn = azimuth / (2 * np.pi) + 0.5
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
    noise is that of the median, so that a spot cannot excuse itself. All are kept in bins with
    too few counts or sectors to judge.

    Parameters
    ----------
    sums : (sectors, n)

    Returns
    -------
    kept : (sectors, n) bool
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}, wanted above 0")
    kept = np.ones(sums.signal.shape, np.bool_)
    scratch = np.empty((3, sums.signal.shape[0]))
    _judge(sums.signal, sums.variance, sums.weight, float(limit), scratch, kept)
    return kept


@kernel
def _judge(
    signal: Array, variance: Array, weight: Array, limit: float, scratch: Array, kept: Array
) -> None:
    sectors, n = signal.shape
    for bin_ in range(n):
        found = 0
        for s in range(sectors):
            if weight[s, bin_] > 0:
                scratch[0, found] = signal[s, bin_] / weight[s, bin_]
                scratch[1, found] = variance[s, bin_] / weight[s, bin_]
                scratch[2, found] = variance[s, bin_]
                found += 1
        if found < FEWEST_SECTORS or np.median(scratch[2, :found]) < FEWEST_COUNTS:
            continue
        middle = np.median(scratch[0, :found])
        noise = np.median(scratch[1, :found])
        scatter = _NORMAL * np.median(np.abs(scratch[0, :found] - middle))
        for s in range(sectors):
            if weight[s, bin_] > 0:
                scale = max(scatter, np.sqrt(noise / weight[s, bin_]))
                away = abs(signal[s, bin_] / weight[s, bin_] - middle)
                kept[s, bin_] = away <= limit * scale
