"""A changed recipe, from what somebody asks for to a plan and a first look."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from livepdf.config.changes import FIXED, changed_recipe, differences, recipe_toml
from livepdf.config.load import load_recipe
from livepdf.config.recipe import Recipe
from livepdf.daemon.assemble import Pipeline, Settings
from livepdf.daemon.fence import fenced
from livepdf.daemon.results import Summed
from livepdf.daemon.samples import (
    SampleFiles,
    reach_complaints,
    read_sample,
    sample_bond,
    sample_plan,
)
from livepdf.errors import Complaint, ConfigError
from livepdf.model.curve import Curve, Trend
from livepdf.numerics.compton import HC
from livepdf.reduction.advice import quality, rpoly_advice
from livepdf.reduction.curves import reduce_sums
from livepdf.reduction.plan import Plan
from livepdf.reduction.ramps import matched
from livepdf.wire.tuning import RecipeKey

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """A recipe that could be used."""

    settings: Settings
    sample: SampleFiles
    words: str
    """What it changes."""

    @property
    def advice(self) -> str:
        """What is unwise about it; empty when nothing is."""
        rpoly, bond = self.settings.recipe.reduction.rpoly, self.bond
        return "" if bond is None else rpoly_advice(rpoly=rpoly, bond=bond)

    @property
    def bond(self) -> float | None:
        """Å, shortest distance between atoms that it tells of."""
        return sample_bond(self.sample, self.settings.recipe)


def make_draft(settings: Settings, changes: Mapping[str, Any], *, fence: Path) -> Draft:
    """Check changes and read the files that the changed recipe names.

    Parameters
    ----------
    fence : Path
        Directory whose files changes may name, beside those that the recipe names already.

    Raises
    ------
    ConfigError
        With every complaint.
    """
    recipe = changed_recipe(settings.recipe, changes, folder=settings.recipe_file.parent)
    outside = fenced(settings.recipe, recipe, folder=fence)
    if outside:
        raise ConfigError(outside)
    return draft_of(settings, recipe)


def reloaded(settings: Settings) -> Draft:
    """Read the recipe file again.

    Raises
    ------
    ConfigError
        With every complaint, also where it changes what acts on frames while they are added up.
    """
    recipe = load_recipe(settings.recipe_file)
    changed = differences(settings.recipe, recipe)
    wanted = f"{' and '.join(FIXED)} as the daemon was started"
    fixed = [
        Complaint(str(settings.recipe_file), key, repr(new)[:80], wanted)
        for key, (_, new) in changed.items()
        if key.split(".")[0] in FIXED
    ]
    if fixed:
        raise ConfigError(fixed)
    draft = draft_of(settings, recipe)
    text = settings.recipe_file.read_text(encoding="utf-8")
    return replace(draft, settings=replace(draft.settings, recipe_text=text))


def draft_of(settings: Settings, recipe: Recipe) -> Draft:
    """Return a whole recipe as a draft; raises like `make_draft`."""
    sample, complaints = read_sample(recipe, settings.recipe_file)
    if sample is None or complaints:
        raise ConfigError([replace(complaint, file="draft") for complaint in complaints])
    words = change_words(settings.recipe, recipe)
    changed = replace(settings, recipe=recipe, recipe_text=recipe_toml(recipe))
    return Draft(settings=changed, sample=sample, words=words)


def change_words(before: Recipe, after: Recipe) -> str:
    """Return what differs, for people."""
    pairs = differences(before, after).items()
    return ", ".join(f"{key} {_short(old)} → {_short(new)}" for key, (old, new) in pairs)


def draft_plan(draft: Draft, pipeline: Pipeline, *, errors: bool) -> Plan:
    """Return the plan of a draft for the frames of a pipeline.

    Raises
    ------
    ConfigError
        When the detector does not reach so far. ValueError where the data do not allow it.
    """
    recipe, q = draft.settings.recipe, pipeline.integrator.q
    complaints = reach_complaints(recipe, draft.settings.recipe_file, q)
    if complaints:
        raise ConfigError([replace(complaint, file="draft") for complaint in complaints])
    return sample_plan(
        draft.sample,
        recipe,
        q,
        energy=HC / pipeline.geometry.wavelength,
        correlation=pipeline.integrator.correlation,
        revision=pipeline.plan.revision,
        errors=errors,
    )


def look(
    plan: Plan, window: Summed, *, bond: float | None
) -> tuple[tuple[Curve, ...], tuple[Trend, ...]]:
    """Return curves and quality of one window by a plan; ValueError where there are none."""
    curves = reduce_sums(matched(plan, dict(window.environment)), window.sums)
    fq = next(curve for curve in curves if curve.kind == "fq")
    gr = next(curve for curve in curves if curve.kind == "gr")
    return curves, quality(fq=fq, gr=gr, bond=bond)


def recipe_keys(recipe: Recipe) -> tuple[RecipeKey, ...]:
    """Return what may be changed while it runs, with what holds now and what it means."""
    fields = type(recipe.reduction).model_fields
    values = recipe.reduction.model_dump(mode="json")
    keys = [
        RecipeKey(
            key=f"reduction.{name}",
            value=_plain(values[name]),
            help=field.description or "",
            choices=_choices(field.annotation),
        )
        for name, field in fields.items()
    ]
    for number, background in enumerate(recipe.background):
        keys.append(
            RecipeKey(
                key=f"background.{number}.scale",
                value=background.scale,
                help=f"times that {background.name} is subtracted, or 'fit'",
            )
        )
    return tuple(keys)


def _choices(annotation: Any) -> tuple[str, ...]:
    given = getattr(annotation, "__args__", ())
    return tuple(given) if given and all(isinstance(g, str) for g in given) else ()


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(value: object) -> str:
    text = "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"…{text[-_LONGEST:]}"
