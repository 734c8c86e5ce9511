from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from livepdf.analysis.followed_peaks import WantedPeak
from livepdf.analysis.structure_fit import WantedCrystals
from livepdf.analysis.trends import Analysis, build_analysis
from tests.analysis.particles import Particle, particle

NAMES = [
    "Hf-O position",
    "Hf-O FWHM",
    "Hf-O area",
    "Hf-O neighbours",
    "Hf-O maximum",
    "Hf-Hf position",
    "Hf-Hf FWHM",
    "Hf-Hf area",
    "Hf-Hf neighbours",
    "Hf-Hf maximum",
    "conversion",
    "domain size",
    "lattice a",
    "lattice b",
    "lattice c",
    "lattice beta",
    "U(Hf)",
    "U(O)",
    "delta2",
    "Hf-O distance",
    "reduced χ²",
    "size by envelope",
    "size disagreement",
    "size by Scherrer",
    "size by Williamson-Hall",
    "strain by Williamson-Hall",
    "Scherrer disagreement",
]


@pytest.fixture(scope="module")
def hafnia() -> Particle:
    return particle("hfo2-monoclinic", diameter=40.0)


def analysis_of(sample: Particle, *, qdamp: float | None = 0.0) -> Analysis:
    shell = NamedShell(name="Hf-O", near=2.14)
    return build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[
            WantedPeak(name="Hf-O", near=2.14, reach=0.3),
            WantedPeak(name="Hf-Hf", near=3.44, reach=0.3),
        ],
        crystals=WantedCrystals(
            candidates=(Candidate(structure=sample.structure, shells=(shell,)),)
        ),
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
    fq = hafnia.corrected(hafnia.fq + noise, rpoly=0.9)

    found = analysis.evaluate(fq=fq, sigma=sigma)

    value = {trend.name: trend for trend in found.trends}
    assert list(value) == NAMES
    for name, truth in (
        ("Hf-O position", 2.1445),
        ("domain size", 40.0),
        ("lattice a", hafnia.structure.lengths[0]),
        ("conversion", 1.0),
        ("Hf-O distance", 2.1445),
    ):
        allowed = 3.5 * value[name].sigma + 5e-3 * truth
        assert abs(value[name].value - truth) < allowed, (name, value[name])
    assert value["domain size"].sigma < 0.5
    assert found.model_fq is not None
    seen = analysis.q > 2.0
    assert np.std((fq - found.model_fq)[seen]) < 1.3 * np.sqrt(np.mean(sigma[seen] ** 2))


def test_the_amplitude_is_linear_and_has_unit_noise(hafnia: Particle, analysis: Analysis) -> None:
    sigma = hafnia.sigma(1e7)
    rng = np.random.default_rng(2)
    nothing = [
        analysis.amplitude(fq=sigma * rng.standard_normal(len(sigma)), sigma=sigma)
        for _ in range(60)
    ]
    assert abs(np.mean(nothing)) < 0.4
    assert 0.75 < np.std(nothing) < 1.25
    whole = analysis.amplitude(fq=hafnia.fq, sigma=sigma)
    assert analysis.amplitude(fq=0.1 * hafnia.fq, sigma=sigma) == pytest.approx(0.1 * whole)
    assert np.isnan(analysis.amplitude(fq=np.full(len(sigma), np.nan), sigma=sigma))


