import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import NamedShell
from livepdf.analysis.estimator.phase import Phase
from tests.analysis.estimator.spheres import estimator_for, named
from tests.analysis.particles import Particle, particle

CASES = {
    "Hf-O": ("hfo2-monoclinic", 2.14, 1e7, 0.007),
    "Sn-O": ("sno2-rutile", 2.05, 1e7, 0.007),
    "Ti-O": ("tio2-anatase", 1.95, 1e8, 0.007),
    "Pt-Pt": ("pt", 2.77, 1e7, 0.003),
}


def longer_by(sample: Particle, phase: Phase, shift: float, diameter: float) -> np.ndarray:
    """Return F(Q) of explicit spheres whose first bond is longer by as much as the model says."""
    values = np.concatenate([[diameter], phase.reference[1:]])
    values[phase.names.index("delta2")] = 0.0
    plain, _ = phase.box.evaluate(values)
    values[phase.names.index("shift 0")] = shift
    return sample.fq + phase.box.evaluate(values)[0] - plain


@pytest.mark.parametrize("qmax", [8.0, 20.0])
@pytest.mark.parametrize("bond", CASES)
def test_a_bond_that_is_longer_by_30_mA_is_found_so(bond: str, qmax: float) -> None:
    name, near, photons, tolerance = CASES[bond]
    sample = particle(name, diameter=35.0, qmax=20.0, centres=4, step=0.02).up_to(qmax)
    estimator = estimator_for(sample, shells=[NamedShell(name=bond, near=near)])
    phase = estimator.phases[0]
    plain, _ = phase.distance(0, phase.reference)
    fq, sigma = longer_by(sample, phase, 0.030, 35.0), sample.sigma(photons)
    random = np.random.default_rng(5)

    found = [
        named(
            estimator.evaluate(fq=fq + sigma * random.standard_normal(len(sigma)), sigma=sigma),
            f"{bond} distance",
        )
        for _ in range(25)
    ]

    shift = np.array([one.value for one in found]) - plain
    error = np.array([one.sigma for one in found])
    assert error.mean() < 0.008
    assert shift.mean() == pytest.approx(0.030, abs=0.003 + error.mean() / 5)
    assert np.abs(shift - 0.030).max() < tolerance + 3 * error.mean()
    assert 0.65 < np.std(shift) / error.mean() < 1.4


def test_a_bond_is_the_mean_of_its_shell_as_the_crystal_has_it() -> None:
    sample = particle("hfo2-monoclinic", diameter=25.0, centres=1, step=0.02)
    shells = [
        NamedShell(name="Hf-O", near=2.15),
        NamedShell(name="Hf-Hf", near=3.44),
        NamedShell(name="Hf-Hf far", near=3.95),
    ]
    phase = estimator_for(sample, shells=shells).phases[0]

    distances = [phase.distance(k, phase.reference)[0] for k in range(3)]

    np.testing.assert_allclose(distances, [2.145, 3.436, 3.955], atol=0.004)


def test_shifts_are_withheld_where_the_rest_of_the_structure_does_not_fit() -> None:
    sample = particle("sno2-rutile", diameter=35.0, centres=3, step=0.02)
    estimator = estimator_for(sample, shells=[NamedShell(name="Sn-O", near=2.05)])
    other = particle("tio2-rutile", diameter=35.0, centres=1, step=0.02)

    found = estimator.evaluate(fq=sample.fq + 0.1 * other.fq, sigma=sample.sigma(1e8))

    assert "does not fit" in named(found, "Sn-O distance").reason
    assert found.chi2 > 10.0
    assert named(found, "domain size").value == pytest.approx(35.0, rel=0.03)


def test_a_shell_that_is_not_there_is_refused() -> None:
    sample = particle("pt", diameter=20.0, centres=1, step=0.02)
    with pytest.raises(ValueError, match=r"no atoms 3\.2"):
        estimator_for(sample, shells=[NamedShell(name="odd", near=3.2)])
