"""The estimator: all that does not change from window to window, made ready once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from livepdf.analysis.estimator.candidate import Candidate, Priors
from livepdf.analysis.estimator.contest import Outcome, contest
from livepdf.analysis.estimator.estimate import Amplitude, Estimate, Left, Warm
from livepdf.analysis.estimator.fit import by_common_noise, fit_covariance
from livepdf.analysis.estimator.fractions import fractions
from livepdf.analysis.estimator.phase import Phase, build_phase
from livepdf.analysis.estimator.verdict import (
    VISIBLE,
    WRONG,
    Known,
    faint,
    one_trend,
    phase_trends,
    prefix,
    withheld,
)
from livepdf.analysis.estimator.window import Window, window_of
from livepdf.analysis.least_squares import slow_terms
from livepdf.model.curve import Trend
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.transform import spacing

Floats = NDArray[np.float64]

_MODEL_SHARE = 0.0005
"""What a smooth sphere is in error about one made of atoms, as a share of its diameter."""

_WITHIN = 50.0
"""Å; what crystals of a few nanometres miss lies below. More distances would only add noise."""

_LATTICE_BEGINS = 1.6
"""Å⁻¹; hardly any crystal reflects below."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimator:
    """See `build_estimator`. Holds no state: the same window gives the same estimate."""

    q: Floats
    """(n_q,) Å⁻¹"""
    compared: NDArray[np.bool_]
    """(n_q,) where data and model are compared."""
    phases: tuple[Phase, ...]
    nuisances: Floats
    """(n_q, k) slow terms, then the columns that were given."""
    nuisance_names: tuple[str, ...]
    """Of the columns that were given."""
    nuisance_noise: tuple[Floats, ...]
    """(m, n_q) of each column that was given, see `build_estimator`."""
    nuisance_variance: tuple[Floats, ...]
    """(n_q,) of each column that was given: what that noise is in each point, Å⁻²."""
    known: Known
    qdamp_sigma: float
    priors: Priors
    template_diameter: float
    """Å, of the amplitude that every estimate holds."""

    def amplitude(self, *, fq: Floats, sigma: Floats, diameter: float) -> Amplitude:
        """Return how much of the first candidate there is, linear in the data (≤ 1 ms).

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            At ``q``; points without a value or an uncertainty are left out.
        diameter : float, Å
            Of the template: the nearest two of a fixed set are mixed.
        """
        self._check(fq, sigma)
        window = window_of(nuisances=self.nuisances, compared=self.compared, fq=fq, sigma=sigma)
        return self._amplitude(window, self.phases[0], diameter)

    def _amplitude(self, window: Window, phase: Phase, diameter: float) -> Amplitude:
        seen = window.seen(phase.expected(diameter))
        square = float(seen @ seen)
        if not square > 0.0:  # a σ so large that nothing is left of the template
            nan = float("nan")
            return Amplitude(scale=nan, sigma=nan, z=nan)
        scale = float(seen @ window.data) / square
        return Amplitude(scale=scale, sigma=square**-0.5, z=scale * square**0.5)

    def evaluate(
        self,
        *,
        fq: Floats,
        sigma: Floats,
        covariance: Floats | None = None,
        start: Warm | None = None,
    ) -> Estimate:
        """Estimate every value from one window.

        Always the same names in the same order, whatever the data; ValueError only when the
        arrays are not on ``q``.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            F(Q) of a window, without taper, and its σ; NaN where there is none.
        covariance : (n_q, n_q) float64, optional, Å⁻²
            Of F(Q), where its points are correlated (split pixels).
        start : Warm, optional
            Of the window before; the best of a fixed set of sizes is tried beside it.
        """
        self._check(fq, sigma)
        try:
            window = window_of(
                nuisances=self.nuisances,
                compared=self.compared,
                fq=fq,
                sigma=sigma,
                covariance=covariance,
            )
        except ValueError as error:  # numpy's LinAlgError is one
            return self._nothing(str(error), z=float("nan"))
        linear = tuple(
            self._amplitude(window, phase, self.template_diameter) for phase in self.phases
        )
        z = linear[0].z
        try:
            outcome = contest(self.phases, window=window, start=start, priors=self.priors)
        except ValueError as error:
            return self._nothing(f"the fit failed: {error}", z=z)
        if outcome is None:
            return self._empty(window, linear)
        return self._concluded(outcome, window, fq, linear)

    def _check(self, fq: Floats, sigma: Floats) -> None:
        if fq.shape != self.q.shape or sigma.shape != self.q.shape:
            raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted {self.q.shape}")

    def _concluded(
        self, outcome: Outcome, window: Window, fq: Floats, linear: Sequence[Amplitude]
    ) -> Estimate:
        fit = outcome.fit
        qdamp = self.known.qdamp or 0.0
        covariance = fit_covariance(fit, window=window, qdamp=qdamp, qdamp_sigma=self.qdamp_sigma)
        for k, place in enumerate(fit.places):
            covariance[place + 1, place + 1] += (_MODEL_SHARE * float(fit.values(k)[0])) ** 2
        crystal = np.sum(fit.curves, axis=0)
        amounts = window.amounts(fq - crystal)
        rest = self.nuisances @ amounts
        given = amounts[len(amounts) - len(self.nuisance_noise) :]
        covariance += by_common_noise(fit, window=window, amounts=given, noise=self.nuisance_noise)
        best = fit.phases[0].name
        names = tuple(
            f"{prefix(phase, self.phases)}{name}"
            for phase in fit.phases
            for name in ("scale", *phase.names)
        )
        return Estimate(
            trends=(
                *self._trends(outcome, covariance, linear),
                _quality(fit.chi2_red, fit.freedom),
            ),
            chi2=fit.chi2_red,
            model_fq=crystal + rest,
            crystal_fq=crystal,
            parameters=names,
            values=fit.minimum.parameters,
            covariance=covariance,
            amplitude_z=linear[0].z,
            structure=best,
            form=fit.phases[0].box.form,
            warm=Warm(phases=fit.numbers, values=fit.minimum.parameters)
            if fit.minimum.converged and all(p.box.form == "sphere" for p in fit.phases)
            else None,
            left=self._left(outcome, window, crystal, given),
        )

    def _left(self, outcome: Outcome, window: Window, crystal: Floats, given: Floats) -> Left:
        seen = window.seen(crystal)
        values = np.zeros(self.compared.sum())
        values[window.used[self.compared]] = window.data - seen
        step = float(self.q[1] - self.q[0])
        slow = int(np.ceil(_WITHIN * step * values.size / np.pi))
        waves = dct(values, norm="ortho")[:slow]
        inverse = window.inverse_sigma**2
        variances = [variance[window.used] @ inverse for variance in self.nuisance_variance]
        taken = window.nuisance_count + len(outcome.fit.minimum.parameters)
        return Left(
            waves=waves,
            freedom=waves.size - taken,
            common=given * np.sqrt(np.array(variances)),
            described=float(np.linalg.norm(seen)),
        )

    def _trends(
        self, outcome: Outcome, covariance: Floats, linear: Sequence[Amplitude]
    ) -> list[Trend]:
        fit, trends = outcome.fit, list[Trend]()
        for number, phase in enumerate(self.phases):
            before = prefix(phase, self.phases)
            if number in fit.numbers:
                found = phase_trends(
                    fit,
                    covariance,
                    phase=fit.numbers.index(number),
                    known=self.known,
                    prefix=before,
                    limit=VISIBLE,
                )
                trends += [faint(found[0], linear[number], chi2=fit.chi2_red), *found[1:]]
            else:
                reason = f"not seen: {fit.phases[0].name} describes the data"
                trends += withheld(phase, prefix=before, reason=reason)
        if len(self.phases) > 1:
            trends += fractions(self.phases, outcome, covariance)
        return trends

    def _empty(self, window: Window, linear: Sequence[Amplitude]) -> Estimate:
        """Return how little there is where no crystal can be fitted at a positive scale."""
        nothing = self._nothing("no crystalline signal", z=linear[0].z)
        chi2 = float(window.data @ window.data) / (len(window.data) - window.nuisance_count)
        if self.known.qdamp is None or not chi2 <= WRONG:
            return nothing
        trends = list(nothing.trends)
        names = [trend.name for trend in trends]
        for phase, amount in zip(self.phases, linear, strict=True):
            place = names.index(f"{prefix(phase, self.phases)}crystalline scale")
            sigma = amount.sigma * max(1.0, chi2) ** 0.5
            if np.isfinite(amount.scale) and np.isfinite(sigma):
                trends[place] = one_trend(names[place], "", amount.scale, sigma, "")
        return replace(nothing, trends=tuple(trends))

    def _nothing(self, reason: str, *, z: float) -> Estimate:
        empty = np.full(self.q.shape, np.nan)
        trends = [
            trend
            for phase in self.phases
            for trend in withheld(phase, prefix=prefix(phase, self.phases), reason=reason)
        ]
        if len(self.phases) > 1:
            nan = float("nan")
            trends += [one_trend(f"{p.name} fraction", "", nan, nan, reason) for p in self.phases]
        nan = float("nan")
        return Estimate(
            trends=(*trends, one_trend("reduced χ²", "", nan, nan, reason)),
            chi2=nan,
            model_fq=empty,
            crystal_fq=empty,
            parameters=(),
            values=np.empty(0),
            covariance=np.empty((0, 0)),
            amplitude_z=z,
            structure="",
            form="",
            warm=None,
        )