@pytest.mark.parametrize(
    "fill", [np.nan, 0.0, 1e300, -1e300, np.inf], ids=["nan", "zero", "huge", "negative", "inf"]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_data_give_every_name_with_a_reason(
    analysis: Analysis, fill: float, capfd: pytest.CaptureFixture[str]
) -> None:
    n = len(analysis.q)
    for fq, sigma in (
        (np.full(n, fill), np.ones(n)),
        (np.sin(analysis.q), np.full(n, fill)),
    ):
        found = analysis.evaluate(fq=fq, sigma=sigma)

        assert [trend.name for trend in found.trends] == NAMES
        for trend in found.trends:
            assert np.isnan(trend.value) == bool(trend.reason), trend
            assert np.isnan(trend.sigma) == bool(trend.reason), trend
    # LAPACK writes past Python where it is handed infinities.
    assert "illegal value" not in "".join(capfd.readouterr())


def test_neighbours_are_those_of_the_bulk_less_what_the_surface_lacks() -> None:
    # In spheres of 30 Å an atom of platinum has 12·γ(2.77) = 10.34 neighbours, not 12.
    sample = particle("pt", diameter=30.0)
    analysis = build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[WantedPeak(name="Pt-Pt", near=2.77, reach=0.4)],
        crystals=WantedCrystals(candidates=(Candidate(structure=sample.structure),)),
        qdamp=0.0,
    )

    found = analysis.evaluate(fq=sample.corrected(sample.fq, rpoly=0.9), sigma=sample.sigma(1e8))

    value = {trend.name: trend for trend in found.trends}
    assert value["Pt-Pt neighbours"].value == pytest.approx(10.34, rel=0.12)
    assert value["size by envelope"].value == pytest.approx(30.0, rel=0.05)
    assert abs(value["size disagreement"].value) < 4.0


def test_size_waits_for_the_resolution_but_the_lattice_does_not(hafnia: Particle) -> None:
    analysis = analysis_of(hafnia, qdamp=None)
    fq = hafnia.corrected(hafnia.fq, rpoly=0.9)

    found = analysis.evaluate(fq=fq, sigma=hafnia.sigma(1e7))

    value = {trend.name: trend for trend in found.trends}
    for name in ("domain size", "size by envelope", "size by Scherrer"):
        assert "qdamp" in value[name].reason
    assert np.isnan(value["domain size"].value)
    assert value["Hf-O position"].reason == ""
    assert value["lattice a"].reason == ""


def test_an_overlapped_shell_is_unresolved_as_a_peak() -> None:
    sample = particle("tio2-anatase", diameter=35.0)
    analysis = build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[WantedPeak(name="shell", near=3.78, reach=0.3)],
        crystals=WantedCrystals(candidates=(Candidate(structure=sample.structure),)),
        qdamp=0.0,
    )

    found = analysis.evaluate(fq=sample.corrected(sample.fq, rpoly=0.9), sigma=sample.sigma(1e7))

    assert found.trends[0].reason.startswith("unresolved at this Qmax")


def test_peaks_alone_need_no_structure(hafnia: Particle) -> None:
    analysis = build_analysis(
        fit_q=hafnia.q,
        qmax=18.0,
        rpoly=0.9,
        composition=hafnia.composition,
        peaks=[WantedPeak(name="first", near=2.13, reach=0.35)],
    )
    inside = len(analysis.q)

    found = analysis.evaluate(
        fq=hafnia.corrected(hafnia.fq, rpoly=0.9)[:inside], sigma=hafnia.sigma(1e8)[:inside]
    )

    names = [trend.name for trend in found.trends]
    kinds = ("position", "FWHM", "area", "neighbours", "maximum")
    assert names == [f"first {kind}" for kind in kinds]
    assert found.trends[0].value == pytest.approx(2.1445, abs=0.02)
    assert found.model_fq is None


def test_all_analyses_are_measured_one_after_the_other_by_their_names(
    hafnia: Particle, analysis: Analysis
) -> None:
    names: list[str] = []

    def noted(name: str) -> AbstractContextManager[None]:
        names.append(name)
        return nullcontext()

    analysis.evaluate(fq=hafnia.fq, sigma=hafnia.sigma(1e7), timed=noted)

    assert names == [part.declared.name for part in analysis.parts]
    assert names == ["peaks of G(r)", "structure fit", "size by envelope", "size by Bragg breadths"]


def test_data_on_another_grid_are_a_defect(analysis: Analysis) -> None:
    with pytest.raises(ValueError, match="wanted"):
        analysis.evaluate(fq=np.zeros(3), sigma=np.ones(3))
