"""The slow correction Q·P(Q) that the ad hoc reduction takes out of F(Q)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolynomialFit:
    r"""The least-squares fit of Q·P(Q) as a thin projector: fit(F) = U diag(w) Uᵀ F."""

    basis: Floats
    """(n_q, k) orthonormal columns; the first j span Q, Q², …, Q^j."""
    weights: Floats
    """(k,) one, but the last column takes the fraction of the degree."""

    def coefficients(self, fq: Floats) -> Floats:
        """Return diag(w) Uᵀ F, (k,) or (k, n) for columns."""
        return (self.weights * (self.basis.T @ fq).T).T

    def remove(self, fq: Floats) -> Floats:
        """Return F minus its fit; (n_q,) or (n_q, n) for columns."""
        return np.asarray(fq - self.basis @ self.coefficients(fq), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RemainderVariance:
    """Maps the variance of F to that of what is left when the polynomial is out."""

    own: Floats
    """(n,) what a point keeps of its own variance."""
    pairs: Floats
    """(n_q, p) products of two columns of the basis, each pair once."""
    spread: Floats
    """(p, n) how the covariance of two columns comes back."""

    def apply(self, variance: Floats) -> Floats:
        """Return the diagonal of (1−H) diag(v) (1−H)ᵀ, (k, n), of v, (k, n_q)."""
        kept = variance[:, : self.own.size] * self.own
        return np.asarray(kept + (variance @ self.pairs) @ self.spread, dtype=np.float64)


def remainder_variance(fit: PolynomialFit, *, points: int) -> RemainderVariance:
    """Prepare the variance of the first ``points`` of F without its polynomial."""
    i, j = np.triu_indices(fit.weights.size)
    weighted = fit.basis[:points] * fit.weights
    twice = np.where(i == j, 1.0, 2.0)
    return RemainderVariance(
        own=1 - 2 * np.einsum("ij,ij->i", weighted, fit.basis[:points]),
        pairs=fit.basis[:, i] * fit.basis[:, j],
        spread=(twice * weighted[:, i] * weighted[:, j]).T.copy(),
    )


def effective_degree(*, q: Floats, rpoly: float) -> float:
    r"""Degree of P as the published outputs show it: ``rpoly (Q_last − Q_first)/π − 1``.

    Juhás et al. (J. Appl. Cryst. 46, 560, 2013) print ``rpoly Qmaxinst/π`` for P; files written
    by the program follow this form, where it is the degree of the product Q·P.
    """
    return float(rpoly * (q[-1] - q[0]) / np.pi - 1)


def polynomial_fit(*, q: Floats, degree: float) -> PolynomialFit:
    """Return the fit of Q·P(Q) with unit weights on the points of F.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Points of the fit, increasing.
    degree : float
        Of P. Between integers the two neighbouring fits mix linearly; as the lower degree's
        space lies inside the higher one's, that is one more column with the fraction as weight.
        Below zero there is no polynomial. ValueError when there are too few points.
    """
    if degree < 0:
        return PolynomialFit(basis=np.empty((q.size, 0)), weights=np.empty(0))
    whole = int(np.floor(degree))
    fraction = degree - whole
    columns = whole + 1 + (fraction > 0)
    if columns >= q.size:
        raise ValueError(f"a polynomial of degree {degree:.2f} needs more than {q.size} points")
    middle, half = (q[0] + q[-1]) / 2, (q[-1] - q[0]) / 2
    powers = np.polynomial.legendre.legvander((q - middle) / half, columns - 1)
    basis, _ = np.linalg.qr(q[:, None] * powers)
    weights = np.ones(columns)
    if fraction > 0:
        weights[-1] = fraction
    return PolynomialFit(basis=basis, weights=weights)
