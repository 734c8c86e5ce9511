import numpy as np
import pytest

from livepdf.numerics.adhoc import SCALES, ScaleKind, scale

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
    value = 0.02 if kind == "fixed" else None
    _, gradient = scale(kind=kind, q=Q, x=X, y=Y, value=value)
    for i in (0, 57, 199):
        step = np.zeros(200)
        step[i] = 1e-4
        up, _ = scale(kind=kind, q=Q, x=X + step, y=Y, value=value)
        down, _ = scale(kind=kind, q=Q, x=X - step, y=Y, value=value)
        assert gradient[i] == pytest.approx((up - down) / 2e-4, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("kind", ["lsq", "mean", "high-q"])
def test_a_dead_frame_has_no_scale(kind: ScaleKind) -> None:
    with pytest.raises(ValueError, match="no positive scale"):
        scale(kind=kind, q=Q, x=np.zeros(200), y=Y, value=None)


def test_a_fixed_scale_without_its_value_is_refused() -> None:
    with pytest.raises(ValueError, match="scale_value"):
        scale(kind="fixed", q=Q, x=X, y=Y, value=None)
