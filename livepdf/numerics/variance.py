"""The variance of G(r) from that of I(Q): the squared operator, dense but coarse in r."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from livepdf.numerics.polynomial import PolynomialFit
from livepdf.numerics.transform import Transform, spacing

Floats = NDArray[np.float64]

_OVERSAMPLING = 2.0
_TAPS = 16
# Kaiser's shape for that many taps at that oversampling: the stop band lies below 1e-5.
_SHAPE = np.pi * _TAPS / 2 * (1 - 1 / (2 * _OVERSAMPLING))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VarianceMap:
    """Maps the variance of I, at fixed scale 1, to that of G."""

    squares: NDArray[np.float32]
    """(n_coarse, n_fit) squared elements of the operator. Single precision: an error bar needs
    no more, and its reading from memory is what the time goes into."""
    onto_r: sparse.csr_array | None
    """(n_r, n_coarse) interpolation; None where the coarse grid is r itself."""

    def apply(self, variance: Floats) -> Floats:
        """Return the variance of G/s, (n_r,) Å⁻⁴, of that of I, (n_fit,)."""
        coarse = (self.squares @ variance.astype(np.float32)).astype(np.float64)
        if self.onto_r is None:
            return coarse
        return np.asarray(np.maximum(self.onto_r @ coarse, 0.0), dtype=np.float64)


def operator_rows(
    *, transform: Transform, taper: Floats, polynomial: PolynomialFit, gain: Floats, r: Floats
) -> Floats:
    """Return A, (len(r), n_fit): transform · taper · (1 − polynomial) · gain, at any r.

    Parameters
    ----------
    taper : (n_window,) float64
        The window is the first part of the fit range.
    gain : (n_fit,) float64
        Q/⟨f⟩².
    """
    window = taper.size
    tapered = transform.rows(r) * taper
    rows = np.zeros((r.size, gain.size))
    rows[:, :window] = tapered
    rows -= (tapered @ (polynomial.basis[:window] * polynomial.weights)) @ polynomial.basis.T
    return rows * gain


def variance_map(
    *,
    transform: Transform,
    taper: Floats,
    polynomial: PolynomialFit,
    gain: Floats,
    r: Floats,
    band: float | None,
) -> VarianceMap:
    """Prepare the variance of G on r.

    Parameters
    ----------
    band : float or None, Å⁻¹
        Squared sines hold no frequency above 2 Qmax, so that the variance is known everywhere
        from an r grid of twice that density, by band-limited interpolation; None where the
        transform is not band-limited, which takes every r.
    """
    dr = spacing(r)
    stride = 1 if band is None else int(np.pi / (_OVERSAMPLING * band * dr))
    if stride <= 1:
        coarse, onto_r = r, None
    else:
        coarse, onto_r = _coarse_grid(r, dr, stride)
    rows = operator_rows(
        transform=transform, taper=taper, polynomial=polynomial, gain=gain, r=coarse
    )
    return VarianceMap(squares=np.square(rows).astype(np.float32), onto_r=onto_r)


def _coarse_grid(r: Floats, dr: float, stride: int) -> tuple[Floats, sparse.csr_array]:
    step = stride * dr
    half = _TAPS // 2
    count = (r.size - 1) // stride + 1 + 2 * half
    coarse = r[0] + step * (np.arange(count) - half)
    position = np.arange(r.size) / stride + half
    columns = np.floor(position).astype(np.intp)[:, None] + np.arange(1 - half, half + 1)
    distance = position[:, None] - columns
    window = np.i0(_SHAPE * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1))) / np.i0(_SHAPE)
    weights = np.sinc(distance) * window
    rows = np.repeat(np.arange(r.size), _TAPS)
    shape = (r.size, count)
    return coarse, sparse.csr_array((weights.ravel(), (rows, columns.ravel())), shape=shape)
