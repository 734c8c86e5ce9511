"""JMAK against conversion that was simulated without its formula."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from livepdf.analysis.kinetics.fitting import KineticFit, Solved, with_intervals
from livepdf.analysis.kinetics.heat import equivalent_time
from livepdf.analysis.kinetics.jmak import ConversionSeries, fit_jmak

TIME = np.linspace(0.0, 120.0, 120)
SIGMA = 0.01
GAS = 8.314462618e-3


def grown_line(*, steady: bool, seed: int) -> NDArray[np.float64]:
    """Share of a long line that growing segments cover: JMAK's n is 1, or 2 for steady nuclei."""
    rng = np.random.default_rng(seed)
    length, speed = 10_000.0, 0.25
    count = 2000
    born = rng.uniform(0.0, 240.0, count) if steady else np.full(count, 20.0)
    speed *= 1.0 if not steady else 0.6
    place = rng.uniform(0.0, length, count)
    spots = rng.uniform(0.0, length, 4000)
    away = np.abs(spots[:, None] - place[None, :])
    reached = (np.minimum(away, length - away) / speed + born[None, :]).min(axis=1)
    return np.asarray(np.searchsorted(np.sort(reached), TIME, side="right") / spots.size)


def series(
    conversion: NDArray[np.float64], *, seed: int, temperature: NDArray[np.float64] | None = None
) -> ConversionSeries:
    noise = SIGMA * np.random.default_rng(seed).standard_normal(conversion.size)
    return ConversionSeries(
        time=TIME,
        conversion=conversion + noise,
        sigma=np.full(conversion.size, SIGMA),
        temperature=temperature,
    )


def solved(fit: Solved | KineticFit) -> Solved:
    assert isinstance(fit, Solved), fit.reason
    return fit


@pytest.mark.parametrize(("steady", "n"), [(False, 1.0), (True, 2.0)])
def test_nuclei_that_grow_along_a_line_have_their_exponent(steady: bool, n: float) -> None:
    found = [
        solved(fit_jmak(series(grown_line(steady=steady, seed=seed), seed=seed))).fit["n"].value
        for seed in range(3)
    ]
    assert np.mean(found) == pytest.approx(n, abs=0.1)


def test_n_within_a_tenth_and_intervals_that_hold_the_truth_19_times_in_20() -> None:
    truth = -np.expm1(-((np.maximum(TIME - 20.0, 0.0) / 30.0) ** 2.5))
    exponents, inside, pulls = [], [], []
    for seed in range(60):
        fit = solved(fit_jmak(series(truth, seed=seed))).fit
        for name, value in (("n", 2.5), ("k", 1 / 30.0), ("t0", 20.0)):
            quantity = fit[name]
            inside.append(quantity.low <= value <= quantity.high)
            pulls.append((quantity.value - value) / quantity.sigma)
        exponents.append(fit["n"].value)
    assert np.abs(np.array(exponents) - 2.5).max() < 0.35
    assert np.std(exponents) < 0.1
    assert abs(np.mean(exponents) - 2.5) < 0.05
    assert 0.90 <= np.mean(inside) <= 0.99
    assert 0.8 <= np.std(pulls) <= 1.3


def test_the_exponent_and_the_start_are_said_to_be_almost_one_thing() -> None:
    truth = -np.expm1(-((np.maximum(TIME - 20.0, 0.0) / 30.0) ** 2.0))

    free = solved(fit_jmak(series(truth, seed=0))).fit
    held = solved(fit_jmak(series(truth, seed=0), start=20.0)).fit

    pairs = {(a, b): r for a, b, r in free.correlations()}
    assert pairs["n", "t0"] < -0.9
    assert held["n"].sigma < 0.6 * free["n"].sigma


def test_profile_intervals_agree_with_the_covariance_where_the_valley_is_straight() -> None:
    truth = -np.expm1(-((np.maximum(TIME - 20.0, 0.0) / 30.0) ** 2.0))
    fit = solved(fit_jmak(series(truth, seed=0), start=20.0))

    by_profile = with_intervals(fit)

    for plain, profile in zip(fit.fit.quantities, by_profile.quantities, strict=True):
        assert profile.low == pytest.approx(plain.low, abs=0.2 * plain.sigma)
        assert profile.high == pytest.approx(plain.high, abs=0.2 * plain.sigma)


def heated(n: float, energy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Integrate dX/dt = n k(T) (1−X) [−ln(1−X)]^((n−1)/n) along a heating curve."""

    def temperature(t: float) -> float:
        return 570.0 - 270.0 * np.exp(-max(t - 15.0, 0.0) / 20.0)

    def slope(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        k = 0.05 * np.exp(-energy / GAS * (1 / temperature(t) - 1 / 570.0))
        done = np.clip(y, 1e-14, 1 - 1e-12)
        return np.asarray(n * k * (1 - done) * (-np.log1p(-done)) ** ((n - 1) / n))

    way = solve_ivp(slope, (0.0, 120.0), [1e-13], t_eval=TIME, rtol=1e-8, atol=1e-14)
    return way.y[0], np.array([temperature(t) for t in TIME])


def test_on_a_heating_ramp_n_and_the_activation_energy_are_those_that_were_put_in() -> None:
    conversion, temperature = heated(2.0, 60.0)
    found = [
        solved(fit_jmak(series(conversion, seed=seed, temperature=temperature))).fit
        for seed in range(8)
    ]
    assert np.mean([f["n"].value for f in found]) == pytest.approx(2.0, abs=0.1)
    assert np.mean([f["Ea"].value for f in found]) == pytest.approx(60.0, abs=6.0)
    # As if it had been isothermal, n is wrong: heat makes the rise steeper.
    blind = solved(fit_jmak(series(conversion, seed=0), start=15.0)).fit
    assert abs(blind["n"].value - 2.0) > 0.3


def test_equivalent_time_at_one_temperature_is_time_itself() -> None:
    theta = equivalent_time(TIME, np.full(120, 400.0), activation=80.0, reference=400.0)
    np.testing.assert_allclose(theta, TIME, atol=1e-9)


@pytest.mark.parametrize(
    ("conversion", "words"),
    [
        (0.2 * np.clip((TIME - 20) / 100, 0, 1), "less than 50 % has reacted"),
        (np.full(120, 0.98), "over before the first point"),
        # A step is as well described by any n that is large enough, and by any k.
        (np.where(TIME < 60, 0.0, 1.0), "the data do not carry"),
    ],
)
def test_what_the_data_do_not_carry_is_refused_with_the_reason(
    conversion: NDArray[np.float64], words: str
) -> None:
    fit = fit_jmak(series(conversion, seed=0))
    assert isinstance(fit, KineticFit)
    assert words in fit.reason
    assert not fit.quantities


def test_a_law_that_does_not_describe_the_data_is_not_offered() -> None:
    twice = 0.5 * np.clip((TIME - 10) / 5, 0, 1) + 0.5 * np.clip((TIME - 80) / 5, 0, 1)
    fit = fit_jmak(series(twice, seed=0))
    assert isinstance(fit, KineticFit)
    assert "does not describe" in fit.reason
