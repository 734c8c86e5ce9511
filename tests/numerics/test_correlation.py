import numpy as np
import pytest

from livepdf.numerics.transform import exact_transform
from livepdf.numerics.variance import correlation_length

Q = np.linspace(0.0, 20.0, 2001)


def test_noise_that_is_the_same_everywhere_hangs_together_over_pi_by_qmax() -> None:
    assert correlation_length(q=Q, variance=np.ones(Q.size)) == pytest.approx(np.pi / 20, rel=1e-3)


def test_it_is_the_integral_of_the_squared_correlation_of_simulated_noise() -> None:
    rng, sigma = np.random.default_rng(1), 0.01 * Q**1.5
    r = np.arange(30.0, 50.0, 0.02)
    noise = rng.normal(size=(1500, Q.size)) * sigma
    gr = exact_transform(q=Q, r=r).apply(noise)
    rho = np.corrcoef(gr.T)[r.size // 2]
    # Pairs that have nothing to do with each other still correlate by 1/√seeds.
    measured = np.sum(rho**2 - 1 / 1500) * 0.02

    found = correlation_length(q=Q, variance=sigma**2)

    assert found == pytest.approx(measured, rel=0.1)
    assert found > 1.5 * np.pi / 20


def test_unknown_noise_has_no_length() -> None:
    assert np.isnan(correlation_length(q=Q, variance=np.full(Q.size, np.nan)))
