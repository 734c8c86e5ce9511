import numpy as np
import pytest

from livepdf.simulate.poisson import poisson_image

MEANS = np.array([0.05, 0.7, 3.0, 11.9, 12.1, 40.0, 900.0])
SHAPE = (len(MEANS), 40_000)


def _image(*, seed: int = 1, frame: int = 0) -> np.ndarray:
    return poisson_image(
        place=np.zeros(SHAPE, dtype=np.float32),
        weight=np.repeat(MEANS[:, None], SHAPE[1], axis=1).astype(np.float32),
        pattern=np.ones(2),
        seed=seed,
        frame=frame,
        gap=99,
    )


def test_counts_have_the_mean_variance_and_skewness_of_poisson() -> None:
    image = _image().astype(float)

    n = SHAPE[1]
    mean, variance = image.mean(axis=1), image.var(axis=1)
    assert (np.abs(mean - MEANS) < 4.5 * np.sqrt(MEANS / n)).all()
    assert (np.abs(variance - MEANS) < 4.5 * np.sqrt((MEANS + 2 * MEANS**2) / n)).all()
    third = ((image - MEANS[:, None]) ** 3).mean(axis=1)
    assert (np.abs(third - MEANS) < 5 * np.sqrt((MEANS + 15 * MEANS**3 + 30 * MEANS**2) / n)).all()


def test_the_same_seed_and_frame_give_the_same_image_and_others_do_not() -> None:
    np.testing.assert_array_equal(_image(), _image())
    different = _image(frame=1).astype(float) - _image()
    assert np.corrcoef(_image(frame=1)[5], _image()[5])[0, 1] == pytest.approx(0.0, abs=0.02)
    assert (different != 0).mean() > 0.5
    assert np.corrcoef(_image(seed=2)[5], _image()[5])[0, 1] == pytest.approx(0.0, abs=0.02)


def test_gaps_hold_their_value_and_shadow_holds_nothing() -> None:
    place = np.array([[-1.0, 0.25, 0.5]], dtype=np.float32)
    weight = np.array([[1.0, 0.0, 1000.0]], dtype=np.float32)

    image = poisson_image(
        place=place, weight=weight, pattern=np.array([1.0, 3.0]), seed=0, frame=0, gap=2**32 - 1
    )

    assert image[0, 0] == 2**32 - 1
    assert image[0, 1] == 0
    assert image[0, 2] == pytest.approx(2000, abs=250)


def test_a_pattern_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        poisson_image(
            place=np.zeros((1, 1), dtype=np.float32),
            weight=np.ones((1, 1), dtype=np.float32),
            pattern=np.array([-1.0, 1.0]),
            seed=0,
            frame=0,
            gap=0,
        )


def test_neighbouring_seeds_share_no_noise_not_even_a_few_pixels_further() -> None:
    one, other = (
        poisson_image(
            place=np.zeros((50, 400), np.float32),
            weight=np.ones((50, 400), np.float32),
            pattern=np.full(3, 6.0),
            seed=seed,
            frame=3,
            gap=0,
        )
        .ravel()
        .astype(np.float64)
        for seed in (11, 12)
    )

    for shift in (-2, -1, 0, 1, 2):
        assert abs(np.corrcoef(one, np.roll(other, shift))[0, 1]) < 0.05
