"""The search for the onset on numbers of unit noise, whose truth is what was put in."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.onset import Onset, OnsetSearch, Rule, Sighting

ENOUGH = 2e7
BASELINE = 40


def sighting(number: int, z: float, *, photons: float = ENOUGH, flaw: str = "") -> Sighting:
    return Sighting(number=number, time=4.0 * number, z=z, photons=photons, flaw=flaw)


def searched(
    z: Iterable[float], *, heater: int | None = BASELINE, flaws: dict[int, str] | None = None
) -> tuple[Onset | None, OnsetSearch]:
    search = OnsetSearch()
    for number, value in enumerate(z):
        if number == heater:
            search.heat()
        search.add(sighting(number, float(value), flaw=(flaws or {}).get(number, "")))
    return search.onset, search


def avrami(*, signal: float, tau: float, n: float, frames: int = 200) -> NDArray[np.float64]:
    since = np.maximum(np.arange(-BASELINE, frames, dtype=float), 0.0)
    return np.asarray(signal * -np.expm1(-((since / tau) ** n)))


def test_noise_alone_raises_no_alarm_in_thousands_of_frames() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert searched(rng.standard_normal(1000))[0] is None


@pytest.mark.parametrize("offset", [-0.5, 0.5])
def test_an_offset_that_comes_with_the_heat_raises_no_alarm(offset: float) -> None:
    # What is left of the solvent with 1e7 photons after its blanks were fitted: 0.2 σ.
    rng = np.random.default_rng(2)
    for _ in range(20):
        z = rng.standard_normal(140)
        z[BASELINE:] += offset
        assert searched(z)[0] is None


@pytest.mark.parametrize(
    ("signal", "tau", "n", "published"),
    [(10.0, 30.0, 2.0, 16.2), (3.0, 30.0, 2.0, 27.0), (100.0, 100.0, 3.0, 28.0)],
)
def test_a_rise_is_noticed_about_as_soon_as_likelihood_ratios_notice_it(
    signal: float, tau: float, n: float, published: float
) -> None:
    # Generalised likelihood ratio and Bayesian change points, which do not ask for two in a row
    # nor allow for an offset of 1 σ; a threshold of 4.75 σ takes 22.5, 63 and 35 frames.
    delays = []
    for seed in range(60):
        z = avrami(signal=signal, tau=tau, n=n)
        z += np.random.default_rng(seed).standard_normal(z.size)
        onset = searched(z)[0]
        assert onset is not None
        delays.append(onset.noticed - BASELINE)
    assert min(delays) > 0
    assert np.mean(delays) < 1.5 * published + 1.0


def test_the_interval_holds_the_moment_when_the_rise_leaves_the_noise() -> None:
    held = 0
    for seed in range(100):
        truth = avrami(signal=30.0, tau=30.0, n=2.0)
        onset = searched(truth + np.random.default_rng(seed).standard_normal(truth.size))[0]
        assert onset is not None
        assert onset.first >= BASELINE - 1
        assert onset.earliest <= onset.latest
        leaves = int(np.argmax(truth > 1.0))
        held += onset.first <= leaves <= onset.last
    assert held >= 75


def test_flagged_outliers_and_drift_within_the_allowance_raise_no_alarm() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal(300) + np.linspace(0.0, 0.6, 300)
        wild = rng.choice(np.arange(5, 300), size=25, replace=False)
        z[wild] += rng.choice([-30.0, 30.0], size=25)
        assert searched(z, flaws=dict.fromkeys(wild.tolist(), "beam lost"))[0] is None


def test_one_stray_frame_raises_no_alarm_even_when_nobody_flags_it() -> None:
    for seed in range(50):
        z = np.random.default_rng(seed).standard_normal(200)
        z[100] += 30.0
        assert searched(z)[0] is None


def test_the_search_waits_for_its_baseline_and_says_how_far_it_is() -> None:
    rng = np.random.default_rng(3)
    search = OnsetSearch()
    for number, z in enumerate(rng.standard_normal(12)):
        search.add(sighting(number, float(z)))
    assert search.state == "waiting"
    assert search.reason == "baseline: 12 of 20 steps so far"

    search.heat()
    for number in range(12, 60):
        assert search.add(sighting(number, 50.0)) is None
    assert search.reason == "not armed: 12 of 20 steps before the heater"


def test_with_few_photons_a_step_takes_several_windows_and_says_that_it_waits() -> None:
    rng = np.random.default_rng(4)
    search = OnsetSearch()
    for number in range(20 * 10 + 3):
        search.add(sighting(number, float(rng.standard_normal()), photons=1e6))
    assert search.state == "armed"
    assert search.reason == "waits for photons: 3.0e+06 of 1e+07 since the last step"
    # A signal of 1 σ per window is one of √10 per step.
    noticed = next(
        number
        for number in range(203, 400)
        if search.add(sighting(number, 1.0 + float(rng.standard_normal()), photons=1e6))
    )
    assert 203 + 30 <= noticed <= 203 + 110


def test_z_that_scatters_more_than_its_sigma_never_arms() -> None:
    z = 4.0 * np.random.default_rng(5).standard_normal(200)

    onset, search = searched(z, heater=None)

    assert onset is None
    assert "scatters" in search.reason


def test_windows_without_a_number_change_nothing() -> None:
    z = avrami(signal=20.0, tau=30.0, n=2.0) + np.random.default_rng(6).standard_normal(240)
    with_gaps: list[float] = [x for value in z for x in (float(value), math.nan)]

    plain, gappy = searched(z)[0], searched(with_gaps, heater=2 * BASELINE)[0]

    assert plain is not None
    assert gappy is not None
    assert gappy.noticed == 2 * plain.noticed


def test_a_rule_without_allowance_is_refused() -> None:
    with pytest.raises(ValueError, match="allowance"):
        Rule(allowance=0.0)


def test_a_stray_window_is_not_taken_for_the_moment_when_something_is_there() -> None:
    search = OnsetSearch()
    cold = [-1.0, 1.0] * 10
    rising = [4.0, 0.3, 0.3, 0.3, 0.3, 0.3, 4.0, 6.0, 8.0, 9.0]
    for number, z in enumerate(cold + rising):
        if number == 20:
            search.heat()
        search.add(Sighting(number=number, time=number, z=z, photons=1e7))

    assert search.onset is not None
    assert search.onset.last == 26
    assert search.onset.first < 26
