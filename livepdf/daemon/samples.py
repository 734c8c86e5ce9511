"""The files that a recipe names, read with every complaint, and the plan made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.followed_peaks import WantedPeak
from livepdf.analysis.trends import Analysis, WantedModels, build_analysis
from livepdf.config.profile import Profile
from livepdf.config.recipe import Background, Recipe
from livepdf.daemon.crystals import wanted_crystals
from livepdf.daemon.earlier import Divided, is_run, read_pattern, read_series
from livepdf.daemon.models import Known, model_curves, read_models
from livepdf.daemon.solution import solute_plan
from livepdf.errors import Complaint, FileError
from livepdf.files.columns import Columns, read_columns
from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.pairs import crystal_pairs
from livepdf.reduction.plan import Plan
from livepdf.reduction.recipes import Pattern, plan_from_recipe, recipe_backgrounds

Floats = NDArray[np.float64]

_LONGEST_BOND = 5.0
"""Å; atoms of a solid have a neighbour within it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleFiles:
    """What the files of a recipe hold."""

    backgrounds: tuple[tuple[Columns, ...], ...]
    """As many as the recipe names, each with its file or those of its ramp."""
    temperatures: tuple[tuple[float, ...], ...]
    """Of each ramp; none of a single pattern."""
    scale_from: Columns | None
    structures: tuple[Structure, ...]
    """Candidates, the likeliest first."""
    precursors: tuple[Columns, ...]
    models: tuple[Known, ...] = ()


def read_sample(recipe: Recipe, file: Path) -> tuple[SampleFiles | None, list[Complaint]]:
    """Read every file of the recipe; None with complaints where any cannot be used."""
    complaints = _composition(recipe, file)
    backgrounds, temperatures = [], []
    for number, background in enumerate(recipe.background):
        place = f"background.{number}"
        keys = [f"{place}.ramp.{n}.file" for n in range(len(background.ramp))] or [f"{place}.file"]
        if background.points is not None:
            series, heat, trouble = _series(recipe, file, background, f"{place}.file")
            complaints += trouble
            backgrounds.append(series)
            temperatures.append(heat)
            continue
        read = [_read(recipe, file, k, p) for k, p in zip(keys, background.files, strict=True)]
        complaints += [trouble for _, found in read for trouble in found]
        backgrounds.append(tuple(columns for columns, _ in read if columns is not None))
        temperatures.append(tuple(point.temperature for point in background.ramp))
    scale_from = None
    if recipe.reduction.scale_from is not None:
        key = "reduction.scale_from"
        scale_from, trouble = _read(recipe, file, key, recipe.reduction.scale_from)
        complaints += trouble
    structures, trouble = _structures(recipe, file)
    complaints += trouble
    precursors = []
    for number, path in enumerate(recipe.analysis.precursor if recipe.analysis else ()):
        columns, trouble = _read(recipe, file, f"analysis.precursor.{number}", path)
        complaints += trouble
        precursors += [] if columns is None else [columns]
    # Its elements are told apart by the composition: a wrong one has been complained of.
    models, trouble = ((), []) if complaints else read_models(recipe, file)
    complaints += trouble
    if complaints:
        return None, complaints
    return SampleFiles(
        backgrounds=tuple(backgrounds),
        temperatures=tuple(temperatures),
        scale_from=scale_from,
        structures=structures,
        precursors=tuple(precursors),
        models=models,
    ), []


def _structures(recipe: Recipe, file: Path) -> tuple[tuple[Structure, ...], list[Complaint]]:
    found, complaints = [], []
    for number, name in enumerate(recipe.analysis.structures if recipe.analysis else ()):
        try:
            found.append(read_structure(name))
        except FileError as error:
            wanted = "a structure known by name or a CIF"
            key = f"analysis.structures.{number}"
            complaints.append(Complaint(str(file), key, str(error), wanted))
    return tuple(found), complaints


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


