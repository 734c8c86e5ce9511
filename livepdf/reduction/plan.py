"""The plan: everything of the reduction that does not depend on the frames, made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.capillary import Capillary, transmissions
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.compton import mean_compton, scattering_angle
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.neutron import mean_scattering_lengths
from livepdf.numerics.polynomial import (
    PolynomialFit,
    RemainderVariance,
    effective_degree,
    polynomial_fit,
    remainder_variance,
)
from livepdf.numerics.tapers import TaperKind, taper
from livepdf.numerics.transform import (
    Transform,
    TransformKind,
    exact_transform,
    fft_transform,
    spacing,
)
from livepdf.numerics.variance import VarianceMap, variance_map
from livepdf.reduction.background import Background
from livepdf.reduction.blanks import Blanks, fitted_blanks
from livepdf.reduction.parameters import Mode, Parameters, check, r_grid

Floats = NDArray[np.float64]

# A datum at 23.999999999 still counts for qmax = 24.
_EDGE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Parameters and the operators made from them: G = s·(A·I) − b but for the one scalar s.

    A is kept in factors, transform · taper · (1 − polynomial) · Q/⟨f⟩². "Fit range" below are the
    points of q in [qmin, qmaxinst], "window" those in [qmin, qmax]: the first part of them.
    """

    revision: int
    parameters: Parameters
    q: Floats
    """(n_q,) Å⁻¹, equidistant: the grid that intensities come on."""
    r: Floats
    """(n_r,) Å, equidistant."""
    backgrounds: tuple[Background, ...]
    """As measured."""
    taken: tuple[Background, ...]
    """What is taken off: the backgrounds, with absorption corrected as in the sample's pattern."""
    transmission: Floats | None
    """(n_q,) what of the sample's scattering gets out of it; None where that is left out."""
    fit: slice
    """The fit range in q."""
    window: slice
    """The window in q."""
    mean_f2_inverse: Floats
    """(n_fit,) 1/⟨f⟩²."""
    target: Floats
    """(n_fit,) ⟨f²⟩/⟨f⟩², what the scaled intensity should approach; with Compton added where
    the scale is absolute."""
    offset_fq: Floats
    """(n_fit,) (1 − polynomial)·Q·⟨f²⟩/⟨f⟩², taken off F."""
    offset_gr: Floats
    """(n_r,) b, taken off G."""
    polynomial: PolynomialFit
    taper: Floats
    """(n_window,)"""
    transform: Transform
    """From the window to r."""
    fq_variance: RemainderVariance
    """From the variance of F before the polynomial, over the fit range, to that in the window."""
    variance: VarianceMap | None
    """From the variance of I over the fit range to that of G/s at fixed s; None in a plan without
    errors, where the σ of G is NaN."""
    blanks: Blanks
    """Backgrounds whose scale is found in every pattern."""

    @property
    def fit_q(self) -> Floats:
        """(n_fit,) Å⁻¹."""
        return self.q[self.fit]

    @property
    def shared_noise(self) -> Floats:
        """(n_r,) what shared noise multiplies the variance of G with, 1 + 2 Σ ρ_d cos(d·dQ·r).

        Products of sines a few bins apart are half a cosine of the difference, the other half
        averages out.
        """
        return self._shared(self.r)

    @property
    def shared_at_zero(self) -> float:
        """The same for numbers that all of the pattern goes into, as the scale."""
        return float(self._shared(np.zeros(1))[0])

    def _shared(self, r: Floats) -> Floats:
        step = (self.q[-1] - self.q[0]) / (self.q.size - 1)
        factor = np.ones(r.shape)
        for lag, rho in enumerate(self.parameters.correlation, 1):
            factor += 2 * rho * np.cos(lag * step * r)
        return factor

    @property
    def window_size(self) -> int:
        """Points in the window."""
        return self.taper.size


