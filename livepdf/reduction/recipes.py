"""From what people write to a plan, and from a plan to the header that repeats it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.config.recipe import Recipe
from livepdf.numerics.composition import number_density, parse_composition
from livepdf.reduction.background import Background
from livepdf.reduction.plan import Plan, build_plan


def plan_from_recipe(
    recipe: Recipe,
    *,
    q: NDArray[np.float64],
    backgrounds: Sequence[Background] = (),
    revision: int = 1,
    errors: bool = True,
) -> Plan:
    """Return the plan of a recipe on the Q grid (n_q,) Å⁻¹; ValueError as :func:`build_plan`.

    Backgrounds that are as many as the recipe's get the monitor that it names.
    """
    table = recipe.reduction
    density = recipe.sample.density
    composition = parse_composition(recipe.sample.composition)
    if len(backgrounds) == len(recipe.background):
        pairs = zip(backgrounds, recipe.background, strict=True)
        backgrounds = [replace(b, monitor=b.monitor or named.monitor) for b, named in pairs]
    return build_plan(
        q=q,
        composition=composition,
        qmin=table.qmin,
        qmax=table.qmax,
        qmaxinst=table.qmax if table.qmaxinst is None else table.qmaxinst,
        rpoly=table.rpoly,
        rmin=table.rmin,
        rmax=table.rmax,
        rstep=table.rstep,
        scale=table.scale,
        scale_value=table.scale_value,
        taper=table.taper,
        transform=table.transform,
        backgrounds=backgrounds,
        revision=revision,
        mode=table.mode,
        scale_sigma=table.scale_sigma,
        density=None if density is None else number_density(composition, density=density),
        energy=table.energy,
        errors=errors,
    )


def plan_header(plan: Plan) -> dict[str, object]:
    """Return the settings of a plan under the names of PDFgetX3, for the header of a file."""
    p = plan.parameters
    header: dict[str, object] = {
        "dataformat": "QA",
        "mode": p.mode,
        "composition": " ".join(_term(*term) for term in p.composition.items()),
        "rpoly": p.rpoly,
        "qmaxinst": p.qmaxinst,
        "qmin": p.qmin,
        "qmax": p.qmax,
        "rmin": p.rmin,
        "rmax": p.rmax,
        "rstep": p.rstep,
    }
    if plan.backgrounds:
        header["backgroundfile"] = ", ".join(b.name for b in plan.backgrounds)
        header["bgscale"] = ", ".join(_bgscale(b) for b in plan.backgrounds)
    return header


def plan_extras(plan: Plan) -> dict[str, object]:
    """Return what PDFgetX3 has no name for, for the ``[livepdf]`` section of a file."""
    p = plan.parameters
    extras: Mapping[str, object] = {
        "revision": plan.revision,
        "scale": p.scale,
        "scale_value": p.scale_value,
        "scale_sigma": p.scale_sigma or None,
        "density": p.density,
        "energy": p.energy,
        "taper": "own" if p.own_taper else p.taper,
        "transform": p.transform,
    }
    return {key: value for key, value in extras.items() if value is not None}


def _bgscale(background: Background) -> str:
    return "fit" if background.scale == "fit" else f"{background.factor:.12g}"


def _term(element: str, count: float) -> str:
    return element if count == 1 else f"{element}{count:.12g}"
