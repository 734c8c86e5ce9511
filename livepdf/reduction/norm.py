"""What one exposure is divided by: monitor, exposure time, or nothing."""

from dataclasses import dataclass

import numpy as np

from livepdf.errors import FrameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What one exposure is divided by."""

    factor: float
    """Multiplies the weight."""
    monitor: float
    """NaN where there is none."""
    exposure: float
    """s, NaN where there is none."""


def norm_of(
    monitor: float | None, exposure: float | None, *, by_monitor: bool, by_exposure: bool
) -> Norm:
    """Return what an exposure is divided by.

    Raises
    ------
    FrameError
        ``no monitor`` or ``no exposure`` where it is wanted and not a number above 0.
    """
    factor = 1.0
    if by_monitor:
        factor *= _positive(monitor, reason="no monitor")
    if by_exposure:
        factor *= _positive(exposure, reason="no exposure")
    return Norm(
        factor=factor,
        monitor=np.nan if monitor is None else float(monitor),
        exposure=np.nan if exposure is None else float(exposure),
    )


def _positive(value: float | None, *, reason: str) -> float:
    if value is None or not np.isfinite(value) or value <= 0:
        raise FrameError(reason, f"found {value}, wanted a number above 0")
    return float(value)