def _quality(chi2: float, freedom: int) -> Trend:
    return one_trend("reduced χ²", "", chi2, float(np.sqrt(2.0 / freedom)), "")


def build_estimator(
    *,
    q: Floats,
    candidates: Sequence[Candidate],
    composition: Mapping[str, float],
    energy_kev: float | None = None,
    qdamp: float | None = None,
    qdamp_sigma: float = 0.0,
    qbroad: float = 0.0,
    nuisances: Floats | None = None,
    nuisance_names: Sequence[str] = (),
    nuisance_noise: Sequence[Floats] = (),
    slow_degree: int | None = None,
    priors: Priors | None = None,
    diameter_limits: tuple[float, float] = (10.0, 100.0),
    template_diameter: float = 20.0,
    compared_from: float = 1.6,
) -> Estimator:
    """Make the estimator ready (a second or so).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Equidistant and rising, where F(Q) is given.
    candidates
        Crystals that may be there, the likeliest first. The best by χ² is shown; a second one is
        added where the data ask for it.
    composition : atoms per formula unit by element
        As the reduction was told: F(Q) was divided by its ⟨f⟩².
    energy_kev : float or None, keV
        Of the beam: adds f′ and f″. None where the reduction left them out.
    qdamp, qbroad : float, Å⁻¹
        Resolution of the instrument, as PDFgui defines it; without qdamp no size is shown.
    qdamp_sigma : float, Å⁻¹
    nuisances : (n_columns, n_q) float64, optional, Å⁻¹
        References (blanks, precursor) on the scale of F(Q): their amounts are fitted along and
        leave no trace in the values. Free of noise, please: noise in a column is common to all
        windows.
    nuisance_names
        As many.
    nuisance_noise : (m, n_q) float64 each, Å⁻¹
        Of every column L with LᵀL the covariance of the noise that is left in it: as much of it as
        of the column is in every value, and its σ then tells so. None where it is not known.
    slow_degree : int or None
        Degree of the correction polynomial of the reduction, rounded up; None for half of Qmax/π.
        Whatever Q·P(Q) of this degree can describe is left out of data and model alike.
    priors : Priors, optional
    diameter_limits : (float, float), Å
    template_diameter : float, Å
        Of the amplitude that finds the onset.
    compared_from : float, Å⁻¹
        Below, spheres of 2 to 6 nm still show their small-angle scattering, which the model has
        not: at 1.2 it moves the scale by a σ or two at 1e7 photons. The first strong reflection
        should lie above.

    Raises
    ------
    ValueError
        When the settings make no sense together; says which and why.
    """
    spacing(q)
    if not candidates:
        raise ValueError("the estimator needs at least one candidate structure")
    if qdamp is not None and not (np.isfinite(qdamp) and qdamp >= 0.0):
        raise ValueError(f"qdamp is {qdamp}, wanted a number ≥ 0")
    low, high = diameter_limits
    if not 0.0 < low < high:
        raise ValueError(f"diameters from {low} to {high} Å, wanted rising and above 0")
    expected = Priors() if priors is None else priors
    if len(nuisance_noise) not in (0, len(nuisance_names)):
        raise ValueError(
            f"noise of {len(nuisance_noise)} columns, wanted none or that of {len(nuisance_names)}"
        )
    seen = _seen_at(q, composition=composition, energy_kev=energy_kev, qdamp=qdamp or 0.0)
    return Estimator(
        q=q,
        compared=q >= compared_from,
        phases=tuple(
            build_phase(
                candidate,
                q=seen,
                composition=composition,
                energy_kev=energy_kev,
                qdamp=0.0 if qdamp is None else qdamp,
                qbroad=qbroad,
                priors=expected,
                diameter_limits=diameter_limits,
            )
            for candidate in candidates
        ),
        nuisances=_columns(q, nuisances, slow_degree),
        nuisance_names=tuple(nuisance_names),
        nuisance_noise=tuple(nuisance_noise),
        nuisance_variance=tuple(np.sum(noise**2, axis=0) for noise in nuisance_noise),
        known=Known(qdamp=qdamp, diameter_limits=diameter_limits, early=expected.diameter_until),
        qdamp_sigma=qdamp_sigma,
        priors=expected,
        template_diameter=template_diameter,
    )


