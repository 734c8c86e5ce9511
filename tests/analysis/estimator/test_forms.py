import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from livepdf.analysis.estimator.build import build_estimator
from livepdf.analysis.estimator.candidate import Candidate, Shape
from livepdf.simulate import particles
from livepdf.simulate.debye import debye_intensity, particle_sums
from tests.analysis.estimator.spheres import named, noisy
from tests.analysis.particles import Particle, particle


def of_sizes(spread: float, median: float) -> tuple[Particle, float]:
    """Return explicit spheres of a lognormal distribution, and D43."""
    steps = np.linspace(-2.4, 2.4, 9)
    sizes = median * np.exp(spread * steps)
    volume = np.exp(-(steps**2) / 2) * sizes**3
    parts = [particle("sno2-rutile", diameter=d, qmax=14.0, centres=3, step=0.02) for d in sizes]
    fq = np.sum([v * p.fq for v, p in zip(volume, parts, strict=True)], axis=0) / volume.sum()
    sample = parts[0]
    mixed = Particle(
        structure=sample.structure,
        q=sample.q,
        fractions=sample.fractions,
        amplitudes=sample.amplitudes,
        fq=fq,
    )
    return mixed, float(volume @ sizes / volume.sum())


@pytest.fixture(scope="module")
def mixture() -> tuple[Particle, float]:
    return of_sizes(0.25, 24.0)


def test_a_distribution_of_sizes_is_fitted_only_where_the_data_ask_for_it(
    mixture: tuple[Particle, float],
) -> None:
    sample, d43 = mixture
    one = particle("sno2-rutile", diameter=30.0, qmax=14.0, centres=6, step=0.02)
    estimator = build_estimator(
        q=sample.q,
        candidates=[Candidate(structure=sample.structure, size_distribution=True)],
        composition=sample.composition,
        qdamp=0.0,
        diameter_limits=(10.0, 60.0),
    )
    sigma = sample.sigma(3e8)

    alike, spread = (
        estimator.evaluate(fq=noisy(data.fq, sigma, 1), sigma=sigma) for data in (one, sample)
    )

    assert alike.form == "sphere"
    assert "one size" in named(alike, "size spread").reason
    assert spread.form == "spheres"
    assert named(spread, "size spread").value == pytest.approx(0.25, abs=0.04)
    assert named(spread, "domain size").value == pytest.approx(d43, rel=0.02)
    assert spread.chi2 < 1.5
    assert [t.name for t in alike.trends] == [t.name for t in spread.trends]


@pytest.mark.parametrize(("form", "aspect"), [("ellipsoid", 2.0), ("rod", 2.5), ("plate", 0.4)])
def test_an_elongated_domain_is_told_from_a_sphere(form: Shape, aspect: float) -> None:
    sample = particle("pt", diameter=20.0, qmax=14.0, centres=1, step=0.02)
    estimator = build_estimator(
        q=sample.q,
        candidates=[Candidate(structure=sample.structure, shapes=("sphere", form))],
        composition=sample.composition,
        qdamp=0.0,
        diameter_limits=(10.0, 70.0),
    )
    sigma = sample.sigma(1e8)

    found = estimator.evaluate(
        fq=noisy(scattered_by(form, aspect, sample.q), sigma, 2), sigma=sigma
    )

    assert found.form == form
    assert named(found, "aspect ratio").value == pytest.approx(aspect, rel=0.1)
    assert named(found, "domain size").value == pytest.approx(30.0, rel=0.03)
    assert found.chi2 < 2.0


def scattered_by(form: str, aspect: float, q: np.ndarray) -> np.ndarray:
    """Sum over the pairs of platinum in forms that lie in all directions, by random directions."""
    a = 3.9231
    n = np.arange(-20, 21)
    cells = np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    r = np.linalg.norm((cells[:, None] + basis).reshape(-1, 3) * a, axis=1)
    r, count = np.unique(np.round(r[(r > 1) & (r < 75)], 8), return_counts=True)
    random = np.random.default_rng(9)
    z = random.uniform(0, 1, 4000)
    long = np.outer(r, z)
    wide = np.outer(r, np.sqrt(1 - z**2))
    if form == "ellipsoid":
        width = 30.0 / aspect ** (1 / 3)
        t = np.minimum(np.hypot(wide / width, long / (aspect * width)), 1.0)
        kept = (1 - 1.5 * t + 0.5 * t**3).mean(axis=1)
    else:
        width = 30.0 * (2 / (3 * aspect)) ** (1 / 3)
        t = np.minimum(wide / width, 1.0)
        disc = 2 / np.pi * (np.arccos(t) - t * np.sqrt(1 - t**2))
        kept = (disc * np.maximum(1 - long / (aspect * width), 0)).mean(axis=1)
    spread = np.exp(-0.5 * 0.008 * q**2)
    return (np.sin(np.outer(q, r)) @ (count * kept / r)) * spread


@pytest.mark.parametrize(("form", "aspect"), [("ellipsoid", 1.5), ("rod", 2.0)])
def test_explicit_particles_that_grew_along_c_come_back_with_their_aspect(
    form: Shape, aspect: float
) -> None:
    sample = particle("sno2-rutile", diameter=20.0, centres=1, step=0.02)
    kind: particles.ShapeKind = "rod" if form == "rod" else "ellipsoid"
    shape = particles.Shape(kind=kind, width=30.0, aspect=aspect).of_diameter(35.0)
    grown = particles.cuts(sample.structure, shape, centres=np.random.default_rng(1).random((4, 3)))
    sums = particle_sums(sample.structure, grown, q_max=20.2)
    intensity = CubicSpline(sums.q, debye_intensity(sample.structure, sums))(sample.q)
    c, f = sample.fractions, sample.amplitudes
    fq = sample.q * (intensity - c @ f**2) / (c @ f) ** 2
    estimator = build_estimator(
        q=sample.q,
        candidates=[
            Candidate(structure=sample.structure, shapes=("sphere", "ellipsoid", "rod", "plate"))
        ],
        composition=sample.composition,
        qdamp=0.0,
        diameter_limits=(10.0, 80.0),
    )

    found = estimator.evaluate(fq=fq, sigma=sample.sigma(1e7))

    assert found.form == form
    assert found.chi2 < 0.5
    assert named(found, "aspect ratio").value == pytest.approx(aspect, rel=0.07)
    assert named(found, "domain size").value == pytest.approx(35.0, rel=0.02)
    reference = estimator.phases[0].reference[1:3]
    np.testing.assert_allclose(found.values[2:4], reference, rtol=2.5e-4)
