"""What is still to be corrected in patterns that came integrated, by the profile's own geometry."""

from dataclasses import dataclass

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

    What the profile wants corrected and the file says is not, is divided out: Σ wanted weight over
    Σ weight applied already, over the pixels of each ring that the profile's mask leaves.

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
    wanted = _weight(
        files,
        files.geometry,
        profile,
        solid_angle=solid_angle or integrated.solid_angle,
        polarization=profile.integration.polarization,
    )
    applied = _weight(
        files,
        files.geometry,
        profile,
        solid_angle=integrated.solid_angle,
        polarization=profile.integration.polarization if integrated.polarization else None,
    )
    mean = np.full(wanted.q.shape, np.nan)
    np.divide(wanted.weight, applied.weight, out=mean, where=applied.weight > 0)
    return given_integrator(q=integrated.q, weighted=(wanted.q, mean))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weight:
    q: Floats
    weight: Floats
    """Σ over the pixels of each ring."""


def _weight(
    files: DetectorFiles,
    geometry: Geometry,
    profile: Profile,
    *,
    solid_angle: bool,
    polarization: float | None,
) -> _Weight:
    detector = build_integrator(
        geometry,
        npt=profile.integration.bins,
        mask=ignored_pixels(files, geometry, profile.detector.flip),
        flip=profile.detector.flip,
        polarization=polarization,
        solid_angle=solid_angle,
    )
    sums = detector.integrate(np.ones(detector.shape, np.uint16))
    return _Weight(q=detector.q, weight=sums.weight)
