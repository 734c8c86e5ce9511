"""Ways to get a plausible wrong number, each shown next to the right one."""

from dataclasses import replace

import numpy as np
import pytest

from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.estimator.estimate import Warm
from livepdf.numerics.form_factors import dispersion, form_factor
from tests.analysis.estimator.spheres import estimator_for, named, noisy
from tests.analysis.particles import Particle, particle


@pytest.fixture(scope="module")
def hafnia() -> Particle:
    return particle("hfo2-monoclinic", diameter=35.0, centres=4, step=0.02)


@pytest.fixture(scope="module")
def tin() -> Particle:
    return particle("sno2-rutile", diameter=40.0, qmax=14.0, centres=4, step=0.02)


def with_weights(estimator: Estimator, weights: np.ndarray) -> Estimator:
    phase = estimator.phases[0]
    return replace(estimator, phases=(replace(phase, box=replace(phase.box, weights=weights)),))


def test_constant_weights_spoil_the_displacements_of_the_light_atom(hafnia: Particle) -> None:
    exact = estimator_for(hafnia)
    pairs = exact.phases[0].box.classes.pairs
    z = np.array([72.0, 8.0])
    constant = np.array([z[a] * z[b] for a, b in pairs]) / (hafnia.fractions @ z) ** 2
    rough = with_weights(exact, np.outer(constant, np.ones(hafnia.q.shape)))
    sigma = hafnia.sigma(1e8)

    right, wrong = (one.evaluate(fq=hafnia.fq, sigma=sigma) for one in (exact, rough))

    oxygen = right.parameters.index("U(O)")
    assert right.values[oxygen] == pytest.approx(0.0070, rel=0.05)
    assert wrong.values[oxygen] > 1.4 * 0.0070
    assert wrong.chi2 > 20 * right.chi2


def test_forgetting_dispersion_near_an_edge_spoils_the_displacements(hafnia: Particle) -> None:
    # Hf at 60 keV lacks 2.3 of its electrons.
    energy = 60.0
    f = np.array(
        [
            form_factor(q=hafnia.q, element=e) + dispersion(element=e, energy=energy)
            for e in hafnia.structure.species
        ]
    )
    aware = estimator_for(hafnia, energy_kev=energy)
    phase = aware.phases[0]
    values = np.concatenate([[35.0], phase.reference[1:]])
    seen, _ = phase.box.evaluate(values)
    # The data were divided by what is right; who forgets f′ has both its own ⟨f⟩ and weights.
    plain = np.abs(hafnia.fractions @ hafnia.amplitudes) ** 2
    divided = seen * np.abs(hafnia.fractions @ f) ** 2 / plain
    sigma = hafnia.sigma(1e8)

    right = aware.evaluate(fq=seen, sigma=sigma)
    wrong = estimator_for(hafnia).evaluate(fq=divided, sigma=sigma)

    metal = right.parameters.index("U(Hf)")
    true = values[metal - 1]
    assert right.values[metal] == pytest.approx(true, rel=0.01)
    assert wrong.values[metal] - true > 0.15 * 0.0040


def test_a_forgotten_resolution_makes_domains_smaller(tin: Particle) -> None:
    aware, unaware = estimator_for(tin, qdamp=0.04), estimator_for(tin, qdamp=0.0)
    phase = aware.phases[0]
    seen, _ = phase.box.evaluate(np.concatenate([[40.0], phase.reference[1:]]))
    sigma = tin.sigma(1e8)

    right, wrong = (one.evaluate(fq=seen, sigma=sigma) for one in (aware, unaware))

    assert right.values[1] == pytest.approx(40.0, abs=0.05)
    assert wrong.values[1] == pytest.approx(0.88 * 40.0, rel=0.03)


def test_a_size_that_grows_is_not_taken_for_conversion(tin: Particle) -> None:
    # A fixed end member of 40 Å sees half of a wholly converted sample of small domains.
    small = particle("sno2-rutile", diameter=20.0, qmax=14.0, centres=8, step=0.02)
    estimator, sigma = estimator_for(tin), tin.sigma(1e7)

    fixed = estimator.amplitude(fq=small.fq, sigma=sigma, diameter=40.0)
    free = estimator.evaluate(fq=small.fq, sigma=sigma)

    assert fixed.scale < 0.75
    assert named(free, "crystalline scale").value == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("diameter", [11.0, 69.0])
def test_a_fit_does_not_stick_where_the_window_before_ended(tin: Particle, diameter: float) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e7)
    far = np.concatenate([[0.02], estimator.phases[0].reference])
    far[1], far[2], far[3] = diameter, 1.008 * far[2], 0.992 * far[3]

    found = estimator.evaluate(
        fq=noisy(tin.fq, sigma, 1), sigma=sigma, start=Warm(phases=(0,), values=far)
    )

    assert named(found, "domain size").value == pytest.approx(40.0, abs=0.6)


def test_a_start_of_another_estimator_is_passed_over(tin: Particle) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e7)

    found = estimator.evaluate(
        fq=tin.fq, sigma=sigma, start=Warm(phases=(0, 1), values=np.zeros(5))
    )

    assert named(found, "domain size").value == pytest.approx(40.0, abs=0.3)


