"""One window of data, weighted, with all that is not looked at taken out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from livepdf.analysis.least_squares import without

Floats = NDArray[np.float64]

_SAME = 1e-9
"""A column of which less than this is new says nothing new."""


class View(Protocol):
    """Data in units of their σ, and how F(Q) of a model is seen among them."""

    @property
    def data(self) -> Floats:
        """(n,) in units of σ."""
        ...

    @property
    def nuisance_count(self) -> int:
        """How many degrees of freedom were projected out."""
        ...

    def seen(self, curves: Floats) -> Floats:
        """Return curves (..., n_q) of F(Q) as the data would show them, (..., n)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """F(Q) of a window in units of its σ, and the nuisances that are projected out."""

    used: NDArray[np.bool_]
    """(n_q,) points with a value and an uncertainty, beyond the small angles."""
    inverse_sigma: Floats
    """(n_used,) 1/σ."""
    whitener: Floats | None
    """(n_used, n_used) L⁻¹ of the covariance C = L·Lᵀ, where the points are correlated."""
    nuisances: Floats
    """(n_used, k) as they were given."""
    basis: Floats
    """(n_used, k') orthonormal, spans the weighted nuisances."""
    data: Floats
    """(n_used,) weighted, without what the nuisances can describe."""

    @property
    def nuisance_count(self) -> int:
        """How many degrees of freedom were projected out."""
        return int(self.basis.shape[1])

    def weighted(self, curves: Floats) -> Floats:
        """Return curves (..., n_used) in units of σ, whitened where points are correlated."""
        if self.whitener is None:
            return np.asarray(curves * self.inverse_sigma)
        return np.asarray(curves @ self.whitener.T)

    def weighted_back(self, rows: Floats) -> Floats:
        """Return rows that act on weighted curves, (..., n_used), as ones that act on curves."""
        if self.whitener is None:
            return np.asarray(rows * self.inverse_sigma)
        return np.asarray(rows @ self.whitener)

    def seen(self, curves: Floats) -> Floats:
        """Return curves (..., n_q) weighted and without what the nuisances can describe."""
        return without(self.weighted(curves[..., self.used]), self.basis)

    def amounts(self, rest: Floats) -> Floats:
        """Return how much of each nuisance is in F(Q) minus the crystals, (n_q,): (k,)."""
        columns = self.weighted(self.nuisances.T).T
        size = np.linalg.norm(columns, axis=0)
        size[size == 0.0] = 1.0
        found = np.linalg.lstsq(columns / size, self.weighted(rest[self.used]), rcond=_SAME)[0]
        return np.asarray(found / size)


def window_of(
    *,
    nuisances: Floats,
    compared: NDArray[np.bool_],
    fq: Floats,
    sigma: Floats,
    covariance: Floats | None = None,
) -> Window:
    """Weigh a window.

    Parameters
    ----------
    nuisances : (n_q, k) float64, Å⁻¹
    compared : (n_q,) bool
        Where a comparison makes sense at all.
    fq, sigma : (n_q,) float64, Å⁻¹
    covariance : (n_q, n_q) float64, optional, Å⁻²

    Raises
    ------
    ValueError
        When less than half of the points have a value and its uncertainty, the covariance is none,
        or squares overflow.
    """
    used = compared & np.isfinite(fq) & np.isfinite(sigma) & (sigma > 0.0)
    if used.sum() < 0.5 * compared.sum():
        raise ValueError("fewer than half of the points of F(Q) have a value and its uncertainty")
    inverse_sigma = 1.0 / sigma[used]
    whitener: Floats | None = None
    if covariance is not None:
        factor = np.linalg.cholesky(covariance[np.ix_(used, used)])
        whitener = np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))
    bare = Window(
        used=used,
        inverse_sigma=inverse_sigma,
        whitener=whitener,
        nuisances=nuisances[used],
        basis=np.empty((int(used.sum()), 0)),
        data=np.empty(0),
    )
    basis = _basis(bare.weighted(nuisances[used].T).T)
    data = without(bare.weighted(fq[used]), basis)
    if not np.isfinite(data @ data):
        raise ValueError("F(Q) is too large for its uncertainty: its square is beyond all numbers")
    return Window(
        used=used,
        inverse_sigma=inverse_sigma,
        whitener=whitener,
        nuisances=bare.nuisances,
        basis=basis,
        data=data,
    )


def _basis(columns: Floats) -> Floats:
    # A column that the others span already leaves a direction of pure rounding: dropped.
    size = np.linalg.norm(columns, axis=0)
    columns = columns[:, size > 0.0] / size[size > 0.0]
    q, r = np.linalg.qr(columns)
    return np.asarray(q[:, np.abs(np.diag(r)) > _SAME])
