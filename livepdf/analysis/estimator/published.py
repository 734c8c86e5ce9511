"""A G(r) without its I(Q): the model is pushed through the limits that the file was made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.candidate import Candidate, Priors
from livepdf.analysis.estimator.contest import ASKED, Outcome, contest
from livepdf.analysis.estimator.estimate import Warm
from livepdf.analysis.estimator.fit import fit_covariance
from livepdf.analysis.estimator.fractions import fractions
from livepdf.analysis.estimator.phase import UNIQUE_AXIS, Phase, build_phase
from livepdf.analysis.estimator.verdict import (
    VISIBLE,
    Known,
    phase_trends,
    prefix,
    withheld,
)
from livepdf.model.curve import Trend
from livepdf.numerics.polynomial import PolynomialFit, effective_degree, polynomial_fit
from livepdf.numerics.tapers import TaperKind, taper
from livepdf.numerics.transform import ExactTransform, exact_transform, spacing

Floats = NDArray[np.float64]

_STEP = 0.01
"""Å⁻¹, of the model's F(Q): fine enough for distances of 150 Å on both sides."""
_BEYOND = 20.0
"""Å beyond the last r that the model knows: 10 of them fade."""
_FIRST_GUESS = 0.1
"""σ over the rms of the data before the residual tells."""
_POOR = 0.4
"""Rw above which the structure does not describe the data."""
_POOR_FOR_SHARES = 0.25
"""Rw above which shares are not shown."""
_UNNAMED = 0.2
"""Times Rw: σ of a share by crystals that nobody named. 5 to 20 % of all atoms in HfO2, SnO2, CeO2
or cristobalite beside anatase and rutile moved their shares by 0.04 to 0.25 times Rw."""
_UNTOLD = 0.1
"""σ of a share of the crystalline atoms above which it is not shown."""
_FEWEST = 30
_SMALLEST = 8.0
"""Å"""
_LARGEST = 3.0
"""Times rmax: a larger domain looks endless."""
_ENDLESS = 30.0
"""Times rmax: as far as the fit may go."""
_NO_QDAMP = "the Q resolution (qdamp) of the instrument is not given"
LOOSE = Priors(
    lattice=0.01,
    uiso=(1.0, 10.0),
    delta2=(2.0, 1.5),
    diameter=(40.0, 1e3),
    diameter_until=0.0,
)
"""What is expected of a finished sample that nobody has described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How F(Q) became the G(r) of a file."""

    qmin: float
    qmax: float
    qmaxinst: float
    """Å⁻¹"""
    rpoly: float
    """Å, of the correction polynomial; 0 for none."""
    taper: TaperKind = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrView:
    """Points of G(r) that are as good as independent, and how F(Q) becomes them."""

    q: Floats
    """(n_q,) Å⁻¹, where the model's F(Q) is wanted: the range that the polynomial was fitted to."""
    polynomial: PolynomialFit
    taper: Floats
    """(n_window,) over the points of ``q`` up to qmax."""
    transform: ExactTransform
    sigma: float
    """Å⁻², of every point."""
    data: Floats
    """(n_r,) in units of σ."""

    @property
    def nuisance_count(self) -> int:
        """None is projected out."""
        return 0

    def shown(self, curves: Floats) -> Floats:
        """Return G(r), (..., n_r) Å⁻², of F(Q), (..., n_q) Å⁻¹."""
        kept = self.polynomial.remove(np.atleast_2d(curves).T).T[:, : self.taper.size]
        gr = self.transform.apply(kept * self.taper)
        return gr.reshape((*curves.shape[:-1], gr.shape[-1]))

    def seen(self, curves: Floats) -> Floats:
        """Return the same in units of σ."""
        return np.asarray(self.shown(curves) / self.sigma)