def sample_plan(
    files: SampleFiles,
    recipe: Recipe,
    q: Floats,
    *,
    energy: float | None = None,
    correlation: Sequence[float] = (),
    revision: int = 1,
    errors: bool = True,
) -> Plan:
    """Build the plan as the recipe says on this grid; ValueError where that cannot be.

    ``energy``, keV, is that of the calibration, ``correlation`` that of the noise of bins 1, 2, …
    apart, where pixels are split; without ``errors`` it is made sooner.
    """
    patterns = [[_pattern(columns) for columns in held] for held in files.backgrounds]
    plan = plan_from_recipe(
        recipe,
        q=q,
        backgrounds=recipe_backgrounds(
            recipe, grid=q, patterns=patterns, temperatures=files.temperatures
        ),
        energy=energy,
        correlation=correlation,
        revision=revision,
        errors=errors,
        reference=None if files.scale_from is None else _pattern(files.scale_from),
    )
    if recipe.reduction.scale != "solute":
        return plan
    return solute_plan(
        plan,
        precursors=[_pattern(columns) for columns in files.precursors],
        bond=sample_bond(files, recipe),
        revision=revision,
    )


def sample_analysis(
    files: SampleFiles, profile: Profile, recipe: Recipe, plan: Plan, *, energy: float
) -> Analysis:
    """Make ready what the recipe wants followed; ValueError where that makes no sense.

    ``energy``, keV, is that of the calibration.
    """
    crystals, edge = None, recipe.reduction.energy or energy
    if recipe.analysis is not None and files.structures:
        crystals = wanted_crystals(
            recipe.analysis,
            structures=files.structures,
            precursors=[_pattern(columns) for columns in files.precursors],
            plan=plan,
            energy=edge if recipe.reduction.dispersion else None,
        )
    models = model_curves(
        files.models,
        plan,
        energy=edge if recipe.reduction.dispersion else None,
        qdamp=profile.resolution.qdamp or 0.0,
    )
    return build_analysis(
        fit_q=plan.fit_q,
        qmax=recipe.reduction.qmax,
        rpoly=recipe.reduction.rpoly,
        composition=plan.parameters.composition,
        peaks=[WantedPeak(name=p.name, near=p.near, reach=p.reach) for p in recipe.peak],
        crystals=crystals,
        models=WantedModels(
            names=tuple(known.told.name for known in files.models),
            curves=models[:, : plan.window_size],
        ),
        qdamp=profile.resolution.qdamp,
        qdamp_sigma=profile.resolution.qdamp_sigma,
        qbroad=profile.resolution.qbroad or 0.0,
    )


def sample_bond(files: SampleFiles, recipe: Recipe) -> float | None:
    """Return the shortest distance between atoms that the recipe tells of, Å, None without any.

    That of the structure, or the nearest peak that is followed.
    """
    told = [peak.near for peak in recipe.peak]
    for structure in files.structures:
        shells = crystal_pairs(
            cell=structure.cell,
            positions=structure.positions,
            species=structure.species_index,
            r_max=_LONGEST_BOND,
        )
        told += [float(r) for r in shells.r]
    return min(told, default=None)


def _read(
    recipe: Recipe, file: Path, key: str, path: Path
) -> tuple[Columns | None, list[Complaint]]:
    try:
        earlier = is_run(path)
        columns = read_pattern(path, divided=_divided(recipe)) if earlier else read_columns(path)
    except (FileError, ValueError) as error:
        wanted = "columns of Q (Å⁻¹), I and, where known, σ, or RUN.nxs, or RUN.nxs#FIRST-LAST"
        return None, [Complaint(str(file), key, str(error), wanted)]
    return columns, _coverage(recipe, file, key, columns.x)


def _series(
    recipe: Recipe, file: Path, background: Background, key: str
) -> tuple[tuple[Columns, ...], tuple[float, ...], list[Complaint]]:
    assert background.file is not None
    assert background.points is not None
    name = background.match
    if name == "fit":
        name = "temperature" if recipe.analysis is None else recipe.analysis.temperature
    try:
        held, heat = read_series(
            background.file, name=name, points=background.points, divided=_divided(recipe)
        )
    except (FileError, ValueError) as error:
        wanted = "RUN.nxs, an earlier run of blanks along a ramp of temperature"
        return (), (), [Complaint(str(file), key, str(error), wanted)]
    troubles = [t for columns in held for t in _coverage(recipe, file, key, columns.x)]
    return held, heat, troubles[:1]


def _divided(recipe: Recipe) -> Divided:
    return recipe.normalization.monitor, recipe.normalization.exposure


def _pattern(columns: Columns) -> Pattern:
    return columns.x, columns.y, columns.sigma


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
