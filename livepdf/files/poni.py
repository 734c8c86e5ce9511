"""Read a pyFAI calibration (.poni)."""

import json
import math
from pathlib import Path
from typing import Any

from livepdf.errors import FileError
from livepdf.numerics.geometry import Geometry, geometry_from_pyfai

_NUMBERS = ("distance", "poni1", "poni2", "rot1", "rot2", "rot3", "wavelength")


def read_poni(path: Path, *, shape: tuple[int, int] | None = None) -> Geometry:
    """Read a calibration of version 1, 2, 2.1 or 3 (as far as the installed pyFAI goes).

    Parameters
    ----------
    path : Path
    shape : (ny, nx), optional
        Of the images; needed where the calibration's detector has no size.

    Raises
    ------
    FileError
        Missing, not a calibration, a detector orientation other than 3, or for images of another
        size. An image that is mirrored is put right with the explicit flip of the profile.
    """
    entries = _entries(path)
    _check(path, entries)
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator
    from pyFAI.io.ponifile import PoniFile

    try:
        poni = PoniFile(dict(entries))
        pyfai = AzimuthalIntegrator.sload(poni)
        return geometry_from_pyfai(pyfai, shape=shape)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError) as error:
        raise FileError(f"{path}: {error}") from error


def _entries(path: Path) -> dict[str, str]:
    """Return the last value of each key, keys in lower case."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: cannot be read: {error}") from error
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}


def _check(path: Path, entries: dict[str, str]) -> None:
    missing = [key for key in _NUMBERS if key not in entries]
    if missing:
        raise FileError(f"{path}: not a calibration: {', '.join(missing)} missing")
    for key in _NUMBERS:
        value = _number(entries[key])
        if not math.isfinite(value):
            raise FileError(f"{path}: {key}: found {entries[key]!r}, wanted a number")
        if key in ("distance", "wavelength") and value <= 0:
            raise FileError(f"{path}: {key}: found {value}, wanted above 0")
    if _number(entries.get("poni_version", "1")) >= 2:
        _check_detector(path, entries)


def _check_detector(path: Path, entries: dict[str, str]) -> None:
    found = entries.get("detector_config")
    if found is None or "detector" not in entries:
        raise FileError(f"{path}: detector or detector_config missing")
    try:
        config: Any = json.loads(found)
    except json.JSONDecodeError as error:
        raise FileError(f"{path}: detector_config: {error}") from error
    if not isinstance(config, dict):
        raise FileError(f"{path}: detector_config: found {found}, wanted a JSON object")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
