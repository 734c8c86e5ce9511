"""The files that a profile names, read with every complaint, and the integrator made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.config.profile import DeadTime as ToldDeadTime
from livepdf.config.profile import Profile
from livepdf.config.tiles import Tiles
from livepdf.errors import Complaint, FileError
from livepdf.files.columns import Columns, read_columns
from livepdf.files.images import read_float_image, read_mask
from livepdf.files.poni import read_poni
from livepdf.numerics.dead_time import tabulated_rate
from livepdf.numerics.geometry import Geometry
from livepdf.numerics.tile_correction import TileCorrection, tile_correction
from livepdf.reduction.integrator import Flip, Integrator, build_integrator
from livepdf.reduction.live_time import DeadTime

Mask = NDArray[np.bool_]
Shape = tuple[int, int]

_ANY_SHAPE = (16, 16)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorFiles:
    """What the files of a profile hold, in the orientation as read."""

    masks: tuple[Mask, ...]
    """As many as the profile names."""
    dark: NDArray[Any] | None
    flat: NDArray[Any] | None
    rates: Columns | None
    """The table of the detector's maker for its dead time."""
    geometry: Geometry | None
    """None where the calibration does not know the size of the images."""
    pedestal: NDArray[Any] | float = 0.0
    """Of tiles, detector units."""
    per_photon: NDArray[Any] | float = 1.0
    """Of tiles, detector units."""


def read_detector(profile: Profile, file: Path) -> tuple[DetectorFiles | None, list[Complaint]]:
    """Read every file of the profile; None with complaints where any cannot be used."""
    settings, complaints = profile.detector, list[Complaint]()
    masks = []
    for number, path in enumerate(settings.masks):
        try:
            masks.append(read_mask(path))
        except (FileError, ValueError) as error:
            complaints.append(_unreadable(file, f"detector.masks.{number}", error, "a mask image"))
    dark = _optional_image(settings.dark, "detector.dark", file, complaints)
    flat = _optional_image(settings.flat, "detector.flat", file, complaints)
    rates = _rates(settings.dead_time, file, complaints)
    pedestal, per_photon = _tile_images(settings.tiles, file, complaints)
    geometry, trouble = _own_geometry(settings.poni, file)
    complaints += trouble
    if geometry is None and not trouble and (masks or dark is not None or flat is not None):
        shape = next(a.shape for a in (*masks, dark, flat) if a is not None)
        geometry = read_poni(settings.poni, shape=(shape[0], shape[1]))
    if geometry is not None:
        complaints += _shape_complaints(profile, file, geometry.shape, masks, dark, flat)
    if complaints:
        return None, complaints
    files = DetectorFiles(
        masks=tuple(masks),
        dark=dark,
        flat=flat,
        rates=rates,
        geometry=geometry,
        pedestal=pedestal,
        per_photon=per_photon,
    )
    return files, []


def geometry_for(files: DetectorFiles, profile: Profile, shape: Shape) -> Geometry:
    """Return the geometry for images of this shape; ValueError where they do not fit."""
    if files.geometry is None:
        return read_poni(profile.detector.poni, shape=shape)
    if files.geometry.shape != shape:
        raise ValueError(
            f"found images of {shape}, wanted {files.geometry.shape} as the calibration says"
        )
    return files.geometry


def ignored_pixels(files: DetectorFiles, geometry: Geometry, flip: Flip) -> Mask:
    """Return (ny, nx) True = ignore: all mask files and the gaps of the detector model, as read."""
    ignored = np.zeros(geometry.shape, dtype=np.bool_)
    gaps = geometry.detector_mask()
    if gaps is not None:
        rows, columns = -1 if "ud" in flip else 1, -1 if "lr" in flip else 1
        ignored |= gaps[::rows, ::columns]
    for mask in files.masks:
        ignored |= mask
    return ignored


def detector_integrator(
    files: DetectorFiles, profile: Profile, geometry: Geometry, ignored: Mask
) -> Integrator:
    """Build the integrator as the profile says; ValueError where no pixel is left."""
    detector, integration = profile.detector, profile.integration
    return build_integrator(
        geometry,
        npt=integration.bins,
        radial_range=_radial_range(profile, geometry, ignored),
        split=integration.split,
        polarization=integration.polarization,
        solid_angle=integration.solid_angle,
        mask=ignored,
        flat=files.flat,
        dark=files.dark,
        flip=detector.flip,
        sentinels=detector.sentinels,
        # tiles have what is saturated taken out before
        saturation=detector.saturation if detector.tiles is None else None,
        gain=detector.gain,
        dead_time=_dead_time(files, profile),
    )


