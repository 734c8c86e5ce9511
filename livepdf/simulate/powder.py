"""Nickel powder on detectors of total-scattering beamlines: images that never change much."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry, geometry_from_pyfai

WAVELENGTH = 0.1665
"""Å, 74.5 keV."""
_CELL = 3.524
"""Å, nickel."""
_RING = 0.035
"""Å⁻¹, width of a ring: a nanopowder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowderCamera:
    """A detector as it stands at a beamline: beam near the middle, slightly tilted."""

    model: str
    """As pyFAI knows it; ``Detector`` for one without gaps between modules."""
    shape: tuple[int, int]
    """(ny, nx)"""
    pixel_m: float
    distance_m: float
    dtype: str
    mean: float
    """Counts per pixel, or detector units."""

    @property
    def beam(self) -> tuple[float, float]:
        """Row and column of the point of normal incidence, in pixels."""
        return 0.51 * self.shape[0], 0.49 * self.shape[1]

    def poni_text(self) -> str:
        """Return the calibration as pyFAI writes it."""
        config: dict[str, Any] = {"orientation": 3}
        if self.model == "Detector":
            config |= {"pixel1": self.pixel_m, "pixel2": self.pixel_m, "max_shape": self.shape}
        row, column = self.beam
        return (
            f"poni_version: 2.1\nDetector: {self.model}\nDetector_config: {json.dumps(config)}\n"
            f"Distance: {self.distance_m!r}\nPoni1: {row * self.pixel_m!r}\n"
            f"Poni2: {column * self.pixel_m!r}\nRot1: 0.004\nRot2: -0.003\nRot3: 0.0\n"
            f"Wavelength: {WAVELENGTH * 1e-10!r}\n"
        )

    def geometry(self) -> Geometry:
        """Return the calibrated geometry, by pyFAI."""
        from pyFAI.detectors import Detector
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator

        model: Any = self.model
        if model == "Detector":
            model = Detector(self.pixel_m, self.pixel_m, max_shape=self.shape, orientation=3)
        row, column = self.beam
        pyfai = AzimuthalIntegrator(
            dist=self.distance_m,
            poni1=row * self.pixel_m,
            poni2=column * self.pixel_m,
            rot1=0.004,
            rot2=-0.003,
            detector=model,
            wavelength=WAVELENGTH * 1e-10,
        )
        return geometry_from_pyfai(pyfai, shape=self.shape)


CAMERAS: Mapping[str, PowderCamera] = MappingProxyType(
    {
        "pilatus-2m": PowderCamera(
            model="PilatusCdTe2M",
            shape=(1679, 1475),
            pixel_m=172e-6,
            distance_m=0.22,
            dtype="int32",
            mean=3.5,
        ),
        "eiger-9m": PowderCamera(
            model="Eiger2CdTe_9M",
            shape=(3262, 3108),
            pixel_m=75e-6,
            distance_m=0.13,
            dtype="uint16",
            mean=0.5,
        ),
        "varex": PowderCamera(
            model="Detector",
            shape=(2048, 2048),
            pixel_m=200e-6,
            distance_m=0.20,
            dtype="uint16",
            mean=3000.0,
        ),
        "pilatus-100k": PowderCamera(
            model="Pilatus100k",
            shape=(195, 487),
            pixel_m=172e-6,
            distance_m=0.03,
            dtype="int32",
            mean=3.0,
        ),
    }
)
"""By the name that the simulators take; the last one is small, for a quick look."""


def blind_pixels(geometry: Geometry) -> NDArray[np.bool_]:
    """Return (ny, nx) True where the detector has no pixel: between its modules."""
    gaps = geometry.detector_mask()
    return np.zeros(geometry.shape, np.bool_) if gaps is None else gaps


def powder_images(
    camera: PowderCamera, *, count: int, mean: float | None = None, seed: int = 0
) -> NDArray[Any]:
    """Draw images of the same powder, each with Poisson noise of its own.

    Parameters
    ----------
    mean : float, optional
        Counts per pixel; the camera's own when left out.

    Returns
    -------
    images : (count, ny, nx) of the camera's type
        In gaps −1, or the largest value of a type without sign.
    """
    geometry = camera.geometry()
    expected = powder_pattern(geometry.q())
    expected *= (camera.mean if mean is None else mean) / expected.mean()
    kind = np.dtype(camera.dtype)
    blind, random = blind_pixels(geometry), np.random.default_rng(seed)
    images = np.empty((count, *camera.shape), kind)
    for image in images:
        image[...] = random.poisson(expected)
        image[blind] = -1 if kind.kind == "i" else np.iinfo(kind).max
    return images


def powder_pattern(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intensity at ``q`` (Å⁻¹): the rings of nickel on what falls off smoothly.

    In arbitrary units; good to exercise a beamline's programs, not to fit.
    """
    intensity = np.exp(-q / 6.0)
    total = np.zeros(q.shape)
    for squares, number in _reflections(float(q.max())).items():
        centre = 2 * np.pi / _CELL * np.sqrt(squares)
        height = 0.6 * number / squares * np.exp(-0.003 * centre**2)
        near = np.abs(q - centre) < 5 * _RING
        total[near] += height * np.exp(-0.5 * ((q[near] - centre) / _RING) ** 2)
    return np.asarray(intensity * (1.0 + total))


def _reflections(q_max: float) -> dict[int, int]:
    """Return h² + k² + l² and how many reflections share it, for all that fcc allows."""
    most = int(q_max * _CELL / (2 * np.pi)) + 1
    h, k, l = np.mgrid[-most : most + 1, -most : most + 1, -most : most + 1]  # noqa: E741
    odd = h % 2 + k % 2 + l % 2
    squares, numbers = np.unique((h**2 + k**2 + l**2)[odd % 3 == 0], return_counts=True)
    found = zip(squares.tolist(), numbers.tolist(), strict=True)
    return {square: number for square, number in found if square}
