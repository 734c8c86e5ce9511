"""F(Q) to G(r): the exact sine transform, and the FFT with interpolation of PDFgetX3."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import fft

TransformKind = Literal["exact", "fft"]
TRANSFORMS: tuple[TransformKind, ...] = ("exact", "fft")
Floats = NDArray[np.float64]

# A Q grid printed with six digits still counts as equidistant: 5e-5 of a step of 0.01.
_SPACING_TOLERANCE = 1e-2
_RANGE_TOLERANCE = 1e-8


class Transform(Protocol):
    """A linear map of F(Q) on one fixed Q grid to G(r) on one fixed r grid."""

    @property
    def q(self) -> Floats:
        """(n_q,) Å⁻¹."""
        ...

    @property
    def r(self) -> Floats:
        """(n_r,) Å."""
        ...

    def apply(self, fq: Floats) -> Floats:
        """Return G(r), (..., n_r) Å⁻², of F(Q), (..., n_q) Å⁻¹."""
        ...

    def rows(self, r: Floats) -> Floats:
        """Return the map as a matrix, (len(r), n_q), for any r inside the grid."""
        ...


def pair_distribution(*, q: Floats, fq: Floats, r: Floats) -> Floats:
    r"""Sine-transform F(Q) to G(r) by the trapezoidal rule, on any grids.

    .. math:: G(r) = \frac{2}{\pi} \int F(Q) \sin(Qr) \, dQ

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Strictly increasing; the spacing may vary.
    fq : (n_q,) float64, Å⁻¹
        F(Q) = Q [S(Q) − 1], already limited to [qmin, qmax].
    r : (n_r,) float64, Å

    Returns
    -------
    gr : (n_r,) float64, Å⁻²
    """
    if q.shape != fq.shape:
        raise ValueError(f"q and fq differ in shape: {q.shape} and {fq.shape}")
    return np.asarray(_sine_rows(q, r) @ fq, dtype=np.float64)


def spacing(grid: Floats) -> float:
    """Return the step of an equidistant increasing grid; ValueError when it is not one."""
    if grid.size < 2:
        raise ValueError(f"a grid needs at least two points, found {grid.size}")
    step = float((grid[-1] - grid[0]) / (grid.size - 1))
    ideal = grid[0] + step * np.arange(grid.size)
    if not step > 0 or not np.all(np.abs(grid - ideal) <= _SPACING_TOLERANCE * step):
        raise ValueError("the grid is not equidistant and increasing: resample it first")
    return step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactTransform:
    """A sine sum between equidistant grids, by the trapezoidal rule, as a chirp-z transform.

    Same numbers as :func:`pair_distribution` to rounding, in O((n_q + n_r) log) instead of
    O(n_q n_r) (Bluestein, IEEE Trans. Audio Electroacoust. 18, 451, 1970).
    """

    q: Floats
    r: Floats
    weights: Floats
    """(n_q,) Å⁻¹, of the quadrature."""
    inlet: NDArray[np.complex128]
    """(n_q,) quadrature weight × chirp."""
    kernel: NDArray[np.complex128]
    """Spectrum of the conjugate chirp."""
    outlet: NDArray[np.complex128]
    """(n_r,) chirp × phase of the first Q × 2/π."""

    def apply(self, fq: Floats) -> Floats:
        """Return G(r), (..., n_r) Å⁻², of F(Q), (..., n_q) Å⁻¹."""
        spectrum = fft.fft(fq * self.inlet, self.kernel.size)
        spectrum *= self.kernel
        chirped = fft.ifft(spectrum, overwrite_x=True)[..., : self.r.size]
        # Im(a·b), without making the real part.
        gr = chirped.real * self.outlet.imag
        gr += chirped.imag * self.outlet.real
        return np.asarray(gr, dtype=np.float64)

    def rows(self, r: Floats) -> Floats:
        """Return the map as a matrix, (len(r), n_q), for any r."""
        return np.asarray(2 / np.pi * self.weights * np.sin(np.outer(r, self.q)), dtype=np.float64)


def exact_transform(*, q: Floats, r: Floats) -> ExactTransform:
    """Prepare the exact transform; ValueError unless both grids are equidistant."""
    return _chirp_transform(q=q, r=r, weights=_trapezoid_weights(q))


def _chirp_transform(*, q: Floats, r: Floats, weights: Floats) -> ExactTransform:
    dq, dr = spacing(q), spacing(r)
    k, j = np.arange(q.size), np.arange(r.size)
    size = fft.next_fast_len(q.size + r.size - 1)
    # sin(Q_k r_j) needs exp(i k j dq dr), and kj = (k² + j² − (j−k)²)/2.
    conjugate = np.zeros(size, dtype=np.complex128)
    conjugate[: r.size] = np.exp(-0.5j * dq * dr * j**2)
    conjugate[size - q.size + 1 :] = np.exp(-0.5j * dq * dr * k[:0:-1] ** 2)
    return ExactTransform(
        q=q,
        r=r,
        weights=weights,
        inlet=weights * np.exp(1j * dq * (k * r[0] + 0.5 * dr * k**2)),
        kernel=fft.fft(conjugate),
        outlet=2 / np.pi * np.exp(1j * (q[0] * r + 0.5 * dq * dr * j**2)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FftTransform:
    """The transform of PDFgetX3: rectangle rule on k·dQ, zero-padded FFT, linear interpolation.

    It damps G(r) by about 0.07 % rms against the exact sum, more at high r. Only those points
    of the FFT that the interpolation reads are made.
    """

    q: Floats
    r: Floats
    nodes: ExactTransform
    """From the FFT's Q grid, where it is inside the range, to the first points of its r grid."""
    onto_grid: Floats
    """(n_k, 2) weights of the two neighbours of each FFT point that is inside the range."""
    left: NDArray[np.intp]
    """(n_k,) index of the lower neighbour in q."""
    node: NDArray[np.intp]
    """(n_r,) index of the FFT's r below each r."""
    share: Floats
    """(n_r,) weight of the FFT's r above it."""

    def apply(self, fq: Floats) -> Floats:
        """Return G(r), (..., n_r) Å⁻², of F(Q), (..., n_q) Å⁻¹."""
        onto = self.onto_grid
        inside = onto[:, 0] * fq[..., self.left] + onto[:, 1] * fq[..., self.left + 1]
        gr = self.nodes.apply(inside)
        below, above = gr[..., self.node], gr[..., self.node + 1]
        return np.asarray(below + self.share * (above - below), dtype=np.float64)

    def rows(self, r: Floats) -> Floats:
        """Return the map as a matrix, (len(r), n_q), for any r below the FFT's end."""
        lower = np.floor(r / self.step)
        share = (r / self.step - lower)[:, None]
        below, above = self.node_rows(lower * self.step), self.node_rows((lower + 1) * self.step)
        return np.asarray((1 - share) * below + share * above, dtype=np.float64)

    def node_rows(self, r: Floats) -> Floats:
        """Return the map without its interpolation in r, (len(r), n_q), for any r."""
        sines = self.nodes.rows(r)
        matrix = np.zeros((r.size, self.q.size))
        # A point below the first datum shares its neighbour with the next: indexing with += would
        # keep one of them only.
        np.add.at(matrix.T, self.left, (sines * self.onto_grid[:, 0]).T)
        np.add.at(matrix.T, self.left + 1, (sines * self.onto_grid[:, 1]).T)
        return matrix

    @property
    def step(self) -> float:
        """Å, of the FFT's r grid."""
        return float(self.nodes.r[1])


