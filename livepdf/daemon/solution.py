"""The scale of a run whose sample begins as a solution: from what is dissolved, once for all."""

from collections.abc import Sequence

import numpy as np

from livepdf.analysis.references.solute import solute_scale
from livepdf.daemon.crystals import recorded_on, sample_references
from livepdf.numerics.compton import mean_compton
from livepdf.reduction.plan import Plan, with_scale
from livepdf.reduction.recipes import Pattern

_BELOW_BOND = 0.8
"""Part of the shortest bond where the foot of its peak begins."""
_REACH = 24.0
"""Å; what is dissolved has no order beyond."""


def solute_plan(
    plan: Plan, *, precursors: Sequence[Pattern], bond: float | None, revision: int
) -> Plan:
    """Return the plan with the scale that the first precursor tells, as ``reference``.

    A pattern of a solution cannot be levelled with f²: what of it is solvent and what are free
    atoms of the solute is then a guess, and conversion is off by a fifth.

    Parameters
    ----------
    precursors : of the solution before it reacts, measured and normalised like the run
    bond : float or None, Å
        The shortest; of the structure that is looked for.

    Raises
    ------
    ValueError
        Where that cannot be told, with the remedy.
    """
    if bond is None:
        raise ValueError("scale 'solute' needs a structure under [analysis] that tells its bonds")
    p = plan.parameters
    if p.energy is None:
        raise ValueError("scale 'solute' needs the photon energy for Compton's recoil")
    measured = recorded_on(plan, precursors[0])
    # After the precursors and the free atoms come the columns of the backgrounds.
    solvent = sample_references(plan, precursors=precursors).columns[len(precursors) + 1 :]
    shaded = np.ones(plan.q.shape) if plan.transmission is None else plan.transmission
    mean_f2 = 1.0 / plan.mean_f2_inverse
    compton = mean_compton(q=plan.fit_q, composition=p.composition, energy=p.energy)
    try:
        value, sigma = solute_scale(
            q=plan.fit_q,
            intensity=(measured.intensity / shaded)[plan.fit],
            sigma=(measured.sigma / shaded)[plan.fit],
            solvent=[(column.intensity / shaded)[plan.fit] for column in solvent],
            free_atoms=plan.target * mean_f2 + compton,
            mean_f2=mean_f2,
            shortest=_BELOW_BOND * bond,
            reach=_REACH,
        )
    except ValueError as error:
        raise ValueError(f"{error}; use another reduction.scale than 'solute'") from error
    return with_scale(plan, kind="reference", value=value, sigma=sigma, revision=revision)
