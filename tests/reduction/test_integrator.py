from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fabio
import hdf5plugin
import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.errors import FrameError
from livepdf.files.poni import read_poni
from livepdf.model.frame import PackedImage
from livepdf.model.sums import intensity
from livepdf.numerics.geometry import Geometry, geometry_from_pyfai
from livepdf.reduction.integrator import Integrator, build_integrator
from tests.numerics.test_unpack import packed

SHAPE = (120, 90)
RNG = np.random.default_rng(3)
FIELDS = ("signal", "variance", "weight", "pixels")


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    """A tilted detector, the beam off its middle."""
    pyfai = AzimuthalIntegrator(
        dist=0.1,
        poni1=0.009,
        poni2=0.007,
        rot1=0.05,
        rot2=-0.03,
        detector=Detector(2e-4, 2e-4, max_shape=SHAPE),
        wavelength=2e-11,
    )
    return geometry_from_pyfai(pyfai)


def counts(mean: float = 50.0, dtype: str = "u2") -> np.ndarray:
    return RNG.poisson(mean, SHAPE).astype(dtype)


def same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    for name in FIELDS:
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol=rtol, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize(("split", "within"), [("no", 1e-6), ("bbox", 1e-5), ("full", 1e-5)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "i4", "f4"])
def test_intensity_and_sigma_are_pyfais(
    geometry: Geometry, split: str, within: float, dtype: str
) -> None:
    image = counts(dtype=dtype)
    if dtype == "f4":
        image += RNG.random(SHAPE).astype(dtype)
    mask = RNG.random(SHAPE) < 0.1 if dtype in ("u1", "i2", "u4") else None
    flat = RNG.uniform(0.8, 1.2, SHAPE)
    dark = RNG.uniform(1, 2, SHAPE)
    integrator = build_integrator(
        geometry, npt=80, split=split, polarization=0.95, mask=mask, flat=flat, dark=dark
    )

    found, sigma = intensity(integrator.integrate(image))

    peer = geometry.pyfai.integrate1d(
        image,
        80,
        unit="q_A^-1",
        method=(split, "csr", "cython"),
        mask=mask,
        flat=flat,
        dark=dark,
        polarization_factor=0.95,
        variance=image.astype(np.float32),
    )
    filled = peer.count > 1e-3
    np.testing.assert_allclose(integrator.q, peer.radial, rtol=1e-12)
    np.testing.assert_allclose(found[filled], peer.intensity[filled], rtol=within)
    np.testing.assert_allclose(sigma[filled], peer.sigma[filled], rtol=within)


@pytest.mark.parametrize("flip", ["ud", "lr", "udlr"])
@pytest.mark.parametrize("split", ["no", "full"])
def test_a_flip_equals_flipping_everything_by_hand(
    geometry: Geometry, flip: str, split: str
) -> None:
    def turn(array: np.ndarray) -> np.ndarray:
        return array[:: -1 if "ud" in flip else 1, :: -1 if "lr" in flip else 1]

    arrays = {
        "mask": RNG.random(SHAPE) < 0.1,
        "flat": RNG.uniform(0.8, 1.2, SHAPE),
        "dark": RNG.uniform(1, 2, SHAPE),
    }
    image = counts()
    image[30:40, 5:9] = 65535
    flipped = build_integrator(geometry, npt=300, split=split, flip=flip, **arrays)
    by_hand = build_integrator(
        geometry, npt=300, split=split, **{name: turn(a) for name, a in arrays.items()}
    )

    same(flipped.integrate(image), by_hand.integrate(turn(image)))


@pytest.mark.parametrize("split", ["no", "bbox"])
def test_nodata_of_one_frame_equals_masking_those_pixels(geometry: Geometry, split: str) -> None:
    hit = RNG.random(SHAPE) < 0.2
    dark = RNG.uniform(1, 2, SHAPE)
    image = counts(dtype="i4")
    spoilt = image.copy()
    spoilt[hit] = RNG.choice([-1, -2, 2**31 - 1], hit.sum())
    integrator = build_integrator(geometry, npt=70, split=split, dark=dark)

    same(integrator.integrate(spoilt), integrator.with_mask(hit).integrate(image))


