"""What scatters beside the crystal: water, fused silica and a dissolved precursor.

Plausible shapes, not benchmarks: an analysis that needs their exact pattern measures a blank.
"""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from livepdf.model.structure import Structure
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.pairs import crystal_pairs
from livepdf.simulate.debye import amplitudes, species_uiso

_WATER_DENSITY = np.array(
    [
        (273.0, 1.012),
        (298.0, 1.008),
        (373.0, 0.970),
        (423.0, 0.929),
        (473.0, 0.881),
        (523.0, 0.821),
        (573.0, 0.743),
        (623.0, 0.625),
    ]
)
"""(K, g/cm³) at 25 MPa, rounded."""
_MOLECULES = 0.0334285
"""Molecules per Å³ in water of 1 g/cm³."""
_DIAMETER = 2.75
"""Å, of a molecule taken as a hard sphere."""
_SOFTNESS = 0.22
"""Å, how much its surface is blurred."""


_JOINED = 0.05
"""Å"""


def water_density(temperature: float) -> float:
    """Return molecules per Å³ of water at 25 MPa, for a temperature in K."""
    grams = np.interp(temperature, _WATER_DENSITY[:, 0], _WATER_DENSITY[:, 1])
    return float(_MOLECULES * grams)


def water_intensity(
    q: NDArray[np.float64], *, temperature: float, energy: float
) -> NDArray[np.float64]:
    """Return elastic and Compton intensity per molecule of water, (n_q,) electron units."""
    oxygen, hydrogen = form_factor(q=q, element="O"), form_factor(q=q, element="H")
    bond, across = _sinc(q * 0.9572), _sinc(q * 1.5139)  # Å, of the free molecule
    alone = oxygen**2 + 2 * hydrogen**2
    alone += 4 * oxygen * hydrogen * bond + 2 * hydrogen**2 * across
    together = _packing(q, density=water_density(temperature))
    molecule = oxygen + 2 * hydrogen * bond
    free = 3 * mean_compton(q=q, composition={"O": 1, "H": 2}, energy=energy)
    return np.asarray(alone + molecule**2 * together + free)


def _packing(q: NDArray[np.float64], *, density: float) -> NDArray[np.float64]:
    """Return S(Q) - 1 of hard spheres (Percus-Yevick: Ashcroft & Lekner 1966), softened."""
    x = np.maximum(q * _DIAMETER, 0.1)
    eta = np.pi / 6 * density * _DIAMETER**3
    alpha = (1 + 2 * eta) ** 2 / (1 - eta) ** 4
    beta = -6 * eta * (1 + eta / 2) ** 2 / (1 - eta) ** 4
    gamma = eta * alpha / 2
    sin, cos = np.sin(x), np.cos(x)
    direct = alpha * (sin - x * cos) / x**2
    direct += beta * (2 * x * sin + (2 - x**2) * cos - 2) / x**3
    tail = (3 * x**2 - 6) * cos + (x**3 - 6 * x) * sin + 6
    direct += gamma * (4 * tail - x**4 * cos) / x**5
    hard = 1 / (1 + 24 * eta * direct / x) - 1
    return np.asarray(hard * np.exp(-0.5 * (_SOFTNESS * q) ** 2))


def glass_intensity(
    structure: Structure,
    q: NDArray[np.float64],
    *,
    correlation: float,
    disorder: float,
    dense: bool,
    energy: float,
    dispersion: bool = False,
) -> NDArray[np.float64]:
    """Return intensity per atom of a solid whose order fades, (n_q,) electron units with Compton.

    Neighbour shells of the crystal are damped by a Gaussian of r and widened in proportion to r.

    Parameters
    ----------
    correlation : float, Å
        Standard deviation of the Gaussian of r.
    disorder : float
        Width of a shell over its distance.
    dense : bool
        Whether it fills space (its even density is taken out, as in a glass) or is clusters far
        apart (which keep their small-angle scattering).
    energy : float, keV
        For the Compton part.
    dispersion : bool
        Adds f′ and f″ at that energy.
    """
    kind = structure.species_index
    pairs = crystal_pairs(
        cell=structure.cell, positions=structure.positions, species=kind, r_max=5.5 * correlation
    )
    uiso = species_uiso(structure)
    fraction = np.bincount(kind) / len(kind)
    f = amplitudes(structure, q, energy=energy if dispersion else None)
    mean2 = np.abs(fraction @ f) ** 2
    total = fraction @ np.abs(f) ** 2
    for a, b in np.ndindex(len(fraction), len(fraction)):
        pick = (pairs.species_a == a) & (pairs.species_b == b)
        r, count = _gathered(pairs.r[pick], pairs.count[pick])
        spread = uiso[a] + uiso[b] + (disorder * r) ** 2
        seen = count * np.exp(-0.5 * (r / correlation) ** 2)
        waves = _sinc(np.outer(q, r)) * np.exp(-0.5 * np.outer(q**2, spread))
        total = total + fraction[a] * (f[a] * f[b].conj()).real * (waves @ seen)
    density = len(kind) / structure.volume if dense else 0.0
    # The even density fades and is widened like the shells that it stands for.
    reach = 1.0 / np.sqrt(correlation**-2 + (disorder * q) ** 2)
    even = (2 * np.pi) ** 1.5 * reach**3 * np.exp(-0.5 * (q * reach) ** 2)
    free = mean_compton(q=q, composition=Counter(structure.elements), energy=energy)
    return np.asarray(total - density * mean2 * even + free)


def _gathered(
    r: NDArray[np.float64], count: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join shells closer than their width into one at their mean distance."""
    place = np.floor(r / _JOINED).astype(np.int64)
    total = np.bincount(place, weights=count).astype(np.float64)
    filled = total > 0.0
    mean = np.bincount(place, weights=count * r)[filled] / total[filled]
    return mean, total[filled]


def _sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sinc(x / np.pi)
