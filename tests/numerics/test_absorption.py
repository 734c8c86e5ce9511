import numpy as np
import pytest
from scipy.special import i0, i1, modstruve

from livepdf.numerics.absorption import cylinder_transmission

STRENGTHS = [0.01, 0.3, 1.0, 3.0, 5.0]


@pytest.mark.parametrize("mu_r", STRENGTHS)
def test_straight_through_it_is_its_closed_form(mu_r: float) -> None:
    # Every way is a whole chord: (4/π) ∫ cos²φ exp(-z cosφ) dφ = 2 d²/dz² (I0 - L0), z = 2µR.
    z = 2 * mu_r
    exact = 2 * ((i0(z) - i1(z) / z) - (modstruve(0, z) - modstruve(1, z) / z))

    found = cylinder_transmission(two_theta=np.array([0.0]), mu_r=mu_r)

    np.testing.assert_allclose(found, exact, rtol=2e-5)


@pytest.mark.parametrize("mu_r", STRENGTHS)
def test_straight_back_it_is_its_closed_form(mu_r: float) -> None:
    # In and out along the same line: (1 - exp(-2µ chord))/2µ over the width of the cylinder.
    z = 4 * mu_r
    exact = (2 + np.pi * (i1(z) - 2 / np.pi - modstruve(1, z))) / (2 * mu_r * np.pi)

    found = cylinder_transmission(two_theta=np.array([np.pi]), mu_r=mu_r)

    np.testing.assert_allclose(found, exact, rtol=2e-5)


def test_weak_absorption_takes_the_mean_way_whatever_the_angle() -> None:
    # The mean way to the rim is 8R/3π, twice.
    found = cylinder_transmission(two_theta=np.linspace(0, np.pi, 7), mu_r=1e-4)

    np.testing.assert_allclose((1 - found) / 1e-4, 16 / (3 * np.pi), rtol=1e-3)


def test_more_gets_out_backwards_and_all_of_it_where_nothing_absorbs() -> None:
    angles = np.linspace(0, np.pi, 40)

    assert np.all(np.diff(cylinder_transmission(two_theta=angles, mu_r=1.5)) > 0)
    np.testing.assert_allclose(cylinder_transmission(two_theta=angles, mu_r=0.0), 1.0)


@pytest.mark.parametrize("mu_r", STRENGTHS)
def test_in_between_it_is_a_sum_over_a_fine_raster_of_the_disc(mu_r: float) -> None:
    side = (np.arange(1500) + 0.5) / 750 - 1
    x, y = np.meshgrid(side, side)
    inside = np.hypot(x, y) < 1
    x, y = x[inside], y[inside]
    for angle in (0.4, 1.2, 2.2):
        across = y * np.cos(angle) - x * np.sin(angle)
        way = x + np.sqrt(1 - y**2) + np.sqrt(1 - across**2) - x * np.cos(angle) - y * np.sin(angle)
        found = cylinder_transmission(two_theta=np.array([angle]), mu_r=mu_r)
        assert found[0] == pytest.approx(np.mean(np.exp(-mu_r * way)), rel=1e-3)


@pytest.mark.parametrize("mu_r", [-0.1, 6.0, np.nan])
def test_an_absorption_out_of_reach_is_refused(mu_r: float) -> None:
    with pytest.raises(ValueError, match="mu_r"):
        cylinder_transmission(two_theta=np.zeros(1), mu_r=mu_r)
