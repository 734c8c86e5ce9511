import numpy as np
import pytest

from livepdf.numerics.blank_fit import fit_blanks

Q = np.linspace(8.0, 24.0, 800)
SELF = 2000 * np.exp(-Q / 5) + 30
BLANKS = np.array([400 * np.exp(-Q / 9) * (1 + 0.1 * np.sin(1.6 * Q)), 90 + 20 * np.cos(Q / 3)])
MIX = 0.7 * SELF + np.array([0.95, 0.4]) @ BLANKS


def _fit(intensity: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return fit_blanks(self_scattering=SELF, blanks=BLANKS, intensity=intensity, variance=variance)


def test_an_exact_mixture_is_taken_apart() -> None:
    for variance in (MIX, np.full(Q.size, np.nan)):
        scales, _ = _fit(MIX[None], variance[None])
        np.testing.assert_allclose(scales, [[0.95, 0.4]], rtol=1e-9)


def test_a_blank_that_is_not_there_is_held_at_zero_with_no_slope() -> None:
    scales, gains = _fit((0.7 * SELF - 0.1 * BLANKS[0])[None], SELF[None])

    assert scales[0, 0] == 0.0
    assert np.all(gains[0, 0] == 0.0)


def test_the_gains_are_those_of_finite_differences() -> None:
    _, gains = _fit(MIX[None], MIX[None])
    for i in (3, 400, 799):
        step = np.zeros(Q.size)
        step[i] = 1e-3
        up, _ = _fit((MIX + step)[None], MIX[None])
        down, _ = _fit((MIX - step)[None], MIX[None])
        np.testing.assert_allclose(gains[0, :, i], (up - down)[0] / 2e-3, rtol=1e-5)


def test_scales_scatter_as_their_gains_say_and_counting_does_not_pull_them() -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(MIX * 0.2, size=(400, Q.size)).astype(float)

    scales, gains = _fit(counts, counts)

    predicted = np.sqrt(np.einsum("kmq,kq->km", gains**2, counts))
    np.testing.assert_allclose(
        np.median(predicted, axis=0), np.std(scales, axis=0, ddof=1), rtol=0.12
    )
    off = np.mean(scales, axis=0) - 0.2 * np.array([0.95, 0.4])
    assert np.all(np.abs(off) < 4 * np.std(scales, axis=0) / 20)


def test_a_pattern_with_gaps_has_no_scales() -> None:
    holed = MIX.copy()
    holed[5] = np.nan

    scales, _ = _fit(np.array([holed, MIX]), np.array([MIX, MIX]))

    assert np.all(np.isnan(scales[0]))
    assert scales[1, 0] == pytest.approx(0.95)
