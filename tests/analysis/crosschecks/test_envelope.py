"""Size by the envelope of G(r), of explicit spheres."""

import numpy as np
import pytest

from livepdf.analysis.crosschecks.envelope import build_envelope, envelope_size
from tests.analysis.particles import particle


@pytest.mark.parametrize(("name", "diameter"), [("hfo2-monoclinic", 50.0), ("pt", 30.0)])
def test_the_envelope_against_bulk_has_the_size_of_the_sphere(name: str, diameter: float) -> None:
    sample = particle(name, diameter=diameter, centres=3)
    envelope = build_envelope(sample.structure, q=sample.q, qdamp=0.0)
    sigma = sample.sigma(1e7)
    found = [
        envelope_size(
            envelope,
            fq=0.6 * sample.fq + sigma * np.random.default_rng(seed).standard_normal(len(sigma)),
            sigma=sigma,
        )
        for seed in range(8)
    ]
    sizes = np.array([one.diameter for one in found])
    assert np.mean(sizes) == pytest.approx(diameter, rel=0.05)
    assert np.abs(sizes - diameter).max() < 4.0 * max(one.sigma for one in found) + 0.03 * diameter


def test_noise_alone_has_no_size() -> None:
    sample = particle("pt", diameter=30.0, centres=1)
    envelope = build_envelope(sample.structure, q=sample.q, qdamp=0.0)
    sigma = sample.sigma(1e5)
    for seed in range(5):
        noise = sigma * np.random.default_rng(seed).standard_normal(len(sigma))
        assert envelope_size(envelope, fq=noise, sigma=sigma).reason
    assert envelope_size(envelope, fq=np.full(len(sigma), np.nan), sigma=sigma).reason
