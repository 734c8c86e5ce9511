import numpy as np
import pytest

from livepdf.numerics.polynomial import effective_degree, polynomial_fit, remainder_variance

Q = np.linspace(0.5, 25.0, 500)
F = np.random.default_rng(3).normal(size=Q.size)


def _textbook(degree: int) -> np.ndarray:
    columns = np.array([Q * (Q / 25) ** k for k in range(degree + 1)]).T
    return F - columns @ np.linalg.lstsq(columns, F, rcond=None)[0]


def test_an_integer_degree_is_the_least_squares_fit() -> None:
    np.testing.assert_allclose(polynomial_fit(q=Q, degree=6.0).remove(F), _textbook(6), atol=1e-9)


def test_between_integers_the_two_fits_mix_linearly() -> None:
    mixed = 0.3 * _textbook(5) + 0.7 * _textbook(6)

    np.testing.assert_allclose(polynomial_fit(q=Q, degree=5.7).remove(F), mixed, atol=1e-9)


def test_what_is_q_times_a_polynomial_goes_away_entirely() -> None:
    slow = Q * (1 - 0.2 * Q + 0.003 * Q**3)

    np.testing.assert_allclose(polynomial_fit(q=Q, degree=3.0).remove(slow), 0.0, atol=1e-9)


def test_below_degree_zero_there_is_no_polynomial() -> None:
    np.testing.assert_array_equal(polynomial_fit(q=Q, degree=-0.2).remove(F), F)


def test_the_degree_counts_the_points_really_there() -> None:
    assert effective_degree(q=Q, rpoly=0.9) == pytest.approx(0.9 * 24.5 / np.pi - 1)


def test_more_columns_than_points_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        polynomial_fit(q=Q[:5], degree=7.0)


@pytest.mark.parametrize("degree", [-1.0, 4.0, 6.4])
def test_the_variance_of_what_is_left_is_that_of_the_whole_matrix(degree: float) -> None:
    fit = polynomial_fit(q=Q, degree=degree)
    variance = np.random.default_rng(0).random((2, Q.size)) + 0.1
    left = np.eye(Q.size) - (fit.basis * fit.weights) @ fit.basis.T

    found = remainder_variance(fit, points=400).apply(variance)

    np.testing.assert_allclose(found, (variance @ (left**2).T)[:, :400], rtol=1e-9)
