import numpy as np
import pytest

from livepdf.numerics.form_factors import form_factor, mean_form_factors

Q = np.linspace(0.0, 30.0, 301)


def test_the_factor_of_a_neutral_atom_is_its_number_of_electrons_at_zero() -> None:
    for element, electrons in (("O", 8), ("Ti", 22), ("Hf", 72)):
        assert form_factor(q=Q, element=element)[0] == pytest.approx(electrons, rel=2e-3)


def test_gold_agrees_with_the_printed_table_values() -> None:
    np.testing.assert_allclose(
        form_factor(q=np.array([20.0, 30.0]), element="Au"), [17.94, 12.62], atol=5e-3
    )


def test_only_ratios_of_the_composition_matter() -> None:
    once = mean_form_factors(q=Q, composition={"Ti": 1, "O": 2})
    thrice = mean_form_factors(q=Q, composition={"Ti": 3, "O": 6})

    np.testing.assert_allclose(once, thrice, rtol=1e-14)


def test_the_mean_square_is_the_square_of_the_mean_for_one_element_and_above_it_for_two() -> None:
    mean, square = mean_form_factors(q=Q, composition={"Ni": 4})
    np.testing.assert_allclose(square, mean**2, rtol=1e-14)

    mean, square = mean_form_factors(q=Q, composition={"Ti": 1, "O": 2})
    assert np.all(square > mean**2)


def test_an_element_without_a_table_is_named() -> None:
    with pytest.raises(ValueError, match="Og"):
        mean_form_factors(q=Q, composition={"Og": 1})