def build_plan(
    *,
    q: Floats,
    composition: str | Mapping[str, float],
    qmin: float,
    qmax: float,
    qmaxinst: float,
    rpoly: float,
    rmin: float,
    rmax: float,
    rstep: float,
    scale: ScaleKind = "lsq",
    scale_value: float | None = None,
    taper: TaperKind = "none",
    transform: TransformKind = "exact",
    backgrounds: Sequence[Background] = (),
    revision: int = 1,
    mode: Mode = "xray",
    scale_sigma: float = 0.0,
    density: float | None = None,
    energy: float | None = None,
    dispersion: bool = False,
    capillary: Capillary | None = None,
    correlation: Sequence[float] = (),
    errors: bool = True,
) -> Plan:
    """Make the plan of the ad hoc reduction (Juhás et al. 2013, as its program really does it).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Equidistant; see :func:`livepdf.numerics.resample.resample_uniform` for other grids.
    composition : a formula or atoms per formula unit by element
    qmin, qmax, qmaxinst : float, Å⁻¹
        Transform limits, and the end of the points that scale and polynomial are fitted to.
    rpoly : float, Å
        Below it the polynomial takes everything out of G(r); 0 leaves the polynomial away.
    rmin, rmax, rstep : float, Å
    mode : "xray" or "neutron"
        Form factors of free atoms, or bound coherent scattering lengths.
    scale_value, scale_sigma : float
        For the scales that are told: ``fixed``, ``monitor`` (the intensity is per I0 count, the
        value turns that into electron units), ``reference`` (frozen from another pattern). σ
        goes into that of every curve.
    density : float, atoms per Å³
        For the scale ``absolute``.
    energy : float, keV
        Of the photons: the recoil of Compton scattering, where that is used (scale ``absolute``,
        fitted backgrounds), and what the next two need.
    dispersion : bool
        Adds f′ and f″ to the form factors.
    capillary : optional
        Corrects absorption: intensities are divided by what of the sample's scattering gets out,
        and backgrounds that are the empty cell are shaded by the sample before they come off.
    correlation : optional
        Of the noise of intensities 1, 2, … bins apart: where pixels were split or the pattern
        was interpolated, see :mod:`livepdf.numerics.shared_noise`.
    errors : bool
        Without, G gets no σ: that makes the plan some ten times sooner, for a first look.

    Raises
    ------
    ValueError
        When a parameter has no meaning or asks for Q that the grid does not have.
    """
    parameters = Parameters(
        composition=parse_composition(composition)
        if isinstance(composition, str)
        else dict(composition),
        qmin=qmin,
        qmax=qmax,
        qmaxinst=qmaxinst,
        rpoly=rpoly,
        rmin=rmin,
        rmax=rmax,
        rstep=rstep,
        scale=scale,
        scale_value=scale_value,
        taper=taper,
        transform=transform,
        mode=mode,
        scale_sigma=scale_sigma,
        density=density,
        energy=energy,
        dispersion=dispersion,
        capillary=capillary,
        correlation=tuple(correlation),
    )
    check(parameters, q=q, backgrounds=backgrounds)
    return _assemble(parameters, q.astype(np.float64), tuple(backgrounds), revision, errors)


def with_scale(
    plan: Plan, *, kind: ScaleKind, value: float | None, sigma: float, revision: int
) -> Plan:
    """Return the plan with another scale; ValueError as :func:`build_plan`."""
    parameters = replace(plan.parameters, scale=kind, scale_value=value, scale_sigma=sigma)
    check(parameters, q=plan.q, backgrounds=plan.backgrounds)
    if "absolute" in (kind, plan.parameters.scale) and kind != plan.parameters.scale:
        errors = plan.variance is not None
        made = _assemble(parameters, plan.q, plan.backgrounds, revision, errors)
        return with_taper(made, plan.taper, revision=revision) if parameters.own_taper else made
    return replace(plan, parameters=parameters, revision=revision)


def with_correlation(plan: Plan, correlation: Sequence[float]) -> Plan:
    """Return the plan for intensities whose noise correlates so 1, 2, … bins apart."""
    return replace(plan, parameters=replace(plan.parameters, correlation=tuple(correlation)))


def with_qmax(plan: Plan, qmax: float, *, revision: int) -> Plan:
    """Return the plan with another upper limit of the transform; ValueError as :func:`build_plan`.

    A taper of one's own does not go along: it belongs to its window.
    """
    parameters = replace(plan.parameters, qmax=qmax, own_taper=False)
    check(parameters, q=plan.q, backgrounds=plan.backgrounds)
    errors = plan.variance is not None
    return _assemble(parameters, plan.q, plan.backgrounds, revision, errors)


def with_backgrounds(plan: Plan, backgrounds: Sequence[Background], *, revision: int) -> Plan:
    """Return the plan with other patterns to subtract, on its grid.

    Which of them are fitted must stay as it was: the plan holds Compton's part for fits alone.
    """
    kept = [b.scale == "fit" for b in plan.backgrounds]
    if [b.scale == "fit" for b in backgrounds] != kept:
        raise ValueError("other backgrounds are fitted than in the plan")
    check(plan.parameters, q=plan.q, backgrounds=backgrounds)
    _, taken = _absorbed(plan.parameters, plan.q, tuple(backgrounds))
    gain, n = plan.fit_q * plan.mean_f2_inverse, plan.window_size
    return replace(
        plan,
        revision=revision,
        backgrounds=tuple(backgrounds),
        taken=taken,
        blanks=fitted_blanks(
            taken,
            q=plan.q,
            fit=plan.fit,
            self_scattering=plan.blanks.self_scattering,
            to_fq=lambda rows: plan.polynomial.remove((gain * rows).T).T,
            to_gr=lambda fq: plan.transform.apply(fq[:, :n] * plan.taper),
        ),
    )


