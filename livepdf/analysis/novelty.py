"""Whether a window shows something that no window before it has shown."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import ALL_WINDOWS, FQ, STRUCTURE, Declared

Floats = NDArray[np.float64]

NEWS = Declared(
    name="novelty",
    gives=("novelty", "an event"),
    takes=(FQ, ALL_WINDOWS),
    needs=(STRUCTURE,),
    cost=0.5,
)
_MOST = 3
"""Kinds of change that are learned and told: growth goes on to show others without end."""
_NEW = 6.0
"""σ of χ² outside all that is known, twice in a row, that is called new."""
_CONSECUTIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far one window lies outside what is known; NaN where there is a reason."""

    value: float
    """(χ² − freedom)/√(2 freedom) of what is left: near 0 ± 1 where nothing is new."""
    new: bool = False
    """Whether this window proves that something is, so that it is known from now on."""
    reason: str = ""


class Novelty:
    """Learns the mean of the first windows, then each direction in which later ones leave it.

    A pattern is compared with the span of the mean, the slow terms and the directions so far, each
    point in units of its σ (principal components that come one by one). A score is a number for
    looking: it says that the sample does something, not what.
    """

    def __init__(self, columns: Floats, *, baseline: int = 20) -> None:
        """Begin anew.

        Parameters
        ----------
        columns : (n_q, k) float64
            What may change without being new: slow terms, solvent.
        baseline : int
            Windows that make the mean.
        """
        self._columns = columns
        self._baseline = baseline
        self._first: list[tuple[Floats, Floats]] = []
        self._span = columns
        self._mean_part = 0.0
        self._usual = (1.0, 1.0)
        self._kept: list[Floats] = []

    @property
    def learned(self) -> int:
        """How many directions were learned."""
        return int(self._span.shape[1] - self._columns.shape[1] - 1)

    def add(self, *, fq: Floats, sigma: Floats) -> Score:
        """Take the next good window.

        Parameters
        ----------
        fq, sigma : (n_q,) float64
            NaN where there is nothing to compare.
        """
        nan = float("nan")
        if len(self._first) < self._baseline:
            self._first.append((fq, sigma))
            if len(self._first) == self._baseline:
                self._learn_the_mean()
            return Score(
                value=nan, reason=f"learning: {len(self._first)} of {self._baseline} windows"
            )
        left, freedom = self._outside(fq, sigma)
        if freedom < 1:
            return Score(value=nan, reason="too few points of F(Q) have a value")
        chi2 = float(left[np.isfinite(left)] @ left[np.isfinite(left)]) / freedom
        value = (chi2 / self._usual[0] - 1.0) / self._usual[1]
        return Score(value=value, new=self._is_new(value, left, sigma))

    def _learn_the_mean(self) -> None:
        rows = np.array([row for row, _ in self._first])
        self._span = np.column_stack([self._columns, np.mean(rows, axis=0)])
        # The mean carries noise of its own into every comparison.
        self._mean_part = 1.0 / self._baseline
        found = []
        for row, sigma in self._first:
            left, freedom = self._outside(row, sigma)
            if freedom > 0:
                found.append(float(np.nansum(left**2)) / freedom)
        # Its own windows lie nearer to a mean than later ones will.
        share = (1.0 + self._mean_part) / (1.0 - self._mean_part)
        usual = float(np.mean(found)) * share if found else 1.0
        freedom = int(np.isfinite(rows[0]).sum()) - self._span.shape[1]
        noise = math.sqrt(2.0 / max(freedom, 1))
        scatter = float(np.std(found, ddof=1)) / usual if len(found) > 1 else 0.0
        self._usual = (usual, max(noise, scatter))
        self._first = [(row[:0], row[:0]) for row, _ in self._first]

    def _outside(self, fq: Floats, sigma: Floats) -> tuple[Floats, int]:
        left = np.full(fq.shape, np.nan)
        used = np.isfinite(fq) & np.isfinite(sigma) & (sigma > 0.0)
        used &= np.isfinite(self._span).all(axis=1)
        freedom = int(used.sum()) - self._span.shape[1]
        if freedom < 1:
            return left, freedom
        weight = 1.0 / (sigma[used] * math.sqrt(1.0 + self._mean_part))
        columns = self._span[used] * weight[:, None]
        size = np.linalg.norm(columns, axis=0)
        basis = np.linalg.qr(columns / np.where(size > 0.0, size, 1.0))[0]
        data = fq[used] * weight
        left[used] = data - basis @ (basis.T @ data)
        return left, freedom

    def _is_new(self, value: float, left: Floats, sigma: Floats) -> bool:
        if not value > _NEW:
            self._kept.clear()
            return False
        self._kept.append(left * sigma)
        if len(self._kept) < _CONSECUTIVE or self.learned >= _MOST:
            return False
        direction = np.mean(self._kept, axis=0)
        self._span = np.column_stack([self._span, direction])
        self._kept.clear()
        return True
