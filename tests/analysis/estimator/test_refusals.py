import numpy as np
import pytest

from tests.analysis.estimator.spheres import estimator_for, named, noisy
from tests.analysis.particles import Particle, particle


@pytest.fixture(scope="module")
def tin() -> Particle:
    return particle("sno2-rutile", diameter=35.0, qmax=14.0, centres=4, step=0.02)


def test_the_names_are_the_same_whatever_the_data(tin: Particle) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e7)
    nothing = np.full(len(tin.q), np.nan)

    seen = [
        estimator.evaluate(fq=fq, sigma=sigma)
        for fq in (tin.fq, -tin.fq, nothing, noisy(0.0 * tin.q, sigma, 1))
    ]

    names = [[trend.name for trend in one.trends] for one in seen]
    assert all(one == names[0] for one in names)
    for one in seen[1:]:
        for trend in one.trends:
            assert np.isfinite(trend.value) or trend.reason


def test_size_and_lattice_wait_until_the_scale_is_ten_times_its_error(tin: Particle) -> None:
    estimator, sigma = estimator_for(tin), tin.sigma(1e6)

    early = estimator.evaluate(fq=noisy(0.03 * tin.fq, sigma, 3), sigma=sigma)
    late = estimator.evaluate(fq=noisy(0.8 * tin.fq, sigma, 3), sigma=sigma)

    assert "too little crystalline signal" in named(early, "domain size").reason
    assert np.isnan(named(early, "lattice a").value)
    assert named(early, "crystalline scale").value == pytest.approx(0.03, abs=0.03)
    assert named(late, "domain size").value == pytest.approx(35.0, abs=2.0)


@pytest.mark.parametrize(("diameter", "scale", "shown"), [(12.0, 0.1, False), (35.0, 0.03, True)])
def test_little_of_so_small_domains_that_they_may_be_clusters_has_no_scale(
    diameter: float, scale: float, shown: bool
) -> None:
    some = particle("sno2-rutile", diameter=diameter, qmax=14.0, centres=4, step=0.02)
    sigma = some.sigma(2e6)

    found = estimator_for(some).evaluate(fq=noisy(scale * some.fq, sigma, 3), sigma=sigma)

    amount = named(found, "crystalline scale")
    assert 5.0 < found.values[0] / found.covariance[0, 0] ** 0.5 < 10.0
    assert np.isfinite(amount.value) == shown
    assert ("clusters of the precursor" in amount.reason) != shown


def test_no_size_without_a_calibrated_resolution(tin: Particle) -> None:
    found = estimator_for(tin, qdamp=None).evaluate(fq=tin.fq, sigma=tin.sigma(1e7))

    assert "not calibrated" in named(found, "domain size").reason
    assert "not calibrated" in named(found, "crystalline scale").reason
    assert np.isfinite(named(found, "lattice a").value)


def test_a_size_that_the_resolution_hides_is_at_least_what_it_shows(tin: Particle) -> None:
    estimator = estimator_for(tin, qdamp=0.08)
    phase = estimator.phases[0]
    values = phase.reference.copy()
    values[0] = 40.0
    seen, _ = phase.box.evaluate(values)

    found = estimator.evaluate(fq=seen, sigma=tin.sigma(1e8))

    assert named(found, "domain size").reason.startswith("≥ 31 Å")
    assert np.isfinite(named(found, "lattice a").value)


def test_an_error_of_the_resolution_goes_into_that_of_the_size(tin: Particle) -> None:
    sigma = tin.sigma(1e8)
    known = estimator_for(tin, qdamp=0.03)
    doubtful = estimator_for(tin, qdamp=0.03, qdamp_sigma=0.003)
    other = estimator_for(tin, qdamp=0.033)

    sizes = [one.evaluate(fq=tin.fq, sigma=sigma) for one in (known, doubtful, other)]

    d = [named(one, "domain size") for one in sizes]
    extra = np.sqrt(d[1].sigma ** 2 - d[0].sigma ** 2)
    assert extra == pytest.approx(abs(d[2].value - d[0].value), rel=0.2)


def test_another_structure_is_refused_in_words() -> None:
    anatase = particle("tio2-anatase", diameter=40.0, qmax=14.0, centres=3, step=0.02)
    rutile = particle("tio2-rutile", diameter=40.0, qmax=14.0, centres=1, step=0.02)

    found = estimator_for(rutile).evaluate(fq=anatase.fq, sigma=anatase.sigma(1e8))

    assert found.chi2 > 3.0
    for name in ("domain size", "lattice a", "lattice c", "U(Ti)", "crystalline scale"):
        assert named(found, name).reason, name


@pytest.mark.parametrize("bad", [np.nan, 0.0, -1.0])
def test_data_without_errors_are_refused_in_words(tin: Particle, bad: float) -> None:
    found = estimator_for(tin).evaluate(fq=tin.fq, sigma=np.full(len(tin.q), bad))

    assert "uncertainty" in named(found, "domain size").reason
    assert np.isnan(found.amplitude_z)
    assert found.warm is None


def test_gaps_in_the_data_are_left_out(tin: Particle) -> None:
    fq = tin.fq.copy()
    fq[100:130] = np.nan
    fq[::37] = np.inf

    found = estimator_for(tin).evaluate(fq=fq, sigma=tin.sigma(1e7))

    assert named(found, "domain size").value == pytest.approx(35.0, rel=0.015)


def test_settings_without_meaning_are_refused(tin: Particle) -> None:
    with pytest.raises(ValueError, match="qdamp is -1"):
        estimator_for(tin, qdamp=-1.0)
    with pytest.raises(ValueError, match="rising"):
        estimator_for(tin, diameter_limits=(50.0, 20.0))
    with pytest.raises(ValueError, match="nuisances have shape"):
        estimator_for(tin, nuisances=np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"F\(Q\) has"):
        estimator_for(tin).evaluate(fq=tin.fq[1:], sigma=tin.fq)
