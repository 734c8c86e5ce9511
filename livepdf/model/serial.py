"""What is known of a run in which few shots hit a particle, at one moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.fraction import Fraction
from livepdf.model.laser import ShotCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRate:
    """Hits among shots with the 95 % interval of Wilson (1927); NaN before the first shot."""

    hits: int
    shots: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SerialReport:
    """Hits, the powder that they make, and the sizes of the particles."""

    run: str
    time: float
    """Unix seconds of the newest shot in it."""
    counts: ShotCounts
    """Classes are ``hit`` and ``blank``; with a laser ``hit on``, ``hit off``, and so on."""
    fractions: tuple[Fraction, ...]
    """What was done with only a part of the shots, e.g. the search for peaks."""
    hit_is: str
    """What counts as a hit, in words."""
    recent: HitRate
    """Of the last shots; `recent.shots` tells how many."""
    whole: HitRate
    """Of the run."""
    by_class: tuple[tuple[str, HitRate], ...]
    """``on`` and ``off`` apart where there is a laser; else empty."""
    course_shots: NDArray[np.int64]
    """(n,) shots of the run so far at the end of each stretch."""
    course_rate: NDArray[np.float64]
    """(n,) hit rate of the stretch, with its 95 % interval."""
    course_low: NDArray[np.float64]
    course_high: NDArray[np.float64]
    lit_edges: NDArray[np.float64]
    """(k + 1,) lit pixels of a shot: limits of the bins, spaced evenly on a log axis from 1; the
    first bin also holds shots without any."""
    lit_shots: NDArray[np.int64]
    """(k,) shots by lit pixels."""
    lit_threshold: float
    """Lit pixels from which a shot is a hit."""
    normalised: str
    """What intensities were divided by, in words."""
    sigma_is: str
    """Where σ of the powder comes from, in words."""
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    powder: NDArray[np.float32]
    """(n_q,) ⟨hit⟩ / ⟨I0⟩ − ⟨blank⟩ / ⟨I0⟩, NaN where either is unknown."""
    powder_sigma: NDArray[np.float32]
    hits_iq: NDArray[np.float32]
    """(n_q,) ⟨hit⟩ / ⟨I0⟩"""
    blanks_iq: NDArray[np.float32]
    """(n_q,) ⟨blank⟩ / ⟨I0⟩"""
    peaks: NDArray[np.float32]
    """(n_q,) intensity of the peaks that were found, per hit searched: the virtual powder; NaN
    where no search for peaks is asked for."""
    peaks_per_hit: float
    """NaN where none was searched."""
    size_edges: NDArray[np.float64]
    """(m + 1,) Å, diameters; (0,) where no size is asked for."""
    sizes_seen: NDArray[np.int64]
    """(m,) hits with a size."""
    efficiency: NDArray[np.float64]
    """(m,) share of the particles of that size that become a hit; NaN while unknown."""
    sizes_corrected: NDArray[np.float64]
    """(m,) seen / efficiency, NaN where too few are found."""
    sizes_sigma: NDArray[np.float64]
    """(m,)"""
    sized: tuple[tuple[str, int], ...]
    """Hits by outcome of the fit: ``sized``, or the reason without numbers why not."""
    sizes_reason: str
    """Why there are no sizes; empty where there are."""
    particle_shots: NDArray[np.int64]
    """(p,) numbers of the last shots with a size."""
    particle_sizes: NDArray[np.float64]
    """(p,) Å"""
    particle_sigmas: NDArray[np.float64]
    """(p,) Å"""
    warnings: tuple[str, ...] = ()
