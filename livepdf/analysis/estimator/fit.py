"""The fit itself: crystals on top of projected nuisances, from the best of several starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.phase import Phase
from livepdf.analysis.estimator.window import View, Window
from livepdf.analysis.least_squares import Minimum, minimise
from livepdf.numerics.smallbox import with_resolution

Floats = NDArray[np.float64]

_TOLERANCE = 1e-6
_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseFit:
    """Where the fit of one or several crystals ended."""

    phases: tuple[Phase, ...]
    numbers: tuple[int, ...]
    """Of the candidates."""
    minimum: Minimum
    curves: tuple[Floats, ...]
    """(n_q,) Å⁻¹ F(Q) of each crystal, with its scale."""
    chi2: float
    """Sum over the data alone, without the priors."""
    freedom: int
    misfit: float
    """What the model misses beyond the noise, as a part of what it describes (both rms)."""

    @property
    def chi2_red(self) -> float:
        """Reduced χ²."""
        return self.chi2 / self.freedom

    @property
    def places(self) -> tuple[int, ...]:
        """Where the scale of each phase is among the parameters; its values follow."""
        lengths = [1 + len(phase.reference) for phase in self.phases]
        return tuple(int(n) for n in np.cumsum([0, *lengths[:-1]]))

    def values(self, phase: int) -> Floats:
        """Return the model's values of a phase, without its scale."""
        first = self.places[phase] + 1
        return self.minimum.parameters[first : first + len(self.phases[phase].reference)]

    def scale(self, phase: int) -> float:
        """Return the scale of a phase."""
        return float(self.minimum.parameters[self.places[phase]])


def fit_phases(
    phases: Sequence[Phase],
    *,
    numbers: Sequence[int],
    window: View,
    start: Floats,
    steady_diameter: bool,
) -> PhaseFit:
    """Fit scale and values of all phases at once.

    Parameters
    ----------
    phases, numbers
        Crystals that take part, and their numbers among the candidates.
    window : View
    start : (p,) float64
        Scale and values of each phase, one after the other.
    steady_diameter : bool
        Whether the prior of the diameter takes part.
    """
    mean = np.concatenate([np.append(0.0, phase.reference) for phase in phases])
    spread = np.concatenate([_prior_sigma(phase, steady_diameter) for phase in phases])
    lower = np.concatenate([np.append(-np.inf, phase.lower) for phase in phases])
    upper = np.concatenate([np.append(np.inf, phase.upper) for phase in phases])
    held = spread == 0.0
    lower[held] = upper[held] = mean[held]
    expected = np.flatnonzero(np.isfinite(spread) & ~held)
    curves: dict[bytes, tuple[Floats, ...]] = {}

    def evaluate(x: Floats) -> tuple[Floats, Floats]:
        columns, own = [], []
        for phase, part in zip(phases, _parts(phases, x), strict=True):
            curve, slopes = phase.box.evaluate(part[1:])
            columns += [curve[None], part[0] * slopes]
            own.append(part[0] * curve)
        curves[x.tobytes()] = tuple(own)
        seen = window.seen(np.vstack(columns))
        rest = window.seen(np.sum(own, axis=0)) - window.data
        prior = np.zeros((len(expected), len(x)))
        prior[np.arange(len(expected)), expected] = 1.0 / spread[expected]
        off = (x[expected] - mean[expected]) / spread[expected]
        return np.concatenate([rest, off]), np.vstack([seen.T, prior])

    minimum = minimise(
        evaluate, start=start, lower=lower, upper=upper, tolerance=_TOLERANCE, steps=_STEPS
    )
    own = curves[minimum.parameters.tobytes()]
    return _fit_of(
        phases, numbers, window, minimum, own, mean[expected], spread[expected], expected
    )


def _prior_sigma(phase: Phase, steady_diameter: bool) -> Floats:
    own = np.append(np.inf, phase.prior_sigma)
    if not steady_diameter:
        own[1] = np.inf
    return own


