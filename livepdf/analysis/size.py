"""Size of the coherent domains: F(Q) of the bulk crystal cut by a sphere, fitted to F(Q)."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from livepdf.analysis.least_squares import Minimum, minimise, slow_terms, without
from livepdf.numerics.bulk import (
    STEP,
    NeighbourGrid,
    grid_distances,
    neighbour_grid,
    pair_weights,
    sine_sums,
    uniform_neighbours,
)
from livepdf.numerics.pairs import PairShells

_STRAIN_LIMIT = 0.03
_STRAIN_STARTS = (-0.006, 0.0, 0.006)
"""The fit finds a lattice within about 0.4 % of where it starts; these cover ±1 %."""
_EXTRA_UISO_PRIOR = 0.003
"""Å²: one standard deviation of the prior of what is added to each Uiso. Wide against what heat
does (0.002 Å² in 300 K); it keeps weak scatterers, which the data barely show, in their place."""
_START_RATIO = 1.15
_MISFIT_LIMIT = 0.22
"""A sphere fitted to ellipsoids of 1:2 misses 0.20 of what it describes and is 2 % off in size, to
rods of 1:2 0.21 and 6 %; a half-converted sample whose precursor is not in the model misses 0.25
and is 20 % off. χ² alone would refuse a good size as soon as enough photons show a small flaw."""
_SMALL_ANGLES = 1.2
"""Å⁻¹: below, spheres of 2 to 6 nm still show their small-angle scattering beside the crystal's
first reflections; left in, it moves the size of HfO2 by up to 2 %."""
_SMALLEST = 10.0
"""Å: below, a domain has no neighbours left that a disordered precursor would not have too."""
_SEPARABLE = 2.5
"""Times 1/qdamp: a domain of that size fades hardly faster than the resolution. There, a qdamp
wrong by 17 % makes the size wrong by about 10 %."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeModel:
    """All that does not change from window to window."""

    q: NDArray[np.float64]
    """(n_q,) Å⁻¹, where F(Q) is compared."""
    grid: NeighbourGrid
    """Less the uniform ones: the small-angle scattering of a real sample, whose sizes and
    surroundings vary, is not that of equal spheres in a void."""
    uniform: NDArray[np.float64]
    """(n_pairs, BINS - 1) what was taken off the grid."""
    weights: NDArray[np.float64]
    """(n_pairs, n_q) f_a f_b/⟨f⟩²."""
    uiso: NDArray[np.float64]
    """(kinds,) Å², of the bulk."""
    qdamp: float
    """Å⁻¹"""
    diameter_limits: tuple[float, float]
    """Å"""
    slow: NDArray[np.float64]
    """(n_q, k) terms that the fit does not look at: distances below rmin and the background."""
    starts: NDArray[np.float64]
    """(n_starts, 2) diameter in Å and strain."""
    start_curves: NDArray[np.float64]
    """(n_starts, n_q) F(Q) at each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFit:
    """What one window says about the domains."""

    diameter: float
    """Å, of a sphere. For a distribution of sizes close to the volume-weighted mean (D43), which
    lies above the mean of what a microscope counts."""
    diameter_sigma: float
    strain: float
    """Isotropic, relative to the cell of the reference structure."""
    strain_sigma: float
    scale: float
    """Of the crystalline part: 1 when every scatterer belongs to it and S(Q) is absolute."""
    scale_sigma: float
    extra_uiso: tuple[float, ...]
    """Å², beyond the reference, by species."""
    chi2_red: float
    misfit: float
    """What the model misses beyond the noise, as a part of what it describes (both rms)."""
    reason: str = ""
    """Why the diameter must not be trusted; empty when it may."""
    strain_reason: str = ""
    scale_reason: str = ""


def size_model(
    *,
    q: NDArray[np.float64],
    shells: PairShells,
    fractions: NDArray[np.float64],
    density: float,
    amplitudes: NDArray[np.float64],
    mean_amplitude: NDArray[np.float64],
    uiso: NDArray[np.float64],
    qdamp: float,
    rmin: float,
    rmax: float,
    slow_degree: int = 0,
) -> SizeModel:
    """Prepare the comparison with a bulk structure.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Rising, from qmin to qmax.
    shells : PairShells
        Of the bulk crystal, out to ``rmax``.
    fractions, uiso : (kinds,) float64
        Share of the atoms and Å² of each species.
    density : float, Å⁻³
        Atoms per volume of the crystal.
    amplitudes : (kinds, n_q) float64
        f(Q), electron units.
    mean_amplitude : (n_q,) float64
        ⟨f⟩ that the reduction divides by.
    qdamp : float, Å⁻¹
        Resolution of the instrument.
    rmin, rmax : float, Å
        Distances that are compared. ``rmax`` is also the largest diameter.
    slow_degree : int
        Degree of the correction polynomial of the reduction; at least this much is left out.
    """
    if not (np.isfinite(qdamp) and qdamp >= 0.0):
        raise ValueError(f"qdamp is {qdamp}, wanted a number ≥ 0")
    smallest = max(_SMALLEST, 1.5 * rmin)
    if not smallest < rmax:
        raise ValueError(f"rmax is {rmax} Å, wanted more than {smallest} Å")
    # A polynomial of this degree describes every sine of a distance below rmin over the range.
    degree = max(int(np.ceil(rmin * (q[-1] - q[0]) / np.pi)), slow_degree)
    if len(q) < 4 * degree + 20:
        raise ValueError(f"{len(q)} points of F(Q) are too few for a comparison up to {rmax} Å")
    listed = neighbour_grid(shells, fractions=fractions, r_max=rmax)
    uniform = uniform_neighbours(fractions=fractions, density=density)
    grid = replace(listed, neighbours=listed.neighbours - uniform)
    weights = pair_weights(grid, amplitudes=amplitudes, mean_amplitude=mean_amplitude)
    n = int(np.ceil(np.log(rmax / smallest) / np.log(_START_RATIO)))
    diameters = np.geomspace(smallest, 0.98 * rmax, n)
    starts = np.array([(d, e) for e in _STRAIN_STARTS for d in diameters])
    model = SizeModel(
        q=q,
        grid=grid,
        uniform=uniform,
        weights=weights,
        uiso=uiso,
        qdamp=qdamp,
        diameter_limits=(smallest, rmax),
        slow=slow_terms(q, degree=degree),
        starts=starts,
        start_curves=np.empty((0, len(q))),
    )
    still = np.zeros(len(uiso))
    curves = [sphere_fq(model, diameter=d, strain=e, extra_uiso=still).fq for d, e in starts]
    return replace(model, start_curves=np.array(curves))


def all_but(
    model: SizeModel,
    *,
    q: NDArray[np.float64],
    weights: NDArray[np.float64],
    species: tuple[int, int],
    first: float,
    last: float,
) -> SizeModel:
    """Return the model of all neighbours but those of one shell.

    Parameters
    ----------
    q : (n,) float64, Å⁻¹
        Where F(Q) of the result is calculated.
    weights : (n_pairs, n) float64
        f_a f_b/⟨f⟩² there.
    species, first, last
        The pair (a ≤ b) and the range of distances in Å, ends included, that are left out.
    """
    r = grid_distances()
    neighbours = model.grid.neighbours.copy()
    # Each distance was shared by the two points around it.
    left_out = (r > first - 1.5 * STEP) & (r < last + 1.5 * STEP)
    pair = model.grid.pairs.index(species)
    neighbours[pair, left_out] = -model.uniform[pair, left_out]
    return replace(model, q=q, weights=weights, grid=replace(model.grid, neighbours=neighbours))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SphereCurve:
    """F(Q) of spheres of one size, and how it changes."""

    fq: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    by_diameter: NDArray[np.float64]
    """(n_q,) ∂F/∂D."""
    by_strain: NDArray[np.float64]
    """(n_q,) ∂F/∂e."""
    by_uiso: NDArray[np.float64]
    """(kinds, n_q) ∂F/∂U of each species."""


def sphere_fq(
    model: SizeModel, *, diameter: float, strain: float, extra_uiso: NDArray[np.float64]
) -> SphereCurve:
    r"""Return F(Q) of spheres cut from the bulk crystal, mean over where they are cut.

    Every neighbour at r is kept with the chance that a sphere around the one atom holds the other,
    :math:`\gamma(t) = 1 - 3t/2 + t^3/2`, :math:`t = r/D < 1`; the lattice is stretched by 1 + e,
    the sphere is not. The far neighbours fade with the resolution, exp(-(q_damp r)²/2).

    Parameters
    ----------
    diameter : float, Å
    strain : float
    extra_uiso : (kinds,) float64, Å²
    """
    stretch, q = 1.0 + strain, model.q
    envelopes = _envelopes(model, diameter=diameter, stretch=stretch)
    fine_q, sums = sine_sums(model.grid, envelope=envelopes, q_max=q[-1] * (1 + _STRAIN_LIMIT))
    spline = make_interp_spline(fine_q, sums, axis=-1)
    plain, by_diameter = spline(q * stretch) / stretch
    slope = spline.derivative()(q * stretch)[0]
    by_stretch = q * slope / stretch - plain / stretch - by_diameter * diameter / stretch
    thermal = extra_uiso + model.uiso
    damping = np.array(
        [np.exp(-0.5 * q**2 * (thermal[a] + thermal[b])) for a, b in model.grid.pairs]
    )
    factor = model.weights * damping
    shares = factor * plain
    by_uiso = np.zeros((len(thermal), len(q)))
    for share, pair in zip(shares, model.grid.pairs, strict=True):
        for species in pair:
            by_uiso[species] -= 0.5 * q**2 * share
    return SphereCurve(
        fq=shares.sum(axis=0),
        by_diameter=np.einsum("pq,pq->q", factor, by_diameter),
        by_strain=np.einsum("pq,pq->q", factor, by_stretch),
        by_uiso=by_uiso,
    )


def _envelopes(model: SizeModel, *, diameter: float, stretch: float) -> NDArray[np.float64]:
    # γ and ∂γ/∂D, both with the resolution, on the distances of the unstretched crystal.
    r = grid_distances() * stretch
    inside = slice(0, int(np.searchsorted(r, diameter)))
    t = r[inside] / diameter
    resolution = np.exp(-0.5 * (model.qdamp * r[inside]) ** 2)
    envelopes = np.zeros((2, len(r)))
    envelopes[0, inside] = (1.0 - 1.5 * t + 0.5 * t**3) * resolution
    envelopes[1, inside] = 1.5 * (t - t**3) / diameter * resolution
    return envelopes


def fitted_fq(model: SizeModel, fit: SizeFit) -> NDArray[np.float64]:
    """Return the F(Q) that a fit found, (n_q,) Å⁻¹, of this model (or a part of the fitted one)."""
    curve = sphere_fq(
        model, diameter=fit.diameter, strain=fit.strain, extra_uiso=np.array(fit.extra_uiso)
    )
    return fit.scale * curve.fq


def fit_size(
    model: SizeModel,
    *,
    fq: NDArray[np.float64],
    sigma: NDArray[np.float64],
    qdamp_sigma: float = 0.0,
) -> SizeFit:
    """Fit scale, diameter, lattice and extra disorder of the domains to F(Q) of one window.

    F(Q) has independent errors, so 1/σ² are the right weights; the slow terms are taken out of
    data and model alike. Each fit starts from the best of a fixed set of sizes and lattices, never
    from its predecessor: a wrong size cannot drag itself along. σ grows by the root of the reduced
    χ² where that is above 1, and by the share of ``qdamp_sigma``.

    Parameters
    ----------
    fq, sigma : (n_q,) float64, Å⁻¹
        At ``model.q``; points with NaN in either, σ = 0, or Q below 1.2 Å⁻¹ are left out.
    qdamp_sigma : float, Å⁻¹
    """
    if fq.shape != model.q.shape or sigma.shape != model.q.shape:
        raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted {model.q.shape}")
    compared = model.q >= _SMALL_ANGLES
    used = compared & np.isfinite(fq) & np.isfinite(sigma) & (sigma > 0.0)
    kinds = len(model.uiso)
    if used.sum() < 0.5 * compared.sum():
        return no_size("fewer than half of the points of F(Q) have a value and its uncertainty")
    weighted = _Weighted.of(model, fq=fq, sigma=sigma, used=used)
    prior = np.full(kinds, _EXTRA_UISO_PRIOR)
    smallest, largest = model.diameter_limits
    minimum = minimise(
        partial(_residuals, model, weighted, prior),
        start=_best_start(model, weighted),
        lower=np.concatenate(([-np.inf, smallest, -_STRAIN_LIMIT], -0.9 * model.uiso)),
        upper=np.concatenate(([np.inf, largest, _STRAIN_LIMIT], np.full(kinds, 0.05))),
    )
    return _conclusion(model, weighted, minimum, qdamp_sigma=qdamp_sigma)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighted:
    used: NDArray[np.bool_]
    inverse_sigma: NDArray[np.float64]
    basis: NDArray[np.float64]
    data: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        model: SizeModel,
        *,
        fq: NDArray[np.float64],
        sigma: NDArray[np.float64],
        used: NDArray[np.bool_],
    ) -> "_Weighted":
        inverse_sigma = 1.0 / sigma[used]
        basis = np.linalg.qr(model.slow[used] * inverse_sigma[:, None])[0]
        data = without(fq[used] * inverse_sigma, basis)
        return cls(used=used, inverse_sigma=inverse_sigma, basis=basis, data=data)

    def seen(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weigh curves (..., n_q) and take the slow terms out of them."""
        return without(curves[..., self.used] * self.inverse_sigma, self.basis)


