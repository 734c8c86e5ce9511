import numpy as np
import pytest

from livepdf.numerics.compton import mean_compton, recoil
from livepdf.numerics.form_factors import form_factor

Q = np.linspace(0.0, 40.0, 401)


def test_far_out_every_electron_scatters_incoherently() -> None:
    far = mean_compton(q=np.array([800.0]), composition={"O": 1}, energy=None)

    assert far[0] == pytest.approx(8, rel=0.01)


def test_nothing_is_incoherent_at_zero_and_all_of_it_rises() -> None:
    for element in ("H", "O", "Ti", "Hf", "Pt"):
        free = mean_compton(q=Q, composition={element: 1}, energy=None)

        assert free[0] == 0.0
        assert np.all(np.diff(free) > -1e-4)


def test_hydrogen_has_its_closed_form() -> None:
    # One electron: S = 1 - f².
    free = mean_compton(q=Q[1:], composition={"H": 1}, energy=None)

    np.testing.assert_allclose(free, 1 - form_factor(q=Q[1:], element="H") ** 2, atol=0.01)


def test_a_composition_is_the_mean_over_its_atoms() -> None:
    hafnium, oxygen = (mean_compton(q=Q, composition={e: 1}, energy=60.0) for e in ("Hf", "O"))

    mean = mean_compton(q=Q, composition={"Hf": 2, "O": 4}, energy=60.0)

    np.testing.assert_allclose(mean, (hafnium + 2 * oxygen) / 3)


def test_a_photon_sent_straight_back_loses_what_compton_found() -> None:
    back = recoil(q=np.array([0.0, 4 * np.pi * 60.0 / 12.398419843]), energy=60.0)

    np.testing.assert_allclose(back, [1.0, 1 / (1 + 2 * 60 / 510.99895)])


def test_an_energy_that_does_not_reach_the_last_q_is_refused() -> None:
    with pytest.raises(ValueError, match="reach no further than"):
        mean_compton(q=Q, composition={"O": 1}, energy=12.0)
