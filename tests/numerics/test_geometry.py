import numpy as np
import pytest
from pyFAI.detectors import Detector, detector_factory
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.numerics.geometry import Geometry, geometry_from_pyfai
from livepdf.numerics.tiles import Panel, TiledDetector, pyfai_detector

PIXEL = 2e-4
DISTANCE = 0.2
WAVELENGTH = 0.2


def straight(shape: tuple[int, int] = (60, 80)) -> Geometry:
    detector = Detector(PIXEL, PIXEL, max_shape=shape)
    pyfai = AzimuthalIntegrator(
        dist=DISTANCE,
        poni1=shape[0] * PIXEL / 2,
        poni2=shape[1] * PIXEL / 2,
        detector=detector,
        wavelength=WAVELENGTH * 1e-10,
    )
    return geometry_from_pyfai(pyfai)


def offsets(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    y = (np.arange(shape[0]) + 0.5) * PIXEL - shape[0] * PIXEL / 2
    x = (np.arange(shape[1]) + 0.5) * PIXEL - shape[1] * PIXEL / 2
    return y[:, None], x[None, :]


def test_q_follows_braggs_law_on_a_straight_detector() -> None:
    geometry = straight()
    y, x = offsets(geometry.shape)
    two_theta = np.arctan(np.hypot(y, x) / DISTANCE)

    np.testing.assert_allclose(geometry.two_theta(), two_theta, rtol=1e-9)
    np.testing.assert_allclose(
        geometry.q(), 4 * np.pi / WAVELENGTH * np.sin(two_theta / 2), rtol=1e-9
    )
    assert geometry.wavelength == pytest.approx(WAVELENGTH)
    assert geometry.orientation == 3


def test_solid_angle_falls_with_the_cube_of_the_cosine() -> None:
    geometry = straight()
    y, x = offsets(geometry.shape)
    cosine = DISTANCE / np.sqrt(DISTANCE**2 + x**2 + y**2)

    np.testing.assert_allclose(geometry.solid_angle(), cosine**3, rtol=1e-6)


def test_unpolarized_light_loses_half_of_sin_squared() -> None:
    geometry = straight()
    expected = (1 + np.cos(geometry.two_theta()) ** 2) / 2

    np.testing.assert_allclose(geometry.polarization(0.0), expected, rtol=1e-6)


def test_horizontal_polarization_dims_the_horizontal_plane() -> None:
    polarization = straight((81, 81)).polarization(1.0)

    assert polarization[40, 0] < 0.9985
    assert polarization[0, 40] == pytest.approx(1.0, abs=1e-5)


def test_a_named_detector_brings_its_gaps() -> None:
    pyfai = AzimuthalIntegrator(
        dist=0.2, detector=detector_factory("Pilatus100k"), wavelength=2e-11
    )
    geometry = geometry_from_pyfai(pyfai)

    mask = geometry.detector_mask()

    assert mask is None or mask.shape == geometry.shape
    assert straight().detector_mask() is None


@pytest.mark.parametrize("orientation", [1, 2, 4])
def test_other_orientations_are_refused(orientation: int) -> None:
    detector = Detector(PIXEL, PIXEL, max_shape=(9, 9), orientation=orientation)
    pyfai = AzimuthalIntegrator(dist=0.2, detector=detector, wavelength=2e-11)

    with pytest.raises(ValueError, match=f"found detector orientation {orientation}, wanted 3"):
        geometry_from_pyfai(pyfai)


def test_images_of_another_size_are_refused() -> None:
    pyfai = straight((60, 80)).pyfai

    with pytest.raises(ValueError, match=r"images of \(60, 80\), found \(61, 80\)"):
        geometry_from_pyfai(pyfai, shape=(61, 80))


def test_a_detector_without_size_needs_that_of_the_images() -> None:
    bare = AzimuthalIntegrator(dist=0.2, detector=Detector(PIXEL, PIXEL), wavelength=2e-11)

    with pytest.raises(ValueError, match="no size"):
        geometry_from_pyfai(bare)
    assert geometry_from_pyfai(bare, shape=(5, 7)).shape == (5, 7)


def test_no_wavelength_is_refused() -> None:
    bare = AzimuthalIntegrator(dist=0.2, detector=Detector(PIXEL, PIXEL, max_shape=(5, 5)))

    with pytest.raises(ValueError, match="no wavelength"):
        geometry_from_pyfai(bare)


def test_a_polarization_factor_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5 is outside"):
        straight().polarization(1.5)


def tilted_tiles() -> Detector:
    """Two tiles of 30 × 40 pixels, one turned towards the sample."""

    def panel(name: str, top: int, slow: tuple[float, float, float]) -> Panel:
        return Panel(
            name=name,
            top=top,
            bottom=top + 30,
            left=0,
            right=40,
            corner=np.array([-0.01, 0.002 * top, 0.2]),
            fast=np.array([PIXEL, 0.0, 0.0]),
            slow=np.array(slow),
        )

    tiles = TiledDetector(
        panels=(
            panel("low", 0, (0.0, PIXEL, 0.0)),
            panel("high", 30, (0.0, PIXEL, -PIXEL / 2)),
        )
    )
    return pyfai_detector(tiles)[0]


@pytest.mark.parametrize("flat", [True, False])
def test_some_pixels_look_where_the_arrays_of_all_pixels_say(flat: bool) -> None:
    detector = detector_factory("Pilatus100k") if flat else tilted_tiles()
    pyfai = AzimuthalIntegrator(
        dist=0.2, poni1=0.03, poni2=0.05, rot1=0.1, rot2=-0.05, detector=detector, wavelength=2e-11
    )
    geometry = geometry_from_pyfai(pyfai)
    rng = np.random.default_rng(5)
    rows, columns = (rng.integers(0, size, 200) for size in geometry.shape)

    there = geometry.at(rows=rows, columns=columns)

    azimuth = pyfai.array_from_unit(geometry.shape, "center", "chi_rad", scale=False)
    np.testing.assert_allclose(there.q, geometry.q()[rows, columns], rtol=1e-6)
    np.testing.assert_allclose(there.two_theta, geometry.two_theta()[rows, columns], rtol=1e-6)
    np.testing.assert_allclose(there.azimuth, azimuth[rows, columns], atol=1e-6)
    np.testing.assert_allclose(there.solid_angle, geometry.solid_angle()[rows, columns], rtol=1e-6)
    np.testing.assert_allclose(
        there.polarization(0.9), geometry.polarization(0.9)[rows, columns], rtol=1e-6
    )
