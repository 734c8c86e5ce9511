from pathlib import Path

import numpy as np
import pyFAI
import pytest

from livepdf.files.images import read_mask
from livepdf.simulate.detector import GAP, Camera, camera_for, demo_detector, write_instrument

DETECTOR = demo_detector("half")
Q = np.arange(0.0, 30.0, 0.01)
PATTERN = 2.0 + np.exp(-0.1 * Q) * (1.0 + np.cos(2.5 * Q))


def test_the_calibration_file_describes_the_detector_that_is_simulated(tmp_path: Path) -> None:
    poni, mask = write_instrument(DETECTOR, tmp_path)

    read = pyFAI.load(str(poni))

    assert tuple(read.detector.shape) == DETECTOR.shape
    theirs = read.array_from_unit(DETECTOR.shape, "center", "q_A^-1")
    np.testing.assert_allclose(theirs, DETECTOR.q, rtol=1e-12)
    np.testing.assert_array_equal(read_mask(mask), DETECTOR.mask)


@pytest.mark.parametrize("size", ["half", "full"])
def test_rings_are_complete_beyond_20_per_angstrom(size: str) -> None:
    detector = demo_detector(size)  # type: ignore[arg-type]

    q = detector.q
    edge = np.concatenate([q[0], q[-1], q[:, 0], q[:, -1]])
    assert edge.min() > 20.0
    assert q.max() < 30.0


def test_integrating_a_noise_free_image_gives_the_pattern_back() -> None:
    image = camera_for(DETECTOR, q=Q, pattern=PATTERN, photons=1e7).expected(PATTERN)
    flux = camera_for(DETECTOR, q=Q, pattern=PATTERN, photons=1e7).flux

    result = DETECTOR.geometry.pyfai.integrate1d_ng(
        image,
        2000,
        unit="q_A^-1",
        mask=DETECTOR.mask.astype(np.int8),
        polarization_factor=0.99,
        correctSolidAngle=True,
        method=("no", "histogram", "cython"),
        radial_range=(1.0, 20.0),
    )

    filled = result.count > 0
    expected = flux * np.interp(result.radial, Q, PATTERN)
    np.testing.assert_allclose(result.intensity[filled], expected[filled], rtol=0.01)


def test_an_image_holds_the_photons_that_were_asked_for() -> None:
    camera = camera_for(DETECTOR, q=Q, pattern=PATTERN, photons=2e6)

    image = camera.image(PATTERN, seed=3, frame=0)

    live = image[~DETECTOR.mask].astype(float)
    assert live.sum() == pytest.approx(2e6, abs=5 * np.sqrt(2e6))
    assert (image[DETECTOR.blind] == GAP).all()
    assert (image[DETECTOR.shadow & ~DETECTOR.blind] == 0).all()


def test_pixels_scatter_around_the_expected_image_as_poisson() -> None:
    camera = camera_for(DETECTOR, q=Q, pattern=PATTERN, photons=4e6)
    live = ~DETECTOR.mask
    expected = camera.expected(PATTERN)[live]

    pull = (camera.image(PATTERN, seed=4, frame=9)[live] - expected) / np.sqrt(expected)

    assert pull.mean() == pytest.approx(0.0, abs=0.005)
    assert pull.std() == pytest.approx(1.0, abs=0.005)


def test_a_pattern_shorter_than_the_detector_sees_is_refused() -> None:
    with pytest.raises(ValueError, match="the detector looks"):
        Camera(detector=DETECTOR, q=Q[:1000])
