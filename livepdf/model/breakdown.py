"""What is known of a run in which every shot with the laser destroys its sample, at one moment."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.model.fraction import Fraction
from livepdf.model.laser import Limits, ShotCounts

Along = Literal["delay", "fluence", "shot"]
"""What samples are put in order by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """How one measure goes, and where it begins to change; NaN with a reason where it does not."""

    name: str
    """``order``, ``lattice`` or ``size``."""
    label: str
    """In words, e.g. ``order left``."""
    unit: str
    """Empty for a share."""
    start: float
    """Where the change begins, in the unit of the axis."""
    low: float
    high: float
    """Limits of the interval that covers the truth in ``coverage`` of all runs."""
    coverage: float
    before: float
    after: float
    """Levels before and after."""
    odds: float
    """Of a change against none."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreakdownReport:
    """Destroyed samples against a bank of intact ones, over delay, fluence or shot number."""

    run: str
    time: float
    """Unix seconds of the newest shot in it."""
    counts: ShotCounts
    """Classes ``on``, ``off``, …; `outside` are shots with the laser in no bin."""
    fractions: tuple[Fraction, ...]
    """What is sent of all shots, and the like."""
    sigma_is: str
    """Where σ comes from, in words."""
    normalised: str
    """What intensities were divided by, in words."""
    limits: Limits
    along: Along
    unit: str
    """Of ``x``: ``s``, ``mJ/cm²`` or empty."""
    log: bool
    """Whether the axis is logarithmic."""
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    bank_shots: int
    """Intact samples in the bank."""
    bank_reason: str
    """Why there is no bank yet; empty where there is."""
    bank: NDArray[np.float32]
    """(n_q,) mean of intact samples; NaN without a bank."""
    bank_scatter: NDArray[np.float32]
    """(n_q,) standard deviation from sample to sample."""
    x: NDArray[np.float64]
    """(n_bins,) where each bin is."""
    x_edges: NDArray[np.float64]
    """(n_bins + 1,) limits of the bins."""
    shots: NDArray[np.int64]
    """(n_bins,) samples in each bin."""
    diq: NDArray[np.float32]
    """(n_bins, n_q) mean of the samples of the bin less the bank, NaN where it is empty."""
    diq_sigma: NDArray[np.float32]
    r: NDArray[np.float64]
    """(n_r,) Å"""
    dgr: NDArray[np.float32]
    """(n_bins, n_r) Å⁻²"""
    dgr_sigma: NDArray[np.float32]
    measures: tuple[Breaking, ...]
    values: NDArray[np.float64]
    """(n_measures, n_bins) mean over the samples of the bin."""
    sigmas: NDArray[np.float64]
    """(n_measures, n_bins) of that mean."""
    sample_x: NDArray[np.float64]
    """(s,) of the newest samples, one by one."""
    sample_values: NDArray[np.float64]
    """(n_measures, s), NaN where withheld."""
    sample_sigmas: NDArray[np.float64]
    """(n_measures, s) scatter of intact samples."""
    warnings: tuple[str, ...] = ()
