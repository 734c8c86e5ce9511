import numpy as np
import pytest

from livepdf.numerics.resample import interpolate
from livepdf.numerics.shared_noise import interpolation_correlation


def test_points_halfway_between_data_share_half_of_their_noise() -> None:
    q = np.arange(100.0)

    assert interpolation_correlation(onto=q[:-1] + 0.5, q=q) == pytest.approx((0.5,), abs=0.01)
    assert interpolation_correlation(onto=q, q=q) == ()


def test_interpolated_noise_correlates_as_said() -> None:
    rng = np.random.default_rng(3)
    q = np.sort(rng.uniform(0, 20, 1500))
    grid = np.linspace(q[0], q[-1], 1500)
    noise = [
        interpolate(onto=grid, q=q, intensity=rng.normal(size=q.size), sigma=np.ones(q.size))
        for _ in range(400)
    ]
    pulls = np.array([value / sigma for value, sigma in noise])

    told = interpolation_correlation(onto=grid, q=q)

    for lag, rho in enumerate(told[:4], 1):
        found = np.mean(pulls[:, lag:] * pulls[:, :-lag])
        assert found == pytest.approx(rho, abs=0.01)
