"""σ of ΔI(Q) if nothing but photons scattered: what the measured σ is compared with."""

import numpy as np
from numpy.typing import NDArray

from livepdf.model.shot import ShotLabel


class CountingNoise:
    """Variance of counting summed by delay bin; shots are added in any order."""

    def __init__(self, *, edges: NDArray[np.float64], n_q: int) -> None:
        """``edges``: (n_bins + 1,) s, increasing limits of the delay bins."""
        self._edges = edges
        self._variance = np.zeros((len(edges), n_q))
        self._incident = np.zeros((len(edges), n_q))

    def add(self, label: ShotLabel, *, sigma: NDArray[np.float64]) -> None:
        """Add a lit shot.

        Parameters
        ----------
        sigma : (n_q,) float64
            Of its I(Q) by counting; NaN where no pixel counts.
        """
        number = len(self._edges) - 1
        if label.kind == "on":
            number = int(np.searchsorted(self._edges, label.delay, side="right")) - 1
            if not 0 <= number < len(self._edges) - 1:
                return
        known = np.isfinite(sigma)
        self._variance[number] += np.where(known, sigma, 0.0) ** 2
        self._incident[number] += np.where(known, label.i0, 0.0)

    def sigma(self, number: int) -> NDArray[np.float64]:
        """Return σ(ΔI) of a bin by counting alone, (n_q,); NaN where a class has no photons."""
        total = np.zeros(self._variance.shape[1])
        for row in (number, -1):
            lit = (self._incident[row] > 0) & (self._variance[row] > 0)
            share = np.full(total.shape, np.nan)
            np.divide(self._variance[row], self._incident[row] ** 2, out=share, where=lit)
            total += share
        return np.asarray(np.sqrt(total), dtype=np.float64)
