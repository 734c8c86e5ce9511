"""Profile and recipe for simulated shots, with all the files that they name."""

from pathlib import Path
from typing import TYPE_CHECKING

from livepdf.files.tile_calibration import write_calibration

if TYPE_CHECKING:
    from livepdf.simulate.xfel import XfelRun

_PROFILE = """\
#:schema profile.schema.json
# The simulated instrument of `livepdf simulate-shots`.
[instrument]
name = "simulated XFEL"

[source]
kind = "dectris-stream-v2"
endpoint = "{endpoint}"

[detector]
poni = "tiles.poni"
masks = ["mask.npy"]

[detector.tiles]
rows = {rows}
pedestal = "pedestal.npy"
gain = "gain.npy"

[integration]
bins = {bins}
qmin = {qmin}
qmax = {qmax}
polarization = 0.99

[limits]
workers = 2
"""
_SAMPLE = """\
#:schema recipe.schema.json
[sample]
composition = "HfO2"

[reduction]
qmin = {qmin}
qmax = {qmax}
rmax = 30.0
rstep = 0.05
taper = "lorch"

[window]
frames = 30

"""
_ENERGY = 'energy = {{ name = "energy", low = {low:.4g}, high = {high:.4g} }}'
_COMMON = """\
i0 = {{ name = "monitor", low = 100.0 }}
{energy}
"""
_LASER = """\
laser = { name = "laser" }
delay = [{ name = "stage", unit = "mm", sign = 1, reference = 0.0 }]
arrival = { name = "arrival", unit = "fs", sign = 1, reference = 0.0 }
arrival_gates = [{ name = "edge", low = 1.0 }]
"""
_TABLES = {
    "pump-probe": "[pump_probe]\n"
    + _COMMON
    + "{laser}"
    + 'bins = {{ edges = [-3.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0, 11.0], unit = "ps" }}\n',
    "breakdown": "[breakdown]\n"
    + _COMMON
    + "{laser}"
    + "size = 40.0\n"
    + 'along = {{ low = 0.1, high = 3000.0, bins = 18, unit = "ps" }}\n',
    "serial": "[serial]\n"
    + _COMMON
    + "hit_from = {hit_from}\n\n[serial.peaks]\nevery = 10\n\n"
    + "[serial.sizes]\nsmallest = 100.0\nlargest = 420.0\nbins = 32\n",
}


def write_shot_settings(run: "XfelRun", folder: Path, *, endpoint: str) -> tuple[Path, Path]:
    """Write profile and recipe of a simulated run and return where; files there are replaced."""
    from livepdf.simulate.tiled import write_instrument

    write_instrument(run.electronics, folder)
    sensor = run.sensor
    write_calibration(sensor.tiles, energy=sensor.energy, output=folder / "tiles.poni")
    small = run.experiment == "serial"
    low, high = (0.006, 0.24) if small else (0.85, 7.2)
    profile, recipe = folder / "profile.toml", folder / "recipe.toml"
    profile.write_text(
        _PROFILE.format(
            endpoint=endpoint,
            rows=sensor.tile[0],
            bins=240 if small else 500,
            qmin=low,
            qmax=high,
        ),
        encoding="utf-8",
    )
    # What the pixels see of the background, and as much again.
    dark = run.background * run.sensor.shape[0] * run.sensor.shape[1] if small else 0.0
    table = _TABLES[run.experiment].format(
        energy=_ENERGY.format(low=0.98 * sensor.energy, high=1.02 * sensor.energy),
        laser=_LASER,
        hit_from=round(dark + 6 * dark**0.5 + 30),
    )
    text = _SAMPLE.format(qmin=0.01 if small else 0.9, qmax=0.2 if small else 7.0) + table
    recipe.write_text(text, encoding="utf-8")
    return profile, recipe
