"""Size by the breadth of Bragg peaks, of explicit spheres: right but for what is said of it."""

import numpy as np
import pytest

from livepdf.analysis.crosschecks.bragg import KNOWN_BIAS, Bragg, bragg_size, build_bragg
from livepdf.analysis.least_squares import slow_terms
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.reflections import powder_reflections
from tests.analysis.particles import Particle, particle


def bragg_of(sample: Particle, *, qdamp: float = 0.0) -> Bragg:
    slow = slow_terms(sample.q, degree=6)
    found = build_bragg(sample.structure, q=sample.q, qdamp=qdamp, nuisances=slow)
    assert found is not None
    return found


def noisy(sample: Particle, fq: np.ndarray, *, seed: int = 1) -> np.ndarray:
    sigma = sample.sigma(1e7)
    noise = sigma * np.random.default_rng(seed).standard_normal(len(sigma))
    return sample.corrected(fq + noise, rpoly=0.9)


@pytest.mark.parametrize(
    ("name", "diameter"), [("pt", 30.0), ("sno2-rutile", 40.0), ("hfo2-monoclinic", 40.0)]
)
def test_breadths_read_too_large_by_the_share_that_is_told(name: str, diameter: float) -> None:
    whole = particle(name, diameter=diameter, centres=1)
    for sample in (whole, whole.up_to(8.0)):
        found = bragg_size(bragg_of(sample), fq=noisy(sample, sample.fq), sigma=sample.sigma(1e7))

        assert not found.reason
        assert 0.97 < found.scherrer / diameter < 1.02 + KNOWN_BIAS
        assert abs(found.scherrer - diameter) < 2.0 * found.scherrer_sigma
        # Many lines of low symmetry leave little for a slope: then there is a reason.
        assert found.hall_reason or abs(found.hall - diameter) < 2.5 * found.hall_sigma


def test_the_instruments_share_of_the_breadth_is_taken_off() -> None:
    sample = particle("pt", diameter=50.0, centres=1)
    # A Gaussian of 0.03 Å⁻¹ in Q damps distances by exp(−(0.03 r)²/2): blur F alike.
    steps = sample.q[:, None] - sample.q
    blur = np.exp(-0.5 * (steps / 0.03) ** 2)
    blurred = (blur / blur.sum(axis=1, keepdims=True)) @ sample.fq
    fq, sigma = noisy(sample, blurred), sample.sigma(1e7)

    known = bragg_size(bragg_of(sample, qdamp=0.03), fq=fq, sigma=sigma)
    unknown = bragg_size(bragg_of(sample), fq=fq, sigma=sigma)

    assert known.scherrer == pytest.approx(50.0, rel=0.1)
    assert unknown.scherrer < 0.95 * known.scherrer


def test_strain_broadens_in_proportion_to_q_and_only_one_of_the_two_is_misled() -> None:
    # Crystals of 40 Å whose cells differ by 1 % (Gaussian): a ring at Q is blurred by 0.01 Q.
    sample = particle("pt", diameter=40.0, centres=1)
    spread = 0.01 * np.linspace(-3.0, 3.0, 31)
    share = np.exp(-0.5 * (spread / 0.01) ** 2)
    rows = [np.interp(sample.q / (1.0 + e), sample.q, sample.fq) / (1.0 + e) for e in spread]
    fq = share @ np.array(rows) / share.sum()

    found = bragg_size(bragg_of(sample), fq=noisy(sample, fq), sigma=sample.sigma(1e7))

    assert found.strain > 5.0 * found.strain_sigma
    assert found.scherrer < 0.95 * 40.0
    assert found.hall > 1.15 * found.scherrer


def test_noise_gaps_and_nonsense_have_no_size() -> None:
    sample = particle("pt", diameter=30.0, centres=1)
    bragg, sigma = bragg_of(sample), sample.sigma(1e6)
    for seed in range(5):
        noise = sigma * np.random.default_rng(seed).standard_normal(len(sigma))
        found = bragg_size(bragg, fq=noise, sigma=sigma)
        assert found.reason
        assert found.hall_reason
        assert np.isnan([found.scherrer, found.hall, found.strain]).all()
    for bad in (np.nan, np.inf, 1e300, -1e300):
        assert bragg_size(bragg, fq=np.full(len(sigma), bad), sigma=sigma).reason
        assert bragg_size(bragg, fq=sample.fq, sigma=np.full(len(sigma), np.nan)).reason


def test_rings_of_fcc_are_those_of_all_odd_or_all_even_indices() -> None:
    sample = particle("pt", diameter=20.0, centres=1)
    structure, q = sample.structure, sample.q
    found = powder_reflections(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        amplitudes=np.array([form_factor(q=q, element="Pt")]),
        amplitudes_q=q,
        q_max=6.0,
    )

    step = 2.0 * np.pi / structure.lengths[0]
    rings = {3: 8, 4: 6, 8: 12, 11: 24, 12: 8}  # h² + k² + l²: how many reflections
    np.testing.assert_allclose(found.q, step * np.sqrt(list(rings)), rtol=1e-9)
    expected = 16.0 * np.array(list(rings.values())) / found.q
    np.testing.assert_allclose(found.strength, expected, rtol=1e-6)
