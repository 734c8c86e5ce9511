"""Models from elsewhere as parts of a pattern: known mixtures with the noise of counts."""

import numpy as np
import pytest

from livepdf.analysis.ensemble import build_ensemble, ensemble_fq, xray_amplitudes
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.structure_fit import WantedCrystals
from livepdf.analysis.trends import Analysis, WantedModels, build_analysis
from livepdf.model.snapshot import Snapshot
from livepdf.numerics.form_factors import mean_form_factors
from tests.analysis.particles import Particle, particle


@pytest.fixture(scope="module")
def platinum() -> Particle:
    return particle("pt", diameter=30.0, centres=1)


def trimer(sample: Particle) -> np.ndarray:
    """Return F(Q) of three atoms 3.2 Å apart, as no crystal of platinum has them."""
    corners = np.array([[0.0, 0.0, 0.0], [3.2, 0.0, 0.0], [1.6, 2.7713, 0.0]])
    one = Snapshot(elements=("Pt",) * 3, cartesian=corners, cell=None)
    return ensemble_fq(
        build_ensemble([one], r_max=20.0),
        q=sample.q,
        amplitudes=xray_amplitudes(["Pt"], sample.q),
        mean_f2=mean_form_factors(q=sample.q, composition={"Pt": 1.0})[0] ** 2,
        uiso=np.array([0.01]),
    )


def analysis_of(sample: Particle, *, crystals: bool = True) -> Analysis:
    wanted = WantedCrystals(candidates=(Candidate(structure=sample.structure),), cross_checks=False)
    return build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        crystals=wanted if crystals else None,
        models=WantedModels(names=("trimer",), curves=trimer(sample)[None]),
        qdamp=0.0,
    )


def mixture(sample: Particle, crystal: float, cluster: float, seed: int) -> np.ndarray:
    sigma = sample.sigma(1e7)
    noise = sigma * np.random.default_rng(seed).standard_normal(len(sigma))
    return sample.corrected(crystal * sample.fq + cluster * trimer(sample) + noise, rpoly=0.9)


def test_amounts_beside_a_growing_crystal_are_right_within_their_errors(
    platinum: Particle,
) -> None:
    analysis, sigma = analysis_of(platinum), platinum.sigma(1e7)
    pulls = []
    for seed in range(12):
        share = (seed + 1) / 13
        fq = mixture(platinum, share, 1.0 - share, seed)
        value = {t.name: t for t in analysis.evaluate(fq=fq, sigma=sigma).trends}
        found = value["trimer amount"]
        pulls.append((found.value - (1.0 - share)) / found.sigma)
        assert value["conversion"].value == pytest.approx(share, abs=0.03)
    assert abs(np.mean(pulls)) < 1.0
    assert 0.6 < np.std(pulls) < 1.5


def test_without_a_structure_the_model_is_laid_over_the_data_with_its_rw(
    platinum: Particle,
) -> None:
    analysis, sigma = analysis_of(platinum, crystals=False), platinum.sigma(1e7)

    alone = analysis.evaluate(fq=mixture(platinum, 0.0, 0.7, 1), sigma=sigma)
    wrong = analysis.evaluate(fq=mixture(platinum, 1.0, 0.0, 2), sigma=sigma)

    right, other = ({t.name: t for t in found.trends} for found in (alone, wrong))
    assert list(right) == ["trimer amount", "trimer Rw"]
    amount = right["trimer amount"]
    assert abs(amount.value - 0.7) < 4.0 * amount.sigma
    assert right["trimer Rw"].value < 0.5
    assert other["trimer Rw"].value > 0.8
    assert alone.model_fq is not None
    seen = analysis.compared
    left = (mixture(platinum, 0.0, 0.7, 1) - alone.model_fq)[seen] / sigma[seen]
    assert np.mean(left**2) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nonsense_has_no_amount(platinum: Particle, bad: float) -> None:
    analysis = analysis_of(platinum, crystals=False)
    q = analysis.q
    for fq, sigma in ((np.full(q.size, bad), np.ones(q.size)), (np.sin(q), np.full(q.size, bad))):
        for trend in analysis.evaluate(fq=fq, sigma=sigma).trends:
            assert np.isnan(trend.value) == bool(trend.reason), trend
