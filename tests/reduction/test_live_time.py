import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.live_time import DeadTime, live_sums

TAU, SECONDS, PIXELS = 2e-7, 0.1, 4000


def frame(counts: np.ndarray, exposure: float = SECONDS) -> Sums:
    """One exposure of rings of even pixels, (bins, pixels) counts."""
    return Sums(
        signal=counts.sum(axis=1).astype(np.float64),
        variance=counts.sum(axis=1).astype(np.float64),
        weight=np.full(len(counts), 0.5 * counts.shape[1]),
        pixels=np.full(len(counts), float(counts.shape[1])),
        frames=1,
        monitor=np.nan,
        exposure=exposure,
    )


def busy(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts of pixels that are blind for TAU after each: m = n/(1+nτ), var = m/(1+nτ)²·t."""
    mean = rates * SECONDS / (1 + rates * TAU)
    spread = np.sqrt(mean) / (1 + rates * TAU)
    return np.asarray(np.round(rng.normal(mean, spread)))


def test_missed_counts_come_back_with_the_scatter_that_sigma_says() -> None:
    rng = np.random.default_rng(1)
    # Up to a quarter is missed, and the rates within a bin scatter by a tenth.
    rates = np.linspace(1e4, 1.5e6, 30)[:, None] * rng.uniform(0.9, 1.1, (30, PIXELS))
    rates[:, -1] += rates.mean(axis=1) * PIXELS - rates.sum(axis=1)
    found = [
        intensity(live_sums(frame(busy(rates, rng)), DeadTime(seconds=TAU))) for _ in range(60)
    ]

    values = np.array([value for value, _ in found])
    sigma = np.mean([sigma for _, sigma in found], axis=0)
    truth = rates.mean(axis=1) * SECONDS / 0.5
    missed = truth * rates.mean(axis=1) * TAU
    assert np.all(np.abs(values.mean(axis=0) - truth) < 0.012 * missed + 4 * sigma / np.sqrt(60))
    # The dead time itself evens out the gaps between counts: σ from Poisson is the upper bound.
    ratio = sigma / values.std(axis=0, ddof=1)
    expected = 1 + rates.mean(axis=1) * TAU
    assert np.median(ratio / expected) == pytest.approx(1.0, abs=0.06)


def test_a_table_does_what_its_formula_does() -> None:
    true = np.linspace(0.0, 3e6, 3000)
    table = (true / (1 + true * TAU), true)
    sums = frame(np.full((3, 10), 30_000))

    by_table = live_sums(sums, DeadTime(table=table))
    by_formula = live_sums(sums, DeadTime(seconds=TAU))

    np.testing.assert_allclose(by_table.signal, by_formula.signal, rtol=1e-6)
    np.testing.assert_allclose(by_table.variance, by_formula.variance, rtol=1e-3)


def test_an_impossible_rate_leaves_its_bin_empty_and_an_empty_bin_stays() -> None:
    counts = np.array([[100.0] * 4, [1e9] * 4, [0.0] * 4])

    live = live_sums(frame(counts), DeadTime(seconds=TAU))

    assert np.isnan(intensity(live)[0][1])
    assert live.signal[2] == 0
    assert live.weight[2] > 0


def test_nothing_is_missed_without_dead_time() -> None:
    sums = frame(np.full((3, 10), 50.0))
    live = live_sums(sums, DeadTime(seconds=0.0))

    np.testing.assert_array_equal(live.signal, sums.signal)
    np.testing.assert_array_equal(live.variance, sums.variance)


def test_a_frame_without_its_exposure_time_is_refused() -> None:
    with pytest.raises(FrameError, match="no exposure"):
        live_sums(frame(np.ones((3, 10)), exposure=np.nan), DeadTime(seconds=TAU))
