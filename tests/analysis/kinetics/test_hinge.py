"""When it began, looking back."""

import numpy as np
import pytest

from livepdf.analysis.kinetics.hinge import began

TIME = np.arange(0.0, 120.0)


@pytest.mark.parametrize(
    ("n", "tau", "sigma"),
    [(1.0, 30.0, 0.01), (2.0, 30.0, 0.01), (3.0, 60.0, 0.02), (2.0, 30.0, 0.1)],
)
def test_the_interval_holds_the_true_start_19_times_in_20(
    n: float, tau: float, sigma: float
) -> None:
    inside, widths = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        start = 30.0 + rng.uniform()
        truth = -np.expm1(-((np.maximum(TIME - start, 0.0) / tau) ** n))
        found = began(
            time=TIME,
            amplitude=truth + sigma * rng.standard_normal(120),
            sigma=np.full(120, sigma),
        )
        if not found.reason:
            inside.append(found.low <= start <= found.high)
            widths.append(found.high - found.low)
    assert len(inside) >= 22
    assert np.mean(inside) >= 0.84
    assert np.mean(widths) < 35.0


def test_what_never_rises_has_no_start() -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(120)
    found = began(time=TIME, amplitude=noise, sigma=np.full(120, 0.01))
    assert "too little" in found.reason
    assert np.isnan(found.time)


def test_what_had_risen_before_the_first_point_has_none() -> None:
    found = began(time=TIME, amplitude=np.full(120, 0.5), sigma=np.full(120, 0.01))
    assert found.reason
