"""What is known of small amounts, and of what is taken out: signs, and errors that all share."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.estimator.spheres import estimator_for, named, noisy
from tests.analysis.particles import Particle, particle


@pytest.fixture(scope="module")
def tin() -> Particle:
    return particle("sno2-rutile", diameter=30.0, qmax=14.0, centres=4, step=0.02)


def test_the_noise_of_a_column_is_in_the_sigma_of_what_it_moves(tin: Particle) -> None:
    hump, sigma = 40.0 * np.exp(-((tin.q - 2.6) ** 2) / 0.6), tin.sigma(1e7)
    left = 1.5 * np.diag(sigma)[::2]  # as noisy as a frame or two at every other point
    random = np.random.default_rng(3)
    aware = estimator_for(tin, nuisances=hump[None], nuisance_names=["a"], nuisance_noise=[left])
    unaware = replace(aware, nuisance_noise=())

    values = []
    for _ in range(30):
        column = hump + random.standard_normal(len(left)) @ left
        drawn = np.column_stack([aware.nuisances[:, :-1], column])
        found = replace(unaware, nuisances=drawn).evaluate(fq=tin.fq + hump, sigma=sigma)
        values.append(found.values[:2])

    whole, own = (
        np.diag(one.evaluate(fq=tin.fq + hump, sigma=sigma).covariance)[:2]
        for one in (aware, unaware)
    )
    ratio = np.std(values, axis=0, ddof=1) / np.sqrt(whole - own)
    assert np.all((ratio > 0.65) & (ratio < 1.45))


def test_a_little_is_told_with_its_sign_and_does_not_come_out_of_noise(tin: Particle) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e6)
    nothing = np.zeros(sigma.shape)

    found = [
        named(estimator.evaluate(fq=noisy(nothing, sigma, k), sigma=sigma), "crystalline scale")
        for k in range(40)
    ]

    pulls = np.array([trend.value / trend.sigma for trend in found])
    assert np.isfinite(pulls).all()
    assert abs(pulls.mean()) < 0.5
    assert 0.7 < pulls.std() < 1.3


def test_noise_of_another_number_of_columns_is_refused(tin: Particle) -> None:
    with pytest.raises(ValueError, match="noise of 1 columns"):
        estimator_for(tin, nuisance_noise=[np.zeros((1, len(tin.q)))])
