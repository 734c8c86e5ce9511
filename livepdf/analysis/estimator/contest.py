"""Which of several crystals, or which two of them, describe a window."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.candidate import Priors
from livepdf.analysis.estimator.estimate import Warm
from livepdf.analysis.estimator.fit import PhaseFit, best_start, fit_phases
from livepdf.analysis.estimator.phase import Phase, formed_phase, other_forms
from livepdf.analysis.estimator.window import View
from livepdf.analysis.least_squares import without

Floats = NDArray[np.float64]

_SUSPECT = 5.0
"""Amplitude of another crystal over its σ, on top of the fitted ones, that makes it take part."""
_UNWELL = 1.0
"""Reduced χ² from which other forms of the domains are tried, where they were asked for. Sizes that
are spread by 0.25 make 1.07 of it: what is gained decides, as `ASKED` tells."""
ASKED = 30.0
"""χ² that a second crystal must gain, times the reduced χ²: about five σ for its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """The fit that won, and how much there may be of the others."""

    fit: PhaseFit
    amounts: Floats
    """(n_candidates,) scale of each on top of the fit, linear in the data; 0 for the fitted."""
    amount_sigmas: Floats


def contest(
    phases: Sequence[Phase], *, window: View, start: Warm | None, priors: Priors
) -> Outcome | None:
    """Fit the likeliest crystal, and the others as far as the data ask for them.

    None where no candidate gains anything at a positive scale.
    """
    ring = _Ring(phases=phases, window=window, priors=priors)
    openings = [best_start(phase, window) for phase in phases]
    gains = [gain for _, gain in openings]
    if not max(gains) > 0.0:
        return None
    best = ring.first(start, openings)
    amounts, sigmas = _on_top(phases, best, window)
    for k in np.flatnonzero(amounts > _SUSPECT * sigmas):
        if int(k) in best.numbers:
            continue
        alone = ring.fitted((int(k),), openings[k][0], gains[k])
        if len(best.numbers) == 1 and alone.chi2 < best.chi2:
            best, alone = alone, best
        best = ring.joined(best, alone)
        amounts, sigmas = _on_top(phases, best, window)
    if len(best.numbers) == 1 and best.chi2_red > _UNWELL:
        best = ring.formed(best)
    return Outcome(fit=best, amounts=amounts, amount_sigmas=sigmas)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ring:
    phases: Sequence[Phase]
    window: View
    priors: Priors

    def fitted(self, numbers: tuple[int, ...], begin: Floats, gain: float) -> PhaseFit:
        return fit_phases(
            [self.phases[k] for k in numbers],
            numbers=numbers,
            window=self.window,
            start=begin,
            steady_diameter=gain < self.priors.diameter_until**2,
        )

    def first(self, start: Warm | None, openings: Sequence[tuple[Floats, float]]) -> PhaseFit:
        gains = [gain for _, gain in openings]
        likeliest = int(np.argmax(gains))
        if start is not None and self.fits(start):
            warm = self.fitted(start.phases, start.values, max(gains))
            # The best template alone must not do better: then the fit is stuck elsewhere.
            untouched = float(self.window.data @ self.window.data)
            if _plausible(warm) and warm.minimum.chi2 <= untouched - max(gains):
                return warm
        return self.fitted((likeliest,), openings[likeliest][0], gains[likeliest])

    def formed(self, best: PhaseFit) -> PhaseFit:
        """Return the fit with another form of the domains where the data ask for it."""
        number, found = best.numbers[0], best
        for form in other_forms(self.phases[number].candidate):
            phase = formed_phase(self.phases[number], form)
            extra = phase.reference[len(best.phases[0].reference) :]
            trial = fit_phases(
                [phase],
                numbers=best.numbers,
                window=self.window,
                start=np.append(best.minimum.parameters, extra),
                steady_diameter=False,
            )
            asked = ASKED * max(1.0, trial.chi2_red)
            if _plausible(trial) and trial.chi2 < found.chi2 and best.chi2 - trial.chi2 > asked:
                found = trial
        return found

    def fits(self, start: Warm) -> bool:
        known = [self.phases[k] for k in start.phases if k < len(self.phases)]
        wanted = sum(1 + len(phase.reference) for phase in known)
        return len(known) == len(start.phases) and wanted == len(start.values)

    def joined(self, best: PhaseFit, rival: PhaseFit) -> PhaseFit:
        begin = np.concatenate([best.minimum.parameters, rival.minimum.parameters])
        begin[len(best.minimum.parameters)] *= 0.3
        both = self.fitted((*best.numbers, *rival.numbers), begin, np.inf)
        asked = ASKED * max(1.0, both.chi2_red)
        return both if _plausible(both) and best.chi2 - both.chi2 > asked else best


def _plausible(fit: PhaseFit) -> bool:
    positive = all(fit.scale(k) > 0.0 for k in range(len(fit.phases)))
    return fit.minimum.converged and positive


def _on_top(phases: Sequence[Phase], fit: PhaseFit, window: View) -> tuple[Floats, Floats]:
    # Templates of the others in what the fit leaves, with the fit's own freedom projected out.
    amounts, sigmas = np.zeros((2, len(phases)))
    n = len(window.data)
    rest = window.data - window.seen(np.sum(fit.curves, axis=0))
    free = np.linalg.qr(fit.minimum.jacobian[:n, ~fit.minimum.at_limit])[0]
    for k, phase in enumerate(phases):
        if k in fit.numbers:
            continue
        seen = without(window.seen(phase.at_reference()[1]), free)
        square = np.einsum("dq,dq->d", seen, seen)
        scale = seen @ rest / square
        best = int(np.argmax(scale * np.sqrt(square)))
        amounts[k], sigmas[k] = scale[best], square[best] ** -0.5
    return amounts, sigmas
