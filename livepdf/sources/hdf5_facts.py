"""What an HDF5 file of a detector says about all its images: mask, limits, wavelength, times."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.sources.batch import Facts
from livepdf.sources.hdf5_file import number, number_or_bool, text

HC = 12.398419843320026
"""keV Å"""
_SPECIFIC = "detectorSpecific"
_SAID = (
    "bit_depth_image", "bit_depth_readout", "count_time", "frame_time", "nimages", "ntrigger",
    "photon_energy", "threshold_energy", "countrate_correction_applied",
    "flatfield_correction_applied", "flatfield_applied", "pixel_mask_applied",
    "virtual_pixel_correction_applied",
)  # fmt: skip
_NAMED = ("description", "detector_number", "serial_number", "software_version", "trigger_mode")
_SATURATION = ("saturation_value", "countrate_correction_count_cutoff")
_APPLIED = ("flatfield_correction_applied", "flatfield_applied")


def detector_of(file: Any, dataset: Any) -> Any | None:
    """Return the group that describes the detector of these images, None where there is none."""
    parent = dataset.parent
    if any(key in parent for key in ("count_time", "pixel_mask", "saturation_value", _SPECIFIC)):
        return parent
    return next(_detectors(file), None)


def facts_of(file: Any, detector: Any | None, *, shape: tuple[int, int], channel: int = 0) -> Facts:
    """Gather what concerns all images of this shape."""
    return Facts(
        mask=_mask(detector, shape, channel),
        saturation=_saturation(detector),
        wavelength=_wavelength(file, detector),
        metadata=_metadata(detector, channel),
    )


def exposure_of(detector: Any | None) -> float | None:
    """Return the exposure of one image in s."""
    seconds = number(detector, "count_time", unit="s")
    return seconds if seconds is not None and seconds > 0 else None


def clock_of(detector: Any | None) -> tuple[float, float] | None:
    """Return Unix seconds of the first image and s from image to image, None where not known."""
    said = text(detector, f"{_SPECIFIC}/data_collection_date")
    step = number(detector, "frame_time", unit="s")
    if said is None or step is None or step <= 0:
        return None
    try:
        return datetime.fromisoformat(said).timestamp(), step
    except ValueError:
        return None


def _detectors(file: Any) -> Iterator[Any]:
    instrument = file.get("entry/instrument")
    if isinstance(instrument, h5py.Group):
        for name in instrument:
            group = instrument.get(name)
            if isinstance(group, h5py.Group) and _describes_a_detector(group):
                yield group


def _describes_a_detector(group: Any) -> bool:
    kind = group.attrs.get("NX_class", b"")
    kind = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
    return kind == "NXdetector" or (not kind and (_SPECIFIC in group or "count_time" in group))


def _places(detector: Any, channel: int) -> Iterator[Any]:
    """Yield the groups that may describe the detector, the most particular first."""
    channels = sorted(name for name in detector if name.endswith("_channel"))
    if channel < len(channels):
        yield detector.get(channels[channel])
    yield detector
    yield detector.get(_SPECIFIC)


def _mask(detector: Any | None, shape: tuple[int, int], channel: int) -> NDArray[np.bool_] | None:
    if detector is None:
        return None
    for place in _places(detector, channel):
        item = place.get("pixel_mask") if isinstance(place, h5py.Group) else None
        if isinstance(item, h5py.Dataset) and item.shape[-2:] == shape and item.dtype.kind in "iub":
            bad = np.asarray(item[()] != 0)
            return np.asarray(bad.reshape(-1, *shape).any(axis=0), dtype=np.bool_)
    return None


def _saturation(detector: Any | None) -> float | None:
    """Return the first count that says nothing: NeXus and DECTRIS name the last good one."""
    if detector is None:
        return None
    for name in _SATURATION:
        for place in (detector, detector.get(_SPECIFIC)):
            value = number(place, name)
            if value is not None and value > 0:
                return value + 1
    return None


def _wavelength(file: Any, detector: Any | None) -> float | None:
    instrument = file.get("entry/instrument")
    for path in ("beam/incident_wavelength", "monochromator/wavelength"):
        value = number(instrument, path, unit="angstrom")
        if value is not None and value > 0:
            return value
    energy = number(detector, f"{_SPECIFIC}/photon_energy")
    return HC / (energy * 1e-3) if energy is not None and energy > 0 else None


def _metadata(detector: Any | None, channel: int) -> dict[str, str | int | float | bool | None]:
    said: dict[str, str | int | float | bool | None] = {}
    if detector is None:
        return said
    for place in _places(detector, channel):
        for name in _SAID:
            value = number_or_bool(place, name)
            if value is not None:
                said.setdefault(name, value)
        for name in _NAMED:
            words = text(place, name)
            if words is not None:
                said.setdefault(name, words[:200])
    if any(said.get(name) == 0 for name in _APPLIED):
        said["flat field"] = "not applied to the images: give one as detector.flat"
    return said