def _seen_at(
    q: Floats, *, composition: Mapping[str, float], energy_kev: float | None, qdamp: float
) -> Floats:
    """Return where F(Q) is that the resolution shows at q, Å⁻¹: it blurs I, which falls, and not F.

    I = (⟨f⟩²/Q)·F blurred by a Gaussian of variance σ² and divided again is F blurred, at
    Q + σ² d ln(⟨f⟩²/Q)/dQ: 40 ppm of a lattice at σ = 0.025. The model wants equal steps, so a
    straight line stands for the slope, weighted as the points tell of a lattice: photons, form
    factors and the fading by U of 0.005 Å². Then the lattice does not notice.
    """
    mean, _ = mean_form_factors(q=q, composition=composition, energy=energy_kev)
    slope = np.gradient(np.log(mean**2 / np.maximum(q, 1e-3)), q)
    told = mean**2 / np.maximum(q, 1e-3) * np.exp(-0.01 * q**2)
    told[q < _LATTICE_BEGINS] = 0.0
    line = np.polynomial.polynomial.polyfit(q, slope, 1, w=np.sqrt(told))
    return np.asarray(q + qdamp**2 * (line[0] + line[1] * q))


def _columns(q: Floats, nuisances: Floats | None, slow_degree: int | None) -> Floats:
    degree = int(np.ceil(0.5 * q[-1] / np.pi)) if slow_degree is None else slow_degree
    slow = slow_terms(q, degree=degree) if degree >= 0 else np.empty((len(q), 0))
    if nuisances is None:
        return slow
    if nuisances.ndim != 2 or nuisances.shape[1] != len(q):
        raise ValueError(f"nuisances have shape {nuisances.shape}, wanted (columns, {len(q)})")
    return np.hstack([slow, nuisances.T])
