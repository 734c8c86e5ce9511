"""Size of the coherent domains: F(Q) of the bulk crystal cut by a sphere, fitted to F(Q)."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.least_squares import Minimum, minimise, without
from livepdf.analysis.sphere import STRAIN_LIMIT, SizeModel, sphere_fq

_EXTRA_UISO_PRIOR = 0.003
"""Å²: one standard deviation of the prior of what is added to each Uiso. Wide against what heat
does (0.002 Å² in 300 K); it keeps weak scatterers, which the data barely show, in their place."""
_MISFIT_LIMIT = 0.22
"""A sphere fitted to ellipsoids of 1:2 misses 0.20 of what it describes and is 2 % off in size, to
rods of 1:2 0.21 and 6 %; a half-converted sample whose precursor is not in the model misses 0.25
and is 20 % off. χ² alone would refuse a good size as soon as enough photons show a small flaw."""
_SMALL_ANGLES = 1.2
"""Å⁻¹: below, spheres of 2 to 6 nm still show their small-angle scattering beside the crystal's
first reflections; left in, it moves the size of HfO2 by up to 2 %."""
_MODEL_SHARE = 0.005
"""What a smooth sphere is in error about one made of atoms, as a share of its diameter, one
standard deviation: up to 0.6 % over Pt, SnO2, TiO2 and HfO2 of 2 to 6 nm."""
_SEPARABLE = 2.5
"""Times 1/qdamp: a domain of that size fades hardly faster than the resolution. There, a qdamp
wrong by 17 % makes the size wrong by about 10 %."""


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
        lower=np.concatenate(([-np.inf, smallest, -STRAIN_LIMIT], -0.9 * model.uiso)),
        upper=np.concatenate(([np.inf, largest, STRAIN_LIMIT], np.full(kinds, 0.05))),
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
    variance[1] += (_MODEL_SHARE * diameter) ** 2
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
    if fit.diameter < model.shown_from:
        return (
            f"smaller than {model.shown_from:.0f} Å, where a dissolved precursor looks alike "
            "(without one, lower size.rmin)"
        )
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
