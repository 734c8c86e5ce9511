"""Which values may be shown, and in what words the others are withheld."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.estimate import Amplitude
from livepdf.analysis.estimator.fit import PhaseFit
from livepdf.analysis.estimator.phase import Phase, other_forms
from livepdf.model.curve import Trend
from livepdf.numerics.envelopes import EXTRA

Floats = NDArray[np.float64]

NO_QDAMP = (
    "Q resolution (qdamp) is not calibrated: measure a standard and set qdamp under [resolution] "
    "in the profile"
)
CLUSTERS = "may be clusters of the precursor"
"""How the reason ends that withholds a scale for that."""
_ENOUGH = 10.0
"""Scale over its σ below which only the scale itself is shown."""
_FAINT = 5.0
"""Scale over its σ below which a fit with size and lattice free makes more of noise than is there:
the largest of many. The amplitude of what is expected, linear and of either sign, does not."""
_SMALL = 20.0
"""Å; while little has formed, a size clearly below withholds the scale as well: clusters into which
a precursor condenses are fitted as domains of 11 to 18 Å, and 0.02 of conversion as 0.65."""
_VAGUE = 0.2
"""σ_D/D above which no size is shown."""
_VAGUE_EARLY = 0.05
"""The same while little has formed: the surroundings, which are all but the whole signal then, may
be wrong by more than their noise, and sizes were up to 2.5 σ off."""
WRONG = 3.0
"""Reduced χ² above which the model is wrong, where it also misses a visible part of the data."""
_BOND = 0.005
"""Å, σ of a bond above which it is not shown: half of what bonds are to be good to. Light atoms
beside heavy ones are found worse than their σ says where that is large, up to 26 mÅ off."""
_WRONG_FOR_SHIFTS = 2.0
VISIBLE = 0.1
"""Part of what the model describes that it misses beyond the noise. With enough photons every model
has a large χ²: one that misses less than this still gives size and lattice without bias (spheres
fitted to cubes miss 0.06, to ellipsoids of 1:1.5 0.13, all within 1.3 %)."""
_VISIBLE_FOR_SHIFTS = 0.05
_SEPARABLE = 2.5
"""Times 1/qdamp: a larger domain fades hardly faster than the resolution. There, a qdamp wrong by
17 % makes the size wrong by about 10 %."""
_DRIVEN = 3.0
"""σ, with all else held, between a displacement on its limit and what was expected of it: fewer are
chance, as light atoms beside heavy ones hardly show."""
_FROM_PRIOR = 0.9
"""σ over that of the prior above which the data have said nothing."""
_FROM_PRIOR_OF_U = 0.45
"""The same of displacements, whose expected mean suits a hot crystal: in a cold one they come out
too large by up to 0.67 of this in σ, and 0.3 σ is as much as a value may be off."""
_FORMS = {"spread": "size spread", "aspect": "aspect ratio"}
"""What the form of the domains may have beside a diameter, and how it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the instrument."""

    qdamp: float | None
    diameter_limits: tuple[float, float]
    without_qdamp: str = NO_QDAMP
    """What to do where qdamp is None."""
    early: float = 0.0
    """Scale over its σ below which so little has formed that a size must be surer."""


def phase_trends(
    fit: PhaseFit, covariance: Floats, *, phase: int, known: Known, prefix: str, limit: float
) -> list[Trend]:
    """Return all values of one phase, each with σ or the reason why it is withheld.

    Parameters
    ----------
    covariance : (p, p) float64
        Of all parameters of the fit.
    phase : int
        Which of the fit's phases.
    prefix : str
        Before each name.
    limit : float
        Part of what is described that may be missed; see `VISIBLE`.
    """
    own, first = fit.phases[phase], fit.places[phase]
    values = fit.values(phase)
    block = slice(first, first + 1 + len(values))
    part = covariance[block, block]
    sigma = np.sqrt(np.diag(part))
    common = why_nothing(fit, sigma, limit=limit)
    scale = fit.scale(phase)
    weak = "" if scale > _ENOUGH * sigma[0] else _too_weak(scale, float(sigma[0]))
    shown = _Row(prefix=prefix, withheld=common or weak)
    unknown = known.without_qdamp if known.qdamp is None else ""
    names = own.names
    place = names.index("diameter")
    small = _cluster(scale, sigma[0], float(values[place]), sigma[1 + place], known.early)
    why = unknown or common or small
    trends = [shown.trend("crystalline scale", "", scale, sigma[0], why, alone=True)]
    for k, name in enumerate(names):
        value, error = float(values[k]), float(sigma[1 + k])
        if name == "diameter":
            vague = _VAGUE_EARLY if scale < known.early * sigma[0] else _VAGUE
            why = unknown or _why_no_diameter(value, error, known, vague=vague)
            trends.append(shown.trend("domain size", "Å", value, error, why))
        elif name.startswith("shift"):
            trends.append(
                _bond(fit, own, part, shell=int(name.split()[1]), values=values, row=shown)
            )
        elif name in _FORMS:
            continue
        else:
            label = f"lattice {name}" if name in own.box.kind.names else name
            most = _FROM_PRIOR_OF_U if name.startswith("U") else _FROM_PRIOR
            told = _untold() if error >= most * own.prior_sigma[k] else ""
            trends.append(shown.trend(label, _unit(name), value, error, told))
    for name in _form_values(own):
        if name in names:
            k = names.index(name)
            trends.append(
                shown.trend(_FORMS[name], "", float(values[k]), float(sigma[1 + k]), unknown)
            )
        else:
            nan = float("nan")
            trends.append(shown.trend(_FORMS[name], "", nan, nan, _no_need(own)))
    return trends


def _form_values(phase: Phase) -> tuple[str, ...]:
    forms = other_forms(phase.candidate)
    return tuple(name for name in _FORMS if any(name in EXTRA[form] for form in forms))


def _no_need(phase: Phase) -> str:
    return (
        "spheres of one size describe the data"
        if phase.box.form == "sphere"
        else (f"the form that describes the data is another: {phase.box.form}")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    prefix: str
    withheld: str

    def trend(
        self, name: str, unit: str, value: float, sigma: float, reason: str, *, alone: bool = False
    ) -> Trend:
        why = reason if alone else self.withheld or reason
        if not why and not np.isfinite(sigma):
            why = "the fit ended on the limit of what makes sense"
        return one_trend(f"{self.prefix}{name}", unit, value, sigma, why)


def one_trend(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    """Return a value, or NaN where there is a reason."""
    nan = float("nan")
    shown = (nan, nan) if reason else (float(value), float(sigma))
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)


def faint(trend: Trend, amount: Amplitude, *, chi2: float) -> Trend:
    """Return the scale of a fit, or the linear amplitude where there is hardly anything.

    Parameters
    ----------
    amount : Amplitude
        Of the template of fixed diameter in the same window.
    chi2 : float
        Reduced χ² of the fit.
    """
    if trend.reason or trend.value > _FAINT * trend.sigma or not np.isfinite(amount.sigma):
        return trend
    sigma = amount.sigma * float(np.sqrt(max(1.0, chi2)))
    return one_trend(trend.name, trend.unit, amount.scale, sigma, "")


def withheld(phase: Phase, *, prefix: str, reason: str) -> list[Trend]:
    """Return the same names as `phase_trends`, all withheld for one reason."""
    rows = [("crystalline scale", ""), ("domain size", "Å")]
    free = phase.box.kind.names
    for name in phase.names[1:]:
        if name.startswith("shift"):
            rows.append((f"{phase.shells[int(name.split()[1])].name} distance", "Å"))
        else:
            rows.append((f"lattice {name}" if name in free else name, _unit(name)))
    rows += [(_FORMS[name], "") for name in _form_values(phase)]
    nan = float("nan")
    return [one_trend(f"{prefix}{name}", unit, nan, nan, reason) for name, unit in rows]


def prefix(phase: Phase, phases: Sequence[Phase]) -> str:
    """Return what stands before the names of a phase's values: nothing where it is the only one."""
    return "" if len(phases) == 1 else f"{phase.name} "


