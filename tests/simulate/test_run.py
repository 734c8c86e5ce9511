from dataclasses import replace

import numpy as np
import pytest

from livepdf.simulate.detector import GAP, demo_detector
from livepdf.simulate.growth import Growth
from livepdf.simulate.run import Run, blank_images, demo_run, expected_iq
from livepdf.simulate.sample import Sample

RUN = Run(
    sample=Sample(
        structure_name="hfo2-monoclinic",
        molarity=1.0,
        growth=Growth(first_diameter=18.0, last_diameter=22.0),
    ),
    detector=demo_detector("half"),
    frames=30,
    rate=10.0,
    photons=1e7,
    seed=3,
)


def _integrated(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    result = RUN.detector.geometry.pyfai.integrate1d_ng(
        image.astype(float),
        800,
        unit="q_A^-1",
        mask=RUN.detector.mask.astype(np.int8),
        polarization_factor=0.99,
        variance=image.astype(float),
        method=("no", "histogram", "cython"),
        radial_range=(1.0, 20.0),
    )
    return result.radial, result.intensity, result.sigma


def test_a_frame_integrates_to_its_pattern_within_its_noise() -> None:
    q, intensity, sigma = _integrated(RUN.image(29))

    expected = np.interp(q, RUN.sample.q, expected_iq(RUN, RUN.pattern(29)))
    pull = (intensity - expected) / sigma
    assert np.mean(pull) == pytest.approx(0.0, abs=0.2)
    assert np.std(pull) == pytest.approx(1.0, abs=0.15)


def test_the_unreacted_frame_holds_the_photons_that_were_asked_for() -> None:
    image = RUN.image(0)

    assert image[image != GAP].sum(dtype=float) == pytest.approx(1e7, abs=5e3 * 5)


def test_a_frame_can_be_drawn_again() -> None:
    np.testing.assert_array_equal(RUN.image(12), RUN.image(12))


def test_a_blank_run_has_the_flux_of_the_sample_and_noise_of_its_own() -> None:
    blank = replace(RUN, blank=True)

    assert blank.camera.flux == pytest.approx(RUN.camera.flux)
    assert (blank.pattern(0) < RUN.pattern(0)).mean() > 0.99
    q, intensity, sigma = _integrated(blank.image(29))
    expected = np.interp(q, RUN.sample.q, expected_iq(blank, blank.pattern(29)))
    assert np.std((intensity - expected) / sigma) == pytest.approx(1.0, abs=0.15)


def test_the_mean_blank_image_is_the_hot_blank_with_less_noise() -> None:
    live = ~RUN.detector.mask

    mean = np.mean(list(blank_images(RUN, frames=4)), axis=0)

    expected = RUN.camera.expected(RUN.sample.blank(573.0))[live]
    pull = (mean[live] - expected) / np.sqrt(expected / 4)
    assert pull.mean() == pytest.approx(0.0, abs=0.01)
    assert pull.std() == pytest.approx(1.0, abs=0.01)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        demo_run(rate=0.0)
