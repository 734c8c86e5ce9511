from typing import Any

import hdf5plugin
import lz4.block
import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums
from livepdf.numerics.geometry import geometry_from_pyfai
from livepdf.reduction.integrator import Integrator, build_integrator
from tests.numerics.test_unpack import packed

SHAPE = (83, 101)
RNG = np.random.default_rng(17)
FIELDS = ("signal", "variance", "weight", "pixels")
REASONS = {"truncated", "wrong size", "corrupt"}
TYPES = ["u1", "u2", "u4", "i2", "i4", "f4"]


def integrator(split: str = "no", **wish: Any) -> Integrator:
    pyfai = AzimuthalIntegrator(
        dist=0.1,
        poni1=0.009,
        poni2=0.007,
        rot1=0.05,
        detector=Detector(2e-4, 2e-4, max_shape=SHAPE),
        wavelength=2e-11,
    )
    usual = {
        "npt": 90,
        "polarization": 0.9,
        "mask": np.random.default_rng(1).random(SHAPE) < 0.1,
        "dark": np.random.default_rng(2).uniform(1, 2, SHAPE),
    }
    return build_integrator(geometry_from_pyfai(pyfai), split=split, **(usual | wish))


def some_image(dtype: str, brightest: float = 1e6) -> np.ndarray:
    """Few counts and many, values too large for a lane, and every kind of no data."""
    kind = np.dtype(dtype)
    image = RNG.poisson(RNG.choice([0.3, 30.0, 90.0], SHAPE)).astype(dtype)
    if kind.kind == "f":
        image[RNG.random(SHAPE) < 0.02] = np.nan
        return image
    top = np.iinfo(kind).max
    image[RNG.random(SHAPE) < 0.02] = min(top, brightest)
    image[RNG.random(SHAPE) < 0.02] = top
    if kind.kind == "i":
        image[RNG.random(SHAPE) < 0.02] = -3
    return image


def ways(image: np.ndarray) -> dict[str, PackedImage]:
    def wrapped(algorithm: str, blob: bytes) -> PackedImage:
        return PackedImage(blob=blob, algorithm=algorithm, shape=SHAPE, dtype=image.dtype)

    return {
        "blocks": wrapped("bslz4", packed(image, hdf5plugin.Bitshuffle())),
        "short blocks": wrapped("bslz4", packed(image, hdf5plugin.Bitshuffle(nelems=264))),
        "plain blocks": wrapped("lz4", packed(image, hdf5plugin.LZ4(nbytes=4096))),
        "one large block": wrapped("lz4", packed(image, hdf5plugin.LZ4())),
        "a bare block": wrapped("lz4-block", lz4.block.compress(image.tobytes(), store_size=False)),
        "raw": wrapped("raw", image.tobytes()),
    }


def same(found: Sums | FrameError, expected: Sums) -> None:
    """To the last bit, split or not."""
    assert isinstance(found, Sums)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("split", ["no", "full"])
def test_every_way_of_packing_gives_the_very_sums_of_the_bare_image(split: str, dtype: str) -> None:
    ours = integrator(split)
    image = some_image(dtype)
    expected = ours.integrate(image)

    for image_packed in ways(image).values():
        same(ours.integrate_packed(image_packed), expected)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("split", ["no", "full"])
def test_lanes_give_what_one_by_one_gives(split: str, dtype: str) -> None:
    ours = integrator(split)
    images = [some_image(dtype) for _ in range(19)]
    for name in ways(images[0]):
        batch = [ways(image)[name] for image in images]

        found = ours.integrate_batch(batch)

        for sums, image in zip(found, images, strict=True):
            same(sums, ours.integrate(image))


@pytest.mark.parametrize("sentinels", ["mask", "keep"])
@pytest.mark.parametrize("saturation", [None, 60.0, 70_000.0])
def test_what_counts_as_data_is_the_same_in_lanes(sentinels: str, saturation: float | None) -> None:
    for split in ("no", "full"):
        ours = integrator(split, sentinels=sentinels, saturation=saturation)
        for dtype in ("u2", "i4"):
            images = [some_image(dtype) for _ in range(5)]
            found = ours.integrate_batch([ways(image)["blocks"] for image in images])
            for sums, image in zip(found, images, strict=True):
                same(sums, ours.integrate(image))


