"""Write where the pixels of a tiled detector are as a calibration that pyFAI reads."""

from pathlib import Path

from livepdf.numerics.tiles import TiledDetector, pyfai_detector

_KEV_ANGSTROM = 12.398419843320026


def write_calibration(tiles: TiledDetector, *, energy: float, output: Path) -> float:
    """Write a .poni and, beside it with the ending .h5, the corners of all pixels.

    Files that are there are replaced.

    Parameters
    ----------
    energy : float, keV
    output : Path
        Of the .poni.

    Returns
    -------
    distance : float, m
        Of the nearest tile.
    """
    detector, away = pyfai_detector(tiles)
    pixels = output.with_suffix(".h5")
    pixels.unlink(missing_ok=True)
    detector.save(str(pixels))
    output.write_text(_poni(pixels.resolve(), away, energy), encoding="utf-8")
    return away


def _poni(pixels: Path, distance: float, energy: float) -> str:
    lines = (
        "# Written from the places of tiles by livepdf",
        "poni_version: 2.1",
        "Detector: NexusDetector",
        f'Detector_config: {{"filename": "{pixels}", "orientation": 3}}',
        f"Distance: {distance!r}",
        "Poni1: 0.0",
        "Poni2: 0.0",
        "Rot1: 0.0",
        "Rot2: 0.0",
        "Rot3: 0.0",
        f"Wavelength: {_KEV_ANGSTROM / energy * 1e-10!r}",
    )
    return "\n".join(lines) + "\n"
