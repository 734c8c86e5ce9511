"""What is known of a pump-probe run at one moment: shown together or not at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotCounts:
    """Where every shot of a run ended: used + rejected = received."""

    received: int = 0
    classes: tuple[tuple[str, int], ...] = ()
    """Shots by class."""
    rejected: tuple[tuple[str, int], ...] = ()
    """Shots by the reason why they are in no class."""
    outside: int = 0
    """With the laser, but with a delay that is in no bin; they are in their class too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaserTest:
    """Whether the laser does anything in one bin of the delay; NaN with a reason."""

    shots: int
    """With the laser."""
    p: float
    z: float
    shots_to_five_sigma: float
    slope: float
    """Of log σ against log shots; −0.5 for shots that know nothing of one another."""
    split_half: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What of Q goes into G(r): it decides which distances can be told apart."""

    qmin: float
    """Å⁻¹"""
    qmax: float
    taper: str
    """Name of the termination function, as in the recipe."""
    width: float = float("nan")
    """Å, full width at half maximum of one sharp distance in this G(r): nothing finer is told
    apart."""
    width_untapered: float = float("nan")
    """The same if there were no taper."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaserReport:
    """Differences between shots with and without the laser, over the delay."""

    run: str
    time: float
    """Unix seconds of the newest shot in it."""
    counts: ShotCounts
    sigma_is: str
    """Where σ comes from, in words."""
    normalised: str
    """What intensities were divided by, in words."""
    limits: Limits
    delays: NDArray[np.float64]
    """(n_bins,) s, middle of each bin."""
    edges: NDArray[np.float64]
    """(n_bins + 1,) s, limits of the bins."""
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    diq: NDArray[np.float32]
    """(n_bins, n_q) ΔI per I0, NaN where a bin is empty."""
    diq_sigma: NDArray[np.float32]
    off_iq: NDArray[np.float32]
    """(n_bins, n_q) I per I0 without the laser, at the times of the bin's shots with it; with it
    there is ΔI more."""
    off_iq_sigma: NDArray[np.float32]
    on_iq_sigma: NDArray[np.float32]
    r: NDArray[np.float64]
    """(n_r,) Å"""
    dgr: NDArray[np.float32]
    """(n_bins, n_r) Å⁻²"""
    dgr_sigma: NDArray[np.float32]
    off_gr: NDArray[np.float32]
    """(n_bins, n_r) Å⁻², without the laser; NaN where it cannot be reduced."""
    off_gr_sigma: NDArray[np.float32]
    on_gr_sigma: NDArray[np.float32]
    tests: tuple[LaserTest, ...]
    """One a bin."""
    growth_shots: NDArray[np.int64]
    """(n,) with the laser, in the bin that has most."""
    growth_sigma: NDArray[np.float64]
    """(n,) root mean square over Q of σ(ΔI) after so many."""
    counting_sigma: float
    """The same after all of them if nothing but photons scattered; NaN where they are not known."""
    strength: NDArray[np.float64]
    """(k,) of the components of the map; noise has about 1."""
    components: NDArray[np.float32]
    """(k, n_q) mathematical components, not physical states."""
    component_delays: NDArray[np.float64]
    """(k, n_bins)"""
    warnings: tuple[str, ...] = ()
