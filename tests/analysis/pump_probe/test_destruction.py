"""Samples that break, drawn with a known threshold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.bank import compare, make_bank
from livepdf.analysis.pump_probe.change_point import change_point

Q = np.linspace(1.0, 12.0, 300)
SELF = 20 * np.exp(-Q / 6) + 2
ORDER = np.sin(2.8 * Q) * np.exp(-0.01 * Q**2) / Q
SMOOTH = np.stack([SELF, np.ones_like(Q), Q])


def sample(
    random: np.random.Generator, order: float, *, photons: float = 400.0
) -> NDArray[np.float64]:
    """One shot of one sample: amounts and strains differ from sample to sample."""
    amount = order * (1 + 0.05 * random.standard_normal())
    stretched = np.interp(Q * (1 + 0.002 * random.standard_normal()), Q, ORDER)
    mean = photons * (SELF * (1 + 0.02 * random.standard_normal()) + 8 * amount * stretched)
    shot: NDArray[np.float64] = random.poisson(mean) / photons
    return shot


def test_the_order_that_is_left_is_found_with_the_scatter_of_samples_as_error() -> None:
    random = np.random.default_rng(4)
    bank = make_bank(np.array([sample(random, 1.0) for _ in range(60)]), smooth=SMOOTH)
    found = [compare(bank, sample(random, 1.0), smooth=SMOOTH) for _ in range(200)]
    broken = [compare(bank, sample(random, 0.4), smooth=SMOOTH).order for _ in range(100)]

    pulls = [(one.order - 1) / one.order_sigma for one in found]
    assert abs(np.mean(pulls)) < 0.3
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)
    assert found[0].order_sigma == pytest.approx(0.05, rel=0.5)
    assert np.mean(broken) == pytest.approx(0.4, abs=0.02)
    inside = np.mean([np.abs(one.difference) < one.sigma for one in found])
    assert inside == pytest.approx(0.68, abs=0.04)


def test_too_few_intact_samples_are_no_bank() -> None:
    with pytest.raises(ValueError, match="their scatter needs 8"):
        make_bank(np.ones((5, 300)), smooth=SMOOTH)


def breakdown(
    random: np.random.Generator, *, start: float, count: int = 60, scatter: float = 0.05
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Order over the logarithm of the delay: intact, then an exponential loss."""
    log_delay = np.sort(random.uniform(-14, -6, count))
    late = np.clip(10**log_delay - 10**start, 0, None)
    order = 1 - 0.8 * (1 - np.exp(-late / 10 ** (start + 0.4)))
    return log_delay, order + scatter * random.standard_normal(count), np.full(count, scatter)


def test_the_interval_holds_the_threshold_and_is_narrow() -> None:
    held, widths = [], []
    for seed in range(100):
        random = np.random.default_rng(seed)
        start = random.uniform(-11.5, -8.5)
        x, y, sigma = breakdown(random, start=start)
        found = change_point(x, y, sigma=sigma)
        held.append(found.low <= start <= found.high)
        widths.append(found.high - found.low)

    assert np.mean(held) >= 0.85
    assert np.median(widths) < 1.0


def test_without_a_change_none_is_told() -> None:
    told = 0
    for seed in range(80):
        random = np.random.default_rng(seed)
        x = np.sort(random.uniform(0, 1, 50))
        found = change_point(x, 1 + 0.05 * random.standard_normal(50), sigma=np.full(50, 0.05))
        told += found.reason == ""

    assert told <= 1


def test_scatter_beyond_sigma_widens_the_interval_instead_of_inventing_changes() -> None:
    told, widths = 0, []
    for seed in range(50):
        random = np.random.default_rng(seed)
        x = np.linspace(0, 1, 50)
        noise = 0.2 * random.standard_normal(50)
        told += change_point(x, noise, sigma=np.full(50, 0.05)).reason == ""
        step = change_point(x, noise + (x > 0.5), sigma=np.full(50, 0.05))
        widths.append(step.high - step.low)

    assert told <= 1
    assert np.nanmedian(widths) > 0.02


def test_few_values_say_nothing() -> None:
    found = change_point(np.arange(4.0), np.arange(4.0), sigma=np.ones(4))

    assert np.isnan(found.start)
    assert "a change needs 8" in found.reason
