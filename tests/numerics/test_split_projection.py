"""Pixels shared out: exact sums, whoever adds them up and in whatever order."""

from fractions import Fraction

import numpy as np
import pytest

from livepdf.numerics.binning import SplitBins
from livepdf.numerics.integrate import BinSums, usable_range
from livepdf.numerics.packed import bare
from livepdf.numerics.shares import STEPS
from livepdf.numerics.split_projection import SplitProjection, split_projection

SHAPE = (90, 101)
"""More pixels than two tiles hold."""
SIZE = SHAPE[0] * SHAPE[1]
N = 37
RNG = np.random.default_rng(29)


def matrix() -> SplitBins:
    """Pixels over none to nine bins, with shares that are no multiples of anything."""
    widths = RNG.integers(0, 10, SIZE)
    starts = np.concatenate([[0], np.cumsum(widths)])
    first = np.repeat(RNG.integers(0, N - 9, SIZE), widths)
    bins = first + np.arange(first.size) - np.repeat(starts[:-1], widths)
    shares = RNG.uniform(0.0, 0.4, first.size).astype(np.float32)
    return SplitBins(centres=np.arange(N, dtype=float), starts=starts, bins=bins, shares=shares)


def prepared(bins: SplitBins, order: np.ndarray | None = None) -> SplitProjection:
    turned = np.arange(SIZE).reshape(SHAPE) if order is None else order
    weight = RNG.uniform(0.5, 1.0, SHAPE)
    return split_projection(bins, order=turned, weight=weight, dark=np.ones(SHAPE))


def some_image(dtype: str) -> np.ndarray:
    image = RNG.poisson(RNG.choice([0.3, 80.0], SHAPE)).astype(dtype)
    top = np.iinfo(dtype).max
    image[RNG.random(SHAPE) < 0.01] = min(top - 1, 3_000_000)
    image[RNG.random(SHAPE) < 0.01] = top
    if np.dtype(dtype).kind == "i":
        image[RNG.random(SHAPE) < 0.01] = -1
    return image


def add(projection: SplitProjection, images: list[np.ndarray]) -> tuple[BinSums, list[BinSums]]:
    """The first of the images alone, and all of them in lanes."""
    low, high = usable_range(images[0].dtype, sentinels="mask", saturation=None)
    packed = [bare(image.ravel()) for image in images]
    together = projection.project_batch(packed, low=low, high=high)
    assert all(isinstance(sums, BinSums) for sums in together)
    return projection.project(packed[0], low=low, high=high), together


@pytest.mark.parametrize("pen", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4"])
def test_one_image_and_sixteen_lanes_give_the_same_to_the_last_bit(
    dtype: str, pen: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livepdf.numerics.split_projection.PEN", pen)
    projection = prepared(matrix())
    images = [some_image(dtype) for _ in range(21)]

    _, together = add(projection, images)

    for image, sums in zip(images, together, strict=True):
        alone, _ = add(projection, [image])
        for name in ("signal", "variance", "weight", "pixels"):
            np.testing.assert_array_equal(getattr(sums, name), getattr(alone, name), err_msg=name)


def test_sums_of_counts_are_exact() -> None:
    bins = matrix()
    image = some_image("u4")
    projection = prepared(bins)

    sums, _ = add(projection, [image])

    exact = [Fraction(0)] * N
    used = image.ravel() < np.iinfo("u4").max
    for pixel in np.flatnonzero(used):
        for k in range(bins.starts[pixel], bins.starts[pixel + 1]):
            share = Fraction(round(float(bins.shares[k]) * STEPS), int(STEPS))
            exact[bins.bins[k]] += share * (int(image.flat[pixel]) - 1)
    # The dark is 1 everywhere.
    np.testing.assert_allclose(sums.signal, [float(value) for value in exact], rtol=1e-15)


def test_pixels_in_another_order_give_the_same_to_the_last_bit() -> None:
    bins = matrix()
    image = some_image("u2")
    straight, _ = add(prepared(bins), [image])
    order = np.arange(SIZE).reshape(SHAPE)[::-1, ::-1]

    turned, lanes = add(prepared(bins, order), [image[::-1, ::-1].copy()] * 4)

    for sums in (turned, lanes[3]):
        np.testing.assert_array_equal(sums.signal, straight.signal)
        np.testing.assert_array_equal(sums.variance, straight.variance)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_pixels_masked_later_add_nothing(dtype: str) -> None:
    bins = matrix()
    projection = prepared(bins)
    extra = RNG.random(SHAPE) < 0.3
    image = some_image("u2").astype(dtype)
    spoilt = image.copy()
    spoilt[extra] = np.nan if dtype == "f4" else 65535

    ignored, _ = add(projection, [spoilt])
    masked, lanes = add(projection.without(extra.ravel()), [image] * 5)

    for sums in (masked, lanes[4]):
        np.testing.assert_array_equal(sums.variance, ignored.variance)
        np.testing.assert_allclose(sums.signal, ignored.signal, rtol=1e-12)
        np.testing.assert_allclose(sums.weight, ignored.weight, rtol=1e-12)
