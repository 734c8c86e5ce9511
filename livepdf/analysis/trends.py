"""All values that are followed over a run, from the F(Q) of one window."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.components import Components, build_components
from livepdf.analysis.crosschecks.checks import Checks, build_checks
from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.least_squares import slow_terms
from livepdf.analysis.maximum import gr_maximum
from livepdf.analysis.peaks import PeakFit, PeakWindow, fit_peak, no_peak, peak_window
from livepdf.analysis.shells import NearShell, near_shell
from livepdf.model.curve import Trend
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs

Floats = NDArray[np.float64]

SCALE = "crystalline scale"
CONVERSION = "conversion"
"""The scale as it is shown: over that of a sample that has wholly reacted."""


_GROWN = 40.0
"""Å, of the crystals whose pattern levels one that has wholly reacted; it hardly matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPeak:
    """A peak of G(r) to follow."""

    name: str
    near: float
    """Å"""
    reach: float
    """Å"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WantedCrystals:
    """Crystals that may grow, and what is known beside them."""

    candidates: tuple[Candidate, ...]
    diameters: tuple[float, float] = (10.0, 100.0)
    """Å, smallest and largest that are looked for."""
    template: float = 20.0
    """Å, of the template whose amplitude finds the onset."""
    full_scale: float = 1.0
    """Scale of a sample that has wholly reacted."""
    scale_error: float = 0.0
    """Relative σ of the scale of the reduction, common to all windows."""
    levelled: Callable[[Floats], float] | None = None
    """The same from F(Q) of the crystal, (n_q,), where the reduction levels every pattern."""
    energy: float | None = None
    """keV, where the reduction had f′ and f″ in its form factors."""
    cross_checks: bool = True
    """Whether the size is also told without the fit."""
    nuisances: Floats | None = None
    """(k, n_q) references on the scale of F(Q)."""
    names: tuple[str, ...] = ()
    """Of the nuisances."""
    noise: tuple[Floats, ...] = ()
    """(m, n_q) what noise each of them holds; none where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WantedModels:
    """Curves calculated elsewhere."""

    names: tuple[str, ...]
    curves: Floats
    """(k, n_q) F(Q) of each, Å⁻¹."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedPeak:
    """A wanted peak, made ready."""

    name: str
    window: PeakWindow
    isolated: bool | None
    """None where no structure tells."""
    per_neighbour: float
    """Area of the peak that one neighbour makes; NaN where no structure tells."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What one window gave."""

    trends: tuple[Trend, ...]
    model_fq: Floats | None = None
    """(n_q,) Å⁻¹, what the data are compared with; None without a structure."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What is followed, made ready once for each plan; see `build_analysis`."""

    q: Floats
    """(n_q,) Å⁻¹, from qmin to qmax."""
    peaks: tuple[FollowedPeak, ...]
    estimator: Estimator | None
    checks: Checks | None = None
    components: Components | None = None
    template: float = 20.0
    full_scale: float = 1.0
    scale_error: float = 0.0

    def evaluate(self, *, fq: Floats, sigma: Floats) -> Measured:
        """Return every value that is followed, each with σ, or NaN and the reason.

        Always the same names in the same order, whatever the data, and the same numbers, whatever
        came before. ValueError only when the arrays are not on ``q``.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            F(Q) of a window, without taper, and its σ.
        """
        self._check(fq, sigma)
        trends: list[Trend] = []
        for peak in self.peaks:
            trends += _peak_trends(peak, _fit_peak(peak, fq=fq, sigma=sigma))
            trends.append(_maximum(peak, fq=fq, sigma=sigma))
        if self.estimator is None:
            model = None
            if self.components is not None:
                more, model = self.components.evaluate(fq=fq, sigma=sigma)
                trends += more
            return Measured(trends=tuple(trends), model_fq=model)
        estimate = self.estimator.evaluate(fq=fq, sigma=sigma)
        trends += (self._shown(trend) for trend in estimate.trends)
        if self.checks is not None:
            fitted = next(t for t in estimate.trends if t.name.endswith("domain size"))
            trends += self.checks.trends(fq=fq, sigma=sigma, fitted=fitted)
        if self.components is not None:
            crystal = estimate.crystal_fq
            trends += self.components.evaluate(fq=fq, sigma=sigma, crystal=crystal)[0]
        return Measured(trends=tuple(trends), model_fq=estimate.model_fq)

    @property
    def compared(self) -> NDArray[np.bool_]:
        """(n_q,) where data and model are compared."""
        if self.estimator is not None:
            return self.estimator.compared
        if self.components is not None:
            return self.components.compared
        return np.ones(self.q.shape, dtype=np.bool_)

    def amplitude(self, *, fq: Floats, sigma: Floats) -> float:
        """Return the amplitude of the crystal's template over its σ, signed; NaN without any.

        It is linear in the data and takes a millisecond at most: no window has to do without.
        """
        self._check(fq, sigma)
        if self.estimator is None:
            return math.nan
        try:
            found = self.estimator.amplitude(fq=fq, sigma=sigma, diameter=self.template)
        except ValueError:  # too few points; the estimate itself says so in words
            return math.nan
        return found.z

    def _check(self, fq: Floats, sigma: Floats) -> None:
        if fq.shape != self.q.shape or sigma.shape != self.q.shape:
            raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted {self.q.shape}")

    def _shown(self, trend: Trend) -> Trend:
        if not trend.name.endswith(SCALE):
            return trend
        return replace(
            trend,
            name=trend.name.replace(SCALE, CONVERSION),
            value=trend.value / self.full_scale,
            sigma=math.hypot(trend.sigma, trend.value * self.scale_error) / self.full_scale,
        )