def _parts(phases: Sequence[Phase], x: Floats) -> list[Floats]:
    ends = np.cumsum([1 + len(phase.reference) for phase in phases])
    return np.split(x, ends[:-1])


def _fit_of(
    phases: Sequence[Phase],
    numbers: Sequence[int],
    window: View,
    minimum: Minimum,
    curves: tuple[Floats, ...],
    mean: Floats,
    spread: Floats,
    expected: NDArray[np.int64],
) -> PhaseFit:
    prior = float(np.sum(((minimum.parameters[expected] - mean) / spread) ** 2))
    chi2 = minimum.chi2 - prior
    freedom = len(window.data) - window.nuisance_count - len(minimum.parameters)
    described = float(np.linalg.norm(window.seen(np.sum(curves, axis=0))))
    # Five standard deviations of χ² are not taken for a misfit.
    missed = np.sqrt(max(chi2 - freedom - 5.0 * np.sqrt(2.0 * freedom), 0.0))
    return PhaseFit(
        phases=tuple(phases),
        numbers=tuple(numbers),
        minimum=minimum,
        curves=curves,
        chi2=chi2,
        freedom=freedom,
        misfit=missed / described if described > 0.0 else float("inf"),
    )


def fit_covariance(fit: PhaseFit, *, window: View, qdamp: float, qdamp_sigma: float) -> Floats:
    """Return the covariance of all parameters with the share of χ² and of qdamp, (p, p)."""
    covariance = fit.minimum.covariance * max(1.0, fit.chi2_red)
    if qdamp_sigma > 0.0:
        moved = _by_qdamp(fit, window, qdamp) * qdamp_sigma
        covariance = covariance + np.outer(moved, moved)
    return np.asarray(covariance)


def _by_qdamp(fit: PhaseFit, window: View, qdamp: float) -> Floats:
    # How the parameters move with qdamp: what the model would lose is made up by the others.
    step = 0.02 * qdamp + 1e-4
    change = np.zeros(window.data.shape)
    for k, phase in enumerate(fit.phases):
        wider = with_resolution(phase.box, qdamp=qdamp + step)
        curve = fit.scale(k) * wider.evaluate(fit.values(k))[0]
        change += window.seen(curve - fit.curves[k]) / step
    # A parameter on its limit does not move.
    covariance = np.nan_to_num(fit.minimum.covariance)
    return np.asarray(-covariance @ (fit.minimum.jacobian[: len(change)].T @ change))


def by_common_noise(
    fit: PhaseFit, *, window: Window, amounts: Floats, noise: Sequence[Floats]
) -> Floats:
    """Return what the noise of columns that were taken out adds to the covariance, (p, p).

    Parameters
    ----------
    amounts : (k,) float64
        Of each column in the window.
    noise : (m, n_q) float64 each, Å⁻¹
        L with LᵀL the covariance of each column.
    """
    # The Jacobian is free of what the columns span, so only the rest of their noise counts.
    known = np.nan_to_num(fit.minimum.covariance)
    pull = window.weighted_back(known @ fit.minimum.jacobian[: len(window.data)].T)
    total = np.zeros(known.shape)
    for amount, column in zip(amounts, noise, strict=True):
        moved = amount * (pull @ column[:, window.used].T)
        total += moved @ moved.T
    return total


def best_start(phase: Phase, window: View) -> tuple[Floats, float]:
    """Return scale and values of the best template, and its gain in χ²; zero gain where none."""
    seen = window.seen(phase.templates)
    scale = (seen @ window.data) / np.einsum("sq,sq->s", seen, seen)
    # Positive scales only: a negative copy of the crystal is no crystal.
    gain = np.where(scale > 0.0, scale * (seen @ window.data), 0.0)
    best = int(np.argmax(gain))
    return np.append(max(scale[best], 0.0), phase.starts[best]), float(gain[best])
