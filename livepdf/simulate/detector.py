"""The simulated instrument: a PILATUS3 X CdTe at 80 keV, its calibration, mask and images."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry, geometry_from_pyfai
from livepdf.simulate.poisson import poisson_image

Size = Literal["full", "half"]
"""``full`` is a 2M (1679 × 1475), ``half`` a 1M (1043 × 981)."""

GAP = 2**32 - 1
"""Value of pixels in the gaps between modules and of dead pixels."""
_PIXEL = 172e-6
"""m"""
_HC = 12.398419843
"""keV Å"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Detector:
    """An area detector behind the sample, with a beamstop and a few dead pixels."""

    name: str
    """As pyFAI knows it."""
    shape: tuple[int, int]
    """(ny, nx)"""
    distance_m: float
    energy: float = 80.0
    """keV"""
    polarization: float = 0.99
    beamstop: float = 0.6
    """Å⁻¹, radius of the beamstop's shadow."""
    dead: int = 120
    """How many pixels are dead."""

    @property
    def wavelength(self) -> float:
        """Wavelength in Å."""
        return _HC / self.energy

    @property
    def beam(self) -> tuple[float, float]:
        """Row and column of the direct beam, in pixels: a little off the middle."""
        return self.shape[0] / 2 + 3.4, self.shape[1] / 2 - 2.7

    def poni_text(self) -> str:
        """Return the calibration as pyFAI writes it."""
        row, column = self.beam
        return "\n".join(
            [
                "# Calibration of the simulated instrument",
                "poni_version: 2",
                f"Detector: {self.name}",
                f"Detector_config: {json.dumps({'orientation': 3})}",
                f"Distance: {self.distance_m!r}",
                f"Poni1: {row * _PIXEL!r}",
                f"Poni2: {column * _PIXEL!r}",
                "Rot1: 0.0",
                "Rot2: 0.0",
                "Rot3: 0.0",
                f"Wavelength: {self.wavelength * 1e-10!r}",
                "",
            ]
        )

    @cached_property
    def geometry(self) -> Geometry:
        """The calibrated geometry, by pyFAI."""
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator

        row, column = self.beam
        pyfai = AzimuthalIntegrator(
            dist=self.distance_m,
            poni1=row * _PIXEL,
            poni2=column * _PIXEL,
            detector=self.name,
            wavelength=self.wavelength * 1e-10,
        )
        return geometry_from_pyfai(pyfai, shape=self.shape)

    @cached_property
    def q(self) -> NDArray[np.float64]:
        """(ny, nx) Å⁻¹, of the pixel centres."""
        return self.geometry.q()

    @cached_property
    def blind(self) -> NDArray[np.bool_]:
        """(ny, nx) True where the detector has no working pixel: it writes `GAP` there."""
        gaps = self.geometry.detector_mask()
        blind: NDArray[np.bool_] = np.zeros(self.shape, dtype=np.bool_)
        blind[...] = False if gaps is None else gaps
        dead = np.random.default_rng(2).integers(0, blind.size, self.dead)
        blind.ravel()[dead] = True
        return np.asarray(blind)

    @cached_property
    def shadow(self) -> NDArray[np.bool_]:
        """(ny, nx) True behind the beamstop and its arm: no photon arrives there."""
        row, column = self.beam
        rows, columns = np.indices(self.shape)
        arm = (np.abs(rows - row) < 4) & (columns < column)
        return np.asarray((self.q < self.beamstop) | arm)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(ny, nx) True = ignore: what a user would draw."""
        return self.blind | self.shadow

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """(ny, nx) solid angle × polarization, 0 in the shadow and where blind."""
        weight = self.geometry.solid_angle() * self.geometry.polarization(self.polarization)
        return np.where(self.mask, 0.0, weight)


def demo_detector(size: Size = "half") -> Detector:
    """Return a detector that holds complete rings to 20 Å⁻¹ at 80 keV."""
    if size == "full":
        return Detector(name="PilatusCdTe2M", shape=(1679, 1475), distance_m=0.22)
    if size == "half":
        return Detector(name="PilatusCdTe1M", shape=(1043, 981), distance_m=0.145)
    raise ValueError(f"no detector of size {size!r}, wanted full or half")


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """Turns patterns into images: a detector with the look-up of every pixel."""

    detector: Detector
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹, evenly spaced from 0, of the patterns that it will be given."""
    flux: float = 1.0
    """Counts per unit of pattern and of weight."""

    def __post_init__(self) -> None:
        if self.q[0] != 0.0 or self.detector.q.max() >= self.q[-2]:
            raise ValueError(
                f"patterns run from {self.q[0]} to {self.q[-1]} Å⁻¹, the detector looks from 0 "
                f"to {self.detector.q.max()}"
            )

    @cached_property
    def place(self) -> NDArray[np.float32]:
        """(ny, nx) fractional index into a pattern, -1 where blind."""
        step = self.q[1] - self.q[0]
        return np.where(self.detector.blind, -1.0, self.detector.q / step).astype(np.float32)

    @cached_property
    def scale(self) -> NDArray[np.float32]:
        """(ny, nx) flux × weight."""
        return np.asarray(self.flux * self.detector.weight, dtype=np.float32)

    def expected(self, pattern: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean image of a pattern, (ny, nx), 0 where blind."""
        seen = np.interp(self.detector.q, self.q, pattern)
        return np.asarray(self.flux * self.detector.weight * seen)

    def image(self, pattern: NDArray[np.float64], *, seed: int, frame: int) -> NDArray[np.uint32]:
        """Draw one image of a pattern, (ny, nx); `GAP` where blind."""
        return poisson_image(
            place=self.place,
            weight=self.scale,
            pattern=pattern,
            seed=seed,
            frame=frame,
            gap=GAP,
        )


def camera_for(
    detector: Detector,
    *,
    q: NDArray[np.float64],
    pattern: NDArray[np.float64],
    photons: float,
) -> Camera:
    """Set the flux so that an image of ``pattern`` holds ``photons`` on average."""
    bare = Camera(detector=detector, q=q)
    return Camera(detector=detector, q=q, flux=photons / float(bare.expected(pattern).sum()))


def write_instrument(detector: Detector, directory: Path) -> tuple[Path, Path]:
    """Write ``demo.poni`` and ``demo_mask.h5`` (True = ignore) and return where."""
    import h5py  # who only simulates need not wait for it

    directory.mkdir(parents=True, exist_ok=True)
    poni, mask = directory / "demo.poni", directory / "demo_mask.h5"
    poni.write_text(detector.poni_text(), encoding="utf-8")
    with h5py.File(mask, "w") as file:
        file.create_dataset("mask", data=detector.mask.astype(np.uint8), compression="gzip")
    return poni, mask
