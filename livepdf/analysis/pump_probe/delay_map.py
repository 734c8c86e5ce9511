"""The map ΔI(Q, delay): its independent parts, weighted by σ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.difference import Difference, of_groups
from livepdf.analysis.pump_probe.difference import grouped as grouped_bin
from livepdf.analysis.pump_probe.table import ShotTable

LABEL = "mathematical components, not physical states"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DelayMap:
    """A difference for each bin of the delay."""

    delays: NDArray[np.float64]
    """(n_bins,) s, middle of each bin."""
    value: NDArray[np.float64]
    """(n_bins, n_q), NaN rows where a bin has no shots."""
    sigma: NDArray[np.float64]
    """(n_bins, n_q) What the shots without the laser share between bins is in each of them."""
    shots: NDArray[np.int64]
    """(n_bins,) with the laser."""


def delay_map(table: ShotTable) -> DelayMap:
    """Return the differences of all bins."""
    found = [of_groups(grouped_bin(table, number)) for number in range(table.bins)]
    return of_differences(found, delays=(table.edges[1:] + table.edges[:-1]) / 2)


def of_differences(found: Sequence[Difference], *, delays: NDArray[np.float64]) -> DelayMap:
    """Return the map that differences make, one a delay."""
    return DelayMap(
        delays=delays,
        value=np.array([one.value for one in found]),
        sigma=np.array([one.sigma for one in found]),
        shots=np.array([one.on for one in found], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """Singular vectors of a map; see `LABEL`."""

    strength: NDArray[np.float64]
    """(k,) in units in which pure noise has about 1."""
    curves: NDArray[np.float64]
    """(k, n_q), in units of ΔI."""
    delays: NDArray[np.float64]
    """(k, n_bins) how much of each curve is in each bin."""
    significant: int
    """Components stronger than any that noise makes."""


def components(found: DelayMap, *, background: NDArray[np.float64] | None = None) -> Components:
    """Decompose a map by a singular value decomposition, rows and columns divided by σ.

    Noise of a (m, n) matrix of unit variance has singular values up to √m + √n (Marchenko and
    Pastur 1967); `strength` is relative to that.

    Parameters
    ----------
    background : (b, n_q) float64, optional
        Curves that vary without the laser; what lies in their span is taken out first (Haldrup
        2014).

    Raises
    ------
    ValueError
        When no bin and no Q has a σ.
    """
    rows = np.isfinite(found.value).any(axis=1) & np.isfinite(found.sigma).any(axis=1)
    known = np.isfinite(found.value[rows]).all(axis=0) & (found.sigma[rows] > 0).all(axis=0)
    if not rows.any() or not known.any():
        raise ValueError("no delay has both a difference and its σ")
    sigma = np.sqrt(np.mean(found.sigma[rows][:, known] ** 2, axis=0))
    level = np.sqrt(np.mean((found.sigma[rows][:, known] / sigma) ** 2, axis=1))
    scaled = found.value[rows][:, known] / sigma / level[:, None]
    if background is not None and len(background):
        basis = np.linalg.qr((background[:, known] / sigma).T)[0]
        scaled = scaled - (scaled @ basis) @ basis.T
    left, strength, right = np.linalg.svd(scaled, full_matrices=False)
    curves = np.full((len(strength), found.value.shape[1]), np.nan)
    curves[:, known] = right * sigma
    delays = np.full((len(strength), len(found.delays)), np.nan)
    delays[:, rows] = (left * strength).T * level
    relative = strength / (np.sqrt(scaled.shape[0]) + np.sqrt(scaled.shape[1]))
    return Components(
        strength=relative,
        curves=curves,
        delays=delays,
        significant=int(np.count_nonzero(relative > 1.1)),
    )