def gr_view(*, r: Floats, gr: Floats, limits: Limits, sigma: float) -> GrView:
    """Prepare the comparison on the points r; ValueError unless they are equidistant.

    Parameters
    ----------
    r, gr : (n_r,) float64, Å and Å⁻²
    sigma : float, Å⁻²
    """
    points = int(np.ceil((limits.qmaxinst - limits.qmin) / _STEP)) + 1
    q = np.linspace(max(limits.qmin, _STEP), limits.qmaxinst, points)
    degree = effective_degree(q=q, rpoly=limits.rpoly) if limits.rpoly > 0.0 else -1.0
    window = q[q <= limits.qmax + 1e-9]
    return GrView(
        q=q,
        polynomial=polynomial_fit(q=q, degree=degree),
        taper=taper(kind=limits.taper, q=window, qmin=limits.qmin, qmax=limits.qmax),
        transform=exact_transform(q=window, r=r),
        sigma=sigma,
        data=gr / sigma,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublishedFit:
    """What a G(r) says about its structure."""

    trends: tuple[Trend, ...]
    rw: float
    """rms of data minus model over rms of the data, on the fitted points."""
    structure: str
    """Name of the candidate that describes the data best."""
    parameters: tuple[str, ...]
    values: Floats
    """(p,) all fitted parameters, also those that the trends withhold."""
    covariance: Floats
    """(p, p) from the scatter about the fit."""
    r: Floats
    """(n_r,) Å, all points of the file within the range of the fit."""
    gr: Floats
    """(n_r,) Å⁻², of the file."""
    model_gr: Floats
    """(n_r,) Å⁻²"""


def fit_published(
    *,
    r: Floats,
    gr: Floats,
    limits: Limits,
    candidates: Sequence[Candidate],
    composition: Mapping[str, float],
    rmin: float,
    rmax: float,
    qdamp: float | None = None,
    qdamp_sigma: float = 0.0,
    qbroad: float = 0.0,
    priors: Priors = LOOSE,
) -> PublishedFit:
    """Fit candidates to G(r); σ comes from the scatter, as files hardly ever hold a true one.

    In hexagonal and tetragonal crystals displacements along c are freed where χ² asks for it.

    Points π/Qmax apart are as good as independent; only those are compared.

    Parameters
    ----------
    r, gr : (n,) float64, Å and Å⁻²
        Equidistant.
    limits : Limits
    candidates, composition, qdamp, qdamp_sigma, qbroad, priors : as for `build_estimator`
    rmin, rmax : float, Å
        Range that is compared.

    Raises
    ------
    ValueError
        When there is too little to compare, or no candidate looks like the data at all.
    """
    r, gr, view = _compared(r, gr, limits, rmin, rmax)
    known = Known(
        qdamp=qdamp,
        diameter_limits=(_SMALLEST, _LARGEST * float(r[-1])),
        without_qdamp=_NO_QDAMP,
    )
    made = partial(
        build_phase,
        q=view.q,
        composition=composition,
        energy_kev=None,
        qdamp=0.0 if qdamp is None else qdamp,
        qbroad=qbroad,
        priors=priors,
        diameter_limits=(_SMALLEST, _ENDLESS * float(r[-1])),
        r_max=float(r[-1]) + _BEYOND,
    )
    phases = [made(candidate) for candidate in candidates]
    guessed = view
    view, outcome = _weighed(phases, guessed, priors)
    freed = _directed(candidates, outcome)
    if freed is not None:
        best = outcome.fit.numbers[0]
        rivals = [made(freed) if k == best else phase for k, phase in enumerate(phases)]
        trial = _weighed(rivals, guessed, priors)
        # Both were weighed by their own scatter: what is gained is told by the ratio of Rw.
        gain = trial[1].fit.freedom * ((_rw(view, outcome) / _rw(*trial)) ** 2 - 1.0)
        if gain > ASKED:
            phases, (view, outcome) = rivals, trial
    covariance = fit_covariance(
        outcome.fit, window=view, qdamp=qdamp or 0.0, qdamp_sigma=qdamp_sigma
    )
    whole = gr_view(r=r, gr=gr, limits=limits, sigma=1.0)
    return PublishedFit(
        trends=_trends(phases, outcome, covariance, known, view),
        rw=_rw(view, outcome),
        structure=outcome.fit.phases[0].name,
        parameters=tuple(
            f"{prefix(phase, phases)}{name}"
            for phase in outcome.fit.phases
            for name in ("scale", *phase.names)
        ),
        values=outcome.fit.minimum.parameters,
        covariance=covariance,
        r=r,
        gr=gr,
        model_gr=whole.shown(np.sum(outcome.fit.curves, axis=0)),
    )


def _compared(
    r: Floats, gr: Floats, limits: Limits, rmin: float, rmax: float
) -> tuple[Floats, Floats, GrView]:
    inside = (r >= rmin - 1e-9) & (r <= rmax + 1e-9)
    r, gr = r[inside], gr[inside]
    if not np.isfinite(gr).all() or not np.any(gr != 0.0):
        raise ValueError("G(r) has gaps or is zero all over in the range of the fit")
    stride = max(1, int(np.pi / limits.qmax / spacing(r)))
    few = slice(None, None, stride)
    if len(r[few]) < _FEWEST:
        raise ValueError(
            f"{len(r[few])} independent points from {rmin:g} to {rmax:g} Å, wanted {_FEWEST}"
        )
    rms = float(np.sqrt(np.mean(gr**2)))
    view = gr_view(r=r[few], gr=gr[few], limits=limits, sigma=_FIRST_GUESS * rms)
    return r, gr, view


def _directed(candidates: Sequence[Candidate], outcome: Outcome) -> Candidate | None:
    # The best with other displacements along c, where it has such an axis.
    candidate = candidates[outcome.fit.numbers[0]]
    if candidate.anisotropic or candidate.structure.lattice not in UNIQUE_AXIS:
        return None
    return replace(candidate, anisotropic=True)


def _weighed(phases: Sequence[Phase], view: GrView, priors: Priors) -> tuple[GrView, Outcome]:
    # First with a guess of σ, then with that of the scatter about the fit.
    outcome = _found(phases, view, priors, None)
    for _ in range(2):
        fit = outcome.fit
        start = Warm(phases=fit.numbers, values=fit.minimum.parameters)
        times = float(np.sqrt(fit.chi2_red))
        view = replace(view, sigma=view.sigma * times, data=view.data / times)
        outcome = _found(phases, view, priors, start if fit.minimum.converged else None)
    return view, outcome


def _found(phases: Sequence[Phase], view: GrView, priors: Priors, start: Warm | None) -> Outcome:
    outcome = contest(phases, window=view, start=start, priors=priors)
    if outcome is None:
        raise ValueError("the data do not look like any of the structures at any scale")
    return outcome


def _rw(view: GrView, outcome: Outcome) -> float:
    return float(np.sqrt(outcome.fit.chi2 / (view.data @ view.data)))


def _trends(
    phases: Sequence[Phase], outcome: Outcome, covariance: Floats, known: Known, view: GrView
) -> tuple[Trend, ...]:
    fit, rw, trends = outcome.fit, _rw(view, outcome), list[Trend]()
    for number, phase in enumerate(phases):
        before = prefix(phase, phases)
        if rw > _POOR:
            reason = f"the structure does not describe the data (Rw {rw:.2f})"
            trends += withheld(phase, prefix=before, reason=reason)
        elif number in fit.numbers:
            own = fit.numbers.index(number)
            trends += phase_trends(
                fit, covariance, phase=own, known=known, prefix=before, limit=VISIBLE
            )
        else:
            reason = f"not seen: {fit.phases[0].name} describes the data"
            trends += withheld(phase, prefix=before, reason=reason)
    if len(phases) > 1:
        why = ""
        if rw > _POOR_FOR_SHARES:
            why = f"something beside these structures is there: Rw {rw:.3f}, wanted 0.25 at most"
        trends += fractions(
            phases, outcome, covariance, unnamed=_UNNAMED * rw, most=_UNTOLD, reason=why
        )
    return tuple(trends)
