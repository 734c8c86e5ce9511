import numpy as np
import pytest

from tests.analysis.estimator.spheres import estimator_for, lattice_error, named
from tests.analysis.particles import particle


@pytest.mark.parametrize(
    ("name", "diameters"),
    [
        ("pt", (20.0, 50.0)),
        ("sno2-rutile", (20.0, 40.0, 60.0)),
        ("tio2-anatase", (30.0, 50.0)),
        ("hfo2-monoclinic", (30.0, 50.0)),
    ],
)
def test_explicit_particles_come_back_with_their_lattice_and_size(
    name: str, diameters: tuple[float, ...]
) -> None:
    # The smaller, the more a single cut differs from the mean over all.
    samples = [
        particle(name, diameter=d, centres=24 if d < 40 else 4, step=0.02) for d in diameters
    ]
    for qmax in (20.0, 8.0):
        estimator = estimator_for(samples[0].up_to(qmax))
        for sample, diameter in zip(samples, diameters, strict=True):
            seen = sample.up_to(qmax)

            found = estimator.evaluate(fq=seen.fq, sigma=seen.sigma(1e7))

            assert named(found, "domain size").value == pytest.approx(diameter, rel=0.015)
            assert np.abs(lattice_error(estimator, found)).max() < 2e-4
            assert named(found, "crystalline scale").value == pytest.approx(1.0, abs=0.02)
            assert found.chi2 < 1.0


def test_displacements_of_each_element_come_back_with_exact_weights() -> None:
    # With constant weights the oxygen comes out 1.5 to 4.2 times too large.
    sample = particle("hfo2-monoclinic", diameter=40.0, centres=6)

    estimator = estimator_for(sample)
    few = estimator.evaluate(fq=sample.fq, sigma=sample.sigma(1e7))
    many = estimator.evaluate(fq=sample.fq, sigma=sample.sigma(1e8))

    for element, uiso in zip(sample.structure.species, sample.uiso, strict=True):
        assert named(many, f"U({element})").value == pytest.approx(uiso, rel=0.06)
        # 1e7 photons tell U(O) to a fifth only: what is expected of a hot crystal pulls at it.
        shown = named(few, f"U({element})")
        assert abs(shown.value - uiso) < 0.06 * uiso + 0.3 * shown.sigma


def test_pulls_of_scale_size_and_lattice_are_standard_normal() -> None:
    sample = particle("sno2-rutile", diameter=40.0, qmax=8.0, centres=24, step=0.02)
    estimator, sigma = estimator_for(sample), sample.sigma(1e7)
    random = np.random.default_rng(2)
    truth = np.concatenate([[0.4, 40.0], estimator.phases[0].reference[1:3]])

    pulls, warm = [], None
    for _ in range(60):
        noise = sigma * random.standard_normal(len(sigma))
        found = estimator.evaluate(fq=0.4 * sample.fq + noise, sigma=sigma, start=warm)
        warm = found.warm
        pulls.append((found.values[:4] - truth) / np.sqrt(np.diag(found.covariance)[:4]))

    spread = np.std(pulls, axis=0)
    assert (spread > 0.7).all()
    assert (spread < 1.3).all()
    # Of 60 windows, the mean of a fair pull is within 0.3 in 98 of 100; the model has its share.
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.5
    a, d = np.mean(pulls, axis=0)[[2, 1]] * np.sqrt(np.diag(found.covariance)[[2, 1]])
    assert abs(a) < 0.0003
    assert abs(d) < 0.003 * 40.0