def test_the_scale_of_the_best_of_many_sizes_is_no_test_but_the_fixed_template_is(
    tin: Particle,
) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e6)
    random = np.random.default_rng(4)

    z, best = [], []
    for _ in range(150):
        noise = sigma * random.standard_normal(sigma.size)
        z.append(estimator.amplitude(fq=noise, sigma=sigma, diameter=20.0).z)
        best.append(
            max(
                estimator.amplitude(fq=noise, sigma=sigma, diameter=d).z
                for d in estimator.phases[0].diameters[::2]
            )
        )

    assert np.mean(z) == pytest.approx(0.0, abs=0.25)
    assert np.std(z) == pytest.approx(1.0, abs=0.17)
    assert np.mean(best) > np.mean(z) + 0.25


def test_backgrounds_leave_no_trace_in_any_value(tin: Particle) -> None:
    hump = np.array([5 * np.exp(-((tin.q - 2.1) ** 2) / 0.5), 3 * np.sin(2.8 * tin.q) / tin.q])
    estimator, sigma = estimator_for(tin, nuisances=hump), tin.sigma(1e7)

    plain = estimator.evaluate(fq=tin.fq, sigma=sigma)
    buried = estimator.evaluate(fq=tin.fq + 7.0 * hump[0] - 2.0 * hump[1], sigma=sigma)

    np.testing.assert_allclose(buried.values, plain.values, rtol=1e-4)
    np.testing.assert_allclose(buried.crystal_fq, plain.crystal_fq, atol=1e-3)
    difference = buried.model_fq - plain.model_fq
    np.testing.assert_allclose(difference, 7.0 * hump[0] - 2.0 * hump[1], atol=1e-2)


def test_columns_that_say_the_same_twice_do_no_harm(tin: Particle) -> None:
    hump = np.exp(-((tin.q - 2.1) ** 2) / 0.5)
    once = estimator_for(tin, nuisances=hump[None])
    twice = estimator_for(tin, nuisances=np.array([hump, 3.0 * hump, 0.0 * hump]))
    sigma = tin.sigma(1e7)

    one, other = (e.evaluate(fq=tin.fq, sigma=sigma) for e in (once, twice))

    np.testing.assert_allclose(other.values, one.values, rtol=1e-6)
    assert np.isfinite(other.model_fq).all()


def test_the_correction_polynomial_of_the_reduction_changes_nothing(tin: Particle) -> None:
    estimator = estimator_for(tin, slow_degree=4)
    sigma = tin.sigma(1e7)
    # Of degree below 0.9 Å × 13.2 Å⁻¹/π − 1 = 2.8: inside what is left out.
    corrected = tin.corrected(tin.fq, rpoly=0.9)
    assert np.abs(corrected - tin.fq).max() > 0.05

    one, other = (estimator.evaluate(fq=fq, sigma=sigma) for fq in (tin.fq, corrected))

    np.testing.assert_allclose(other.values, one.values, rtol=1e-5)


def test_correlated_points_count_for_less(tin: Particle) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e7)
    n = len(sigma)
    mix = np.eye(n) + 0.5 * np.eye(n, k=1) + 0.5 * np.eye(n, k=-1)
    shared = sigma[:, None] * (mix @ mix.T) * sigma / 1.5
    whole = np.sqrt(np.diag(shared))
    noise = sigma * (mix @ np.random.default_rng(1).standard_normal(n)) / np.sqrt(1.5)
    fq = 0.5 * tin.fq + noise

    alone = estimator.evaluate(fq=fq, sigma=whole)
    same = estimator.evaluate(fq=fq, sigma=whole, covariance=np.diag(whole**2))
    correlated = estimator.evaluate(fq=fq, sigma=whole, covariance=shared)

    np.testing.assert_allclose(same.values, alone.values, rtol=1e-4)
    np.testing.assert_allclose(same.covariance, alone.covariance, rtol=1e-3)
    # Noise that neighbours share is slow: twice the variance where the crystal's signal is.
    ratio = np.sqrt(np.diag(correlated.covariance) / np.diag(alone.covariance))
    assert (ratio[:4] > 1.2).all()


def test_a_mixture_of_sizes_shows_its_volume_weighted_mean() -> None:
    median, spread = 30.0, 0.15
    sizes = median * np.exp(spread * np.linspace(-2.5, 2.5, 9))
    number = np.exp(-(np.linspace(-2.5, 2.5, 9) ** 2) / 2)
    volume = number * sizes**3
    parts = [particle("sno2-rutile", diameter=d, qmax=14.0, centres=3, step=0.02) for d in sizes]
    fq = np.sum([v * p.fq for v, p in zip(volume, parts, strict=True)], axis=0) / volume.sum()
    d43 = (volume @ sizes) / volume.sum()

    found = estimator_for(parts[0]).evaluate(fq=fq, sigma=parts[0].sigma(1e7))

    assert named(found, "domain size").value == pytest.approx(d43, rel=0.015)
    assert found.values[1] > 1.03 * (number @ sizes) / number.sum()


def test_an_element_without_a_table_is_refused(tin: Particle) -> None:
    with pytest.raises(ValueError, match="keV"):
        build_estimator(
            q=tin.q,
            candidates=[Candidate(structure=tin.structure)],
            composition=tin.composition,
            energy_kev=-1.0,
        )