def fft_transform(*, q: Floats, r: Floats, step: float, qmin: float) -> FftTransform:
    """Prepare the transform of PDFgetX3.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Points of F inside [qmin, qmax].
    r : (n_r,) float64, Å, equidistant
    step : float, Å⁻¹
        Spacing of the measured grid: that of the FFT grid k·dQ.
    qmin : float, Å⁻¹
        An FFT point between qmin and the first datum takes F from the line to F(0) = 0; above
        the last datum F is zero (both measured on published pairs of F and G).

    Raises
    ------
    ValueError
        When r begins beyond π/step, where the FFT ends.
    """
    if r[0] >= np.pi / step:
        raise ValueError(f"rmin is {r[0]:.3f}, but steps of Q of {step:.4f} end at {np.pi / step}")
    size = 2 ** int(np.ceil(np.log2(2 * np.pi / (spacing(r) * step)) - _RANGE_TOLERANCE))
    first = int(np.ceil(max(qmin, 0.0) / step - _RANGE_TOLERANCE / step))
    last = int(np.floor(q[-1] / step + _RANGE_TOLERANCE / step))
    points = np.asarray(step * np.arange(first, last + 1), dtype=np.float64)
    left = np.clip(np.searchsorted(q, points, side="right") - 1, 0, q.size - 2)
    share = np.clip((points - q[left]) / (q[left + 1] - q[left]), 0.0, 1.0)
    onto_grid = np.column_stack([1 - share, share])
    below = points < q[0] - _RANGE_TOLERANCE
    onto_grid[below] = np.column_stack([points[below] / q[0], np.zeros(np.count_nonzero(below))])
    dr = 2 * np.pi / (size * step)
    # The FFT ends at half its size; what is asked beyond is its last point, as np.interp does.
    node = np.minimum(np.floor(r / dr), size // 2 - 1).astype(np.intp)
    return FftTransform(
        q=q,
        r=r,
        nodes=_chirp_transform(
            q=points,
            r=np.asarray(dr * np.arange(node[-1] + 2), dtype=np.float64),
            weights=np.full(points.size, step),
        ),
        onto_grid=onto_grid,
        left=left,
        node=node,
        share=np.minimum(r / dr - node, 1.0),
    )


def _sine_rows(q: Floats, r: Floats) -> Floats:
    return np.asarray(2 / np.pi * _trapezoid_weights(q) * np.sin(np.outer(r, q)), dtype=np.float64)


def _trapezoid_weights(q: Floats) -> Floats:
    weights = np.zeros(q.size)
    weights[1:] += np.diff(q) / 2
    weights[:-1] += np.diff(q) / 2
    return weights
