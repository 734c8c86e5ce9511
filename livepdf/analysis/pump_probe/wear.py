"""What is left of destroyed samples: order, lattice and size against those of intact ones."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.bank import FEWEST

Floats = NDArray[np.float64]

_STRAINS = np.linspace(-0.01, 0.03, 41)
_SHRUNK = np.geomspace(0.35, 1.15, 13)
"""Sizes that are tried, of that of intact samples."""
_SURE = 4.0
"""Order over its σ below which nothing is said of what is left."""
_R = np.arange(0.4, 120.0, 0.1)
"""Å, where sizes cut the pair distances off."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wear:
    """One row a sample; NaN where withheld."""

    order: Floats
    """(n,) 1 for an intact sample."""
    order_sigma: Floats
    lattice: Floats
    """(n,) relative expansion."""
    lattice_sigma: Floats
    size: Floats
    """(n,) Å"""
    size_sigma: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Templates:
    """The oscillations of intact samples, stretched and cut to smaller sizes.

    What distances below ``near`` make (a melt, the self-scattering, a background) is fitted beside
    them: order and size are those of what only crystals have.
    """

    q: Floats
    """(n_q,) Å⁻¹, equidistant."""
    intact: Floats
    """(n_q,) mean of intact samples, normalised."""
    weight: Floats
    """(n_q,) one over the scatter of intact samples."""
    self_scattering: Floats
    """(n_q,) mean square of the form factors."""
    diameter: float
    """Å, of intact samples; NaN where it is not known: sizes are withheld then."""
    near: float = 5.0
    """Å; order at shorter distances does not count: a melt has it as well."""

    @cached_property
    def smooth(self) -> Floats:
        """(n_smooth, n_q) what is no order."""
        length = self.q[-1] - self.q[0]
        x = 2 * (self.q - self.q[0]) / length - 1
        # cos(k x) is a polynomial of little more than k degrees on −1 … 1.
        degree = int(np.ceil(0.5 * self.near * length)) + 4
        waves = np.polynomial.legendre.legvander(x, degree).T
        return waves * self.self_scattering

    @cached_property
    def _basis(self) -> Floats:
        return np.linalg.qr((self.smooth * self.weight).T)[0]

    @cached_property
    def order(self) -> Floats:
        """(n_q,) oscillations of intact samples."""
        scaled = self.intact * self.weight
        rest = scaled - self._basis @ (self._basis.T @ scaled)
        return np.asarray(rest / self.weight)

    @cached_property
    def sizes(self) -> Floats:
        """Å, that are tried."""
        if not np.isfinite(self.diameter):
            return np.array([np.nan])
        return _SHRUNK * self.diameter

    @cached_property
    def rows(self) -> Floats:
        """(n_sizes, n_strains, n_q) weighted, without what is smooth."""
        reduced = self.order / self.self_scattering
        made = []
        for cut in self._smaller(reduced):
            made.append(
                [np.interp(self.q * (1 + e), self.q, cut) * self.self_scattering for e in _STRAINS]
            )
        rows = np.array(made) * self.weight
        flat = rows.reshape(-1, rows.shape[-1])
        flat = flat - (flat @ self._basis) @ self._basis.T
        return np.asarray(flat.reshape(rows.shape))

    def _smaller(self, reduced: Floats) -> list[Floats]:
        """Return S − 1 for each of the sizes: the pairs of a sphere end at its diameter.

        γ(r) = 1 − 3/2 (r/D) + 1/2 (r/D)³ of the smaller over that of the intact ones.
        """
        if not np.isfinite(self.diameter):
            return [reduced]
        kernel = np.sin(np.outer(_R, self.q))
        pairs = kernel @ (reduced * self.q) * float(self.q[1] - self.q[0])
        was = _envelope(_R, self.diameter)
        # A range of Q that ends makes ripples beyond the particle: they are cut off.
        inside = was > 1e-3
        made = []
        for size in self.sizes:
            share = np.zeros_like(was)
            np.divide(_envelope(_R, size), was, out=share, where=inside)
            moved = kernel.T @ (pairs * np.clip(share, 0.0, 3.0))
            made.append((2 / np.pi) * moved * (_R[1] - _R[0]) / self.q)
        return made

    def fit(self, curves: Floats) -> tuple[Floats, Floats, Floats]:
        """Return order, strain and size that describe each curve best, (n,) each.

        Linear least squares for the order at each strain and size; these by the least misfit on a
        grid, refined by parabolas.

        Parameters
        ----------
        curves : (n, n_q) float64
            Normalised like the intact ones.
        """
        scaled = curves * self.weight
        scaled = scaled - (scaled @ self._basis) @ self._basis.T
        rows = self.rows
        norm = np.sum(rows**2, axis=-1)
        dot = np.einsum("dek,nk->nde", rows, scaled, optimize=True)
        gain = np.where(dot > 0, dot**2 / norm, 0.0)
        n_sizes, n_strains = norm.shape
        best = np.argmax(gain.reshape(len(curves), -1), axis=1)
        size, strain = np.divmod(best, n_strains)
        each = np.arange(len(curves))
        order = dot[each, size, strain] / norm[size, strain]
        ahead = _vertex(gain[each, size, :], strain)
        strains = np.interp(ahead, np.arange(n_strains), _STRAINS)
        if n_sizes == 1:
            return order, strains, np.full(len(curves), np.nan)
        along = _vertex(gain[each, :, strain], size)
        logs = np.interp(along, np.arange(n_sizes), np.log(self.sizes))
        return order, strains, np.exp(logs)


