"""How the crystalline atoms are shared among the structures that may be there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.contest import Outcome
from livepdf.analysis.estimator.phase import Phase
from livepdf.analysis.estimator.verdict import VISIBLE, one_trend, why_nothing
from livepdf.model.curve import Trend

Floats = NDArray[np.float64]


def fractions(
    phases: Sequence[Phase],
    outcome: Outcome,
    covariance: Floats,
    *,
    unnamed: float = 0.0,
    most: float = np.inf,
    reason: str = "",
) -> list[Trend]:
    """Return the share of each structure in all crystalline atoms; together they are 1.

    What the contest did not see counts as its linear amplitude there, of either sign.

    Parameters
    ----------
    covariance : (p, p) float64
        Of all parameters of the fit.
    unnamed : float
        σ of every share by what may be there beside these structures.
    most : float
        σ of a share above which it is withheld.
    reason : str
        Why all are withheld.
    """
    fit = outcome.fit
    reason = reason or why_nothing(fit, np.sqrt(np.diag(covariance)), limit=VISIBLE)
    scale = outcome.amounts.copy()
    spread = np.diag(outcome.amount_sigmas**2 * max(1.0, fit.chi2_red))
    for i, a in enumerate(fit.numbers):
        scale[a] = fit.scale(i)
        for j, b in enumerate(fit.numbers):
            spread[a, b] = covariance[fit.places[i], fit.places[j]]
    total = scale.sum()
    trends = []
    for number, phase in enumerate(phases):
        change = (np.eye(len(phases))[number] - scale[number] / total) / total
        sigma = float(np.hypot(np.sqrt(change @ spread @ change), unnamed))
        why = reason
        if not (total > 0 and np.isfinite(sigma)):
            why = why or "no crystalline signal"
        elif sigma > most:
            why = why or f"the data do not tell the structures apart: uncertainty {sigma:.2f}"
        trends.append(one_trend(f"{phase.name} fraction", "", scale[number] / total, sigma, why))
    return trends