def _unit(name: str) -> str:
    if name in ("alpha", "beta", "gamma"):
        return "°"
    return "Å" if name in ("a", "b", "c") else "Å²"


def _untold() -> str:
    return "the data say no more than what was expected beforehand"


def _too_weak(scale: float, sigma: float) -> str:
    return (
        f"too little crystalline signal: {scale / sigma:.1f} times its uncertainty, "
        f"wanted {_ENOUGH:g}"
    )


def _cluster(scale: float, scale_sigma: float, diameter: float, sigma: float, early: float) -> str:
    # On the limit of the fit it has no σ: it is as small as it may be.
    largest = diameter + 2.0 * float(np.nan_to_num(sigma))
    if largest >= _SMALL or not _FAINT * scale_sigma < scale <= max(early, _ENOUGH) * scale_sigma:
        return ""
    return f"domains of {diameter:.0f} Å fit best: so little of them {CLUSTERS}"


def why_nothing(fit: PhaseFit, sigma: Floats, *, limit: float) -> str:
    """Return why no value of a fit may be shown; nothing where some may.

    Parameters
    ----------
    sigma : (k,) float64
        Of parameters, that of a scale first.
    limit : float
        Part of what is described that may be missed; see `VISIBLE`.
    """
    if not fit.minimum.converged:
        return "the fit of the structure did not settle"
    if not np.isfinite(sigma[0]):
        return "the data do not determine the fit"
    if fit.chi2_red > WRONG and fit.misfit > limit:
        return (
            f"the structure does not describe the data (χ² {fit.chi2_red:.1f}, "
            f"misfit {100 * fit.misfit:.0f} %)"
        )
    driven = _driven_out(fit)
    return f"the structure does not describe the data ({driven} out of bounds)" if driven else ""


