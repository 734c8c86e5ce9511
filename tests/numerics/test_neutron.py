import numpy as np
import pytest

from livepdf.numerics.neutron import mean_scattering_lengths, merge_banks

Q = np.linspace(0.5, 40.0, 800)


def test_lengths_are_those_of_the_printed_table() -> None:
    # Sears 1992: Ni 10.3 fm, Ti -3.438 (later -3.37), O 5.803, V nearly only incoherent.
    for element, length, tolerance in (("Ni", 10.3, 0.01), ("O", 5.803, 0.003), ("Ti", -3.4, 0.05)):
        mean, square, _ = mean_scattering_lengths(q=Q, composition={element: 3})
        np.testing.assert_allclose(mean, length, atol=tolerance)
        np.testing.assert_allclose(square, mean**2)
    mean, _, incoherent = mean_scattering_lengths(q=Q, composition={"V": 1})
    assert incoherent[0] * 4 * np.pi / 100 == pytest.approx(5.08, abs=0.01)
    assert incoherent[0] > 100 * mean[0] ** 2


def test_deuterium_is_not_hydrogen() -> None:
    light, _, _ = mean_scattering_lengths(q=Q, composition={"H": 2, "O": 1})
    heavy, _, _ = mean_scattering_lengths(q=Q, composition={"D": 2, "O": 1})

    assert light[0] < 0 < heavy[0]


def test_an_element_without_a_length_is_named() -> None:
    with pytest.raises(ValueError, match="Og"):
        mean_scattering_lengths(q=Q, composition={"Og": 1})


def test_banks_are_weighted_by_what_they_know() -> None:
    low, high = Q < 20, Q > 10
    truth = np.cos(Q)
    banks = [
        (Q[low], truth[low] + 0.1, np.full(low.sum(), 0.2)),
        (Q[high], truth[high] - 0.1, np.full(high.sum(), 0.1)),
    ]

    value, sigma = merge_banks(onto=Q, banks=banks)

    both = low & high
    np.testing.assert_allclose(value[both], truth[both] + (0.1 / 0.04 - 0.1 / 0.01) / 125)
    np.testing.assert_allclose(sigma[both], 125**-0.5)
    np.testing.assert_allclose(value[~high], truth[~high] + 0.1)
    np.testing.assert_allclose(sigma[~low], 0.1)


def test_merged_banks_scatter_as_their_sigma_says() -> None:
    rng = np.random.default_rng(3)
    spread = (0.3, 0.1, 0.2)
    values = np.array(
        [
            merge_banks(
                onto=Q, banks=[(Q, rng.normal(0, s, Q.size), np.full(Q.size, s)) for s in spread]
            )[0]
            for _ in range(50)
        ]
    )

    assert np.std(values) == pytest.approx(sum(s**-2 for s in spread) ** -0.5, rel=0.02)


def test_a_hole_in_one_bank_is_filled_by_the_other_and_in_both_stays_a_hole() -> None:
    holed = np.ones(Q.size)
    holed[100:120] = np.nan
    other = np.full(Q.size, 2.0)
    other[110] = np.nan

    value, sigma = merge_banks(
        onto=Q, banks=[(Q, holed, np.ones(Q.size)), (Q, other, np.ones(Q.size))]
    )

    assert value[105] == 2.0
    assert np.isnan(value[110])
    assert np.isnan(sigma[110])
    assert value[300] == 1.5


def test_a_bank_without_errors_is_refused() -> None:
    with pytest.raises(ValueError, match="no errors"):
        merge_banks(onto=Q, banks=[(Q, Q, np.zeros(Q.size))])
