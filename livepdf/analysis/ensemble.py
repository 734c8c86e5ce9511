"""Calculated F(Q) of a model from elsewhere: a cluster, or the mean over a trajectory."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from livepdf.model.snapshot import Snapshot
from livepdf.numerics.bulk import (
    BINS,
    STEP,
    NeighbourGrid,
    grid_distances,
    sine_sums,
    soft_end,
    uniform_neighbours,
)
from livepdf.numerics.form_factors import dispersion, form_factor
from livepdf.numerics.pairs import distance_histogram
from livepdf.numerics.periodic import periodic_histogram

Floats = NDArray[np.float64]

TAIL = 10.0
"""Å, over which the neighbours of a periodic box fade beyond the last r that is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ensemble:
    """The mean neighbours of a model's atoms."""

    species: tuple[str, ...]
    fractions: Floats
    """(kinds,) share of the atoms of each species."""
    grid: NeighbourGrid
    """Of a periodic box less the even ones, so that its end does not show."""
    periodic: bool
    snapshots: int
    half_box: float
    """Å, half of the shortest spacing of the box: the model repeats itself beyond; infinite for a
    cluster."""


def build_ensemble(snapshots: Iterable[Snapshot], *, r_max: float) -> Ensemble:
    """Average the neighbours over the steps of a model.

    Parameters
    ----------
    snapshots : at least one, all of the same kinds of atoms, all periodic or none
    r_max : float, Å
        Longest distance that is wanted. A cluster is counted whole.

    Raises
    ------
    ValueError
        When the steps do not belong together, or a cluster is larger than the grid of distances.
    """
    total, steps, atoms, half = np.empty(0), 0, np.empty(0), np.inf
    species: tuple[str, ...] = ()
    periodic, density = False, 0.0
    for snapshot in snapshots:
        if steps == 0:
            species = tuple(dict.fromkeys(snapshot.elements))
            periodic = snapshot.cell is not None
            total = np.zeros((len(species), len(species), BINS - 1))
            atoms = np.zeros(len(species))
        if not set(snapshot.elements) <= set(species) or (snapshot.cell is not None) != periodic:
            raise ValueError("the steps differ in their elements, or some alone are periodic")
        kind = np.array([species.index(element) for element in snapshot.elements])
        n = len(kind)
        total += _histogram(snapshot, kind, len(species), r_max + TAIL) / n
        atoms += np.bincount(kind, minlength=len(species)) / n
        if snapshot.cell is not None:
            density += n / abs(np.linalg.det(snapshot.cell))
            spacing = 1.0 / np.linalg.norm(np.linalg.inv(snapshot.cell), axis=0)
            half = min(half, 0.5 * float(spacing.min()))
        steps += 1
    if steps == 0:
        raise ValueError("a model without a single step")
    fractions = atoms / steps
    neighbours = _by_pair(total / steps)
    if periodic:
        neighbours = neighbours - uniform_neighbours(fractions=fractions, density=density / steps)
    kinds = range(len(species))
    grid = NeighbourGrid(
        pairs=tuple((a, b) for a in kinds for b in kinds if a <= b),
        neighbours=neighbours,
        r_max=r_max + TAIL,
    )
    return Ensemble(
        species=species,
        fractions=fractions,
        grid=grid,
        periodic=periodic,
        snapshots=steps,
        half_box=half,
    )


def ensemble_fq(
    ensemble: Ensemble,
    *,
    q: Floats,
    amplitudes: NDArray[np.complex128],
    mean_f2: Floats,
    uiso: Floats | None = None,
    qdamp: float = 0.0,
    diameter: float = np.inf,
) -> Floats:
    r"""Return F(Q) of a model, (n_q,) Å⁻¹.

    .. math:: F(Q) = \sum_{ab} \frac{\mathrm{Re}(f_a f_b^*)}{|\langle f\rangle|^2}
        e^{-(U_a + U_b) Q^2/2} \sum_k n_{ab}(r_k) \frac{\sin Q r_k}{r_k} e^{-(q_d r_k)^2/2}

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        From above 0.
    amplitudes : (kinds, n_q) complex128
        f(Q) of each species, as `xray_amplitudes`.
    mean_f2 : (n_q,) float64
        |⟨f⟩|² that the data were divided by: of the model itself, or as a recipe says.
    uiso : (kinds,) float64, optional, Å²
        For still models; a trajectory moves by itself.
    qdamp : float, Å⁻¹
        Resolution of the instrument.
    diameter : float, Å
        Of spheres that are cut from a periodic model.
    """
    r = grid_distances()
    envelope = np.exp(-0.5 * (qdamp * r) ** 2)
    if ensemble.periodic:
        end = ensemble.grid.r_max
        envelope *= soft_end(r, start=end - TAIL, end=end)
        t = np.minimum(r / diameter, 1.0)
        envelope *= 1.0 - 1.5 * t + 0.5 * t**3
    fine_q, sums = sine_sums(ensemble.grid, envelope=envelope, q_max=1.02 * float(q[-1]) + 0.1)
    u = np.zeros(len(ensemble.species)) if uiso is None else uiso
    total = np.zeros(q.shape)
    for (a, b), row in zip(ensemble.grid.pairs, sums, strict=True):
        weight = (amplitudes[a] * amplitudes[b].conj()).real / mean_f2
        weight *= np.exp(-0.5 * (u[a] + u[b]) * q**2)
        total += weight * make_interp_spline(fine_q, row)(q)
    return total


def xray_amplitudes(
    species: Iterable[str], q: Floats, *, energy: float | None = None
) -> NDArray[np.complex128]:
    """Return f(Q) of each species, (kinds, n_q), with f′ + if″ at ``energy`` keV."""
    rows = []
    for element in species:
        shift = 0.0 if energy is None else dispersion(element=element, energy=energy)
        rows.append(form_factor(q=q, element=element) + shift)
    return np.array(rows, dtype=np.complex128)


def _histogram(
    snapshot: Snapshot, kind: NDArray[np.int64], kinds: int, r_max: float
) -> NDArray[np.float64]:
    found = np.zeros((kinds, kinds, BINS - 1))
    if snapshot.cell is None:
        whole = distance_histogram(
            positions=snapshot.cartesian, species=kind, kinds=kinds, step=STEP, bins=BINS
        )
        return np.asarray(whole[:, :, 1:])
    part = periodic_histogram(
        cell=snapshot.cell,
        cartesian=snapshot.cartesian,
        species=kind,
        kinds=kinds,
        r_max=r_max,
        step=STEP,
    )[:, :, 1:BINS]
    found[:, :, : part.shape[2]] = part
    return found


def _by_pair(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    kinds = range(len(ordered))
    rows = [
        ordered[a, b] + (ordered[b, a] if a != b else 0.0) for a in kinds for b in kinds if a <= b
    ]
    return np.array(rows)