def with_taper(plan: Plan, taper: Floats, *, revision: int) -> Plan:
    """Return the plan with a termination function of one's own, (n_window,) without unit.

    It has no name, so that a file made with it says so and does not claim to be repeatable.
    """
    if taper.shape != plan.taper.shape:
        raise ValueError(f"the window has {plan.taper.size} points, found {taper.shape}")
    n = taper.size
    return replace(
        plan,
        revision=revision,
        parameters=replace(plan.parameters, own_taper=True),
        taper=taper,
        offset_gr=plan.transform.apply(plan.offset_fq[:n] * taper),
        variance=None
        if plan.variance is None
        else _variance(plan.transform, taper, plan.polynomial, plan.fit_q * plan.mean_f2_inverse),
        blanks=replace(plan.blanks, gr=plan.transform.apply(plan.blanks.fq[:, :n] * taper)),
    )


def _assemble(
    parameters: Parameters,
    q: Floats,
    backgrounds: tuple[Background, ...],
    revision: int,
    errors: bool,
) -> Plan:
    p = parameters
    fit = _points(q, p.qmin, p.qmaxinst)
    window = _points(q, p.qmin, p.qmax)
    r = r_grid(rmin=p.rmin, rmax=p.rmax, rstep=p.rstep)
    transmission, taken = _absorbed(p, q, backgrounds)
    counted = p.scale == "absolute" or any(b.scale == "fit" for b in taken)
    mean_f, mean_f2, compton = _atoms(p, q[fit], compton=counted)
    polynomial = polynomial_fit(q=q[fit], degree=effective_degree(q=q[fit], rpoly=p.rpoly))
    tapered = taper(kind=p.taper, q=q[window], qmin=p.qmin, qmax=p.qmax)
    transform = _transform(p, q, window, r)
    gain = q[fit] / mean_f**2
    target = (mean_f2 + (compton if p.scale == "absolute" else 0.0)) / mean_f**2
    offset = polynomial.remove(q[fit] * target)
    return Plan(
        revision=revision,
        parameters=p,
        q=q,
        r=r,
        backgrounds=backgrounds,
        taken=taken,
        transmission=transmission,
        fit=fit,
        window=window,
        mean_f2_inverse=1 / mean_f**2,
        target=target,
        offset_fq=offset,
        offset_gr=transform.apply(offset[: tapered.size] * tapered),
        polynomial=polynomial,
        taper=tapered,
        transform=transform,
        fq_variance=remainder_variance(polynomial, points=tapered.size),
        variance=_variance(transform, tapered, polynomial, gain) if errors else None,
        blanks=fitted_blanks(
            taken,
            q=q,
            fit=fit,
            self_scattering=mean_f2 + compton,
            to_fq=lambda rows: polynomial.remove((gain * rows).T).T,
            to_gr=lambda fq: transform.apply(fq[:, : tapered.size] * tapered),
        ),
    )


def _variance(
    transform: Transform, taper: Floats, polynomial: PolynomialFit, gain: Floats
) -> VarianceMap:
    return variance_map(
        transform=transform,
        taper=taper,
        polynomial=polynomial,
        gain=gain,
        r=transform.r,
        qmax=float(transform.q[-1]),
    )


def _absorbed(
    p: Parameters, q: Floats, backgrounds: tuple[Background, ...]
) -> tuple[Floats | None, tuple[Background, ...]]:
    """Return what gets out of the sample, and the backgrounds divided by it."""
    if p.capillary is None or p.energy is None:
        return None, backgrounds
    two_theta = scattering_angle(q=q, energy=p.energy)
    sample, wall = transmissions(p.capillary, two_theta=two_theta)
    taken = []
    for background in backgrounds:
        factor = (wall if background.cell else 1.0) / sample
        taken.append(
            replace(
                background,
                intensity=factor * background.intensity,
                sigma=factor * background.sigma,
            )
        )
    return sample, tuple(taken)


def _atoms(p: Parameters, q: Floats, *, compton: bool) -> tuple[Floats, Floats, Floats]:
    """Return ⟨f⟩, ⟨f²⟩ and the incoherent part (zero where it is not wanted), (n_fit,) each."""
    if p.mode == "neutron":
        return mean_scattering_lengths(q=q, composition=p.composition)
    mean_f, mean_f2 = mean_form_factors(
        q=q, composition=p.composition, energy=p.energy if p.dispersion else None
    )
    if not compton:
        return mean_f, mean_f2, np.zeros(q.shape)
    return mean_f, mean_f2, mean_compton(q=q, composition=p.composition, energy=p.energy)


def _transform(parameters: Parameters, q: Floats, window: slice, r: Floats) -> Transform:
    if parameters.transform == "exact":
        return exact_transform(q=q[window], r=r)
    return fft_transform(q=q[window], r=r, step=spacing(q), qmin=parameters.qmin)


def _points(q: Floats, low: float, high: float) -> slice:
    inside = np.flatnonzero((q >= low - _EDGE) & (q <= high + _EDGE))
    if inside.size < 10:
        raise ValueError(f"only {inside.size} points of Q lie between {low} and {high} 1/A")
    return slice(int(inside[0]), int(inside[-1]) + 1)
