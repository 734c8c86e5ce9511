"""All values that are followed over a run, from the F(Q) of one window."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.components import Components, build_components
from livepdf.analysis.crosschecks.checks import build_checks
from livepdf.analysis.declared import Measured, Part, Timed, untimed
from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.followed_peaks import WantedPeak, followed_peaks
from livepdf.analysis.least_squares import slow_terms
from livepdf.analysis.structure_fit import StructureFit, WantedCrystals, structure_fit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WantedModels:
    """Curves calculated elsewhere."""

    names: tuple[str, ...]
    curves: Floats
    """(k, n_q) F(Q) of each, Å⁻¹."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What is followed, made ready once for each plan; see `build_analysis`."""

    q: Floats
    """(n_q,) Å⁻¹, from qmin to qmax."""
    parts: tuple[Part, ...]
    """One after the other: later ones take what earlier ones found."""
    compared: NDArray[np.bool_]
    """(n_q,) where data and model are compared."""
    crystals: StructureFit | None = None
    """That of the parts, where a structure is followed."""

    def evaluate(self, *, fq: Floats, sigma: Floats, timed: Timed = untimed) -> Measured:
        """Return every value that is followed, each with σ, or NaN and the reason.

        Always the same names in the same order, whatever the data, and the same numbers, whatever
        came before. ValueError only when the arrays are not on ``q``.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            F(Q) of a window, without taper, and its σ.
        timed
            Measures each part.
        """
        self._check(fq, sigma)
        found = Measured(fq=fq, sigma=sigma)
        for part in self.parts:
            with timed(part.declared.name):
                found = part.follow(found)
        return found

    def amplitude(self, *, fq: Floats, sigma: Floats) -> float:
        """Return the amplitude of the crystal's template over its σ, signed; NaN without any.

        It is linear in the data and takes a millisecond at most: no window has to do without.
        """
        self._check(fq, sigma)
        return math.nan if self.crystals is None else self.crystals.amplitude(fq=fq, sigma=sigma)

    @property
    def estimator(self) -> Estimator | None:
        """What fits the structures; None without any."""
        return None if self.crystals is None else self.crystals.estimator

    def _check(self, fq: Floats, sigma: Floats) -> None:
        if fq.shape != self.q.shape or sigma.shape != self.q.shape:
            raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted {self.q.shape}")


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
    parts: list[Part] = []
    if peaks:
        crystal = None if crystals is None else crystals.candidates[0].structure
        parts.append(
            followed_peaks(
                peaks,
                fit_q=fit_q,
                qmax=qmax,
                rpoly=rpoly,
                crystal=crystal,
                composition=composition,
            )
        )
    degree = int(np.ceil(rpoly * (fit_q[-1] - fit_q[0]) / np.pi))
    components = _components(q, models, crystals, degree)
    compared = np.ones(q.shape, dtype=np.bool_) if components is None else components.compared
    fit = None
    if crystals is not None:
        beside = crystals if components is None else _beside(crystals, components)
        estimator = build_estimator(
            q=q,
            candidates=beside.candidates,
            composition=composition,
            energy_kev=beside.energy,
            qdamp=qdamp,
            qdamp_sigma=qdamp_sigma,
            qbroad=qbroad,
            nuisances=beside.nuisances,
            nuisance_names=beside.names,
            nuisance_noise=beside.noise,
            slow_degree=degree,
            diameter_limits=beside.diameters,
            template_diameter=beside.template,
        )
        fit, compared = structure_fit(beside, estimator), estimator.compared
        parts += [fit, *_checks(beside, fit, q=q, qdamp=qdamp, qbroad=qbroad)]
    parts += [] if components is None else [components]
    return Analysis(q=q, parts=tuple(parts), compared=compared, crystals=fit)


def _components(
    q: Floats, models: WantedModels | None, crystals: WantedCrystals | None, degree: int
) -> Components | None:
    if models is None or not models.names:
        return None
    references = None if crystals is None else crystals.nuisances
    return build_components(
        q=q,
        names=models.names,
        curves=models.curves.T,
        slow=slow_terms(q, degree=degree),
        others=np.empty((q.size, 0)) if references is None else references.T,
    )


def _checks(
    crystals: WantedCrystals, fit: StructureFit, *, q: Floats, qdamp: float | None, qbroad: float
) -> tuple[Part, ...]:
    if not crystals.cross_checks:
        return ()
    return build_checks(
        crystals.candidates[0].structure,
        q=q,
        qdamp=qdamp,
        qbroad=qbroad,
        nuisances=fit.estimator.nuisances,
        diameters=crystals.diameters,
    )


def _beside(crystals: WantedCrystals, components: Components) -> WantedCrystals:
    """Return crystals that are fitted beside the models, which come before the references."""
    known = [] if crystals.nuisances is None else [crystals.nuisances]
    return replace(crystals, nuisances=np.vstack([components.curves.T, *known]))
