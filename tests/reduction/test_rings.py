from typing import Any

import hdf5plugin
import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.model.frame import PackedImage
from livepdf.model.sums import intensity
from livepdf.numerics.geometry import Geometry, geometry_from_pyfai
from livepdf.numerics.sectors import sector_centres
from livepdf.reduction.integrator import build_integrator
from tests.numerics.test_unpack import packed

SHAPE = (200, 180)
RNG = np.random.default_rng(5)
FIELDS = ("signal", "variance", "weight", "pixels")


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    pyfai = AzimuthalIntegrator(
        dist=0.1,
        poni1=0.019,
        poni2=0.017,
        rot1=0.03,
        detector=Detector(2e-4, 2e-4, max_shape=SHAPE),
        wavelength=2e-11,
    )
    return geometry_from_pyfai(pyfai)


def scattered(geometry: Geometry, level: float) -> np.ndarray:
    return level * geometry.solid_angle() * geometry.polarization(0.95)


def same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    for name in FIELDS:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, err_msg=name)


def wrapped(image: np.ndarray) -> PackedImage:
    blob = packed(image, hdf5plugin.Bitshuffle())
    return PackedImage(blob=blob, algorithm="bslz4", shape=SHAPE, dtype=image.dtype)


def test_the_measured_variance_is_the_scatter_about_the_ring(geometry: Geometry) -> None:
    image = RNG.poisson(scattered(geometry, 100.0)).astype("u2")
    image[10:14] = 65535
    dark = RNG.uniform(1, 2, SHAPE)
    wish = {"npt": 40, "polarization": 0.95, "dark": dark}
    poisson = build_integrator(geometry, **wish)
    ours = build_integrator(geometry, variance="measured", **wish)

    sums = ours.integrate(image)

    weight = scattered(geometry, 1.0)
    q = geometry.q()
    edges = np.linspace(q.min(), q.max(), 41)
    number = np.clip(np.searchsorted(edges, q, side="right") - 1, 0, 39)
    for bin_ in (3, 20, 35):
        pixels = (number == bin_) & (image < 65535)
        u, w = image[pixels] - dark[pixels], weight[pixels]
        scatter = np.sum((u - u.sum() / w.sum() * w) ** 2) * u.size / (u.size - 1)
        assert sums.pixels[bin_] == u.size
        assert sums.variance[bin_] == pytest.approx(scatter, rel=1e-5)
    plain = poisson.integrate(image)
    np.testing.assert_allclose(sums.signal, plain.signal, rtol=1e-6)
    np.testing.assert_allclose(sums.weight, plain.weight, rtol=1e-6)
    assert np.median(sums.variance / plain.variance) == pytest.approx(1.0, abs=0.05)
    same(ours.integrate_packed(wrapped(image)), sums, rtol=0)
    same(ours.integrate_batch([wrapped(image)] * 5)[4], sums, rtol=0)
    masked = ours.with_mask(np.arange(SHAPE[0])[:, None] * np.ones(SHAPE) < 10)
    assert masked.integrate(image).pixels.sum() == sums.pixels.sum() - 10 * SHAPE[1]


def test_a_lonely_pixel_has_no_measured_variance(geometry: Geometry) -> None:
    mask = np.ones(SHAPE, bool)
    mask[100, 100] = False
    ours = build_integrator(
        geometry, npt=3, radial_range=(0.0, 50.0), mask=mask, variance="measured"
    )

    sums = ours.integrate(np.full(SHAPE, 7, np.int32))

    assert np.isnan(sums.variance[sums.pixels == 1]).all()
    assert (sums.variance[sums.pixels == 0] == 0).all()
    assert np.isnan(intensity(sums)[1]).all()


@pytest.mark.parametrize("flip", ["none", "ud"])
def test_sectors_add_up_to_their_rings(geometry: Geometry, flip: str) -> None:
    image = RNG.poisson(20.0, SHAPE).astype("u2")
    image[50:60, 20:40] = 65535
    plain = build_integrator(geometry, npt=40, flip=flip)
    cut = build_integrator(geometry, npt=40, flip=flip, sectors=36)

    by_sector = cut.integrate_sectors(wrapped(image))

    assert by_sector.signal.shape == (36, 40)
    np.testing.assert_array_equal(by_sector.signal.sum(axis=0), plain.integrate(image).signal)
    same(cut.integrate(image), plain.integrate(image))
    same(cut.integrate_batch([wrapped(image)] * 4)[0], plain.integrate(image))


def test_a_sector_is_where_pyfai_says(geometry: Geometry) -> None:
    chi = np.rad2deg(geometry.pyfai.center_array(SHAPE, unit="chi_rad", scale=False))
    image = ((chi > -30) & (chi < -20)).astype("u2")

    sums = build_integrator(geometry, npt=5, sectors=36).integrate_sectors(image)

    lit = np.flatnonzero(sums.signal.sum(axis=1))
    np.testing.assert_allclose(sector_centres(36)[lit], [-25.0])


def test_spots_and_zingers_do_not_spoil_a_clipped_average(geometry: Geometry) -> None:
    expected = scattered(geometry, 400.0)
    image = RNG.poisson(expected).astype("u4")
    clean = build_integrator(geometry, npt=30, polarization=0.95).integrate(image)
    spoilt = image.copy()
    for _ in range(12):
        row, column = RNG.integers(10, 160, 2)
        spoilt[row : row + 3, column : column + 3] = 60_000
    wish = {"npt": 30, "polarization": 0.95}
    plain = build_integrator(geometry, **wish).integrate(spoilt)
    robust = build_integrator(geometry, sectors=36, clip=4.0, **wish).integrate(spoilt)

    truth, sigma = intensity(clean)
    filled = clean.pixels > 200
    away = np.abs(intensity(robust)[0] - truth)[filled] / sigma[filled]
    assert np.abs(intensity(plain)[0] - truth)[filled].max() > 50 * sigma[filled].min()
    assert away.max() < 4
    assert robust.pixels.sum() > 0.8 * clean.pixels.sum()


@pytest.mark.parametrize("level", [0.2, 3.0, 300.0])
def test_clipping_leaves_a_clean_average_where_it_is(geometry: Geometry, level: float) -> None:
    wish = {"npt": 20, "polarization": 0.95}
    plain = build_integrator(geometry, **wish)
    robust = build_integrator(geometry, sectors=36, clip=4.0, **wish)
    ratios = []
    for _ in range(20):
        image = RNG.poisson(scattered(geometry, level)).astype("u2")
        ratios.append(intensity(robust.integrate(image))[0] / intensity(plain.integrate(image))[0])

    assert np.mean(ratios) == pytest.approx(1.0, abs=2e-3)


def test_what_cannot_be_done_with_rings_is_refused(geometry: Geometry) -> None:
    for wish in (
        {"split": "full", "variance": "measured"},
        {"split": "bbox", "sectors": 4},
        {"clip": 3.0},
        {"clip": -1.0, "sectors": 36},
        {"sectors": 0},
    ):
        with pytest.raises(ValueError, match=r"sectors|wanted"):
            build_integrator(geometry, npt=10, **wish)
