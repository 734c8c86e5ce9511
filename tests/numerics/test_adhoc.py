import numpy as np
import pytest

from livepdf.numerics.adhoc import GIVEN, SCALES, ScaleKind, scale, scales

Q = np.linspace(1.0, 20.0, 200)
Y = 1 + 0.1 * np.cos(Q)
X = 40 * (Y + 0.5 * np.sin(3 * Q))


@pytest.mark.parametrize("kind", ["lsq", "mean", "high-q"])
def test_a_multiple_of_the_target_is_scaled_back_onto_it(kind: ScaleKind) -> None:
    s, _ = scale(kind=kind, q=Q, x=7 * Y, y=Y, value=None)

    assert s == pytest.approx(1 / 7)


def test_lsq_leaves_the_least_sum_of_squares() -> None:
    s, _ = scale(kind="lsq", q=Q, x=X, y=Y, value=None)

    assert s == pytest.approx(np.linalg.lstsq(X[:, None], Y, rcond=None)[0][0])


def test_peaks_pull_the_lsq_scale_down_but_not_the_mean_one() -> None:
    peaky = Y * (1 + np.cos(2 * np.pi * np.arange(200) / 10))
    flat = scale(kind="lsq", q=Q, x=Y, y=Y, value=None)[0]

    assert scale(kind="lsq", q=Q, x=peaky, y=Y, value=None)[0] < 0.75 * flat
    assert scale(kind="mean", q=Q, x=peaky, y=Y, value=None)[0] == pytest.approx(flat, rel=0.02)


@pytest.mark.parametrize("kind", SCALES)
def test_the_gradient_is_that_of_finite_differences(kind: ScaleKind) -> None:
    told = {"value": 0.02 if kind in GIVEN else None, "density": 0.08}
    _, gradient = scale(kind=kind, q=Q, x=X, y=Y, **told)
    for i in (0, 57, 199):
        step = np.zeros(200)
        step[i] = 1e-4
        up, _ = scale(kind=kind, q=Q, x=X + step, y=Y, **told)
        down, _ = scale(kind=kind, q=Q, x=X - step, y=Y, **told)
        assert gradient[i] == pytest.approx((up - down) / 2e-4, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("kind", ["lsq", "mean", "high-q", "absolute"])
def test_a_dead_frame_has_no_scale(kind: ScaleKind) -> None:
    with pytest.raises(ValueError, match="no positive scale"):
        scale(kind=kind, q=Q, x=np.zeros(200), y=Y, value=None, density=0.08)


def test_many_patterns_are_scaled_as_each_alone_and_a_dead_one_is_nan() -> None:
    for kind in ("lsq", "mean", "high-q"):
        s, gradient = scales(kind=kind, q=Q, x=np.array([X, 0 * X, 3 * Y]), y=Y, value=None)

        alone, slope = scale(kind=kind, q=Q, x=X, y=Y, value=None)
        assert s[0] == pytest.approx(alone)
        assert np.isnan(s[1])
        assert s[2] == pytest.approx(1 / 3)
        np.testing.assert_allclose(gradient[0], slope)


def test_the_absolute_scale_is_exact_where_g_starts_at_minus_four_pi_rho_r() -> None:
    # A hole S-1 = -A exp(-Q²/2w²) has ∫Q²(S-1) dQ = -A w³ √(π/2), which must be -2π²ρ.
    q, width, density = np.linspace(0.0, 30.0, 3001), 3.0, 0.07
    hole = 2 * np.pi**2 * density / (width**3 * np.sqrt(np.pi / 2))
    y = 1.1 + 0.2 * np.exp(-q / 5)
    x = 55 * (y - hole * np.exp(-(q**2) / (2 * width**2)))

    s, _ = scale(kind="absolute", q=q, x=x, y=y, value=None, density=density)

    assert s == pytest.approx(1 / 55, rel=1e-6)


@pytest.mark.parametrize("kind", GIVEN)
def test_a_scale_that_is_told_needs_its_value(kind: ScaleKind) -> None:
    with pytest.raises(ValueError, match="scale_value"):
        scale(kind=kind, q=Q, x=X, y=Y, value=None)


def test_an_absolute_scale_needs_the_density() -> None:
    with pytest.raises(ValueError, match="density"):
        scale(kind="absolute", q=Q, x=X, y=Y, value=None)