def _fit_peak(peak: FollowedPeak, *, fq: Floats, sigma: Floats) -> PeakFit:
    try:
        return fit_peak(peak.window, fq=fq, sigma=sigma, isolated=peak.isolated)
    except ValueError as error:
        return no_peak(f"the fit failed: {error}")


def _maximum(peak: FollowedPeak, *, fq: Floats, sigma: Floats) -> Trend:
    # The baseline of a peak is a line through the origin: r itself.
    window = peak.window
    qmax = float(window.fit_q[window.to_r.shape[1] - 1])
    found = gr_maximum(r=window.baseline, to_r=window.to_r, qmax=qmax, fq=fq, sigma=sigma)
    return _trend(f"{peak.name} maximum", "Å", found.position, found.sigma, found.reason)


def build_analysis(
    *,
    fit_q: Floats,
    qmax: float,
    rpoly: float,
    composition: Mapping[str, float],
    peaks: Sequence[WantedPeak] = (),
    crystals: WantedCrystals | None = None,
    models: WantedModels | None = None,
    qdamp: float | None = None,
    qdamp_sigma: float = 0.0,
    qbroad: float = 0.0,
) -> Analysis:
    """Make ready all that does not change from window to window (a second or so).

    Parameters
    ----------
    fit_q : (n_fit,) float64, Å⁻¹
        The points that the reduction fits its polynomial to, from qmin to qmaxinst, equidistant.
    qmax : float, Å⁻¹
        F(Q) is given up to here: the first n_q points of ``fit_q``.
    rpoly : float, Å
        Of the correction polynomial.
    composition : atoms per formula unit by element
        As the reduction was told.
    peaks, crystals, models
        What to follow; models are fitted along with the references. With a structure, peaks also
        know whether they can stand alone.
    qdamp : float or None, Å⁻¹
        Resolution of the instrument; without it the size is withheld.
    qdamp_sigma, qbroad : float, Å⁻¹

    Raises
    ------
    ValueError
        When a wanted value makes no sense with these limits; says which and why.
    """
    q = fit_q[fit_q <= qmax + 1e-8]
    crystal = None if crystals is None else crystals.candidates[0].structure
    followed = tuple(
        _followed(
            peak, fit_q=fit_q, qmax=qmax, rpoly=rpoly, crystal=crystal, composition=composition
        )
        for peak in peaks
    )
    degree = int(np.ceil(rpoly * (fit_q[-1] - fit_q[0]) / np.pi))
    references = None if crystals is None else crystals.nuisances
    components = None
    if models is not None and models.names:
        components = build_components(
            q=q,
            names=models.names,
            curves=models.curves.T,
            slow=slow_terms(q, degree=degree),
            others=np.empty((q.size, 0)) if references is None else references.T,
        )
    if crystals is None:
        return Analysis(q=q, peaks=followed, estimator=None, components=components)
    if components is not None:
        crystals = _beside(crystals, components)
    estimator = build_estimator(
        q=q,
        candidates=crystals.candidates,
        composition=composition,
        energy_kev=crystals.energy,
        qdamp=qdamp,
        qdamp_sigma=qdamp_sigma,
        qbroad=qbroad,
        nuisances=crystals.nuisances,
        nuisance_names=crystals.names,
        nuisance_noise=crystals.noise,
        slow_degree=degree,
        diameter_limits=crystals.diameters,
        template_diameter=crystals.template,
    )
    checks = None
    if crystals.cross_checks and crystal is not None:
        checks = build_checks(
            crystal,
            q=q,
            qdamp=qdamp,
            qbroad=qbroad,
            nuisances=estimator.nuisances,
            diameters=crystals.diameters,
        )
    return Analysis(
        q=q,
        peaks=followed,
        estimator=estimator,
        checks=checks,
        components=components,
        template=crystals.template,
        full_scale=_full_scale(crystals, estimator),
        scale_error=crystals.scale_error,
    )


