import numpy as np
import pytest

from livepdf.analysis.trends import Analysis, WantedPeak, WantedSize, build_analysis
from tests.analysis.particles import Particle, particle

NAMES = [
    "Hf-O position",
    "Hf-O FWHM",
    "Hf-O area",
    "Hf-Hf position",
    "Hf-Hf FWHM",
    "Hf-Hf area",
    "domain size",
    "lattice strain",
    "crystalline scale",
]


@pytest.fixture(scope="module")
def hafnia() -> Particle:
    return particle("hfo2-monoclinic", diameter=40.0)


def analysis_of(sample: Particle, *, qdamp: float | None = 0.0) -> Analysis:
    return build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[
            WantedPeak(name="Hf-O", near=2.14, reach=0.3),
            WantedPeak(name="Hf-Hf", near=3.44, reach=0.3),
        ],
        size=WantedSize(structure=sample.structure, rmin=6.0, rmax=55.0),
        qdamp=qdamp,
    )


@pytest.fixture(scope="module")
def analysis(hafnia: Particle) -> Analysis:
    return analysis_of(hafnia)


def test_a_noisy_window_gives_bond_size_and_lattice_within_their_errors(
    hafnia: Particle, analysis: Analysis
) -> None:
    sigma = hafnia.sigma(1e7)
    noise = sigma * np.random.default_rng(1).standard_normal(len(sigma))

    trends = analysis.evaluate(fq=hafnia.corrected(hafnia.fq + noise, rpoly=0.9), sigma=sigma)

    value = {trend.name: trend for trend in trends}
    assert list(value) == NAMES
    for name, truth in (
        ("Hf-O position", 2.1445),
        ("Hf-Hf position", 3.4363),
        ("domain size", 40.0),
        ("lattice strain", 0.0),
        ("crystalline scale", 1.0),
    ):
        assert abs(value[name].value - truth) < 3.5 * value[name].sigma + 2e-3 * truth, name
    assert value["Hf-O position"].sigma < 0.02
    assert value["domain size"].sigma < 0.5


@pytest.mark.parametrize(
    "fill", [np.nan, 0.0, 1e300, -1e300, np.inf], ids=["nan", "zero", "huge", "negative", "inf"]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_data_give_every_name_with_a_reason(analysis: Analysis, fill: float) -> None:
    n = len(analysis.q)
    for fq, sigma in (
        (np.full(n, fill), np.ones(n)),
        (np.sin(analysis.q), np.full(n, fill)),
    ):
        trends = analysis.evaluate(fq=fq, sigma=sigma)

        assert [trend.name for trend in trends] == NAMES
        for trend in trends:
            assert np.isnan(trend.value) == bool(trend.reason)
            assert np.isnan(trend.sigma) == bool(trend.reason)


def test_size_waits_for_the_resolution_but_the_bond_does_not(hafnia: Particle) -> None:
    analysis = analysis_of(hafnia, qdamp=None)

    trends = analysis.evaluate(fq=hafnia.corrected(hafnia.fq, rpoly=0.9), sigma=hafnia.sigma(1e7))

    value = {trend.name: trend for trend in trends}
    assert "qdamp" in value["domain size"].reason
    assert np.isnan(value["domain size"].value)
    assert value["Hf-O position"].reason == ""
    assert value["lattice strain"].reason == ""


@pytest.mark.parametrize(
    ("name", "near", "truth"), [("tio2-anatase", 3.78, 3.784), ("hfo2-monoclinic", 3.95, 3.955)]
)
def test_an_overlapped_shell_needs_the_rest_of_the_structure(
    name: str, near: float, truth: float
) -> None:
    sample = particle(name, diameter=35.0)
    analysis = build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[WantedPeak(name="shell", near=near, reach=0.3)],
        size=WantedSize(structure=sample.structure, rmin=3.0, rmax=50.0),
        qdamp=0.0,
    )
    sigma = sample.sigma(1e7)
    foreign = np.random.default_rng(0).standard_normal(len(sigma)) * 8.0 * sample.q

    good = analysis.evaluate(fq=sample.corrected(sample.fq, rpoly=0.9), sigma=sigma)
    bad = analysis.evaluate(fq=sample.fq + foreign, sigma=sigma)

    assert good[0].value == pytest.approx(truth, abs=0.006)
    assert bad[0].reason.startswith("unresolved at this Qmax")


def test_peaks_alone_need_no_structure(hafnia: Particle) -> None:
    analysis = build_analysis(
        fit_q=hafnia.q,
        qmax=18.0,
        rpoly=0.9,
        composition=hafnia.composition,
        peaks=[WantedPeak(name="first", near=2.13, reach=0.35)],
    )
    inside = len(analysis.q)

    trends = analysis.evaluate(
        fq=hafnia.corrected(hafnia.fq, rpoly=0.9)[:inside], sigma=hafnia.sigma(1e8)[:inside]
    )

    assert [trend.name for trend in trends] == ["first position", "first FWHM", "first area"]
    assert trends[0].value == pytest.approx(2.1445, abs=0.02)


def test_data_on_another_grid_are_a_defect(analysis: Analysis) -> None:
    with pytest.raises(ValueError, match="wanted"):
        analysis.evaluate(fq=np.zeros(3), sigma=np.ones(3))
