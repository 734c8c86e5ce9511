import numpy as np
import pytest

from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.estimator.published import Limits, fit_published
from livepdf.files.structures import read_structure
from livepdf.model.curve import Trend
from livepdf.numerics.transform import exact_transform
from tests.analysis.estimator.spheres import named, noisy
from tests.analysis.particles import Particle, particle

CUBIC = ("pt", "ceo2")


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


@pytest.mark.parametrize("share", [0.2, 0.8])
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


def test_a_gr_tells_the_shares_of_named_crystals_and_what_others_could_hide(
    anatase: Particle,
) -> None:
    metal, oxide = (particle(n, diameter=25.0, qmax=14.0, centres=2, step=0.02) for n in CUBIC)
    r = np.round(np.arange(0.05, 21.0, 0.05), 10)

    def shares(third: float) -> list[Trend]:
        """Return those of 3 of metal in 10 of metal and oxide, beside a third in all atoms."""
        parts = {metal: 0.3 * (1 - third), oxide: 0.7 * (1 - third), anatase: third}
        mean = {p: p.fractions @ p.amplitudes for p in parts}
        whole = sum(c * mean[p] for p, c in parts.items())
        fq = sum(c * p.fq * mean[p] ** 2 for p, c in parts.items()) / whole**2
        composition = {e: 0.0 for p in parts for e in p.composition}
        for p, c in parts.items():
            for element, n in p.composition.items():
                composition[element] += c * n
        fit = fit_published(
            r=r,
            gr=exact_transform(q=metal.q, r=r).apply(fq),
            limits=Limits(qmin=0.8, qmax=14.0, qmaxinst=14.0, rpoly=0.0),
            candidates=[Candidate(structure=p.structure) for p in (metal, oxide)],
            composition=composition,
            rmin=1.7,
            rmax=20.0,
            qdamp=0.0,
        )
        return [trend for trend in fit.trends if trend.name.endswith("fraction")]

    clean, beside, hidden = shares(0.0), shares(0.9), shares(0.98)

    assert [trend.name for trend in clean] == ["pt fraction", "ceo2 fraction"]
    assert clean[0].value == pytest.approx(0.3, abs=0.005)
    assert clean[0].value + clean[1].value == pytest.approx(1.0)
    assert beside[0].sigma > 2.0 * clean[0].sigma
    assert beside[0].value == pytest.approx(0.3, abs=2.5 * beside[0].sigma)
    assert all("something beside these structures" in trend.reason for trend in hidden)


def test_what_no_structure_describes_is_not_shared_among_them(
    anatase: Particle, estimator: Estimator
) -> None:
    strange = anatase.fq + 2.0 * np.sin(1.7 * anatase.q) * np.exp(-((anatase.q - 7.0) ** 2) / 8.0)

    found = estimator.evaluate(fq=strange, sigma=anatase.sigma(1e8))

    for name in ("anatase", "rutile"):
        assert "does not describe the data" in named(found, f"tio2-{name} fraction").reason


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
