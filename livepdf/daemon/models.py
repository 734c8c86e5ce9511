"""Models from elsewhere that a recipe names: read once, calculated for a plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.ensemble import Ensemble, build_ensemble, ensemble_fq, xray_amplitudes
from livepdf.config.recipe import Model, Recipe
from livepdf.errors import Complaint, FileError
from livepdf.files.snapshots import read_snapshots
from livepdf.files.structures import read_structure
from livepdf.model.snapshot import Snapshot
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.neutron import mean_scattering_lengths
from livepdf.reduction.plan import Plan

Floats = NDArray[np.float64]

_STILL = 0.005
"""Å², of a model that does not move and says none: that of most solids at room temperature."""
_FARTHEST = 40.0
"""Å; a box is not followed further."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """A model as it was read."""

    told: Model
    ensemble: Ensemble
    uiso: Floats
    """(kinds,) Å²"""


def read_models(recipe: Recipe, file: Path) -> tuple[tuple[Known, ...], list[Complaint]]:
    """Read every model of a recipe; what cannot be used is a complaint."""
    found, complaints = [], []
    composition = parse_composition(recipe.sample.composition)
    for number, told in enumerate(recipe.model):
        key = f"model.{number}.file"
        try:
            known = _read(told, r_max=min(recipe.reduction.rmax, _FARTHEST))
        except (FileError, ValueError) as error:
            wanted = "a CIF, an XYZ cluster or a trajectory"
            complaints.append(Complaint(str(file), key, str(error), wanted))
            continue
        strangers = sorted(set(known.ensemble.species) - set(composition))
        if strangers:
            wanted = f"atoms of {recipe.sample.composition}, as F(Q) is divided by its ⟨f⟩²"
            complaints.append(Complaint(str(file), key, ", ".join(strangers), wanted))
        found.append(known)
    return tuple(found), complaints


def model_curves(
    models: tuple[Known, ...], plan: Plan, *, energy: float | None, qdamp: float
) -> Floats:
    """Return F(Q) of each model where the plan fits, (k, n_fit) Å⁻¹.

    Parameters
    ----------
    energy : float or None, keV
        Where the reduction has f′ and f″ in its form factors.
    qdamp : float, Å⁻¹
    """
    q = np.maximum(plan.fit_q, 1e-3)
    rows = []
    for known in models:
        species = known.ensemble.species
        if plan.parameters.mode == "neutron":
            each = [mean_scattering_lengths(q=q, composition={e: 1.0})[0] for e in species]
            amplitudes = np.array(each, dtype=np.complex128)
        else:
            amplitudes = xray_amplitudes(species, q, energy=energy)
        rows.append(
            ensemble_fq(
                known.ensemble,
                q=q,
                amplitudes=amplitudes,
                mean_f2=1.0 / plan.mean_f2_inverse,
                uiso=known.uiso,
                qdamp=qdamp,
                diameter=known.told.diameter or np.inf,
            )
        )
    return np.array(rows).reshape(len(rows), q.size)


def _read(told: Model, *, r_max: float) -> Known:
    given: dict[str, float] = {}
    if told.file.suffix.lower() == ".cif":
        steps, given = _crystal(told.file)
    else:
        steps = read_snapshots(told.file, species=told.species, start=told.start, every=told.every)
    ensemble = build_ensemble(steps, r_max=r_max)
    still = _STILL if ensemble.snapshots == 1 else 0.0
    uiso = [given.get(name, still) if told.uiso is None else told.uiso for name in ensemble.species]
    return Known(told=told, ensemble=ensemble, uiso=np.array(uiso))


def _crystal(path: Path) -> tuple[Iterator[Snapshot], dict[str, float]]:
    s = read_structure(str(path))
    means = {e: float(np.mean(s.uiso[s.species_index == k])) for k, e in enumerate(s.species)}
    one = Snapshot(elements=s.elements, cartesian=s.positions @ s.cell, cell=s.cell)
    return iter([one]), {name: u for name, u in means.items() if np.isfinite(u)}
