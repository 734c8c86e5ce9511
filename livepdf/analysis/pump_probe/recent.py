"""The newest shots with the laser one by one, and what a change of theirs does over the delay."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.edge import arrival_warning, edge, sign_warning
from livepdf.model.shot import Shot

_BYTES = 64_000_000
"""Of patterns that are kept, at most: 32 000 shots of 500 bins."""
_MOST = 20_000
"""Shots that are kept, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """Shots with the laser, oldest first or not."""

    iq: NDArray[np.float32]
    """(n, n_q) I / I0"""
    delay: NDArray[np.float64]
    """(n,) s"""
    arrival: NDArray[np.float64]
    """(n,) s, what the arrival-time tool added to the delay."""


class RecentShots:
    """A ring of the newest shots with the laser; `add` changes it in place."""

    def __init__(self, n_q: int, *, limit: int = _BYTES) -> None:
        """Make room; ``limit`` in bytes of patterns."""
        places = max(1, min(_MOST, limit // (4 * max(n_q, 1))))
        self._iq = np.empty((places, n_q), dtype=np.float32)
        self._times = np.full((places, 2), np.nan)
        self.added = 0
        """Shots so far, those that were replaced too."""

    def add(self, shot: Shot) -> None:
        """Keep a shot in place of the oldest where there is no room."""
        place = self.added % len(self._iq)
        self._iq[place] = shot.iq / shot.label.i0 if shot.label.i0 > 0 else np.nan
        self._times[place] = shot.label.delay, shot.label.arrival
        self.added += 1

    def kept(self) -> Kept:
        """Return a copy of what is kept."""
        known = min(self.added, len(self._iq))
        times = self._times[:known].copy()
        return Kept(iq=self._iq[:known].copy(), delay=times[:, 0], arrival=times[:, 1])


def amounts(
    iq: NDArray[np.float32], *, curve: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how much of a curve is in each pattern beside their mean, (n,).

    A weighted straight fit of both: an error of I0 scales the mean and is in no amount.

    Parameters
    ----------
    iq : (n, n_q)
    curve, sigma : (n_q,)
        Points where either is not known, or any pattern, are left out.

    Returns
    -------
    (n,) float64
        NaN where fewer than two points are left.
    """
    known = np.isfinite(curve) & (sigma > 0)
    known[known] = np.isfinite(iq[:, known]).mean(axis=0) > 0.99
    rows = np.isfinite(iq[:, known]).all(axis=1)
    found = np.full(len(iq), np.nan)
    if np.count_nonzero(known) < 2 or not rows.any():
        return found
    patterns = iq[rows][:, known].astype(np.float64) / sigma[known]
    design = np.column_stack([curve[known] / sigma[known], patterns.mean(axis=0)])
    found[rows] = np.linalg.lstsq(design, patterns.T, rcond=None)[0][0]
    return found


def tool_warning(kept: Kept, *, curve: NDArray[np.float64], sigma: NDArray[np.float64]) -> str:
    """Return a warning where the arrival-time tool makes the edge of a change broader.

    Parameters
    ----------
    curve, sigma : (n_q,)
        What the laser changes, e.g. the strongest component of the map, and its error.
    """
    told = np.isfinite(kept.arrival) & np.isfinite(kept.delay)
    if not told.any() or math.isclose(float(np.ptp(kept.arrival[told])), 0.0):
        return ""
    signal = amounts(kept.iq[told], curve=curve, sigma=sigma)
    corrected, arrival = kept.delay[told], kept.arrival[told]
    found = edge(corrected, signal)
    said = arrival_warning(found, edge(corrected - arrival, signal))
    return said or sign_warning(found, edge(corrected - 2 * arrival, signal))
