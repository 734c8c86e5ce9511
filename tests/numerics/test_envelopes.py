import numpy as np
import pytest

from livepdf.numerics.envelopes import sphere, spheres

R = np.linspace(0.0, 60.0, 121)


def test_a_sphere_keeps_what_its_overlap_with_its_shifted_copy_holds() -> None:
    # The share of random points of a sphere whose shifted copy is inside too.
    random = np.random.default_rng(3)
    points = random.uniform(-1, 1, (400_000, 3))
    points = points[(points**2).sum(axis=1) < 1.0]
    for t in (0.2, 0.5, 0.8):
        moved = points + np.array([2.0 * t, 0.0, 0.0])
        kept = np.mean((moved**2).sum(axis=1) < 1.0)
        assert sphere(np.array([40.0 * t]), diameter=40.0)[0][0] == pytest.approx(kept, abs=3e-3)


def test_a_distribution_begins_with_the_mean_of_the_inverse_size() -> None:
    # γ = 1 − 3r/2D near r = 0, and ⟨1/D⟩ of a lognormal with mean m is exp(s²)/m.
    short = np.array([0.01])
    gamma, _, _ = spheres(short, diameter=40.0, spread=0.25)
    assert (1.0 - gamma[0]) / 0.01 == pytest.approx(1.5 * np.exp(0.25**2) / 40.0, rel=1e-3)


def test_a_narrow_distribution_is_one_sphere() -> None:
    one, _ = sphere(R, diameter=35.0)
    many, _, _ = spheres(R, diameter=35.0, spread=0.01)
    np.testing.assert_allclose(many, one, atol=2e-4)


def test_changes_are_those_of_finite_differences() -> None:
    _, by_diameter, by_spread = spheres(R, diameter=35.0, spread=0.2)
    up, down = (spheres(R, diameter=35.0 + h, spread=0.2)[0] for h in (1e-3, -1e-3))
    np.testing.assert_allclose(by_diameter, (up - down) / 2e-3, atol=1e-6)
    up, down = (spheres(R, diameter=35.0, spread=0.2 + h)[0] for h in (1e-5, -1e-5))
    np.testing.assert_allclose(by_spread, (up - down) / 2e-5, atol=1e-4)
