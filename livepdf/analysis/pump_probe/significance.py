"""Whether the laser does anything at all: a test over the whole pattern, and how it grows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.difference import FEWEST, Grouped, of_groups

_SURE = 5.0
"""σ of a discovery, as the field has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Significance:
    """How sure a difference is."""

    p: float
    """Probability of at least this much difference without any effect of the laser; NaN with a
    reason."""
    z: float
    """The same in σ, as far as the flips tell: excess over the mean of flipped ones."""
    shots_to_five_sigma: float
    """Shots with the laser at which z reaches five if things go on so; NaN where none is seen."""
    reason: str = ""


def significance(found: Grouped, *, flips: int = 999, seed: int = 1) -> Significance:
    """Test the null hypothesis that the laser does nothing.

    Without an effect, the difference in each block of time is as likely positive as negative. The
    statistic Σ_q (Σ_b w_b d_b)² / Σ_b (w_b d_b)² is therefore compared with itself under random
    changes of sign of whole blocks (sign-flip test: Fisher 1935). What is a multiple of the whole
    pattern is taken out of each block first: that is what an error of I0 looks like, and it would
    hide all else. Errors that bins share in other ways flip together and raise no false alarm; a
    χ² of independent bins would.

    Parameters
    ----------
    flips : int
        Random changes of sign; the smallest p is 1 / (flips + 1).
    """
    blocks = len(found.shots)
    if blocks < FEWEST:
        return _unknown(f"{blocks} blocks of time so far; the test needs {FEWEST}")
    rows = found.on_excess - found.off_excess
    known = np.isfinite(rows).all(axis=0)
    rows = _without_pattern(rows[:, known], found.reference[known])
    scatter = (rows**2).sum(axis=0)
    if not np.any(scatter > 0):
        return _unknown("no shots without the laser: a difference needs both")
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(flips, blocks))
    signs = np.vstack([np.ones(blocks), signs])
    statistic = ((signs @ rows[:, scatter > 0]) ** 2 / scatter[scatter > 0]).sum(axis=1)
    seen, null = statistic[0], statistic[1:]
    p = (1 + np.count_nonzero(null >= seen * (1 - 1e-12))) / (flips + 1)
    z = float((seen - null.mean()) / null.std())
    shots = int(found.shots.sum())
    return Significance(
        p=float(p), z=z, shots_to_five_sigma=shots * _SURE / z if z > 0 else float("nan")
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Convergence:
    """How the error falls while shots come."""

    shots: NDArray[np.int64]
    """(n,) with the laser, after each block of time from the eighth on."""
    sigma: NDArray[np.float64]
    """(n,) root mean square over Q of σ(ΔI)."""
    slope: float
    """Of log σ against log shots: −0.5 for independent shots."""
    split_half: float
    """Correlation over Q of ΔI from even and odd blocks, without what is a multiple of the
    pattern: 1 for a clear signal, 0 for none."""
    warning: str = ""


def convergence(found: Grouped) -> Convergence:
    """Return how σ fell; empty and NaN with fewer than twice the blocks an error needs."""
    blocks = len(found.shots)
    counts = range(FEWEST, blocks + 1) if blocks >= 2 * FEWEST else range(0)
    sigma = np.array([_rms(of_groups(first(found, n)).sigma) for n in counts])
    shots = np.array([found.shots[:n].sum() for n in counts], dtype=np.int64)
    if len(shots) == 0 or not np.all(sigma > 0):
        nan = float("nan")
        return Convergence(shots=shots, sigma=sigma, slope=nan, split_half=nan)
    slope = float(np.polyfit(np.log(shots), np.log(sigma), 1)[0])
    # The slope of a sum that scatters by 1/√(2 blocks) itself is only known to about this.
    unsure = 1.0 / np.sqrt(blocks)
    warning = ""
    if slope > -0.4 + unsure:
        warning = (
            f"σ falls as shots^{slope:.2f} instead of shots^-0.5: something drifts between the "
            "blocks of time, more shots will not help"
        )
    halves = np.array([of_groups(_rows(found, slice(k, None, 2))).value for k in (0, 1)])
    known = np.isfinite(halves).all(axis=0)
    halves = _without_pattern(halves[:, known], found.reference[known])
    split = float(np.corrcoef(halves[0], halves[1])[0, 1])
    return Convergence(shots=shots, sigma=sigma, slope=slope, split_half=split, warning=warning)


def interleaving(on: NDArray[np.int64], off: NDArray[np.int64]) -> str:
    """Return a warning when the laser's shots are not spread evenly among the others.

    Parameters
    ----------
    on, off : (n_slots,) shots of each class in consecutive slots of time
    """
    total = on + off
    share = on.sum() / max(total.sum(), 1)
    mixed = np.minimum(on, off).sum() * 2 / max(total.sum(), 1)
    if len(total) < 4 or not 0 < share < 1 or mixed > min(share, 1 - share):
        return ""
    return (
        "shots with and without the laser come in blocks, not in turn: a slow drift of the beam "
        "looks like an effect of the laser"
    )


def first(found: Grouped, blocks: int) -> Grouped:
    """Return the first blocks alone."""
    return _rows(found, slice(0, blocks))


def _rows(found: Grouped, which: slice) -> Grouped:
    return Grouped(
        reference=found.reference,
        on_incident=found.on_incident[which],
        on_excess=found.on_excess[which],
        off_excess=found.off_excess[which],
        shots=found.shots[which],
        off_shots=found.off_shots,
    )


def _without_pattern(
    rows: NDArray[np.float64], pattern: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows less their best multiple of the pattern, weighted as counts are (1 / pattern)."""
    lit = pattern > 0
    power = pattern[lit].sum()
    if power <= 0:
        return rows
    share = rows[:, lit].sum(axis=1) / power
    return rows - np.outer(share, np.where(lit, pattern, 0.0))


def _rms(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")


def _unknown(reason: str) -> Significance:
    nan = float("nan")
    return Significance(p=nan, z=nan, shots_to_five_sigma=nan, reason=reason)
