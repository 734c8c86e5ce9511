"""The ``.metadata`` file that QXRD writes after each TIFF."""

import configparser
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TEMPERATURES = ("temperature", "sampletemperature", "temp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What livepdf takes from it."""

    found: bool = False
    exposure: float | None = None
    """s, of all summed exposures; whether the image is their sum or mean is not written."""
    time: float | None = None
    """Unix seconds, absent in old files."""
    environment: Mapping[str, float] = field(default_factory=dict)


def sidecar_path(image: Path) -> Path:
    """Return the name of the sidecar of an image: ``NAME.tif.metadata``."""
    return image.with_name(image.name + ".metadata")


def read_sidecar(image: Path) -> Sidecar:
    """Read the sidecar of an image; one that is missing or cut comes back as not found."""
    # Interpolation would choke on the % signs of Qt's binary dates.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(sidecar_path(image).read_text(encoding="latin-1"))
        fields = dict(parser["metadata"])
    except (OSError, KeyError, configparser.Error):
        return Sidecar()
    exposure = _number(fields, "exposuretime")
    summed = _number(fields, "summedexposures")
    if exposure is None or summed is None or exposure * summed <= 0:
        return Sidecar()
    return Sidecar(
        found=True,
        exposure=exposure * summed,
        time=_number(fields, "timestamp"),
        environment=_environment(fields),
    )


def _environment(fields: Mapping[str, str]) -> dict[str, float]:
    """Gather the beamline's slow values: temperature, stage positions, extra inputs."""
    values = {key: _number(fields, key) for key in ("samh", "samv", "samr")}
    values["temperature"] = next(
        (t for name in TEMPERATURES if (t := _number(fields, name)) is not None), None
    )
    for key in fields:
        if key.startswith("extrainputs\\") and key.endswith("\\extrainputs"):
            values[f"extra input {key.split(chr(92))[1]}"] = _number(fields, key)
    return {name: value for name, value in values.items() if value is not None}


def _number(fields: Mapping[str, str], key: str) -> float | None:
    try:
        number = float(fields[key])
    except (KeyError, ValueError):
        return None
    return number if math.isfinite(number) else None
