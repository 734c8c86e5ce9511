import numpy as np
import pytest

from livepdf.simulate.growth import Growth
from livepdf.simulate.sample import Sample, demo_sample
from livepdf.simulate.surroundings import water_density, water_intensity

SAMPLE = Sample(
    structure_name="hfo2-monoclinic", molarity=1.0, growth=Growth(last_diameter=24.0), q_max=25.0
)
TRUTHS = SAMPLE.truths(frames=60, rate=10.0)


def test_the_truth_knows_the_mean_bond_of_monoclinic_hafnia() -> None:
    assert pytest.approx(2.145, abs=0.0015) == SAMPLE.nearest_neighbour


def test_patterns_are_positive_from_the_first_to_the_last_frame() -> None:
    for truth in (TRUTHS[0], TRUTHS[25], TRUTHS[-1]):
        assert (SAMPLE.intensity(truth) > 0.0).all()


def test_all_atoms_scatter_independently_at_high_q_whatever_they_have_become() -> None:
    high = SAMPLE.q > 22.0
    solute = [
        (SAMPLE.intensity(truth) - SAMPLE.blank(truth.temperature))[high].mean()
        for truth in (TRUTHS[0], TRUTHS[-1])
    ]

    assert solute[1] == pytest.approx(solute[0], rel=0.02)


def test_the_solute_of_a_molar_hafnia_solution_matches_its_surroundings_at_5() -> None:
    # solute over background 1.2 at Q = 5 Å⁻¹ in such a cell
    at = np.searchsorted(SAMPLE.q, 5.0)
    near = slice(at - 60, at + 60)
    blank = SAMPLE.blank(298.0)[near].mean()

    ratio = (SAMPLE.intensity(TRUTHS[0])[near].mean() - blank) / blank
    assert 0.7 < ratio < 1.8


def test_water_peaks_near_2_per_angstrom_and_thins_when_heated() -> None:
    q = np.arange(0.5, 10.0, 0.01)
    cold = water_intensity(q, temperature=298.0, energy=80.0)

    assert 1.7 < q[np.argmax(cold)] < 2.7
    assert (cold > 0.0).all()
    assert water_density(573.0) < 0.8 * water_density(298.0)


def test_a_temperature_that_water_is_not_known_at_is_refused() -> None:
    with pytest.raises(ValueError, match="water"):
        SAMPLE.blank(900.0)


def test_an_unknown_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="hfo2 or tio2"):
        demo_sample("gold")
