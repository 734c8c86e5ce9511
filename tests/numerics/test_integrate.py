import numpy as np
import pytest

from livepdf.numerics.binning import SplitBins
from livepdf.numerics.centre_projection import centre_projection
from livepdf.numerics.integrate import Projection, Totals, remaining, usable_range
from livepdf.numerics.packed import bare
from livepdf.numerics.shares import STEPS
from livepdf.numerics.split_projection import split_projection
from tests.reference.pixel_sums import split_sums

SHAPE = (37, 53)
N = 23
RNG = np.random.default_rng(7)
WEIGHT = RNG.uniform(0.5, 1.0, SHAPE).astype(np.float32).astype(float)
DARK = RNG.uniform(5, 6, SHAPE).astype(np.float32).astype(float)
NUMBER = RNG.integers(-1, N, SHAPE)
SIZE = SHAPE[0] * SHAPE[1]


def some_image(dtype: str) -> np.ndarray:
    image = RNG.integers(0, 100, SHAPE).astype(dtype)
    if np.dtype(dtype).kind == "f":
        image[3:6] -= 70.5
        image[8, ::3] = np.nan
        image[9, ::3] = np.inf
        return image
    image[5:9, 10:40] = np.iinfo(dtype).max
    if np.dtype(dtype).kind == "i":
        image[20:24, ::2] = -1
    return image


def whole(dark: np.ndarray | None = DARK) -> Projection:
    return centre_projection(NUMBER, n=N, weight=WEIGHT, dark=dark)


def parts() -> tuple[Projection, dict[str, np.ndarray]]:
    """Pixels over one to seven bins, so that some reach beyond a row."""
    widths = RNG.integers(1, 8, SIZE)
    widths[::11] = 0
    starts = np.concatenate([[0], np.cumsum(widths)])
    pixel = np.repeat(np.arange(SIZE), widths)
    first = np.repeat(RNG.integers(0, N - 7, SIZE), widths)
    bins = first + (np.arange(pixel.size) - starts[pixel])
    shares = (np.rint(RNG.uniform(0.1, 0.5, pixel.size) * STEPS) / STEPS).astype(np.float32)
    matrix = SplitBins(centres=np.arange(N, dtype=float), starts=starts, bins=bins, shares=shares)
    order = np.arange(SIZE).reshape(SHAPE)
    entries = {"pixel": pixel, "bins": bins, "share": shares}
    return split_projection(matrix, order=order, weight=WEIGHT, dark=DARK), entries


def project(projection: Projection, image: np.ndarray, sentinels: str = "mask"):
    low, high = usable_range(image.dtype, sentinels=sentinels, saturation=None)
    return projection.project(bare(image.ravel()), low=low, high=high)


def usable(image: np.ndarray) -> np.ndarray:
    if image.dtype.kind == "f":
        return np.isfinite(image)
    return (image >= 0) & (image < np.iinfo(image.dtype).max)


TYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"]


