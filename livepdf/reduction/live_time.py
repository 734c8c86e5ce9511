"""Counts that a busy detector missed, put back before anything is divided."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.sums import Sums
from livepdf.numerics.dead_time import DeadTimeKind, tabulated_rate, true_rate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeadTime:
    """How one pixel misses counts: a formula, or a table of rates."""

    seconds: float = 0.0
    kind: DeadTimeKind = "non-paralysable"
    table: tuple[Floats, Floats] | None = None
    """Measured and true rates, (n,) 1/s each, both rising; in place of the formula."""


def live_sums(sums: Sums, dead_time: DeadTime) -> Sums:
    """Return the sums of one exposure as a detector that is never busy would have given.

    The rate of a pixel is taken to be the mean one of its bin: powder rings are even enough for
    that (a bin in which rates scatter by 20 % is off by 4 % of the correction), spots of single
    crystals are not and stay too low. The beam is taken to be steady during the exposure: not for
    single pulses. σ is multiplied by the slope of the true rate over the measured one. A bin at a
    rate that the detector cannot have measured comes back empty.

    Parameters
    ----------
    sums : of a single exposure; the dark of a counting detector is zero

    Raises
    ------
    FrameError
        ``no exposure`` where its time is not known.
    """
    if sums.frames != 1 or not sums.exposure > 0:
        raise FrameError("no exposure", f"found {sums.exposure} s, dead time needs that of a frame")
    filled = sums.pixels > 0
    rate = np.zeros(sums.signal.shape)
    np.divide(sums.signal, sums.pixels * sums.exposure, out=rate, where=filled)
    rate = np.maximum(rate, 0.0)
    true, slope = _true(rate, dead_time)
    possible = np.isfinite(true) & filled
    factor = np.ones(rate.shape)
    np.divide(true, rate, out=factor, where=possible & (rate > 0))
    return replace(
        sums,
        signal=np.where(possible, sums.signal * factor, 0.0),
        variance=np.where(possible, sums.variance * slope**2, 0.0),
        weight=np.where(possible, sums.weight, 0.0),
        pixels=np.where(possible, sums.pixels, 0.0),
    )


def _true(rate: Floats, dead_time: DeadTime) -> tuple[Floats, Floats]:
    if dead_time.table is not None:
        return tabulated_rate(measured=rate, table=dead_time.table)
    return true_rate(measured=rate, dead_time=dead_time.seconds, kind=dead_time.kind)
