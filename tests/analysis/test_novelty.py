"""Something new, or nothing new, in simulated windows of F(Q)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.least_squares import slow_terms
from livepdf.analysis.novelty import Novelty, Score

Q = np.linspace(1.0, 20.0, 900)
SIGMA = 0.02 * Q
OLD = np.sin(2.1 * Q) * np.exp(-0.01 * Q**2)
NEW = np.sin(3.4 * Q) * np.exp(-0.01 * Q**2)


def scores(amounts: NDArray[np.float64], *, seed: int = 0, wrong: float = 1.0) -> list[Score]:
    rng = np.random.default_rng(seed)
    novelty = Novelty(slow_terms(Q, degree=4))
    told = []
    for number, amount in enumerate(amounts):
        # A scale that drifts and a slow background are nothing new.
        fq = (1.0 + 0.002 * number) * OLD + amount * NEW + 0.01 * Q * np.cos(0.2 * Q + number)
        fq += SIGMA * rng.standard_normal(Q.size)
        told.append(novelty.add(fq=fq, sigma=SIGMA / wrong))
    return told


@pytest.mark.parametrize("wrong", [1.0, 1.6])
def test_noise_drift_and_slow_backgrounds_are_nothing_new(wrong: float) -> None:
    for seed in range(5):
        told = scores(np.zeros(120), seed=seed, wrong=wrong)
        values = [score.value for score in told[20:]]
        assert not any(score.new for score in told)
        assert abs(np.mean(values)) < 1.0
        assert 0.4 < np.std(values) < 1.6
        assert told[5].reason == "learning: 6 of 20 windows"


def test_a_new_pattern_is_seen_at_once_and_soon_is_new_no_more() -> None:
    amounts = np.where(np.arange(120) < 60, 0.0, 0.5)
    told = scores(amounts)
    news = [n for n, score in enumerate(told) if score.new]
    # What two windows showed is noisy: once more may be needed until it is known well.
    assert news[0] == 61
    assert len(news) <= 2
    assert news[-1] < 66
    assert np.mean([score.value for score in told[70:]]) < 6.0


def test_a_single_stray_window_is_not_new() -> None:
    amounts = np.zeros(80)
    amounts[50] = 2.0
    told = scores(amounts)
    assert told[50].value > 6.0
    assert not any(score.new for score in told)
