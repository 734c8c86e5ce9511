"""What `livepdf demo` lays down before it starts: instrument, blank, profile and recipe."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.config.load import load_profile
from livepdf.files.images import read_mask
from livepdf.files.poni import read_poni
from livepdf.files.profiles import profiles_folder
from livepdf.model.curve import Curve
from livepdf.model.sums import intensity
from livepdf.reduction.integrator import build_integrator
from livepdf.simulate.run import Run, blank_images, precursor_images
from livepdf.sinks.columns import write_curve

_LONGER = 60
"""Times the exposure of the run's frames that the one image of a reference has: what noise is left
in a reference is in every window. One long image holds as many photons as many short ones, and is
drawn and integrated once."""
_BLANKS = 6
"""Temperatures at which water and capillary are measured alone."""
_TARGET = "\ntarget_size = 40.0"
_BACKGROUND = """
[[background]]
name = "water and capillary"
match = "temperature"
denoise = 24.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFiles:
    """Where everything is."""

    profile: Path
    recipe: Path
    truth: Path


def write_demo(folder: Path, *, run: Run, endpoint: str, window: int) -> DemoFiles:
    """Write all that the daemon needs to follow the simulated detector at ``endpoint``."""
    ready = profiles_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("demo.poni", "demo_mask.h5"):
        shutil.copyfile(ready / name, folder / name)
    files = DemoFiles(
        profile=folder / "profile.toml",
        recipe=folder / "recipe.toml",
        truth=folder / "truth.jsonl",
    )
    text = (ready / "demo.toml").read_text(encoding="utf-8")
    files.profile.write_text(_with(text, "endpoint", f'"{endpoint}"'), encoding="utf-8")
    measure = _Measure(run, files.profile)
    long = replace(run, photons=_LONGER * run.photons)
    text = (ready / "recipes" / "hfo2.toml").read_text(encoding="utf-8")
    text = _with(text, "frames", str(window))
    measure.write(folder / "precursor.iq", precursor_images(long, frames=1))
    text = text.replace("[analysis]", f'[analysis]\nprecursor = ["precursor.iq"]{_TARGET}', 1)
    text += _BACKGROUND
    for heat in _temperatures(run):
        name = f"blank_{heat:.0f}K.iq"
        blanks = blank_images(long, frames=1, temperature=heat)
        measure.write(folder / name, blanks)
        text += f'[[background.ramp]]\ntemperature = {heat}\nfile = "{name}"\n'
    files.recipe.write_text(text, encoding="utf-8")
    return files


def _temperatures(run: Run) -> list[float]:
    growth = run.sample.growth
    cold, hot = growth.cold_temperature, growth.hot_temperature
    return [round(float(t), 1) for t in np.linspace(cold, hot, _BLANKS)]


def _with(text: str, key: str, value: str) -> str:
    """Set the one line that starts with ``key =``."""
    lines = [f"{key} = {value}" if s.startswith(f"{key} =") else s for s in text.splitlines()]
    return "\n".join(lines) + "\n"


class _Measure:
    """Takes images as a user would take those of a reference, integrated."""

    def __init__(self, run: Run, profile_file: Path) -> None:
        profile = load_profile(profile_file)
        self._integrator = build_integrator(
            read_poni(profile.detector.poni, shape=run.detector.shape),
            npt=profile.integration.bins,
            polarization=profile.integration.polarization,
            mask=read_mask(profile.detector.masks[0]),
        )

    def write(self, path: Path, images: Iterable[NDArray[np.uint32]]) -> None:
        """Write the mean pattern of images."""
        frames = (self._integrator.integrate(image) for image in images)
        mean, sigma = intensity(reduce(add, frames))
        x = self._integrator.q
        curve = Curve(kind="iq", x=x, y=mean / _LONGER, sigma=sigma / _LONGER)
        extras = {"frames": 1, "exposure": f"{_LONGER} frames"}
        write_curve(path, curve, header={"dataformat": "QA"}, extras=extras)
