"""What a fitted law says for a moment, against its formula and against runs done again."""

import numpy as np
import pytest

from livepdf.analysis.kinetics.coarsening import SizeSeries, fit_coarsening
from livepdf.analysis.kinetics.fitting import KineticFit, Solved, predicted
from livepdf.analysis.kinetics.gualtieri import fit_gualtieri
from livepdf.analysis.kinetics.jmak import ConversionSeries, fit_jmak

TIME = np.linspace(1.0, 100.0, 80)
TRUTH = -np.expm1(-((np.maximum(TIME - 20.0, 0.0) / 30.0) ** 2.0))
HEAT = 300.0 + 200.0 * (1.0 - np.exp(-TIME / 30.0))
NAN = float("nan")


def solved(fit: Solved | KineticFit) -> Solved:
    assert isinstance(fit, Solved), fit.reason
    return fit


def conversions(
    *, truth: np.ndarray = TRUTH, seed: int = 0, heat: np.ndarray | None = None
) -> ConversionSeries:
    sigma = np.full(TIME.size, 0.01)
    noise = sigma * np.random.default_rng(seed).standard_normal(TIME.size)
    return ConversionSeries(time=TIME, conversion=truth + noise, sigma=sigma, temperature=heat)


@pytest.mark.parametrize("moment", [100.0, 107.0])
def test_jmak_says_what_its_formula_says_with_the_told_parameters(moment: float) -> None:
    fit = solved(fit_jmak(conversions(), plateau=True))
    n, k, t0, end = (fit.fit[name].value for name in ("n", "k", "t0", "end"))
    wanted = end * (1.0 - np.exp(-((k * (moment - t0)) ** n)))
    assert predicted(fit, time=moment, drive=NAN)[0] == pytest.approx(wanted, rel=1e-9)


def test_in_heat_jmak_goes_on_from_its_last_point_and_needs_to_know_the_temperature() -> None:
    rate = np.exp(-60.0 / 8.314462618e-3 * (1.0 / HEAT - 1.0 / 480.0))
    theta = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(TIME))])
    truth = -np.expm1(-((theta / 20.0) ** 2.0))
    fit = solved(fit_jmak(conversions(truth=truth, heat=HEAT)))
    last = predicted(fit, time=float(TIME[-1]), drive=float(HEAT[-1]))
    assert last[0] == pytest.approx(fit.problem.curve(fit.values)[-1], rel=1e-12)
    assert np.isnan(predicted(fit, time=101.0, drive=NAN)[0])


def test_gualtieri_says_what_its_formula_says_with_the_told_parameters() -> None:
    since = TIME
    truth = -np.expm1(-((0.04 * since) ** 3)) / (1.0 + np.exp(-(since - 45.0) / 9.0))
    fit = solved(fit_gualtieri(conversions(truth=truth), begin=0.0, dimension=3))
    a, b, k = (fit.fit[name].value for name in ("a", "b", "k"))
    wanted = (1.0 - np.exp(-((k * 103.0) ** 3))) / (1.0 + np.exp(-(103.0 - a) / b))
    assert predicted(fit, time=103.0, drive=NAN)[0] == pytest.approx(wanted, rel=1e-9)


def test_domains_go_on_by_the_told_exponent_at_the_pace_of_what_there_is_to_grow() -> None:
    drive = np.minimum(TIME / 40.0, 1.0)
    run = np.concatenate([[0.0], np.cumsum(0.5 * (drive[1:] + drive[:-1]) * np.diff(TIME))])
    size = np.cbrt(20.0**3 + 1000.0 * run)
    noise = 0.1 * np.random.default_rng(3).standard_normal(TIME.size)
    fit = solved(
        fit_coarsening(
            SizeSeries(time=TIME, diameter=size + noise, sigma=np.full(TIME.size, 0.1), drive=drive)
        )
    )
    first, last, m = (fit.fit[name].value for name in ("D0", "D1", "m"))
    pace = (last**m - first**m) / run[-1]
    wanted = (last**m + pace * 8.0 * 0.75) ** (1.0 / m)
    found = predicted(fit, time=108.0, drive=0.5)
    assert found[0] == pytest.approx(wanted, rel=1e-9)
    assert np.isnan(predicted(fit, time=108.0, drive=NAN)[0])


def test_sigma_is_how_much_the_curve_scatters_when_the_run_is_done_again() -> None:
    short = slice(0, 45)

    def told(seed: int) -> tuple[float, float]:
        whole = conversions(seed=seed)
        part = ConversionSeries(
            time=whole.time[short], conversion=whole.conversion[short], sigma=whole.sigma[short]
        )
        return predicted(solved(fit_jmak(part)), time=60.0, drive=NAN)

    found = np.array([told(seed) for seed in range(40)])
    truth = -np.expm1(-((40.0 / 30.0) ** 2.0))
    assert np.std((found[:, 0] - truth) / found[:, 1]) == pytest.approx(1.0, abs=0.35)
