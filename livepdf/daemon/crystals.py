"""What the recipe says about crystals, for the estimator: candidates and what is beside them."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from livepdf.analysis.references.columns import (
    Column,
    Recorded,
    References,
    build_references,
)
from livepdf.analysis.structure_fit import WantedCrystals
from livepdf.config.recipe import Analysis
from livepdf.model.structure import Structure
from livepdf.numerics.adhoc import GIVEN, scale
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.resample import interpolate
from livepdf.reduction.background import Background
from livepdf.reduction.plan import Plan
from livepdf.reduction.recipes import Pattern

Floats = NDArray[np.float64]

LEVELLING = ("mean", "lsq", "high-q")
"""Scales that are found in every pattern, by its level."""
_GUESSED = 0.2
"""Relative σ of such a scale where the solvent's is found as well: the level of the pattern does
not tell the two apart (1 M SnO2 in water up to 18 Å⁻¹: 21 % off)."""


def wanted_crystals(
    wanted: Analysis,
    *,
    structures: Sequence[Structure],
    precursors: Sequence[Pattern],
    plan: Plan,
    energy: float | None,
) -> WantedCrystals:
    """Return candidates with shells and limits, and the references as nuisances on ``plan``.

    Every background that the reduction subtracts is fitted along once more: what its scale was off
    by is taken out of data and model alike.

    Parameters
    ----------
    energy : float or None, keV
        Where the reduction has f′ and f″ in its form factors.
    """
    references = sample_references(plan, precursors=precursors)
    gain = np.zeros(plan.q.shape)
    gain[plan.fit] = plan.q[plan.fit] * plan.mean_f2_inverse
    rows = references.nuisances(gain=gain)[:, plan.window]
    noises = [noise[:, plan.window] for noise in references.noises(gain=gain)]
    known = [
        (name, _bridged(row), _known_noise(noise))
        for name, row, noise in zip(references.names, rows, noises, strict=True)
    ]
    kept = [(name, row, noise) for name, row, noise in known if row is not None]
    return WantedCrystals(
        candidates=tuple(
            Candidate(
                structure=structure,
                shells=tuple(
                    NamedShell(name=bond.name, near=bond.near, reach=bond.reach)
                    for bond in wanted.bond
                ),
                shapes=tuple(wanted.shapes),
                size_distribution=wanted.size_distribution,
            )
            for structure in structures
        ),
        diameters=(wanted.smallest, wanted.largest),
        template=wanted.template,
        full_scale=1.0 if wanted.full_scale is None else wanted.full_scale,
        levelled=partial(_full_scale, plan) if wanted.full_scale is None else None,
        scale_error=_scale_error(plan),
        energy=energy,
        cross_checks=wanted.cross_checks,
        nuisances=np.array([row for _, row, _ in kept]).reshape(-1, plan.window_size),
        names=tuple(name for name, _, _ in kept),
        noise=tuple(noise for _, _, noise in kept),
    )


def sample_references(plan: Plan, *, precursors: Sequence[Pattern]) -> References:
    """Return precursor, backgrounds and free atoms as columns on the grid of a plan."""
    recorded = [recorded_on(plan, pattern) for pattern in precursors]
    free = np.full(plan.q.shape, np.nan)
    free[plan.fit] = plan.target / plan.mean_f2_inverse
    own = build_references(q=plan.q, precursors=recorded, free_atoms=free)
    columns = list(own.columns)
    for background in plan.backgrounds:
        columns += _background(plan, background)
    return References(q=plan.q, columns=tuple(columns), doubts=own.doubts)


def _full_scale(plan: Plan, crystal_fq: Floats) -> float:
    """Return the scale that the reduction gives to pure crystals.

    Scales that level the pattern with f² count its Compton scattering as elastic, and its
    interference, whose mean over a range of Q is not zero: 7 % less and 3 % more for HfO2.
    """
    kind, p = plan.parameters.scale, plan.parameters
    if kind not in LEVELLING or p.mode != "xray":
        return 1.0
    seen = plan.target.copy()
    if p.energy is not None:
        compton = mean_compton(q=plan.fit_q, composition=p.composition, energy=p.energy)
        seen += compton * plan.mean_f2_inverse
    seen[: plan.window_size] += crystal_fq / plan.fit_q[: plan.window_size]
    return scale(kind=kind, q=plan.fit_q, x=seen, y=plan.target, value=None)[0]


def _scale_error(plan: Plan) -> float:
    """Return the relative σ of the scale, common to all windows."""
    p = plan.parameters
    if p.scale in GIVEN:
        return p.scale_sigma / p.scale_value if p.scale_value else 0.0
    return _GUESSED if p.scale in LEVELLING and plan.blanks.bridged.size else 0.0


def _background(plan: Plan, background: Background) -> list[Column]:
    if background.ramp is None:
        blank = Recorded(intensity=background.intensity, sigma=background.sigma)
        found = build_references(q=plan.q, blanks=[blank]).columns
        return [Column(name=background.name, intensity=c.intensity, noise=c.noise) for c in found]
    ramp, none = background.ramp, np.empty((0, plan.q.size))
    sizes = np.sqrt(np.sum(ramp.amplitudes**2, axis=0))
    return [
        Column(name=background.name, intensity=ramp.mean, noise=none),
        *(
            Column(name=f"{background.name} change {n}", intensity=size * change, noise=none)
            for n, (change, size) in enumerate(zip(ramp.components, sizes, strict=True), 1)
        ),
    ]


def _bridged(row: Floats) -> Floats | None:
    """Return a column without gaps, as the reduction bridges those of data; None for nothing."""
    there = np.isfinite(row)
    if not np.any(row[there] != 0.0):
        return None
    places = np.arange(row.size)
    return np.interp(places, places[there], row[there])


def _known_noise(noise: Floats) -> Floats:
    """Return what noise a column holds; none where it was recorded without σ."""
    return noise if np.isfinite(noise).all() else noise[:0]


def recorded_on(plan: Plan, pattern: Pattern) -> Recorded:
    """Return a pattern on the grid of a plan, as it was measured."""
    q, intensity, sigma = pattern
    unknown = np.full(q.shape, np.nan) if sigma is None else sigma
    intensity, unknown = interpolate(onto=plan.q, q=q, intensity=intensity, sigma=unknown)
    return Recorded(intensity=intensity, sigma=unknown)
