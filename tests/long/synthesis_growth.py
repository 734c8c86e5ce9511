"""A growth dated and measured, and what raw references do: the parts too long for the suite.

python -m pytest tests/long/synthesis_growth.py
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthesis import Synthesis, amplitudes, found_onset, heated, series, synthesis


@pytest.fixture(scope="module")
def unreacted() -> Synthesis:
    """A solution that is heated from 25 to 300 °C, with no chemistry."""
    growth = heated(frames=50, cold=20, speed=0.0)
    return synthesis("SnO2", seed=9001, frames=50, growth=growth)


@pytest.fixture(scope="module")
def growing() -> Synthesis:
    growth = heated(frames=44, cold=20, speed=7.0, avrami=2.2)
    return synthesis("SnO2", seed=9002, frames=44, growth=growth)


def test_growth_is_measured_and_dated_from_images(growing: Synthesis) -> None:
    estimates = growing.estimates(growing.estimator())
    reacted = np.array([truth.conversion for truth in growing.truths])
    size = np.array([truth.domain_size for truth in growing.truths])
    a = np.array([truth.lattice[0] for truth in growing.truths])
    late = reacted > 0.3

    x, _ = series(estimates, "crystalline scale")
    d, d_sigma = series(estimates, "domain size")
    found_a, _ = series(estimates, "lattice a")
    z = [estimate.amplitude_z for estimate in estimates]
    onset = found_onset(growing, z)

    assert np.sqrt(np.mean((d / size - 1)[late] ** 2)) < 0.015
    assert np.sqrt(np.mean((x - reacted)[late] ** 2)) < 0.02
    assert np.sqrt(np.mean((found_a - a)[late] ** 2)) < 0.004
    assert 0.5 < np.std(((d - size) / d_sigma)[late]) < 1.6
    assert onset is not None
    before = max((k for k in range(44) if reacted[k] < 0.05), default=0)
    assert onset.last <= before + 1
    assert onset.first >= 19


def test_raw_references_leave_more_of_their_noise_than_filtered_ones(unreacted: Synthesis) -> None:
    # What is common to all windows adds up over them; at a tenth of the photons it is worst.
    moved = np.array(
        [_moved(replace(unreacted, photons=1e6, seed=seed)) for seed in range(9003, 9011)]
    )

    raw, filtered = np.sqrt(np.mean(moved**2, axis=0))
    print(f"\nmean z after heating, rms of 8 draws: raw {raw:.2f}, filtered {filtered:.2f}")  # noqa: T201
    assert np.median(np.abs(moved[:, 1])) < 1.0
    assert raw > filtered


def _moved(run: Synthesis) -> tuple[float, float]:
    """Return by how much z is higher hot than cold, with raw references and with filtered ones."""
    raw = amplitudes(run, run.references(reach=None))
    filtered = amplitudes(run, run.references())
    return raw[28:].mean() - raw[:20].mean(), filtered[28:].mean() - filtered[:20].mean()
