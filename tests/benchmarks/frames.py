"""Frames and geometries of the three detectors that speed is quoted for."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

FRAMES = 4
"""Different ones of each kind, taken in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A detector as it stands at a total-scattering beamline."""

    name: str
    shape: tuple[int, int]
    dtype: str
    pixel: float
    """m"""
    distance: float
    """m"""
    mean: float
    """Counts per pixel."""
    gap: int | None
    """Rows between modules hold the type's sentinel; None where it has no modules."""


VAREX = Camera(
    name="Varex 2048² uint16",
    shape=(2048, 2048),
    dtype="uint16",
    pixel=200e-6,
    distance=0.20,
    mean=3000,
    gap=None,
)
PILATUS = Camera(
    name="PILATUS 2M int32",
    shape=(1679, 1475),
    dtype="int32",
    pixel=172e-6,
    distance=0.22,
    mean=200,
    gap=212,
)
EIGER = Camera(
    name="EIGER 9M uint16",
    shape=(3262, 3108),
    dtype="uint16",
    pixel=75e-6,
    distance=0.13,
    mean=30,
    gap=550,
)

CAMERAS = (VAREX, PILATUS, EIGER)
KINDS = (
    *CAMERAS,
    replace(PILATUS, name="PILATUS 2M int32, few counts", mean=3),
    replace(EIGER, name="EIGER 9M uint16, few counts", mean=0.5),
    replace(EIGER, name="EIGER 9M uint32", dtype="uint32"),
    replace(EIGER, name="EIGER 9M uint32, few counts", dtype="uint32", mean=0.5),
)
"""The cameras, and what else their counts and their pixels can be."""


def pyfai(camera: Camera) -> AzimuthalIntegrator:
    """Return the camera's geometry: beam near the centre, slightly tilted, 74 keV."""
    ny, nx = camera.shape
    detector = Detector(camera.pixel, camera.pixel, max_shape=camera.shape, orientation=3)
    return AzimuthalIntegrator(
        dist=camera.distance,
        poni1=0.51 * ny * camera.pixel,
        poni2=0.49 * nx * camera.pixel,
        rot1=0.004,
        rot2=-0.003,
        detector=detector,
        wavelength=0.1665e-10,
    )


def mask_of(camera: Camera) -> NDArray[np.bool_]:
    """Return (ny, nx) bool, True = ignore: the gaps between modules."""
    mask = np.zeros(camera.shape, np.bool_)
    if camera.gap:
        for row in range(camera.gap, camera.shape[0], camera.gap):
            mask[row : row + 17] = True
    return mask


@cache
def frames(camera: Camera) -> NDArray[Any]:
    """Return (FRAMES, ny, nx): rings on a falling background, Poisson noise, sentinels in gaps.

    Kept and shared, since several benchmarks want them: read-only.
    """
    q = pyfai(camera).center_array(camera.shape, unit="q_A^-1")
    expected = np.exp(-q / 6) * (1 + 0.5 * np.sin(3.1 * q) ** 8)
    expected *= camera.mean / expected.mean()
    random = np.random.default_rng(7)
    dtype = np.dtype(camera.dtype)
    stack = random.poisson(expected, size=(FRAMES, *camera.shape)).astype(dtype)
    stack[:, mask_of(camera)] = np.iinfo(dtype).max if dtype.kind == "u" else -1
    stack.flags.writeable = False
    return stack


def packed(stack: NDArray[Any]) -> list[bytes]:
    """Return each frame as bitshuffle + LZ4 with its HDF5 header, packed by hdf5plugin."""
    with h5py.File("packed.h5", "w", driver="core", backing_store=False) as file:
        chunks = file.create_dataset(
            "data", data=stack, chunks=(1, *stack.shape[1:]), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        return [bytes(chunks.id.read_direct_chunk((i, 0, 0))[1]) for i in range(len(stack))]
