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
