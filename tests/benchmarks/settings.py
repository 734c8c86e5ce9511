"""Profile and recipe of a daemon that is measured."""

from pathlib import Path

from livepdf.simulate.powder import CAMERAS

_PROFILE = """
[instrument]
name = "benchmark"
[source]
kind = "dectris-stream-v2"
endpoint = "{endpoint}"
[detector]
poni = "detector.poni"
[integration]
bins = 2000
[resolution]
qdamp = 0.02
[limits]
workers = {workers}
{limits}
"""
_RECIPE = """
[sample]
composition = "Ni"
[reduction]
qmin = 1.0
qmax = 24.0
rmax = 30.0
rstep = 0.01
[window]
seconds = 0.1
[[peak]]
name = "Ni-Ni"
near = 2.49
"""


def write_settings(
    folder: Path, *, endpoint: str, camera: str, workers: int = 2, limits: str = ""
) -> tuple[Path, Path]:
    """Write calibration, profile and recipe for a camera; return the latter two."""
    (folder / "detector.poni").write_text(CAMERAS[camera].poni_text())
    profile, recipe = folder / "profile.toml", folder / "recipe.toml"
    profile.write_text(_PROFILE.format(endpoint=endpoint, workers=workers, limits=limits))
    recipe.write_text(_RECIPE)
    return profile, recipe