@pytest.mark.parametrize("dtype", TYPES)
def test_whole_pixels_add_up_like_the_slow_twin(dtype: str) -> None:
    image = some_image(dtype)
    kept = NUMBER.ravel() >= 0
    pixel = np.flatnonzero(kept)

    sums = project(whole(), image)

    slow = split_sums(
        image,
        pixel=pixel,
        bins=NUMBER.ravel()[pixel],
        share=np.ones(pixel.size),
        n=N,
        usable=usable(image),
        weight=WEIGHT,
        dark=DARK,
    )
    for name, expected in slow.items():
        np.testing.assert_allclose(getattr(sums, name), expected, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("dtype", TYPES)
def test_split_pixels_add_up_like_the_slow_twin(dtype: str) -> None:
    image = some_image(dtype)
    projection, entries = parts()

    sums = project(projection, image)

    slow = split_sums(image, n=N, usable=usable(image), weight=WEIGHT, dark=DARK, **entries)
    for name, expected in slow.items():
        # The squares of shares are rounded, to make their sums exact.
        rtol = 1e-6 if name == "variance" else 1e-9
        np.testing.assert_allclose(
            getattr(sums, name), expected, rtol=rtol, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("dtype", ["u2", "u4", "i4"])
def test_integers_add_up_without_any_rounding(dtype: str) -> None:
    top = min(int(np.iinfo(dtype).max), 2**31) - 2
    image = RNG.integers(top - 5, top, SHAPE).astype(dtype)

    sums = project(whole(dark=None), image)

    for number in range(N):
        assert int(sums.signal[number]) == sum(int(v) for v in image[number == NUMBER])


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_more_mask_equals_those_pixels_being_nodata(dtype: str) -> None:
    image = some_image(dtype)
    extra = RNG.random(SHAPE) < 0.3
    spoilt = image.copy()
    spoilt[extra] = np.nan if dtype == "f4" else np.iinfo(dtype).max
    for projection in (whole(), parts()[0]):
        masked = project(projection.without(extra.ravel()), image)
        ignored = project(projection, spoilt)
        for name in ("signal", "variance", "weight", "pixels"):
            np.testing.assert_allclose(
                getattr(masked, name), getattr(ignored, name), rtol=1e-9, atol=1e-9
            )


def test_a_bin_whose_every_pixel_is_ignored_is_exactly_empty() -> None:
    image = RNG.integers(0, 100, SHAPE).astype(np.uint16)
    image[NUMBER == 4] = 65535

    sums = project(whole(), image)

    assert sums.weight[4] == sums.pixels[4] == sums.signal[4] == 0.0


def test_kept_sentinels_are_data() -> None:
    image = np.full(SHAPE, -2, np.int32)

    sums = project(whole(dark=None), image, sentinels="keep")

    np.testing.assert_array_equal(sums.signal, -2 * sums.pixels)


def test_more_bins_than_a_short_number_holds_still_work() -> None:
    n = 70_000
    number = RNG.integers(0, n, SHAPE)
    image = RNG.integers(0, 100, SHAPE).astype(np.uint16)

    sums = project(centre_projection(number, n=n, weight=WEIGHT, dark=None), image)

    np.testing.assert_array_equal(
        sums.signal, np.bincount(number.ravel(), image.ravel(), minlength=n)
    )


def test_the_usable_range_is_that_of_the_type_less_its_sentinels() -> None:
    def limits(dtype: str, **wish: object) -> tuple[float, float]:
        low, high = usable_range(np.dtype(dtype), **({"saturation": None} | wish))
        assert low.dtype == high.dtype == np.dtype(dtype)
        return low, high

    assert limits("u2", sentinels="mask") == (0, 65534)
    assert limits("u2", sentinels="keep") == (0, 65535)
    assert limits("i4", sentinels="mask") == (0, 2**31 - 2)
    assert limits("i4", sentinels="keep") == (-(2**31), 2**31 - 1)
    assert limits("u4", sentinels="mask", saturation=1000.0) == (0, 999)
    assert limits("u4", sentinels="mask", saturation=1000.5) == (0, 1000)
    low, high = limits("f4", sentinels="mask", saturation=1000.0)
    assert low < -1e38
    assert 999.99 < high < 1000.0
    with pytest.raises(ValueError, match="saturation is 0"):
        usable_range(np.dtype("u2"), sentinels="mask", saturation=0)


def test_a_bin_of_which_rounding_alone_is_left_is_empty() -> None:
    share = np.array([1.0, 2.0])
    totals = Totals(weight=share, pixels=share, dark=3.0 * share)
    removed = np.array([[1.0, 0.5], [1.0, 0.5], [3.0, 1.5]])

    for off in (-1e-9, 1e-9):
        left = remaining(
            totals,
            removed=removed + np.array([off, 0.0]),
            signal=np.array([off, 10.0]),
            variance=np.array([off, 10.0]),
        )
        values = [left.signal, left.variance, left.weight, left.pixels]
        assert [each[0] for each in values] == [0.0] * 4
        assert [each[1] for each in values] == [10.0 - 4.5, 10.0, 1.5, 1.5]
