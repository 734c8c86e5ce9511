"""Hafnia of 40 Å to Qmax 8 and 20: lattice and size of noisy patterns, with 10 mÅ added or not.

python -m pytest tests/long/hafnia_window.py -s

Explicit particles, 1e6 photons in each 0.02 1/Å, a Q resolution that the fit is told of or not.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from livepdf.analysis.estimator.estimate import Estimate
from tests.analysis.estimator.spheres import estimator_for, named, noisy
from tests.analysis.particles import Particle, particle

DIAMETER = 40.0
STEP = 0.02
QDAMP = 0.04
SEEDS = range(700, 710)
LONGER = 0.0100
"""Å, of a, with b and c in proportion."""


@pytest.fixture(scope="module")
def hafnia() -> dict[float, Particle]:
    """At rest and expanded; of the same cuts, so that only the lattice differs."""
    still = particle("hfo2-monoclinic", diameter=DIAMETER, qmax=21.0, centres=24, step=STEP)
    a = float(np.linalg.norm(still.structure.cell[0]))
    return {0.0: still, LONGER: expanded(still, 1 + LONGER / a)}


def expanded(sample: Particle, factor: float) -> Particle:
    """Expand a particle: S(Q) of one that is larger is that at a larger Q."""
    s = 1 + sample.fq / sample.q
    moved = CubicSpline(sample.q, s)(sample.q * factor)
    return replace(sample, fq=sample.q * (moved - 1))


def blurred(sample: Particle) -> Particle:
    """Blur by the resolution of the instrument, as far as a Gaussian of one width does."""
    fq = sample.q * gaussian_filter1d(sample.fq / sample.q, QDAMP / STEP, mode="nearest")
    return replace(sample, fq=fq)


def counted(sample: Particle) -> np.ndarray:
    """σ of F(Q) with 1e6 photons in the mean bin."""
    return sample.sigma(1e6 * len(sample.q))


@pytest.mark.parametrize("qmax", [20.0, 8.0])
@pytest.mark.parametrize("longer", [0.0, LONGER])
def test_lattice_and_size_come_back(
    hafnia: dict[float, Particle], qmax: float, longer: float
) -> None:
    truth = float(np.linalg.norm(hafnia[0.0].structure.cell[0])) + longer
    seen = blurred(hafnia[longer]).up_to(qmax)
    estimator = estimator_for(seen, qdamp=QDAMP)

    found = [
        estimator.evaluate(fq=noisy(seen.fq, counted(seen), seed), sigma=counted(seen))
        for seed in SEEDS
    ]

    lattice = np.array([value(one, "lattice a") for one in found]) - truth
    size = np.array([value(one, "domain size") for one in found]) / DIAMETER / scaled(longer) - 1
    print(  # noqa: T201  # the figures are what this is run for
        f"\nQmax {qmax:g}, a longer by {longer:.4f} Å, {len(found)} draws: found − true a "
        f"{1e3 * lattice.mean():+.2f} mÅ (at most {1e3 * np.abs(lattice).max():.2f}), "
        f"{100 * lattice.mean() / truth:+.4f} %; size {100 * size.mean():+.2f} % "
        f"(at most {100 * np.abs(size).max():.2f} %)"
    )
    assert np.abs(lattice).max() < 3e-4 * truth
    assert np.abs(size).max() < 0.02
    if longer:
        assert np.abs(lattice).max() < 0.001


def test_a_resolution_that_nobody_tells_withholds_the_size(hafnia: dict[float, Particle]) -> None:
    seen = blurred(hafnia[0.0]).up_to(8.0)

    found = estimator_for(seen, qdamp=None).evaluate(fq=seen.fq, sigma=counted(seen))

    assert "not calibrated" in named(found, "domain size").reason
    assert np.isfinite(named(found, "lattice a").value)


def value(estimate: Estimate, name: str) -> float:
    return named(estimate, name).value


def scaled(longer: float) -> float:
    """How much larger the whole particle is with its lattice."""
    return 1 + longer / 5.117
