"""G(r) of a crystalline standard as an instrument shows it, and the resolution fitted from one."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.optimize import least_squares

from livepdf.numerics.bulk import soft_end
from livepdf.numerics.pairs import PairShells
from livepdf.numerics.polynomial import PolynomialFit, effective_degree, polynomial_fit
from livepdf.numerics.tapers import TaperKind, taper
from livepdf.numerics.transform import ExactTransform, exact_transform

Floats = NDArray[np.float64]

_STEP = 0.02
"""Å, of the distance grid: peaks are never narrower than three of it."""
_TAIL = 20.0
"""Å beyond the last r over which distances fade."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crystal:
    """A standard: its neighbours and how strongly each kind of atom scatters."""

    shells: PairShells
    """Out to at least r_max + 20 Å."""
    fractions: Floats
    """(kinds,) share of the atoms; adds up to 1."""
    density: float
    """Atoms per Å³."""
    uiso: Floats
    """(kinds,) Å², to begin with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandardModel:
    """Everything of the calculation that the fit does not change."""

    crystal: Crystal
    rank: NDArray[np.int64]
    """(n_shells,) number of the pair of species that each shell belongs to."""
    amount: Floats
    """(n_shells,) neighbours per atom of the crystal."""
    smooth: Floats
    """(n_pairs, bins) what the endless crystal has on average, 4πr²ρ·step, per r."""
    weights: Floats
    """(n_pairs, n_fit) f_a f_b/⟨f⟩² on the points of the fit range."""
    points: slice
    """The fit range on the sine transform's own grid."""
    polynomial: PolynomialFit
    taper: Floats
    """(n_window,) over the points of the fit range up to qmax."""
    transform: ExactTransform
    soft: Floats
    """(bins,) fading beyond the last r."""

    def gr(
        self, *, stretch: float, uiso: Floats, delta2: float, qdamp: float, qbroad: float
    ) -> Floats:
        r"""Return G(r) on the fitted points for a scale of one, (n_r,) Å⁻².

        A shell at r is a Gaussian of variance :math:`(U_a + U_b)(1 - \delta_2/r^2 + q_b^2 r^2)`,
        all are damped by :math:`e^{-(q_d r)^2/2}`: qdamp and qbroad as PDFgui defines them (Farrow
        et al., J. Phys.: Condens. Matter 19, 335219, 2007). The sum goes through the polynomial
        and the limits of Q that the data went through.
        """
        shells = self.crystal.shells
        r = shells.r * stretch
        spread = (uiso[shells.species_a] + uiso[shells.species_b]) * np.clip(
            1 - delta2 / r**2 + (qbroad * r) ** 2, 0.05, None
        )
        peaks = np.zeros(self.smooth.shape)
        _add_gaussians(r, self.amount / r, np.sqrt(spread), self.rank, _STEP, peaks)
        peaks -= self.smooth / stretch**3
        distance = _STEP * np.arange(1, self.soft.size + 1)
        peaks *= self.soft * np.exp(-0.5 * (qdamp * distance) ** 2)
        # The type-I transform holds a factor of two.
        sums = 0.5 * dst(peaks, type=1, axis=1)[:, self.points]
        fq = self.polynomial.remove(np.einsum("pq,pq->q", self.weights, sums))
        return self.transform.apply(fq[: self.taper.size] * self.taper)


def standard_model(
    crystal: Crystal,
    *,
    amplitudes_q: Floats,
    amplitudes: Floats,
    r: Floats,
    qmin: float,
    qmax: float,
    qmaxinst: float,
    rpoly: float,
    taper_kind: TaperKind = "none",
) -> StandardModel:
    """Prepare the calculation on the points r.

    Parameters
    ----------
    amplitudes_q, amplitudes : (n,) Å⁻¹ and (kinds, n) float64
        f(Q) of each species, interpolated linearly.
    r : (n_r,) float64, Å, equidistant
    qmin, qmax, qmaxinst, rpoly, taper_kind : as the data were reduced with.
    """
    shells, fractions = crystal.shells, crystal.fractions
    kinds = fractions.size
    low = np.minimum(shells.species_a, shells.species_b)
    high = np.maximum(shells.species_a, shells.species_b)
    pairs = [(a, b) for a in range(kinds) for b in range(a, kinds)]
    number = np.zeros((kinds, kinds), dtype=np.int64)
    for place, pair in enumerate(pairs):
        number[pair] = place
    bins = int((r[-1] + 2 * _TAIL) / _STEP)
    distance = np.asarray(_STEP * np.arange(1, bins + 1), dtype=np.float64)
    mean = np.array([fractions[a] * fractions[b] * (1 if a == b else 2) for a, b in pairs])
    q = np.asarray(np.pi / (_STEP * (bins + 1)) * np.arange(1, bins + 1), dtype=np.float64)
    first, last = np.searchsorted(q, [qmin - 1e-9, qmaxinst + 1e-9])
    fit_q = q[first:last]
    factors = np.array([np.interp(fit_q, amplitudes_q, one) for one in amplitudes])
    window = int(np.searchsorted(fit_q, qmax + 1e-9))
    return StandardModel(
        crystal=crystal,
        rank=number[low, high],
        amount=fractions[shells.species_a] * shells.count,
        smooth=mean[:, None] * 4 * np.pi * crystal.density * distance * _STEP,
        weights=np.array([factors[a] * factors[b] for a, b in pairs]) / (fractions @ factors) ** 2,
        points=slice(int(first), int(last)),
        polynomial=polynomial_fit(q=fit_q, degree=effective_degree(q=fit_q, rpoly=rpoly)),
        taper=taper(kind=taper_kind, q=fit_q[:window], qmin=qmin, qmax=qmax),
        transform=exact_transform(q=fit_q[:window], r=r),
        soft=soft_end(distance, start=float(r[-1]), end=float(r[-1]) + _TAIL),
    )


