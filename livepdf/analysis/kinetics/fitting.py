"""Least squares of a kinetic law with what the data say, and do not say, about its parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

from livepdf.analysis.least_squares import Minimum, minimise

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]
"""Parameters (p,) to the values that the law predicts, (n,)."""
Beyond = Callable[[float, float], Curve]
"""A moment not before the last point, s, and what drives the law there, to its curve there, (1,).
NaN where the drive is needed and not known."""

INTERVAL = 0.95
_STEP = 1e-5
_TRIED = 3
"""Starts that are followed to the end: those that fit best as they are."""
_CHANCE = 1e-4
"""A law with a χ² that good data would exceed this seldom does not describe them."""
_WIDEST = 3.0
"""χ² per freedom beyond which it does not, however few the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """How one parameter of a law enters its fit."""

    name: str
    unit: str
    lower: float
    upper: float
    log: bool = False
    """Whether its logarithm is fitted: for what is positive and may span decades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One parameter as it was found."""

    name: str
    unit: str
    value: float
    sigma: float
    low: float
    """Ends of the 95 % interval; by the covariance, unless `with_intervals` was asked."""
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KineticFit:
    """A law fitted to a series; without quantities where the data do not carry it."""

    law: str
    quantities: tuple[Quantity, ...] = ()
    correlation: NDArray[np.float64] | None = None
    """(p, p) of the quantities."""
    chi2: float = float("nan")
    """Reduced."""
    points: int = 0
    reason: str = ""
    """Why there are none; empty where there are."""

    def __getitem__(self, name: str) -> Quantity:
        """Return a quantity by its name; KeyError where there is none."""
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(name)

    def correlations(self) -> tuple[tuple[str, str, float], ...]:
        """Return each pair of quantities with its correlation."""
        if self.correlation is None:
            return ()
        names = [quantity.name for quantity in self.quantities]
        return tuple(
            (names[i], names[j], float(self.correlation[i, j]))
            for i in range(len(names))
            for j in range(i + 1, len(names))
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A law, its parameters and the data that they are fitted to."""

    law: str
    parameters: tuple[Parameter, ...]
    curve: Curve
    """Of the parameters as they are, not of their logarithms."""
    beyond: Beyond
    data: Floats
    sigma: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A fit with what is needed to ask it more."""

    problem: Problem
    minimum: Minimum
    fit: KineticFit
    wider: float
    """What the covariance was multiplied with because χ² is above 1."""

    @property
    def values(self) -> Floats:
        """(p,) parameters."""
        return _plain(self.problem, self.minimum.parameters)

    @property
    def covariance(self) -> Floats:
        """(p, p) of the parameters as they are fitted: logarithms where they are."""
        return np.asarray(self.minimum.covariance * self.wider)

    def plain(self, fitted: Floats) -> Floats:
        """Return parameters as they are, from those that are fitted, (..., p)."""
        return _plain(self.problem, fitted)


def predicted(solved: Solved, *, time: float, drive: float) -> tuple[float, float]:
    """Return what the law says for one moment and the σ that its parameters leave there.

    Parameters
    ----------
    time : float, s
        Not before the last point that was fitted.
    drive : float
        What the law is driven by at that moment, as in its series: K for conversion, how fast it
        could go for sizes.
    """
    curve, fitted = solved.problem.beyond(time, drive), solved.minimum.parameters
    value = float(curve(solved.plain(fitted))[0])
    slope = np.empty(len(fitted))
    for place in range(len(fitted)):
        step = np.zeros(len(fitted))
        step[place] = _STEP * max(1.0, abs(fitted[place]))
        rise = curve(solved.plain(fitted + step)) - curve(solved.plain(fitted - step))
        slope[place] = float(rise[0]) / (2 * step[place])
    variance = float(slope @ solved.covariance @ slope)
    return value, max(variance, 0.0) ** 0.5


def refused(law: str, reason: str, *, points: int = 0) -> KineticFit:
    """Return a fit that says nothing but why."""
    return KineticFit(law=law, reason=reason, points=points)


def solve(problem: Problem, *, starts: Sequence[Floats]) -> Solved:
    """Fit from the best of several starts and keep the best outcome.

    Parameters
    ----------
    starts : (p,) float64 each
        Parameters as they are.
    """
    lower, upper = _fitted_limits(problem)
    tried = sorted(starts, key=lambda start: _misfit(problem, start))[:_TRIED]
    minima = [
        minimise(
            partial(_residuals, problem),
            start=_fitted(problem, start),
            lower=lower,
            upper=upper,
            steps=60,
        )
        for start in tried
    ]
    best = min(minima, key=lambda minimum: minimum.chi2)
    freedom = len(problem.data) - len(problem.parameters)
    chi2 = best.chi2 / freedom if freedom > 0 else float("nan")
    wider = max(1.0, chi2) if freedom > 0 else 1.0
    solved = Solved(
        problem=problem,
        minimum=best,
        wider=wider,
        fit=KineticFit(law=problem.law, chi2=chi2, points=len(problem.data)),
    )
    return replace(solved, fit=_conclusion(solved, freedom))


def with_intervals(solved: Solved) -> KineticFit:
    """Return the fit with 95 % intervals by the profile of χ².

    Each end is where χ², minimised over all other parameters, has risen by 3.84 (times what χ² is
    above 1). Unlike the covariance this knows that valleys are bent. Takes some tenths of a second.
    """
    if solved.fit.reason:
        return solved.fit
    rise = float(chi2_distribution.ppf(INTERVAL, 1)) * solved.wider
    found = []
    for place, quantity in enumerate(solved.fit.quantities):
        low, high = (_profile_end(solved, place, side, rise) for side in (-1.0, 1.0))
        found.append(replace(quantity, low=low, high=high))
    return replace(solved.fit, quantities=tuple(found))


def _conclusion(solved: Solved, freedom: int) -> KineticFit:
    problem, minimum, fit = solved.problem, solved.minimum, solved.fit
    reason = _why_not(problem, minimum, freedom, fit.chi2)
    if reason:
        return replace(fit, reason=reason)
    covariance = solved.covariance
    sigma = np.sqrt(np.diag(covariance))
    values = solved.values
    slope = np.array([v if p.log else 1.0 for v, p in zip(values, problem.parameters, strict=True)])
    ends = [solved.plain(minimum.parameters + side * 1.96 * sigma) for side in (-1, 1)]
    quantities = tuple(
        Quantity(
            name=parameter.name,
            unit=parameter.unit,
            value=float(values[i]),
            sigma=float(sigma[i] * slope[i]),
            low=float(ends[0][i]),
            high=float(ends[1][i]),
        )
        for i, parameter in enumerate(problem.parameters)
    )
    return replace(fit, quantities=quantities, correlation=covariance / np.outer(sigma, sigma))


def _why_not(problem: Problem, minimum: Minimum, freedom: int, chi2: float) -> str:
    if freedom < 1:
        return f"{len(problem.data)} points for {len(problem.parameters)} parameters"
    improbable = chi2 > _WIDEST and chi2_distribution.sf(minimum.chi2, freedom) < _CHANCE
    if minimum.converged and improbable:
        return f"{problem.law} does not describe the data (χ² per freedom {chi2:.1f})"
    for parameter, stuck in zip(problem.parameters, minimum.at_limit, strict=True):
        if stuck:
            return f"the data do not carry {parameter.name}: it runs to the end of what makes sense"
    if not minimum.converged:
        return "the fit did not settle"
    if not np.isfinite(minimum.covariance).all():
        return "the data do not tell the parameters apart"
    return ""


def _profile_end(solved: Solved, place: int, side: float, rise: float) -> float:
    problem, minimum = solved.problem, solved.minimum
    lower, upper = _fitted_limits(problem)
    sigma = np.sqrt(np.diag(solved.covariance))
    limit = (lower if side < 0 else upper)[place]
    inside, at = minimum.parameters[place], minimum.parameters.copy()
    step = 1.96 * sigma[place]
    outside = np.nan
    # First out until χ² has risen enough, then halve.
    for _ in range(40):
        if np.isnan(outside):
            trial = inside + side * 0.5 * step
            if (trial - limit) * side >= 0.0:
                return float(_single(problem, place, limit))
        else:
            trial = 0.5 * (inside + outside)
        chi2, moved = _profile(problem, at, place, trial, lower, upper)
        if chi2 - minimum.chi2 < rise:
            inside, at = trial, moved
        else:
            outside = trial
        if not np.isnan(outside) and abs(outside - inside) < 0.02 * step:
            break
    return float(_single(problem, place, inside if np.isnan(outside) else 0.5 * (inside + outside)))


def _profile(
    problem: Problem, start: Floats, place: int, value: float, lower: Floats, upper: Floats
) -> tuple[float, Floats]:
    others = np.arange(len(start)) != place

    def evaluate(free: Floats) -> tuple[Floats, Floats]:
        whole = np.insert(free, place, value)
        residuals, jacobian = _residuals(problem, whole)
        return residuals, jacobian[:, others]

    found = minimise(evaluate, start=start[others], lower=lower[others], upper=upper[others])
    return found.chi2, np.insert(found.parameters, place, value)


def _misfit(problem: Problem, plain: Floats) -> float:
    away = (problem.curve(plain) - problem.data) / problem.sigma
    return float(away @ away)


def _residuals(problem: Problem, fitted: Floats) -> tuple[Floats, Floats]:
    here = problem.curve(_plain(problem, fitted))
    columns = []
    for place in range(len(fitted)):
        step = _STEP * max(1.0, abs(fitted[place]))
        ahead, behind = fitted.copy(), fitted.copy()
        ahead[place] += step
        behind[place] -= step
        slope = problem.curve(_plain(problem, ahead)) - problem.curve(_plain(problem, behind))
        columns.append(slope / (2 * step))
    jacobian = np.array(columns).T / problem.sigma[:, None]
    return (here - problem.data) / problem.sigma, jacobian


def _logs(problem: Problem) -> NDArray[np.bool_]:
    return np.array([parameter.log for parameter in problem.parameters])


def _plain(problem: Problem, fitted: Floats) -> Floats:
    logs = _logs(problem)
    return np.where(logs, np.exp(np.where(logs, fitted, 0.0)), fitted)


def _fitted(problem: Problem, plain: Floats) -> Floats:
    logs = _logs(problem)
    return np.where(logs, np.log(np.where(logs, plain, 1.0)), plain)


def _single(problem: Problem, place: int, fitted: float) -> float:
    return float(np.exp(fitted)) if problem.parameters[place].log else fitted


def _fitted_limits(problem: Problem) -> tuple[Floats, Floats]:
    lower = np.array([parameter.lower for parameter in problem.parameters])
    upper = np.array([parameter.upper for parameter in problem.parameters])
    return _fitted(problem, lower), _fitted(problem, upper)
