import numpy as np
import pytest

from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.files.structures import read_structure
from tests.analysis.estimator.spheres import named, noisy
from tests.analysis.particles import Particle, particle


@pytest.fixture(scope="module")
def anatase() -> Particle:
    return particle("tio2-anatase", diameter=40.0, qmax=14.0, centres=4, step=0.02)


@pytest.fixture(scope="module")
def rutile() -> Particle:
    return particle("tio2-rutile", diameter=30.0, qmax=14.0, centres=4, step=0.02)


@pytest.fixture(scope="module")
def estimator(anatase: Particle) -> Estimator:
    return build_estimator(
        q=anatase.q,
        candidates=[
            Candidate(structure=read_structure(name)) for name in ("tio2-rutile", "tio2-anatase")
        ],
        composition=anatase.composition,
        qdamp=0.0,
        diameter_limits=(10.0, 70.0),
    )


def test_the_right_one_of_two_structures_wins(anatase: Particle, estimator: Estimator) -> None:
    sigma = anatase.sigma(1e8)

    found = estimator.evaluate(fq=noisy(anatase.fq, sigma, 1), sigma=sigma)

    assert found.structure == "tio2-anatase"
    assert named(found, "tio2-anatase domain size").value == pytest.approx(40.0, rel=0.02)
    assert "tio2-anatase describes the data" in named(found, "tio2-rutile domain size").reason
    fraction = named(found, "tio2-rutile fraction")
    assert fraction.value == pytest.approx(0.0, abs=4 * fraction.sigma)
    assert fraction.sigma < 0.02


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_fractions_of_two_phases_and_both_sizes_are_found(
    anatase: Particle, rutile: Particle, estimator: Estimator, share: float
) -> None:
    sigma = anatase.sigma(1e8)
    mixed = (1.0 - share) * anatase.fq + share * rutile.fq

    found = estimator.evaluate(fq=noisy(mixed, sigma, 2), sigma=sigma)

    fraction = named(found, "tio2-rutile fraction")
    assert fraction.value == pytest.approx(share, abs=0.01)
    assert fraction.sigma < 0.01
    total = sum(named(found, f"tio2-{name} fraction").value for name in ("anatase", "rutile"))
    assert total == pytest.approx(1.0)
    assert named(found, "tio2-anatase domain size").value == pytest.approx(40.0, rel=0.04)
    assert named(found, "tio2-rutile domain size").value == pytest.approx(30.0, rel=0.04)
    assert found.chi2 < 1.3


def test_a_second_phase_does_not_appear_out_of_noise(
    anatase: Particle, estimator: Estimator
) -> None:
    sigma = anatase.sigma(1e7)

    found = [
        estimator.evaluate(fq=noisy(0.3 * anatase.fq, sigma, seed), sigma=sigma)
        for seed in range(10)
    ]

    assert all(one.structure == "tio2-anatase" for one in found)
    assert all(named(one, "tio2-rutile domain size").reason for one in found)
    pulls = [
        named(one, "tio2-rutile fraction").value / named(one, "tio2-rutile fraction").sigma
        for one in found
    ]
    assert np.max(pulls) < 5.0


def test_a_warm_start_from_one_phase_still_sees_the_other(
    anatase: Particle, rutile: Particle, estimator: Estimator
) -> None:
    sigma = anatase.sigma(1e8)
    before = estimator.evaluate(fq=anatase.fq, sigma=sigma)

    after = estimator.evaluate(fq=rutile.fq, sigma=sigma, start=before.warm)

    assert after.structure == "tio2-rutile"
    assert named(after, "tio2-rutile domain size").value == pytest.approx(30.0, rel=0.02)
