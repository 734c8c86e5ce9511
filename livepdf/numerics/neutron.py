"""Neutrons: bound coherent scattering lengths, and banks of detectors merged into one pattern."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from periodictable import elements

from livepdf.numerics.resample import interpolate

Floats = NDArray[np.float64]
Bank = tuple[Floats, Floats, Floats]
"""Q (Å⁻¹, increasing), value and its σ, (n,) each; a value that is NaN is left out."""

_BARN = 100.0
"""fm²"""


def mean_scattering_lengths(
    *, q: Floats, composition: Mapping[str, float]
) -> tuple[Floats, Floats, Floats]:
    """Return ⟨b⟩, ⟨b²⟩ and the incoherent part per atom and steradian, the same at every Q.

    Bound coherent lengths and incoherent cross sections of the natural elements (Sears, Neutron
    News 3 (3), 26, 1992, as periodictable keeps them). ⟨b²⟩ holds the coherent lengths alone, as
    in the Faber-Ziman definition; the incoherent part is σ_inc/4π and counts where a scale is
    absolute. Only the real part of b is used: not for strong absorbers (Gd, Sm, Eu, Cd).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    composition : atoms per formula unit by element symbol
        ValueError names an element that has no table.

    Returns
    -------
    mean_b, mean_b2, incoherent : (n_q,) float64, fm, fm² and fm²
    """
    total = sum(composition.values())
    sums = np.zeros(3)
    for element, count in composition.items():
        neutron = elements.symbol(element).neutron
        if not neutron.has_sld() or neutron.b_c is None:
            raise ValueError(f"no neutron scattering length for {element}")
        length = float(neutron.b_c)
        incoherent = float(neutron.incoherent or 0.0) * _BARN / (4 * np.pi)
        sums += count / total * np.array([length, length**2, incoherent])
    if sums[0] == 0:
        raise ValueError("the mean scattering length is zero: S(Q) is not defined")
    return np.full(q.shape, sums[0]), np.full(q.shape, sums[1]), np.full(q.shape, sums[2])


def merge_banks(*, onto: Floats, banks: Sequence[Bank]) -> tuple[Floats, Floats]:
    """Combine banks of detectors on one Q grid, each weighted by 1/σ² where it has data.

    Every bank is interpolated linearly, at its own spacing; noise that neighbours on the grid
    then share is not carried along.

    Parameters
    ----------
    onto : (n_q,) float64, Å⁻¹
    banks : one or more
        ValueError when a Q axis does not increase or no σ is known.

    Returns
    -------
    value, sigma : (n_q,) float64
        NaN where no bank has data.
    """
    weight, weighted = np.zeros(onto.shape), np.zeros(onto.shape)
    for number, (q, value, sigma) in enumerate(banks):
        if not np.all(np.diff(q) > 0):
            raise ValueError(f"the Q axis of bank {number} does not increase")
        if not np.any(sigma > 0):
            raise ValueError(f"bank {number} has no errors to weight it with")
        known = np.where(sigma > 0, value, np.nan)
        on_grid, spread = interpolate(onto=onto, q=q, intensity=known, sigma=sigma)
        here = np.isfinite(on_grid) & (spread > 0)
        weight[here] += 1 / spread[here] ** 2
        weighted[here] += on_grid[here] / spread[here] ** 2
    value, sigma = np.full(onto.shape, np.nan), np.full(onto.shape, np.nan)
    np.divide(weighted, weight, out=value, where=weight > 0)
    np.divide(1.0, np.sqrt(weight), out=sigma, where=weight > 0)
    return value, sigma
