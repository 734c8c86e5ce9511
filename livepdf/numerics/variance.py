"""The variance of G(r) from that of I(Q): the squared operator, dense but coarse in r."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from livepdf.numerics.polynomial import PolynomialFit
from livepdf.numerics.transform import FftTransform, Transform

Floats = NDArray[np.float64]

_OVERSAMPLING = 2.0
_TAPS = 16
# Kaiser's shape that closes before the first image of the band: what comes through is 1e-6.
_SHAPE = np.pi * _TAPS / 2 * (1 - 1 / _OVERSAMPLING)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VarianceMap:
    """Maps the variance of I, at fixed scale 1, to that of G."""

    products: NDArray[np.float32]
    """(n_coarse, n_fit) products of elements of the operator, as parts of ``size``. Single
    precision: an error bar needs no more, and its reading from memory is what the time goes
    into."""
    size: float
    """The largest product."""
    onto_r: sparse.csr_array | None
    """(n_r, n_coarse) interpolation; None where the coarse grid is r itself."""

    def apply(self, variance: Floats) -> Floats:
        """Return the variance of G/s, (k, n_r) Å⁻⁴, of that of I, (k, n_fit)."""
        # Intensities per monitor count may be tiny, and their squares too small for float32.
        sizes = variance.mean(axis=1, keepdims=True)
        sizes = np.where(sizes > 0, sizes, 1.0)
        parts = (variance / sizes).astype(np.float32)
        coarse = (parts @ self.products.T).astype(np.float64)
        on_r = coarse if self.onto_r is None else (self.onto_r @ coarse.T).T
        return np.asarray(np.maximum(on_r, 0.0) * (sizes * self.size), dtype=np.float64)


def correlation_length(*, q: Floats, variance: Floats) -> float:
    r"""Return over how much of r the noise of G hangs together, Å.

    .. math:: \int \rho(\Delta r)^2 \, d\Delta r = \pi \int v^2 dQ \, / \, (\int v \, dQ)^2

    with the correlation ρ of two points Δr apart and the variance v of the F(Q) that is
    transformed. For v that is the same at all Q it is π/qmax; noise that rises with Q, as it
    does, makes it longer. A range of r holds as many independent points as it is such lengths long.

    Parameters
    ----------
    q : (n,) float64, Å⁻¹, equidistant
    variance : (n,) float64
        Of F, times the square of the taper; NaN anywhere gives NaN.
    """
    step = (q[-1] - q[0]) / (q.size - 1)
    total = float(np.sum(variance))
    if not total > 0:
        return float("nan")
    return float(np.pi * np.sum((variance / total) ** 2) / step)


def operator_rows(
    *,
    transform: Transform,
    taper: Floats,
    polynomial: PolynomialFit,
    gain: Floats,
    r: Floats,
) -> Floats:
    """Return A, (len(r), n_fit): transform · taper · (1 − polynomial) · gain, at any r.

    Parameters
    ----------
    taper : (n_window,) float64
        The window is the first part of the fit range.
    gain : (n_fit,) float64
        Q/⟨f⟩².
    """
    return _rows(transform.rows(r), taper, polynomial, gain)


def variance_map(
    *,
    transform: Transform,
    taper: Floats,
    polynomial: PolynomialFit,
    gain: Floats,
    r: Floats,
    qmax: float,
) -> VarianceMap:
    """Prepare the variance of G on r.

    Squared sines hold no frequency above 2 qmax, so that their sum is known everywhere from an r
    grid of twice that density, by band-limited interpolation. Where the transform interpolates
    between nodes in r, (1−t)·a + t·b, the variance is (1−t)² a² + t² b² + 2t(1−t) ab with a², b²
    and ab band-limited each.
    """
    step = np.pi / (_OVERSAMPLING * 2 * qmax)
    half = _TAPS // 2
    coarse = r[0] + step * np.arange(-half, int((r[-1] - r[0]) / step) + half + 2)
    if isinstance(transform, FftTransform):
        if 2 * coarse.size < r.size:
            return _between_nodes(transform, taper, polynomial, gain, coarse)
    elif coarse.size < r.size:
        rows = _rows(transform.rows(coarse), taper, polynomial, gain)
        return _map(rows**2, _interpolation(r, coarse))
    return _map(_rows(transform.rows(r), taper, polynomial, gain) ** 2, None)


def _between_nodes(
    transform: FftTransform,
    taper: Floats,
    polynomial: PolynomialFit,
    gain: Floats,
    coarse: Floats,
) -> VarianceMap:
    here = _rows(transform.node_rows(coarse), taper, polynomial, gain)
    next_ = _rows(transform.node_rows(coarse + transform.step), taper, polynomial, gain)
    below = np.asarray(transform.step * transform.node, dtype=np.float64)
    t = transform.share[:, None]
    squares = _interpolation(below, coarse).multiply((1 - t) ** 2)
    squares = squares + _interpolation(below + transform.step, coarse).multiply(t**2)
    mixed = _interpolation(below, coarse).multiply(2 * t * (1 - t))
    onto_r = sparse.csr_array(sparse.hstack([squares, mixed]))
    return _map(np.vstack([here**2, here * next_]), onto_r)


def _map(products: Floats, onto_r: sparse.csr_array | None) -> VarianceMap:
    size = float(np.max(np.abs(products)))
    return VarianceMap(products=(products / size).astype(np.float32), size=size, onto_r=onto_r)


def _rows(transform: Floats, taper: Floats, polynomial: PolynomialFit, gain: Floats) -> Floats:
    window = taper.size
    tapered = transform * taper
    rows = np.zeros((len(transform), gain.size))
    rows[:, :window] = tapered
    rows -= (tapered @ (polynomial.basis[:window] * polynomial.weights)) @ polynomial.basis.T
    return np.asarray(rows * gain, dtype=np.float64)


def _interpolation(r: Floats, coarse: Floats) -> sparse.csr_array:
    """Return (n_r, n_coarse): windowed sinc (Kaiser) from an equidistant coarse grid."""
    half = _TAPS // 2
    position = (r - coarse[0]) / (coarse[1] - coarse[0])
    columns = np.floor(position).astype(np.intp)[:, None] + np.arange(1 - half, half + 1)
    distance = position[:, None] - columns
    window = np.i0(_SHAPE * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1))) / np.i0(_SHAPE)
    weights = np.sinc(distance) * window
    rows = np.repeat(np.arange(r.size), _TAPS)
    shape = (r.size, coarse.size)
    return sparse.csr_array((weights.ravel(), (rows, columns.ravel())), shape=shape)
