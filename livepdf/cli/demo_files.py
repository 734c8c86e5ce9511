"""What `livepdf demo` lays down before it starts: instrument, blank, profile and recipe."""

import shutil
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from livepdf.config.load import load_profile
from livepdf.files.images import read_mask
from livepdf.files.poni import read_poni
from livepdf.files.profiles import profiles_folder
from livepdf.model.curve import Curve
from livepdf.model.sums import intensity
from livepdf.reduction.integrator import build_integrator
from livepdf.simulate.run import Run, blank_images
from livepdf.sinks.columns import write_curve

_BLANK_FRAMES = 40


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
    _write_blank(folder / "blank.iq", run=run, profile_file=files.profile)
    text = (ready / "recipes" / "hfo2.toml").read_text(encoding="utf-8")
    text = _with(text, "frames", str(window))
    text += '\n[[background]]\nname = "water and capillary, hot"\nfile = "blank.iq"\n'
    files.recipe.write_text(text, encoding="utf-8")
    return files


def _with(text: str, key: str, value: str) -> str:
    """Set the one line that starts with ``key =``."""
    lines = [f"{key} = {value}" if s.startswith(f"{key} =") else s for s in text.splitlines()]
    return "\n".join(lines) + "\n"


def _write_blank(path: Path, *, run: Run, profile_file: Path) -> None:
    """Measure the blank as a user would: frames of hot water in the capillary, integrated."""
    profile = load_profile(profile_file)
    integrator = build_integrator(
        read_poni(profile.detector.poni, shape=run.detector.shape),
        npt=profile.integration.bins,
        polarization=profile.integration.polarization,
        mask=read_mask(profile.detector.masks[0]),
    )
    frames = (integrator.integrate(image) for image in blank_images(run, frames=_BLANK_FRAMES))
    blank, sigma = intensity(reduce(add, frames))
    curve = Curve(kind="iq", x=integrator.q, y=blank, sigma=sigma)
    extras = {"frames": _BLANK_FRAMES, "temperature": run.sample.growth.hot_temperature}
    write_curve(path, curve, header={"dataformat": "QA"}, extras=extras)
