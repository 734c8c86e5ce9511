"""The files that a recipe names, read with every complaint, and the plan made of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.trends import Analysis, WantedPeak, WantedSize, build_analysis
from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, FileError
from livepdf.files.columns import Columns, read_columns
from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.resample import interpolate
from livepdf.reduction.background import Background
from livepdf.reduction.plan import Plan
from livepdf.reduction.recipes import plan_from_recipe

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleFiles:
    """What the files of a recipe hold."""

    backgrounds: tuple[Columns, ...]
    """As many as the recipe names."""
    structure: Structure | None


def read_sample(recipe: Recipe, file: Path) -> tuple[SampleFiles | None, list[Complaint]]:
    """Read every file of the recipe; None with complaints where any cannot be used."""
    complaints = _composition(recipe, file)
    backgrounds = []
    for number, background in enumerate(recipe.background):
        key = f"background.{number}.file"
        try:
            columns = read_columns(background.file)
        except (FileError, ValueError) as error:
            wanted = "columns of Q (Å⁻¹), I and, where known, σ"
            complaints.append(Complaint(str(file), key, str(error), wanted))
            continue
        complaints += _coverage(recipe, file, key, columns.x)
        backgrounds.append(columns)
    structure = None
    if recipe.size is not None:
        try:
            structure = read_structure(recipe.size.structure)
        except FileError as error:
            wanted = "a structure known by name or a CIF"
            complaints.append(Complaint(str(file), "size.structure", str(error), wanted))
    if complaints:
        return None, complaints
    return SampleFiles(backgrounds=tuple(backgrounds), structure=structure), []


def reach_complaints(recipe: Recipe, file: Path, q: Floats) -> list[Complaint]:
    """Complain where the recipe asks for Q that the detector does not see."""
    reduction, step = recipe.reduction, float(q[1] - q[0])
    end, start = float(q[-1]) + step, float(q[0]) - step
    asked = [("reduction.qmax", reduction.qmax)]
    if reduction.qmaxinst is not None:
        asked.append(("reduction.qmaxinst", reduction.qmaxinst))
    wanted = f"at most {q[-1]:.3f}: the detector reaches no further"
    complaints = [
        Complaint(str(file), key, f"{value:g}", wanted) for key, value in asked if value > end
    ]
    if reduction.qmax <= start:
        wanted = f"above {q[0]:.3f}, where the detector begins"
        complaints.append(Complaint(str(file), "reduction.qmax", f"{reduction.qmax:g}", wanted))
    return complaints


def sample_plan(files: SampleFiles, recipe: Recipe, q: Floats) -> Plan:
    """Build the plan as the recipe says on this grid; ValueError where that cannot be."""
    return plan_from_recipe(recipe, q=q, backgrounds=_backgrounds(files, recipe, q))


def sample_analysis(files: SampleFiles, profile: Profile, recipe: Recipe, plan: Plan) -> Analysis:
    """Make ready what the recipe wants followed; ValueError where that makes no sense."""
    wanted = None
    if recipe.size is not None and files.structure is not None:
        wanted = WantedSize(structure=files.structure, rmin=recipe.size.rmin, rmax=recipe.size.rmax)
    return build_analysis(
        fit_q=plan.fit_q,
        qmax=recipe.reduction.qmax,
        rpoly=recipe.reduction.rpoly,
        composition=plan.parameters.composition,
        peaks=[WantedPeak(name=p.name, near=p.near, reach=p.reach) for p in recipe.peak],
        size=wanted,
        qdamp=profile.resolution.qdamp,
        qdamp_sigma=profile.resolution.qdamp_sigma,
    )


def _backgrounds(files: SampleFiles, recipe: Recipe, q: Floats) -> list[Background]:
    on_grid = []
    for settings, columns in zip(recipe.background, files.backgrounds, strict=True):
        known = np.full(columns.x.shape, np.nan) if columns.sigma is None else columns.sigma
        intensity, sigma = interpolate(onto=q, q=columns.x, intensity=columns.y, sigma=known)
        on_grid.append(
            Background(
                name=settings.file.name, intensity=intensity, sigma=sigma, scale=settings.scale
            )
        )
    return on_grid


def _composition(recipe: Recipe, file: Path) -> list[Complaint]:
    try:
        parse_composition(recipe.sample.composition)
    except ValueError as error:
        wanted = "a chemical formula, e.g. 'HfO2'"
        return [Complaint(str(file), "sample.composition", str(error), wanted)]
    return []


def _coverage(recipe: Recipe, file: Path, key: str, q: Floats) -> list[Complaint]:
    if np.any(np.diff(q) <= 0):
        found = "Q values that do not increase"
        return [Complaint(str(file), key, found, "Q (Å⁻¹) in rising order")]
    low = recipe.reduction.qmin
    high = recipe.reduction.qmaxinst or recipe.reduction.qmax
    if q[0] > low or q[-1] < high:
        found = f"Q from {q[0]:.3f} to {q[-1]:.3f} Å⁻¹"
        return [Complaint(str(file), key, found, f"all of {low:g} to {high:g} Å⁻¹")]
    return []
