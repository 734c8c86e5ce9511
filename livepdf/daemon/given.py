"""What is still to be corrected in patterns that came integrated, by the profile's own geometry."""

import numpy as np
from numpy.typing import NDArray

from livepdf.config.profile import Profile
from livepdf.daemon.detector import DetectorFiles, ignored_pixels
from livepdf.files.poni import read_poni
from livepdf.model.frame import Integrated
from livepdf.numerics.geometry import Geometry
from livepdf.reduction.given import given_integrator
from livepdf.reduction.integrator import Integrator, build_integrator

Floats = NDArray[np.float64]
_ANY_SHAPE = (16, 16)


def pattern_geometry(files: DetectorFiles, profile: Profile) -> Geometry:
    """Return the geometry, for its wavelength alone where it does not know its images' size."""
    if files.geometry is not None:
        return files.geometry
    return read_poni(profile.detector.poni, shape=_ANY_SHAPE)


def pattern_integrator(
    files: DetectorFiles, profile: Profile, integrated: Integrated
) -> Integrator:
    """Return what makes sums of such patterns.

    What the profile wants corrected and the file says is not, is divided out: the mean over the
    pixels of each ring that the profile's mask leaves.

    Raises
    ------
    ValueError
        When that is needed and the calibration does not tell the size of the images.
    """
    solid_angle = profile.integration.solid_angle and not integrated.solid_angle
    polarization = None if integrated.polarization else profile.integration.polarization
    if not solid_angle and polarization is None:
        return given_integrator(q=integrated.q)
    if files.geometry is None:
        raise ValueError(
            "the patterns are not corrected for "
            f"{'the solid angle' if solid_angle else 'polarization'}, and the calibration does "
            "not say how large the images were: add max_shape to its Detector_config"
        )
    detector = build_integrator(
        files.geometry,
        npt=profile.integration.bins,
        mask=ignored_pixels(files, files.geometry, profile.detector.flip),
        flip=profile.detector.flip,
        polarization=polarization,
        solid_angle=solid_angle,
    )
    sums = detector.integrate(np.ones(detector.shape, np.uint16))
    mean = np.full(detector.q.shape, np.nan)
    np.divide(sums.weight, sums.pixels, out=mean, where=sums.pixels > 0)
    return given_integrator(q=integrated.q, weighted=(detector.q, mean))
