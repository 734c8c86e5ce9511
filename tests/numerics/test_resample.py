import numpy as np
import pytest

from livepdf.numerics.resample import interpolate, momentum_transfer, resample_uniform


def test_units_of_the_axis_are_told_apart() -> None:
    axis = np.array([1.0, 10.0])

    np.testing.assert_allclose(momentum_transfer(axis=axis, unit="Qnm", wavelength=None), axis / 10)
    np.testing.assert_allclose(
        momentum_transfer(axis=axis, unit="twotheta", wavelength=0.2),
        4 * np.pi / 0.2 * np.sin(np.radians(axis / 2)),
    )
    with pytest.raises(ValueError, match="wavelength"):
        momentum_transfer(axis=axis, unit="twotheta", wavelength=None)


def test_an_axis_equidistant_but_for_its_digits_keeps_its_intensities() -> None:
    ideal = 0.0197 + 0.0153163 * np.arange(1000)
    intensity, sigma = np.random.default_rng(0).normal(size=(2, 1000))

    q, same, same_sigma = resample_uniform(q=np.round(ideal, 6), intensity=intensity, sigma=sigma)

    np.testing.assert_allclose(q, ideal, atol=2e-6)
    np.testing.assert_array_equal(same, intensity)
    np.testing.assert_array_equal(same_sigma, sigma)


def test_an_axis_printed_with_six_digits_is_straightened_to_better_than_its_last_one() -> None:
    ideal = 0.111649 + 0.0153163 * np.arange(1495)
    printed = np.array([float(f"{q:.6g}") for q in ideal])

    q, _, _ = resample_uniform(q=printed, intensity=ideal, sigma=ideal)

    assert np.max(np.abs(printed - ideal)) > 4e-5
    assert np.max(np.abs(q - ideal)) < 3e-6


def test_a_two_theta_scan_comes_out_on_multiples_of_the_mean_step() -> None:
    uneven = momentum_transfer(axis=np.linspace(1.0, 60.0, 800), unit="twotheta", wavelength=0.2)

    q, line, sigma = resample_uniform(q=uneven, intensity=3 + 2 * uneven, sigma=np.ones(800))

    np.testing.assert_allclose(q / (q[1] - q[0]), np.round(q / (q[1] - q[0])), atol=1e-6)
    inside = np.isfinite(line)
    assert np.count_nonzero(~inside) == 0
    np.testing.assert_allclose(line, 3 + 2 * q, rtol=1e-12)
    assert np.all((sigma > 0.7) & (sigma <= 1.0))


def test_interpolation_gives_nan_outside_and_at_gaps_but_not_beside_them() -> None:
    q = np.arange(6.0)
    values = np.array([0.0, 1.0, np.nan, 3.0, 4.0, 5.0])

    onto, _ = interpolate(
        onto=np.array([-1.0, 1.0, 1.5, 3.0, 3.5, 5.5]), q=q, intensity=values, sigma=np.ones(6)
    )

    np.testing.assert_array_equal(onto, [np.nan, 1.0, np.nan, 3.0, 3.5, np.nan])


def test_an_axis_that_turns_back_is_refused() -> None:
    with pytest.raises(ValueError, match="increase"):
        resample_uniform(q=np.array([1.0, 3.0, 2.0]), intensity=np.ones(3), sigma=np.ones(3))
