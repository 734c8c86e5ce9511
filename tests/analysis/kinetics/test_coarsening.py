"""Coarsening against integrated rates, and the forecast made of it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from livepdf.analysis.kinetics.coarsening import SizeSeries, fit_coarsening
from livepdf.analysis.kinetics.fitting import KineticFit, Solved
from livepdf.analysis.kinetics.target import forecast

TIME = np.linspace(0.0, 300.0, 100)


def rate(m: float) -> float:
    return (50.0**m - 20.0**m) / 300.0


def ripened(m: float) -> NDArray[np.float64]:
    """Integrate dD/dt = K/(m D^(m−1)) from 20 to 50 Å."""
    way = solve_ivp(
        lambda _, d: rate(m) / (m * d ** (m - 1)), (0.0, 300.0), [20.0], t_eval=TIME, rtol=1e-9
    )
    return np.asarray(way.y[0])


def series(
    diameter: NDArray[np.float64],
    *,
    seed: int,
    sigma: float = 0.3,
    drive: NDArray[np.float64] | None = None,
    until: int = 100,
) -> SizeSeries:
    noise = sigma * np.random.default_rng(seed).standard_normal(diameter.size)
    return SizeSeries(
        time=TIME[:until],
        diameter=(diameter + noise)[:until],
        sigma=np.full(until, sigma),
        drive=None if drive is None else drive[:until],
    )


@pytest.mark.parametrize("m", [2.0, 3.0, 4.0])
def test_the_exponent_is_within_a_tenth_and_its_interval_holds_the_truth(m: float) -> None:
    truth, inside, found = ripened(m), [], []
    for seed in range(30):
        fit = fit_coarsening(series(truth, seed=seed))
        assert isinstance(fit, Solved), fit.reason
        exponent = fit.fit["m"]
        found.append(exponent.value)
        inside.append(exponent.low <= m <= exponent.high)
    assert np.abs(np.array(found) - m).max() < 0.15
    assert np.std(found) < 0.06
    assert np.mean(inside) >= 0.85


def test_growth_that_heat_drives_needs_the_heat_to_have_its_exponent() -> None:
    drive = np.interp(TIME, [0, 100, 300], [0.05, 1.0, 1.0])
    done = np.concatenate([[0], np.cumsum(0.5 * (drive[1:] + drive[:-1]) * np.diff(TIME))])
    truth = np.cbrt(20.0**3 + (50.0**3 - 20.0**3) * done / done[-1])

    told = fit_coarsening(series(truth, seed=0, drive=drive))
    blind = fit_coarsening(series(truth, seed=0))

    assert isinstance(told, Solved)
    assert told.fit["m"].value == pytest.approx(3.0, abs=0.1)
    assert isinstance(blind, KineticFit) or abs(blind.fit["m"].value - 3.0) > 0.5


def test_domains_that_do_not_grow_carry_no_exponent() -> None:
    fit = fit_coarsening(series(np.full(100, 30.0), seed=0))
    assert isinstance(fit, KineticFit)
    assert "have not grown" in fit.reason


def test_the_forecast_holds_the_true_time_two_times_in_three() -> None:
    truth, true_time = ripened(3.0), (45.0**3 - 20.0**3) / rate(3.0)
    inside, medians = [], []
    for seed in range(60):
        told = forecast(series(truth, seed=seed, sigma=0.5, until=60), target=45.0)
        assert told.reason == ""
        inside.append(told.low <= true_time <= told.high)
        medians.append(told.time)
        assert told.reached < 0.01
    assert 0.5 <= np.mean(inside) <= 0.85
    assert np.mean(medians) == pytest.approx(true_time, rel=0.01)


def test_a_size_that_is_there_already_is_said_to_be_with_its_probability() -> None:
    told = forecast(series(ripened(3.0), seed=0, sigma=0.5), target=48.0)
    assert told.reached > 0.99
    again = forecast(series(ripened(3.0), seed=0, sigma=0.5), target=48.0)
    assert told == again


def test_a_size_out_of_reach_has_no_time() -> None:
    slow = 30.0 - 10.0 * np.exp(-TIME / 30.0)
    told = forecast(series(slow, seed=0, sigma=0.2), target=60.0)
    assert told.reason
    assert np.isnan(told.time)
