"""What an endless crystal would show: G(r), bond lengths, reflections."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from periodictable import elements as table

from livepdf.model.structure import Structure
from livepdf.numerics.pairs import crystal_pairs

Floats = NDArray[np.float64]

_USUAL_U = 0.006
"""Å², mean square displacement where the structure has none."""
_STEP = 0.02
"""Å, of the grid that peaks are drawn on."""
_REACH = 4.0
"""Å beyond the last r that is drawn too, so that the termination has all that it needs there."""
_SAME_BOND, _SAME_LINE = 0.02, 0.005
"""Å and Å⁻¹; what is closer is one."""
_FAINT = 0.003
"""Of the strongest reflection: weaker ones are left out."""
_FURTHEST_LINE = 8.0
"""Å⁻¹; beyond, lines of any structure lie too close to tell apart."""


@dataclass(frozen=True, slots=True)
class BondLength:
    """A distance between atoms."""

    r: float
    """Å"""
    elements: str
    count: float
    """Mean number of such neighbours of the first element."""


def crystal_curve(structure: Structure, *, r: Floats, qmax: float, qdamp: float) -> Floats:
    r"""Calculate G(r) of an endless crystal with X-ray weights at Q = 0.

    .. math:: G(r) = e^{-(q_\mathrm{damp} r)^2/2} \left[\frac{1}{r} \sum_{ab} c_a w_{ab}
        \sum_k n_k \, g(r - r_k; U_a + U_b) - 4\pi\rho_0 r\right]

    limited to Q ≤ qmax. Weights are products of atomic numbers over the square of their mean.

    Parameters
    ----------
    r : (n,) float64, Å
        Equidistant, rising.
    qmax, qdamp : float, Å⁻¹

    Returns
    -------
    gr : (n,) float64, Å⁻²
    """
    fine = np.arange(_STEP, float(r[-1]) + _REACH, _STEP)
    pairs = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=float(fine[-1]) + 1.0,
    )
    numbers = _atomic_numbers(structure)
    share = np.bincount(structure.species_index) / len(structure.elements)
    mean = float(share @ numbers)
    spread = _displacements(structure)
    radial = np.zeros(fine.size)
    for a, b, distance, count in zip(
        pairs.species_a, pairs.species_b, pairs.r, pairs.count, strict=True
    ):
        variance = spread[a] + spread[b]
        low, high = np.searchsorted(fine, distance + np.array([-6.0, 6.0]) * np.sqrt(variance))
        near = fine[low:high] - distance
        weight = share[a] * count * numbers[a] * numbers[b] / mean**2
        radial[low:high] += (
            weight * np.exp(-(near**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        )
    density = len(structure.elements) / structure.volume
    gr = (radial / fine - 4 * np.pi * density * fine) * np.exp(-((qdamp * fine) ** 2) / 2)
    return _terminated(r, fine, gr, qmax)


def near_bonds(structure: Structure, *, r_max: float) -> tuple[BondLength, ...]:
    """Return the distances between atoms up to ``r_max`` Å, each pair of elements once."""
    pairs = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=r_max,
    )
    found: list[BondLength] = []
    names = structure.species
    for place in np.argsort(pairs.r, kind="stable"):
        a, b = int(pairs.species_a[place]), int(pairs.species_b[place])
        if a > b:
            continue
        one = BondLength(float(pairs.r[place]), f"{names[a]}–{names[b]}", float(pairs.count[place]))
        same = next(
            (i for i, o in enumerate(found) if o.elements == one.elements
             and abs(o.r - one.r) < _SAME_BOND), None,
        )  # fmt: skip
        if same is None:
            found.append(one)
        else:
            old = found[same]
            total = old.count + one.count
            mean = (old.r * old.count + one.r * one.count) / total
            found[same] = BondLength(mean, one.elements, total)
    return tuple(sorted(found, key=lambda bond: bond.r))


def visible_lines(structure: Structure, *, q_max: float) -> tuple[float, ...]:
    """Return where reflections of the crystal are, Å⁻¹, rising; faint ones are left out."""
    q_max = min(q_max, _FURTHEST_LINE)
    reciprocal = 2 * np.pi * np.linalg.inv(structure.cell)
    largest = np.floor(q_max * np.linalg.norm(structure.cell, axis=1) / (2 * np.pi)).astype(int)
    ranges = [np.arange(-n, n + 1) for n in largest]
    indices = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    q = np.linalg.norm(indices @ reciprocal.T, axis=1)
    indices, q = indices[(q > 0) & (q <= q_max)], q[(q > 0) & (q <= q_max)]
    weight = _atomic_numbers(structure)[structure.species_index]
    amplitude = np.exp(2j * np.pi * indices @ structure.positions.T) @ weight
    order = np.argsort(q)
    q, power = q[order], np.abs(amplitude[order]) ** 2
    lines: list[tuple[float, float]] = []
    for place, strength in zip(q, power, strict=True):
        if lines and place - lines[-1][0] < _SAME_LINE:
            lines[-1] = (lines[-1][0], lines[-1][1] + float(strength))
        else:
            lines.append((float(place), float(strength)))
    strongest = max((strength for _, strength in lines), default=0.0)
    return tuple(place for place, strength in lines if strength > _FAINT * strongest)


def _atomic_numbers(structure: Structure) -> Floats:
    return np.array([table.symbol(name).number for name in structure.species], dtype=np.float64)


def _displacements(structure: Structure) -> Floats:
    """Return the mean square displacement of each species, Å²."""
    known = np.where(structure.uiso > 0, structure.uiso, _USUAL_U)
    number = structure.species_index
    return np.asarray(np.bincount(number, weights=known) / np.bincount(number), dtype=np.float64)


def _terminated(r: Floats, fine: Floats, gr: Floats, qmax: float) -> Floats:
    """Return an odd function of r without its components beyond qmax."""
    near, far = r[:, None] - fine, r[:, None] + fine
    kernel = (np.sinc(qmax * near / np.pi) - np.sinc(qmax * far / np.pi)) * (qmax / np.pi)
    return np.asarray(kernel @ gr * _STEP, dtype=np.float64)