def detector_tiles(files: DetectorFiles, profile: Profile, shape: Shape) -> TileCorrection | None:
    """Return what turns readings of tiles into photons, None where the profile has no tiles.

    ValueError where it does not fit images of this shape.
    """
    told, saturation = profile.detector.tiles, profile.detector.saturation
    if told is None:
        return None
    return tile_correction(
        pedestal=files.pedestal,
        gain=files.per_photon,
        shape=shape,
        rows=told.rows,
        common_mode=told.common_mode,
        dark_below=told.dark_below,
        saturation=np.inf if saturation is None else saturation,
    )


def _tile_images(
    told: Tiles | None, file: Path, complaints: list[Complaint]
) -> tuple[NDArray[Any] | float, NDArray[Any] | float]:
    if told is None:
        return 0.0, 1.0
    found = []
    for name in ("pedestal", "gain"):
        value: Path | float = getattr(told, name)
        if isinstance(value, Path):
            image = _optional_image(value, f"detector.tiles.{name}", file, complaints)
            found.append(0.0 if image is None else image)
        else:
            found.append(value)
    return found[0], found[1]


def _dead_time(files: DetectorFiles, profile: Profile) -> DeadTime | None:
    told = profile.detector.dead_time
    if told is None:
        return None
    if files.rates is not None:
        return DeadTime(table=(files.rates.x, files.rates.y))
    return DeadTime(seconds=told.seconds or 0.0, kind=told.kind)


def _rates(told: ToldDeadTime | None, file: Path, complaints: list[Complaint]) -> Columns | None:
    if told is None or told.table is None:
        return None
    try:
        rates = read_columns(told.table)
        tabulated_rate(measured=rates.x[:1], table=(rates.x, rates.y))
    except (FileError, ValueError) as error:
        wanted = "two rising columns: measured and true counts per s and pixel"
        complaints.append(_unreadable(file, "detector.dead_time.table", error, wanted))
        return None
    return rates


def _radial_range(
    profile: Profile, geometry: Geometry, ignored: Mask
) -> tuple[float, float] | None:
    low, high = profile.integration.qmin, profile.integration.qmax
    if low is None and high is None:
        return None
    q = geometry.q()
    flip = profile.detector.flip
    rows, columns = -1 if "ud" in flip else 1, -1 if "lr" in flip else 1
    seen = q[::rows, ::columns][~ignored]
    if not seen.size:
        raise ValueError("the mask leaves no pixel")
    return (
        float(seen.min()) if low is None else low,
        float(seen.max()) if high is None else high,
    )


def _optional_image(
    path: Path | None, key: str, file: Path, complaints: list[Complaint]
) -> NDArray[Any] | None:
    if path is None:
        return None
    try:
        return read_float_image(path)
    except (FileError, ValueError) as error:
        complaints.append(_unreadable(file, key, error, "an image"))
        return None


def _own_geometry(poni: Path, file: Path) -> tuple[Geometry | None, list[Complaint]]:
    """Read the calibration; no geometry and no complaint where only the size is missing."""
    try:
        return read_poni(poni, shape=None), []
    except (FileError, ValueError) as error:
        trouble = error
    try:
        read_poni(poni, shape=_ANY_SHAPE)
    except (FileError, ValueError):
        wanted = "a calibration by pyFAI (.poni)"
        return None, [_unreadable(file, "detector.poni", trouble, wanted)]
    return None, []


def _shape_complaints(
    profile: Profile,
    file: Path,
    shape: Shape,
    masks: Sequence[Mask],
    dark: NDArray[Any] | None,
    flat: NDArray[Any] | None,
) -> list[Complaint]:
    found: list[tuple[str, tuple[int, ...]]] = []
    if len(masks) == len(profile.detector.masks):
        found += [(f"detector.masks.{n}", mask.shape) for n, mask in enumerate(masks)]
    found += [] if dark is None else [("detector.dark", dark.shape)]
    found += [] if flat is None else [("detector.flat", flat.shape)]
    return [
        Complaint(str(file), key, f"an image of {own}", f"one of {shape}, as the calibration says")
        for key, own in found
        if own != shape
    ]


def _unreadable(file: Path, key: str, error: Exception, wanted: str) -> Complaint:
    return Complaint(str(file), key, str(error), wanted)