def _driven_out(fit: PhaseFit) -> str:
    """Return a displacement that the data, and not their noise, push against its limit."""
    names = [name for own in fit.phases for name in ("scale", *own.names)]
    expected = np.concatenate([np.append(0.0, own.reference) for own in fit.phases])
    for k in np.flatnonzero(fit.minimum.at_limit):
        weight = float(np.linalg.norm(fit.minimum.jacobian[:, k]))
        away = abs(float(fit.minimum.parameters[k]) - float(expected[k])) * weight
        if names[k].startswith("U") and away > _DRIVEN:
            return names[k]
    return ""


def _why_no_diameter(value: float, sigma: float, known: Known, *, vague: float) -> str:
    low, high = known.diameter_limits
    separable = _SEPARABLE / known.qdamp if known.qdamp else np.inf
    if value >= 0.99 * high:
        return f"≥ {high:g} Å: larger than the compared distances"
    if value <= 1.01 * low:
        return f"≤ {low:g} Å: too small to have a structure"
    if value > separable:
        return f"≥ {separable:.0f} Å: larger than the Q resolution can tell"
    if not sigma < vague * value:
        return f"uncertainty above {100 * vague:.0f} %"
    return ""


def _bond(
    fit: PhaseFit, phase: Phase, covariance: Floats, *, shell: int, values: Floats, row: _Row
) -> Trend:
    distance, change = phase.distance(shell, values)
    whole = np.append(0.0, change)
    moving = whole != 0.0
    block = covariance[np.ix_(moving, moving)]
    sigma = float(np.sqrt(whole[moving] @ block @ whole[moving]))
    why = ""
    if fit.chi2_red > _WRONG_FOR_SHIFTS and fit.misfit > _VISIBLE_FOR_SHIFTS:
        why = f"the rest of the structure does not fit (χ² {fit.chi2_red:.1f})"
    elif sigma >= _FROM_PRIOR * phase.prior_sigma[_place(phase, shell)]:
        why = _untold()
    elif not sigma < _BOND:
        why = f"uncertainty above {_BOND:g} Å"
    return row.trend(f"{phase.shells[shell].name} distance", "Å", distance, sigma, why)


def _place(phase: Phase, shell: int) -> int:
    return phase.names.index(f"shift {shell}")