def worn(templates: Templates, curves: Floats, *, intact: Floats) -> Wear:
    """Compare destroyed samples with intact ones.

    Errors are the scatter of the intact samples, each fitted like the others; of what has lost
    order, more by as much as it has lost.

    Parameters
    ----------
    curves : (n, n_q) float64
    intact : (m, n_q) float64
        The samples of the bank.

    Raises
    ------
    ValueError
        With fewer than eight intact samples.
    """
    if len(intact) < FEWEST:
        raise ValueError(f"{len(intact)} shots without the laser; their scatter needs {FEWEST}")
    order, strain, size = templates.fit(curves)
    own_order, own_strain, own_size = templates.fit(intact)
    unit = float(np.mean(own_order))
    order, order_sigma = order / unit, float(np.std(own_order, ddof=1)) / unit
    wider = np.sqrt(1 + 1 / len(intact))
    less = 1 / np.clip(order, 0.05, 1.0)
    sure = order > _SURE * order_sigma
    # The resolution and what else intact samples share is in their own size.
    told = templates.diameter / float(np.exp(np.mean(np.log(own_size))))
    return Wear(
        order=order,
        order_sigma=np.full(order.shape, order_sigma * wider),
        lattice=np.where(sure, strain - np.mean(own_strain), np.nan),
        lattice_sigma=np.where(sure, np.std(own_strain, ddof=1) * wider * less, np.nan),
        size=np.where(sure, size * told, np.nan),
        size_sigma=np.where(
            sure, np.std(np.log(own_size), ddof=1) * size * told * wider * less, np.nan
        ),
    )


def _vertex(heights: Floats, at: NDArray[np.intp]) -> Floats:
    """Return where the parabola through the highest point and its neighbours is highest, (n,)."""
    inside = np.clip(at, 1, heights.shape[1] - 2)
    each = np.arange(len(heights))
    left, middle, right = (heights[each, inside + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    step = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=bend < 0)
    return np.where(inside == at, at + np.clip(step, -1, 1), at).astype(np.float64)


def _envelope(r: Floats, diameter: float) -> Floats:
    x = np.clip(r / diameter, 0.0, 1.0)
    return np.asarray(1 - 1.5 * x + 0.5 * x**3)
