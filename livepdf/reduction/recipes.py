"""From what people write to a plan, and from a plan to the header that repeats it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.config.profile import Resolution
from livepdf.config.recipe import Background as Told
from livepdf.config.recipe import Recipe
from livepdf.numerics.capillary import Capillary, attenuation
from livepdf.numerics.composition import number_density, parse_composition
from livepdf.reduction.background import Background, background_on
from livepdf.reduction.difference import reference_plan
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.ramps import denoised, ramp_backgrounds

Floats = NDArray[np.float64]
Pattern = tuple[Floats, Floats, Floats | None]
"""Q (Å⁻¹), intensity and, where known, its σ, (m,) each."""


def plan_from_recipe(
    recipe: Recipe,
    *,
    q: NDArray[np.float64],
    backgrounds: Sequence[Background] = (),
    revision: int = 1,
    errors: bool = True,
    energy: float | None = None,
    reference: Pattern | None = None,
    correlation: Sequence[float] = (),
) -> Plan:
    """Return the plan of a recipe on the Q grid (n_q,) Å⁻¹; ValueError as :func:`build_plan`.

    Backgrounds that are as many as the recipe's get the monitor that it names. ``energy``, keV,
    is the instrument's, for a recipe that tells none; ``reference`` is what its ``scale_from``
    holds, ``correlation`` that of the noise of neighbouring bins.
    """
    table = recipe.reduction
    energy = energy if table.energy is None else table.energy
    density = recipe.sample.density
    composition = parse_composition(recipe.sample.composition)
    if len(backgrounds) == len(recipe.background):
        pairs = zip(backgrounds, recipe.background, strict=True)
        backgrounds = [replace(b, monitor=b.monitor or named.monitor) for b, named in pairs]
    frozen = table.scale_from is not None
    plan = build_plan(
        q=q,
        composition=composition,
        qmin=table.qmin,
        qmax=table.qmax,
        qmaxinst=table.qmax if table.qmaxinst is None else table.qmaxinst,
        rpoly=table.rpoly,
        rmin=table.rmin,
        rmax=table.rmax,
        rstep=table.rstep,
        scale="mean" if frozen or table.scale == "solute" else table.scale,
        scale_value=table.scale_value,
        taper=table.taper,
        transform=table.transform,
        backgrounds=backgrounds,
        revision=revision,
        mode=table.mode,
        scale_sigma=table.scale_sigma,
        density=None if density is None else number_density(composition, density=density),
        energy=energy,
        errors=errors,
        dispersion=table.dispersion,
        capillary=_capillary(recipe, composition, energy),
        correlation=correlation,
    )
    if not frozen:
        return plan
    if reference is None:
        raise ValueError(f"the pattern {table.scale_from} was not handed over")
    taken = _on_grid(Told(file=table.scale_from), q, reference)
    return reference_plan(plan, intensity=taken.intensity, sigma=taken.sigma, revision=revision)


def recipe_backgrounds(
    recipe: Recipe,
    *,
    grid: Floats,
    patterns: Sequence[Sequence[Pattern]],
    temperatures: Sequence[Sequence[float]] = (),
) -> list[Background]:
    """Return the backgrounds of a recipe on a plan's grid.

    Parameters
    ----------
    grid : (n_q,) float64, Å⁻¹
    patterns : for each background of the recipe what its files hold, one or those of its ramp
        ValueError for a Q axis that does not increase.
    temperatures : of each ramp; those that the recipe tells when left out
    """
    made: list[Background] = []
    known = temperatures or [[p.temperature for p in told.ramp] for told in recipe.background]
    for told, held, heat in zip(recipe.background, patterns, known, strict=True):
        made += _one_or_ramp(told, [_on_grid(told, grid, pattern) for pattern in held], heat)
    return made


def _on_grid(told: Told, grid: Floats, pattern: Pattern) -> Background:
    q, intensity, sigma = pattern
    name = told.name if told.file is None else told.file.name
    background = background_on(
        grid=grid,
        name=name,
        q=q,
        intensity=intensity,
        sigma=sigma,
        scale=told.scale,
        monitor=told.monitor,
        cell=told.cell,
    )
    if told.denoise is None:
        return background
    return denoised(background, grid=grid, r_max=told.denoise)


def _one_or_ramp(
    told: Told, held: list[Background], temperatures: Sequence[float]
) -> list[Background]:
    if not temperatures:
        return held
    return ramp_backgrounds(
        held,
        name=told.name,
        temperatures=temperatures,
        match=told.match,
        scale=told.scale,
        components=told.components,
    )


def _capillary(
    recipe: Recipe, composition: Mapping[str, float], energy: float | None
) -> Capillary | None:
    told, density = recipe.absorption, recipe.sample.density
    if told is None:
        return None
    mu = told.mu
    if mu is None:
        if density is None or energy is None:
            raise ValueError("absorption needs mu, or the sample's density and the energy")
        mu = attenuation(composition=composition, density=told.packing * density, energy=energy)
    return Capillary(radius=told.radius, mu=mu, wall=told.wall, wall_mu=told.wall_mu)


def plan_header(plan: Plan, *, names: Mapping[str, str] | None = None) -> dict[str, object]:
    """Return the settings of a plan under the names of PDFgetX3, for the header of a file.

    ``names`` gives backgrounds the names of other files than those they were read from.
    """
    names = names or {}
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
        header["backgroundfile"] = ", ".join(names.get(b.name, b.name) for b in plan.backgrounds)
        header["bgscale"] = ", ".join(_bgscale(b) for b in plan.backgrounds)
    return header


def resolution_header(resolution: Resolution) -> dict[str, object]:
    """Return qdamp and qbroad as PDFgui and diffpy read them, where they are known."""
    known = {"qdamp": resolution.qdamp, "qbroad": resolution.qbroad}
    return {key: value for key, value in known.items() if value is not None}


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
    if p.dispersion:
        extras = {**extras, "dispersion": "true"}
    if p.capillary is not None:
        c = p.capillary
        extras = {
            **extras,
            "capillary": f"{c.radius:.12g} {c.mu:.12g} {c.wall:.12g} {c.wall_mu:.12g}",
            "cells": ", ".join(str(int(b.cell)) for b in plan.backgrounds),
        }
    return {key: value for key, value in extras.items() if value is not None and value != ""}


def _bgscale(background: Background) -> str:
    if background.scale == "fit":
        return "fit-signed" if background.signed else "fit"
    return f"{background.factor:.12g}"


def _term(element: str, count: float) -> str:
    return element if count == 1 else f"{element}{count:.12g}"