def test_saturated_pixels_are_ignored(geometry: Geometry) -> None:
    image = counts()
    image[10:20] = 60000
    integrator = build_integrator(geometry, npt=70, saturation=60000.0)
    hot = np.zeros(SHAPE, bool)
    hot[10:20] = True

    same(integrator.integrate(image), integrator.with_mask(hot).integrate(counts() * 0 + image))
    assert integrator.integrate(image).pixels.sum() == (~hot).sum()


def test_negative_float_pixels_are_data_and_nan_is_not(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=30)
    image = np.full(SHAPE, -3.0, np.float32)
    image[::7] = np.nan

    sums = integrator.integrate(image)

    np.testing.assert_allclose(sums.signal, -3.0 * sums.pixels)
    assert sums.pixels.sum() == np.isfinite(image).sum()
    assert np.isnan(intensity(sums)[1]).all()


def test_a_uniform_scatterer_is_flat_in_every_unit(geometry: Geometry) -> None:
    for unit in ("q_A^-1", "q_nm^-1", "2th_deg"):
        integrator = build_integrator(geometry, npt=50, unit=unit, polarization=0.9)
        shape = geometry.solid_angle() * geometry.polarization(0.9)
        found, _ = intensity(integrator.integrate(7.0 * shape))
        np.testing.assert_allclose(found, 7.0, rtol=1e-5)


def test_units_differ_by_their_factor_alone(geometry: Geometry) -> None:
    angstrom = build_integrator(geometry, npt=50)
    nanometre = build_integrator(geometry, npt=50, unit="q_nm^-1")

    np.testing.assert_allclose(nanometre.q, 10 * angstrom.q, rtol=1e-12)


def test_sigma_is_the_scatter_of_repeated_exposures(geometry: Geometry) -> None:
    gain = 6.0
    integrator = build_integrator(geometry, npt=40, gain=gain)
    repeats = [
        intensity(integrator.integrate((gain * RNG.poisson(20.0, SHAPE)).astype(np.float32)))
        for _ in range(200)
    ]
    scatter = np.std([found for found, _ in repeats], axis=0, ddof=1)
    sigma = np.mean([sigma for _, sigma in repeats], axis=0)

    assert np.median(sigma / scatter) == pytest.approx(1.0, abs=0.05)


def test_dark_is_subtracted_from_the_signal_and_not_from_the_variance(geometry: Geometry) -> None:
    image = counts()
    bare = build_integrator(geometry, npt=40).integrate(image)
    dark = build_integrator(geometry, npt=40, dark=np.full(SHAPE, 9.0)).integrate(image)

    np.testing.assert_allclose(dark.signal, bare.signal - 9.0 * bare.pixels)
    np.testing.assert_array_equal(dark.variance, bare.variance)


def test_normalisation_multiplies_the_weight(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=40)
    image = counts()
    plain = integrator.integrate(image, monitor=4.0, exposure=0.5)
    scaled = integrator.integrate(
        image, monitor=4.0, exposure=0.5, normalize_monitor=True, normalize_exposure=True
    )

    np.testing.assert_allclose(scaled.weight, 2.0 * plain.weight)
    np.testing.assert_array_equal(scaled.signal, plain.signal)
    assert (plain.monitor, plain.exposure, plain.frames) == (4.0, 0.5, 1)
    assert np.isnan(integrator.integrate(image).monitor)