def _best_start(model: SizeModel, weighted: _Weighted) -> NDArray[np.float64]:
    curves = weighted.seen(model.start_curves)
    scale = (curves @ weighted.data) / np.einsum("sq,sq->s", curves, curves)
    # Positive scales only: a negative copy of the crystal is no crystal.
    gain = np.where(scale > 0.0, scale * (curves @ weighted.data), 0.0)
    best = int(np.argmax(gain))
    return np.concatenate(([scale[best]], model.starts[best], np.zeros(len(model.uiso))))


def _residuals(
    model: SizeModel,
    weighted: _Weighted,
    prior: NDArray[np.float64],
    parameters: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale, diameter, strain = parameters[:3]
    extra = parameters[3:]
    curve = sphere_fq(model, diameter=diameter, strain=strain, extra_uiso=extra)
    columns = np.vstack(
        [curve.fq, scale * curve.by_diameter, scale * curve.by_strain, scale * curve.by_uiso]
    )
    seen = weighted.seen(columns)
    jacobian = np.vstack([seen.T, np.hstack([np.zeros((len(extra), 3)), np.diag(1.0 / prior)])])
    return np.concatenate([scale * seen[0] - weighted.data, extra / prior]), jacobian


def _conclusion(
    model: SizeModel, weighted: _Weighted, minimum: Minimum, *, qdamp_sigma: float
) -> SizeFit:
    scale, diameter, strain = (float(value) for value in minimum.parameters[:3])
    n, kinds = len(weighted.data), len(model.uiso)
    freedom = n - weighted.basis.shape[1] - len(minimum.parameters)
    chi2_red = minimum.chi2 / freedom
    described = float(np.linalg.norm(scale * minimum.jacobian[:n, 0]))
    # Five standard deviations of χ² are not taken for a misfit.
    missed = np.sqrt(max(minimum.chi2 - freedom - 5.0 * np.sqrt(2.0 * freedom), 0.0))
    variance = np.diag(minimum.covariance) * max(1.0, chi2_red)
    if qdamp_sigma > 0.0:
        variance = variance + (_by_qdamp(model, weighted, minimum) * qdamp_sigma) ** 2
    sigma = np.sqrt(variance)
    fit = SizeFit(
        diameter=diameter,
        diameter_sigma=float(sigma[1]),
        strain=strain,
        strain_sigma=float(sigma[2]),
        scale=scale,
        scale_sigma=float(sigma[0]),
        extra_uiso=tuple(float(u) for u in minimum.parameters[3 : 3 + kinds]),
        chi2_red=chi2_red,
        misfit=missed / described if described > 0.0 else float("inf"),
    )
    return _judged(model, minimum, fit)


def _by_qdamp(model: SizeModel, weighted: _Weighted, minimum: Minimum) -> NDArray[np.float64]:
    # How the parameters move with qdamp: what the model would lose is made up by the others.
    step = 0.02 * model.qdamp + 1e-4
    scale, diameter, strain = minimum.parameters[:3]
    wider = replace(model, qdamp=model.qdamp + step)
    now = scale * minimum.jacobian[: len(weighted.data), 0]
    extra = minimum.parameters[3:]
    curve = sphere_fq(wider, diameter=diameter, strain=strain, extra_uiso=extra).fq
    change = (scale * weighted.seen(curve) - now) / step
    # A parameter on its limit does not move.
    covariance = np.nan_to_num(minimum.covariance)
    return np.asarray(-covariance @ (minimum.jacobian[: len(change)].T @ change))


def _judged(model: SizeModel, minimum: Minimum, fit: SizeFit) -> SizeFit:
    common = _why_not_at_all(minimum, fit)
    weak = (
        ""
        if fit.scale > 10.0 * fit.scale_sigma
        else ("too little crystalline signal: below 10 times its uncertainty")
    )
    return replace(
        fit,
        reason=common or weak or _why_no_diameter(model, fit),
        strain_reason=common or weak,
        scale_reason=common,
    )


def _why_not_at_all(minimum: Minimum, fit: SizeFit) -> str:
    if not minimum.converged:
        return "the fit of the structure did not settle"
    if not np.isfinite(fit.scale_sigma):
        return "the data do not determine the size"
    if fit.misfit > _MISFIT_LIMIT:
        return (
            f"the structure does not describe the data (misfit {100 * fit.misfit:.0f} %, "
            f"wanted below {100 * _MISFIT_LIMIT:.0f} %)"
        )
    if minimum.at_limit[3:].any():
        return "the structure does not describe the data (displacements out of bounds)"
    return ""


def _why_no_diameter(model: SizeModel, fit: SizeFit) -> str:
    smallest, largest = model.diameter_limits
    separable = _SEPARABLE / model.qdamp if model.qdamp > 0.0 else np.inf
    if fit.diameter >= 0.99 * largest:
        return f"larger than the compared distances (rmax {largest:g} Å)"
    if fit.diameter <= 1.01 * smallest:
        return f"smaller than {smallest:g} Å: nothing left to compare"
    if fit.diameter > separable:
        return f"larger than the Q resolution can tell ({separable:.0f} Å)"
    if not fit.diameter_sigma < 0.2 * fit.diameter:
        return "uncertainty above 20 %"
    return ""


def no_size(reason: str) -> SizeFit:
    """Return a fit that says nothing but why."""
    nan = float("nan")
    return SizeFit(
        diameter=nan,
        diameter_sigma=nan,
        strain=nan,
        strain_sigma=nan,
        scale=nan,
        scale_sigma=nan,
        extra_uiso=(),
        chi2_red=nan,
        misfit=nan,
        reason=reason,
        strain_reason=reason,
        scale_reason=reason,
    )