@numba.njit(nogil=True, cache=True)
def _add_gaussians(r, area, sigma, rank, step, out):  # type: ignore[no-untyped-def]
    # Six σ to each side; area times the step, so that a sum over the grid is an integral.
    bins = out.shape[1]
    for k in range(r.shape[0]):
        reach = 6.0 * sigma[k]
        begin = max(int((r[k] - reach) / step), 1)
        end = min(int((r[k] + reach) / step) + 1, bins)
        height = area[k] * step / (sigma[k] * np.sqrt(2.0 * np.pi))
        for i in range(begin, end + 1):
            z = (i * step - r[k]) / sigma[k]
            out[rank[k], i - 1] += height * np.exp(-0.5 * z * z)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResolutionFit:
    """What a standard says about an instrument; each value with one standard uncertainty."""

    qdamp: float
    qdamp_sigma: float
    qbroad: float
    qbroad_sigma: float
    """Zero where qbroad was held."""
    stretch: float
    """Lattice found over lattice assumed."""
    stretch_sigma: float
    uiso: Floats
    """(kinds,) Å²"""
    uiso_sigma: Floats
    delta2: float
    scale: float
    scale_sigma: float
    residual: float
    """Rw: rms of data minus model over rms of the data."""


def fit_resolution(
    model: StandardModel, *, gr: Floats, sigma: Floats | None, qbroad: float | None = None
) -> ResolutionFit:
    """Fit scale, lattice, displacements, correlated motion, qdamp and qbroad to a standard.

    Points about π/qmax apart are as good as independent; take r so, and the uncertainties, from
    the scatter about the fit, are honest as far as noise goes. What the model lacks (strain, small
    crystallites, an error of the distance scale) is in the residual, not in them.

    Parameters
    ----------
    gr, sigma : (n_r,) float64
        On the model's r; σ None weights all points alike.
    qbroad : float or None, Å⁻¹
        Held at this value; None fits it.

    Raises
    ------
    ValueError
        When the data hold no trace of the standard.
    """
    weight = np.ones(gr.shape) if sigma is None else np.median(sigma) / sigma
    kinds = model.crystal.uiso.size
    free = qbroad is None

    def parameters(x: Floats) -> dict[str, object]:
        return {
            "stretch": 1 + 0.01 * x[0],
            "uiso": 0.005 * x[3 : 3 + kinds],
            "delta2": x[2],
            "qdamp": 0.04 * x[1],
            "qbroad": 0.02 * x[-1] if free else qbroad,
        }

    def residual(x: Floats) -> Floats:
        calculated = model.gr(**parameters(x[1:]))  # type: ignore[arg-type]
        return np.asarray(weight * (x[0] * calculated - gr), dtype=np.float64)

    best = _best_start(model, gr, weight, 0.0 if free else float(qbroad or 0.0))
    start = np.concatenate([[best[0], best[1], best[2], 1.5], model.crystal.uiso / 0.005])
    low = np.concatenate([[0.0, -3.0, 0.0, 0.0], np.full(kinds, 0.04)])
    high = np.concatenate([[np.inf, 3.0, 10.0, 6.0], np.full(kinds, 20.0)])
    if free:
        start, low, high = np.append(start, 0.5), np.append(low, 0.0), np.append(high, 10.0)
    if not best[0] > 0:
        raise ValueError("the data do not look like this standard at any scale")
    found = least_squares(residual, start, bounds=(low, high), x_scale="jac")
    return _summary(found.x, found.jac, residual(found.x), weight * gr, kinds=kinds, qbroad=qbroad)


def _best_start(
    model: StandardModel, gr: Floats, weight: Floats, qbroad: float
) -> tuple[float, float, float]:
    """Return scale, stretch and qdamp of the best of a coarse grid: far peaks need it close."""
    best = (0.0, 0.0, 1.0)
    least = np.inf
    for stretch in np.linspace(-0.6, 0.6, 13):
        for qdamp in (0.5, 1.0, 2.0):
            calculated = weight * model.gr(
                stretch=1 + 0.01 * stretch,
                uiso=model.crystal.uiso,
                delta2=1.5,
                qdamp=0.04 * qdamp,
                qbroad=qbroad,
            )
            scale = float(calculated @ (weight * gr) / (calculated @ calculated))
            off = float(np.sum((scale * calculated - weight * gr) ** 2))
            if scale > 0 and off < least:
                least, best = off, (scale, float(stretch), qdamp)
    return best


def _summary(
    x: Floats, jacobian: Floats, residual: Floats, data: Floats, *, kinds: int, qbroad: float | None
) -> ResolutionFit:
    freedom = max(residual.size - x.size, 1)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(residual @ residual) / freedom
    spread = np.sqrt(np.diag(covariance))
    return ResolutionFit(
        scale=float(x[0]),
        scale_sigma=float(spread[0]),
        stretch=1 + 0.01 * float(x[1]),
        stretch_sigma=0.01 * float(spread[1]),
        qdamp=0.04 * float(x[2]),
        qdamp_sigma=0.04 * float(spread[2]),
        delta2=float(x[3]),
        uiso=0.005 * x[4 : 4 + kinds],
        uiso_sigma=0.005 * spread[4 : 4 + kinds],
        qbroad=0.02 * float(x[-1]) if qbroad is None else qbroad,
        qbroad_sigma=0.02 * float(spread[-1]) if qbroad is None else 0.0,
        residual=float(np.sqrt(residual @ residual / (data @ data))),
    )