def _full_scale(crystals: WantedCrystals, estimator: Estimator) -> float:
    if crystals.levelled is None:
        return crystals.full_scale
    return crystals.levelled(estimator.phases[0].expected(_GROWN))


def _beside(crystals: WantedCrystals, components: Components) -> WantedCrystals:
    """Return crystals that are fitted beside the models, which come before the references."""
    known = [] if crystals.nuisances is None else [crystals.nuisances]
    return replace(crystals, nuisances=np.vstack([components.curves.T, *known]))


def _followed(
    peak: WantedPeak,
    *,
    fit_q: Floats,
    qmax: float,
    rpoly: float,
    crystal: Structure | None,
    composition: Mapping[str, float],
) -> FollowedPeak:
    weight, isolated, per_neighbour = None, None, float("nan")
    if crystal is not None:
        amplitudes = np.array([form_factor(q=fit_q, element=e) for e in crystal.species])
        shell = _shell_of(peak, crystal, amplitudes[:, len(fit_q) // 2], qmax=qmax)
        if shell is not None:
            one, other = shell.species
            mean = mean_form_factors(q=fit_q, composition=composition)[0]
            weight, isolated = amplitudes[one] * amplitudes[other] / mean**2, shell.isolated
            share = float(np.mean(crystal.species_index == one))
            # Pairs of different species come in both orders.
            per_neighbour = share * float(weight[0]) * (1 if one == other else 2)
    window = peak_window(
        fit_q=fit_q, qmax=qmax, near=peak.near, reach=peak.reach, rpoly=rpoly, weight=weight
    )
    return FollowedPeak(
        name=peak.name, window=window, isolated=isolated, per_neighbour=per_neighbour
    )


def _shell_of(
    peak: WantedPeak, crystal: Structure, amplitudes: Floats, *, qmax: float
) -> NearShell | None:
    kind = crystal.species_index
    shells = crystal_pairs(
        cell=crystal.cell,
        positions=crystal.positions,
        species=kind,
        r_max=peak.near + peak.reach + 5.0 / qmax + 0.5,
    )
    return near_shell(
        shells,
        fractions=np.bincount(kind) / len(kind),
        amplitudes=amplitudes,
        near=peak.near,
        reach=peak.reach,
        qmax=qmax,
    )


def _trend(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    nan = float("nan")
    shown = (nan, nan) if reason else (float(value), float(sigma))
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)


def _peak_trends(peak: FollowedPeak, fit: PeakFit) -> list[Trend]:
    name = peak.name
    each = peak.per_neighbour
    unknown = "" if each == each else "no structure tells which pairs these are"
    return [
        _trend(f"{name} position", "Å", fit.position, fit.position_sigma, fit.reason),
        _trend(f"{name} FWHM", "Å", fit.fwhm, fit.fwhm_sigma, fit.fwhm_reason),
        _trend(f"{name} area", "", fit.area, fit.area_sigma, fit.area_reason),
        _trend(
            f"{name} neighbours",
            "",
            fit.area / each,
            fit.area_sigma / each,
            unknown or fit.area_reason,
        ),
    ]