def test_mixed_images_come_back_in_their_order() -> None:
    ours = integrator()
    images = [some_image(dtype) for dtype in ("u2", "i4", "u2", "f4", "u2", "u2", ">u2")]
    batch = [image for each in images for image in ways(each).values()]

    found = ours.integrate_batch(batch)

    for k, sums in enumerate(found):
        same(sums, ours.integrate(images[k // 6]))


def test_a_bad_image_costs_only_itself() -> None:
    ours = integrator()
    images = [some_image("u2") for _ in range(8)]
    batch = [ways(image)["blocks"] for image in images]

    def spoilt(k: int, blob: bytes, **wish: Any) -> None:
        usual = {"algorithm": "bslz4", "shape": SHAPE, "dtype": images[k].dtype}
        batch[k] = PackedImage(blob=blob, **(usual | wish))

    whole = batch[0].blob
    spoilt(1, whole[:-30])
    spoilt(2, whole + b"x")
    spoilt(3, whole[:16] + b"\xff" * 60 + whole[76:])
    spoilt(4, whole, shape=SHAPE[::-1])
    spoilt(5, whole, dtype=np.dtype("c8"))
    found = ours.integrate_batch(
        batch, monitors=[1.0] * 6 + [0.0, 2.0], normalize_monitor=True, exposures=[0.5] * 8
    )

    reasons = [None if isinstance(each, Sums) else each.reason for each in found]
    assert reasons[1:7] == [
        "truncated",
        "corrupt",
        "corrupt",
        "wrong shape",
        "wrong dtype",
        "no monitor",
    ]
    same(found[0], ours.integrate(images[0]))
    same(found[7], ours.integrate(images[7], monitor=2.0, normalize_monitor=True))
    assert (found[7].monitor, found[7].exposure) == (2.0, 0.5)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("shape", [(3, 5), (1, 64), (31, 33), (70, 96)])
def test_raw_images_side_by_side_give_what_each_gives_alone(
    dtype: str, shape: tuple[int, int]
) -> None:
    pyfai = AzimuthalIntegrator(
        dist=0.1, detector=Detector(2e-4, 2e-4, max_shape=shape), wavelength=2e-11
    )
    ours = build_integrator(geometry_from_pyfai(pyfai), npt=12, mask=RNG.random(shape) < 0.1)
    images = [RNG.poisson(60, shape).astype(dtype) for _ in range(9)]
    for image in images:
        for value in (np.iinfo(dtype).max, np.iinfo(dtype).min, min(70000, np.iinfo(dtype).max)):
            image[RNG.random(shape) < 0.02] = value

    found = ours.integrate_batch(
        [
            PackedImage(blob=image.tobytes(), algorithm="raw", shape=shape, dtype=image.dtype)
            for image in images
        ]
    )

    for image, sums in zip(images, found, strict=True):
        same(sums, ours.integrate(image))


def test_bins_too_full_for_short_sums_do_not_overflow() -> None:
    shape = (700, 600)
    pyfai = AzimuthalIntegrator(
        dist=0.1, detector=Detector(2e-4, 2e-4, max_shape=shape), wavelength=2e-11
    )
    ours = build_integrator(geometry_from_pyfai(pyfai), npt=2)
    image = np.full(shape, 65534, np.uint16)
    wrapped = PackedImage(blob=image.tobytes(), algorithm="raw", shape=shape, dtype=image.dtype)

    for sums in [ours.integrate(image), *ours.integrate_batch([wrapped] * 4)]:
        np.testing.assert_array_equal(sums.signal, 65534 * sums.pixels)


def alone(ours: Integrator, image: PackedImage) -> Sums | str:
    try:
        return ours.integrate_packed(image)
    except FrameError as error:
        return error.reason


@pytest.mark.parametrize("name", ["blocks", "short blocks", "plain blocks", "a bare block"])
@pytest.mark.parametrize("split", ["no", "full"])
def test_damage_is_refused_or_gives_wrong_pixels_at_worst(name: str, split: str) -> None:
    ours = integrator(split)
    image = some_image("u4")
    blob = ways(image)[name].blob
    damaged = []
    for _ in range(640):
        bad = bytearray(blob)
        for place in RNG.integers(0, len(bad), RNG.integers(1, 6)):
            bad[place] ^= 1 << RNG.integers(8)
        if RNG.random() < 0.3:
            del bad[RNG.integers(len(bad)) :]
        algorithm = ways(image)[name].algorithm
        damaged.append(
            PackedImage(blob=bytes(bad), algorithm=algorithm, shape=SHAPE, dtype=image.dtype)
        )

    batch = [each for k in range(0, 640, 16) for each in ours.integrate_batch(damaged[k : k + 16])]

    outcomes = [alone(ours, each) for each in damaged]
    assert sum(isinstance(each, str) for each in outcomes) > 200
    assert {each for each in outcomes if isinstance(each, str)} <= REASONS
    for outcome, found in zip(outcomes, batch, strict=True):
        if isinstance(outcome, str):
            assert isinstance(found, FrameError)
            assert found.reason == outcome
        else:
            same(found, outcome)


def test_dead_pixels_that_come_and_go_change_the_intensity_by_less_than_noise() -> None:
    ours = integrator(dark=None)
    image = RNG.poisson(200.0, SHAPE).astype("u2")
    spoilt = image.copy()
    spoilt[RNG.random(SHAPE) < 0.05] = 65535

    clean, dirty = (ours.integrate_batch([ways(each)["blocks"]] * 4)[0] for each in (image, spoilt))

    filled = dirty.weight > 0
    difference = (clean.signal / clean.weight - dirty.signal / dirty.weight)[filled]
    sigma = (np.sqrt(dirty.variance) / dirty.weight)[filled]
    assert np.median(np.abs(difference) / sigma) < 0.5
