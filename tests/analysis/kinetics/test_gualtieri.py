"""Nucleation and growth told apart."""

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.kinetics.fitting import KineticFit, Solved
from livepdf.analysis.kinetics.gualtieri import fit_gualtieri
from livepdf.analysis.kinetics.jmak import ConversionSeries

TIME = np.linspace(0.0, 200.0, 160)
SIGMA = 0.01


def series(conversion: NDArray[np.float64], seed: int) -> ConversionSeries:
    noise = SIGMA * np.random.default_rng(seed).standard_normal(TIME.size)
    return ConversionSeries(
        time=TIME, conversion=conversion + noise, sigma=np.full(TIME.size, SIGMA)
    )


def grown(a: float, b: float, k: float, n: int) -> NDArray[np.float64]:
    since = np.maximum(TIME - 10.0, 0.0)
    return np.asarray(-np.expm1(-((k * since) ** n)) / (1 + np.exp(-(TIME - 10.0 - a) / b)))


def test_the_nucleation_is_found_where_the_dimension_is_known() -> None:
    inside = []
    for seed in range(20):
        fit = fit_gualtieri(series(grown(50.0, 9.0, 0.02, 1), seed), begin=10.0, dimension=1)
        assert isinstance(fit, Solved), fit.reason
        for name, value in (("a", 50.0), ("b", 9.0), ("k", 0.02)):
            quantity = fit.fit[name]
            inside.append(quantity.low <= value <= quantity.high)
    assert 0.88 <= np.mean(inside) <= 1.0


def test_the_best_dimension_is_named_or_none_where_two_do_as_well() -> None:
    right = undecided = 0
    for seed in range(5):
        fit = fit_gualtieri(series(grown(50.0, 9.0, 0.02, 1), seed), begin=10.0)
        if isinstance(fit, Solved):
            right += fit.fit.law.endswith("n = 1")
        else:
            undecided += "describes the data alike" in fit.reason
    assert right + undecided == 5
    assert right >= 4


def test_a_rise_that_has_hardly_begun_is_refused() -> None:
    fit = fit_gualtieri(series(0.3 * grown(50.0, 9.0, 0.02, 1), 0), begin=10.0)
    assert isinstance(fit, KineticFit)
    assert "less than 60 %" in fit.reason
