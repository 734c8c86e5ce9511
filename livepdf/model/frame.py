"""Frames as they travel from a source to the workers, and the series that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Algorithm = Literal["raw", "bslz4", "lz4", "lz4-block"]
"""How an image is packed: ``bslz4`` and ``lz4`` carry the 12-byte HDF5 header, ``lz4-block`` is one
bare LZ4 block."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedImage:
    """A detector image still compressed: workers unpack it, not the intake."""

    blob: bytes | memoryview
    """Owned by the image: the source never reuses the buffer."""
    algorithm: Algorithm
    shape: tuple[int, int]
    """(ny, nx): rows, then columns."""
    dtype: np.dtype[np.generic]
    """Pixel type with its byte order."""

    @property
    def image_bytes(self) -> int:
        """Size of the unpacked image."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Integrated:
    """The frames of a series are patterns that somebody else integrated, not images.

    Each comes as an image of (3, n) float64: intensity per pixel, its σ (NaN where unknown), and
    the number of pixels in the bin (1 where unknown).
    """

    q: NDArray[np.float64]
    """(n,) Å⁻¹, increasing."""
    solid_angle: bool
    """Whether the intensities are divided by the solid angle of the pixels already."""
    polarization: bool
    """Whether they are corrected for polarization already."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunStart:
    """A series begins: a detector was armed, or the first file of a set arrived."""

    series: str
    """Identity of the series: unique over restarts of the detector."""
    name: str
    """What the beamline calls the run; names the output file."""
    time: float
    """Unix seconds."""
    expected: int | None = None
    """Announced number of frames: a hint, never a promise."""
    mask: NDArray[np.bool_] | None = None
    """(ny, nx), True = ignore: the detector's own mask."""
    wavelength: float | None = None
    """Å, as the detector was told; compared with the calibration, never used."""
    saturation: float | None = None
    """Counts at and above which a pixel says nothing, as the detector tells it."""
    integrated: Integrated | None = None
    """Where the frames are patterns instead of images."""
    metadata: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One exposure of the detector, before any correction."""

    series: str
    index: int
    """Position in the series, from 0; gaps are frames lost upstream."""
    image: PackedImage
    received: float
    """Unix seconds when livepdf had all of it."""
    time: float
    """Unix seconds by the detector's or the file's clock; ``received`` where there is none."""
    exposure: float | None = None
    """s"""
    monitor: float | None = None
    """I0 counts during the exposure; None where the beamline sends none."""
    origin: str = ""
    """Where it came from: file name and image number, or ``series/index``."""
    environment: Mapping[str, float] = field(default_factory=dict)
    """Slow values joined to the frame, e.g. ``{"temperature": 523.0}`` in K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRefused:
    """A received message or file that is no usable frame; counted under its reason."""

    series: str
    reason: str
    detail: str
    time: float
    index: int | None = None
    """Its place in the series where that much could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """A series is over."""

    series: str
    time: float
    reason: Literal["end", "next start", "idle", "stopped", "command"]


SourceItem = RunStart | Frame | FrameRefused | RunEnd
"""What a source hands to the intake, in order of arrival."""
