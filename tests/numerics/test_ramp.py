import numpy as np
import pytest

from livepdf.numerics.band_limit import band_limited
from livepdf.numerics.ramp import build_ramp

Q = np.linspace(0.5, 20.0, 1000)
SMOOTH = 4e4 * np.exp(-0.2 * Q) + 500
CHANGE = 300 * np.sin(2.8 * Q) * np.exp(-0.1 * Q)
BEND = 200 * np.sin(4.4 * Q) * np.exp(-0.1 * Q)
TEMPERATURES = np.linspace(300.0, 600.0, 8)


def truth(temperature: float) -> np.ndarray:
    t = (temperature - 450) / 150
    return np.asarray(SMOOTH + t * CHANGE + t**2 * BEND)


def series(rng: np.random.Generator, exposure: float) -> tuple[np.ndarray, np.ndarray]:
    counts = rng.poisson(exposure * np.array([truth(t) for t in TEMPERATURES]))
    return counts / exposure, np.sqrt(np.maximum(counts, 1)) / exposure


def test_as_many_kinds_of_change_are_found_as_stand_above_the_noise() -> None:
    rng = np.random.default_rng(3)
    counts = {}
    for exposure in (1e-3, 100.0):
        blanks, sigmas = series(rng, exposure)
        ramp = build_ramp(temperatures=TEMPERATURES, intensities=blanks, sigmas=sigmas, most=4)
        counts[exposure] = len(ramp.components)

    assert counts == {1e-3: 0, 100.0: 2}


def test_a_blank_between_two_that_were_recorded_is_met_within_its_error() -> None:
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(40):
        blanks, sigmas = series(rng, 1.0)
        # In any order: whoever records a ramp may come down again.
        order = rng.permutation(TEMPERATURES.size)
        ramp = build_ramp(
            temperatures=TEMPERATURES[order], intensities=blanks[order], sigmas=sigmas[order]
        )
        at, sigma = ramp.at(500.0)
        pulls.append((at - truth(500.0)) / sigma)

    assert 0.9 < np.std(pulls) < 1.1
    # One blank alone is noisier.
    assert np.median(sigma) < 0.55 * np.median(sigmas)


def test_outside_of_what_was_recorded_nobody_knows() -> None:
    blanks, sigmas = series(np.random.default_rng(5), 1.0)
    ramp = build_ramp(temperatures=TEMPERATURES, intensities=blanks, sigmas=sigmas)

    for temperature in (290.0, 620.0, np.nan):
        with pytest.raises(ValueError, match="outside the ramp from 300 to 600"):
            ramp.at(temperature)


def test_one_temperature_is_no_ramp() -> None:
    with pytest.raises(ValueError, match="two or more"):
        build_ramp(
            temperatures=np.array([300.0, 300.0]),
            intensities=np.ones((2, 9)),
            sigmas=np.ones((2, 9)),
        )


def test_without_errors_the_asked_number_of_components_is_taken_and_no_error_claimed() -> None:
    blanks, _ = series(np.random.default_rng(6), 1.0)
    ramp = build_ramp(
        temperatures=TEMPERATURES, intensities=blanks, sigmas=np.full(blanks.shape, np.nan), most=1
    )

    assert len(ramp.components) == 1
    assert np.all(np.isnan(ramp.at(450.0)[1]))


def test_a_liquid_loses_its_noise_and_keeps_its_shape() -> None:
    rng = np.random.default_rng(7)
    noisy, sigma = truth(500.0) + rng.normal(size=Q.size) * 30, np.full(Q.shape, 30.0)
    noisy[100] = np.nan

    clean = band_limited(q=Q, intensity=noisy, sigma=sigma, r_max=12.0)

    assert np.isnan(clean[100])
    off = np.delete(clean - truth(500.0), 100)
    assert np.std(off) < 0.45 * 30
    # What is left is noise, not a lost shape: without noise nothing is lost.
    whole = band_limited(q=Q, intensity=truth(500.0), sigma=sigma, r_max=12.0)
    assert np.max(np.abs(whole - truth(500.0))) < 3.0


def test_more_waves_than_the_data_can_tell_are_refused() -> None:
    with pytest.raises(ValueError, match="waves"):
        band_limited(q=Q, intensity=SMOOTH, sigma=np.ones(Q.size), r_max=90.0)