@pytest.mark.parametrize("monitor", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_frame_without_the_monitor_it_needs_is_refused(
    geometry: Geometry, monitor: float | None
) -> None:
    integrator = build_integrator(geometry, npt=40)

    with pytest.raises(FrameError) as caught:
        integrator.integrate(counts(), monitor=monitor, normalize_monitor=True)
    assert caught.value.reason == "no monitor"


def reason(integrator: Integrator, image: PackedImage) -> str:
    with pytest.raises(FrameError) as caught:
        integrator.integrate_packed(image)
    return caught.value.reason


def test_a_packed_image_gives_the_sums_of_the_bare_one(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=40)
    for dtype in ("<u2", ">u2", "<i4"):
        image = counts(dtype=dtype)
        expected = integrator.integrate(image)
        blobs = {"bslz4": packed(image, hdf5plugin.Bitshuffle()), "raw": image.tobytes()}
        for algorithm, blob in blobs.items():
            wrapped = PackedImage(blob=blob, algorithm=algorithm, shape=SHAPE, dtype=image.dtype)
            same(integrator.integrate_packed(wrapped), expected)
            np.testing.assert_array_equal(integrator.unpack_image(wrapped), image)


def test_raw_pixels_at_an_odd_address_are_read_right(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=40)
    image = counts()
    blob = memoryview(b"x" + image.tobytes())[1:]
    wrapped = PackedImage(blob=blob, algorithm="raw", shape=SHAPE, dtype=image.dtype)

    same(integrator.integrate_packed(wrapped), integrator.integrate(image))


def test_unusable_frames_are_refused_under_their_reason(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=40)
    image = counts()
    blob = packed(image, hdf5plugin.Bitshuffle())

    def wrapped(blob: bytes, **wish: Any) -> PackedImage:
        usual = {"algorithm": "bslz4", "shape": SHAPE, "dtype": image.dtype}
        return PackedImage(blob=blob, **(usual | wish))

    assert reason(integrator, wrapped(blob, shape=SHAPE[::-1])) == "wrong shape"
    assert reason(integrator, wrapped(blob, dtype=np.dtype("c8"))) == "wrong dtype"
    assert reason(integrator, wrapped(blob, dtype=np.dtype("u4"))) == "wrong size"
    assert reason(integrator, wrapped(blob[:-5])) == "truncated"
    assert reason(integrator, wrapped(blob + b"x")) == "corrupt"


def test_many_threads_get_what_one_gets(geometry: Geometry) -> None:
    integrator = build_integrator(geometry, npt=40)
    images = [counts() for _ in range(24)]
    blobs = [
        PackedImage(
            blob=packed(image, hdf5plugin.Bitshuffle()),
            algorithm="bslz4",
            shape=SHAPE,
            dtype=image.dtype,
        )
        for image in images
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(integrator.integrate_packed, blobs))

    for sums, image in zip(found, images, strict=True):
        same(sums, integrator.integrate(image), rtol=0)


def test_integrating_changes_nothing_it_was_given(geometry: Geometry) -> None:
    mask, image = np.zeros(SHAPE, bool), counts()
    before = image.copy()

    build_integrator(geometry, npt=40, mask=mask).with_mask(~mask).integrate(image)

    assert not mask.any()
    np.testing.assert_array_equal(image, before)


def test_arrays_of_another_shape_are_refused(geometry: Geometry) -> None:
    for name in ("mask", "flat", "dark"):
        with pytest.raises(ValueError, match=f"the {name} is"):
            build_integrator(geometry, npt=40, **{name: np.zeros((3, 3))})
    with pytest.raises(ValueError, match="gain is 0"):
        build_integrator(geometry, npt=40, gain=0.0)


def test_a_published_pattern_is_repeated(data_path: Callable[[str], Path]) -> None:
    folder = data_path("images/dioptas_ceo2_pilatus1m")
    with fabio.open(str(folder / "CeO2_Pilatus1M.tif")) as opened:
        image = opened.data
    x, expected = np.loadtxt(folder / "CeO2_Pilatus1M.xy").T
    integrator = build_integrator(
        read_poni(folder / "CeO2_Pilatus1M.poni", shape=image.shape),
        npt=1512,
        unit="2th_deg",
        split="bbox",
        polarization=0.99,
        flip="ud",
        sentinels="keep",
    )

    found, _ = intensity(integrator.integrate(image))

    np.testing.assert_allclose(integrator.q, x, atol=1e-5)
    assert np.sqrt(np.sum((found - expected) ** 2) / np.sum(expected**2)) <= 2e-5
