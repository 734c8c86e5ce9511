"""What scatters beside the crystal: water, fused silica and a dissolved precursor.

Plausible shapes, not benchmarks: an analysis that needs their exact pattern measures a blank.
"""

import numpy as np
from numpy.typing import NDArray

from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.pairs import crystal_pairs
from livepdf.simulate.compton import compton
from livepdf.simulate.debye import species_uiso

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
_OXYGEN_SHELLS = np.array(
    [
        # r Å, width Å, height of g(r) - 1
        (2.80, 0.13, 1.55),
        (3.40, 0.30, -0.22),
        (4.50, 0.38, 0.14),
        (5.60, 0.40, -0.10),
        (6.75, 0.50, 0.06),
    ]
)
_HOLE = 2.45
"""Å, nearer than this no other molecule is found."""


def water_density(temperature: float) -> float:
    """Return molecules per Å³ of water at 25 MPa, for a temperature in K."""
    grams = np.interp(temperature, _WATER_DENSITY[:, 0], _WATER_DENSITY[:, 1])
    return float(_MOLECULES * grams)


def water_intensity(
    q: NDArray[np.float64], *, temperature: float, energy: float
) -> NDArray[np.float64]:
    """Return elastic and Compton intensity per molecule of water, (n_q,) electron units."""
    oxygen, hydrogen = form_factor(q=q, element="O"), form_factor(q=q, element="H")
    bond, across = _sinc(q * 0.9572), _sinc(q * 1.5139)
    alone = oxygen**2 + 2 * hydrogen**2
    alone += 4 * oxygen * hydrogen * bond + 2 * hydrogen**2 * across
    r = np.arange(0.01, 12.0, 0.02)
    g = _water_g(r, temperature=temperature)
    kernel = 4 * np.pi * r**2 * (g - 1.0) * 0.02
    together = water_density(temperature) * (_sinc(np.outer(q, r)) @ kernel)
    molecule = oxygen + 2 * hydrogen * bond
    free = compton("O", q, energy=energy) + 2 * compton("H", q, energy=energy)
    return np.asarray(alone + molecule**2 * together + free)


def _water_g(r: NDArray[np.float64], *, temperature: float) -> NDArray[np.float64]:
    # Heating lowers and broadens every shell.
    heat = max(temperature - 298.0, 0.0) / 300.0
    position, width, height = _OXYGEN_SHELLS.T
    width = width * (1.0 + 0.4 * heat)
    height = height / (1.0 + 0.5 * heat)
    g = 1.0 + (height * np.exp(-0.5 * ((r[:, None] - position) / width) ** 2)).sum(axis=1)
    return np.asarray(g / (1.0 + np.exp((_HOLE - r) / 0.07)))


def glass_intensity(
    structure: Structure,
    q: NDArray[np.float64],
    *,
    correlation: float,
    disorder: float,
    dense: bool,
    energy: float,
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
    """
    kind = structure.species_index
    pairs = crystal_pairs(
        cell=structure.cell, positions=structure.positions, species=kind, r_max=4 * correlation
    )
    uiso = species_uiso(structure)
    fraction = np.bincount(kind) / len(kind)
    f = np.array([form_factor(q=q, element=element) for element in structure.species])
    mean = fraction @ f
    total = fraction @ f**2
    for a, b in np.ndindex(len(fraction), len(fraction)):
        pick = (pairs.species_a == a) & (pairs.species_b == b)
        r, count = pairs.r[pick], pairs.count[pick]
        spread = uiso[a] + uiso[b] + (disorder * r) ** 2
        seen = count * np.exp(-0.5 * (r / correlation) ** 2)
        waves = _sinc(np.outer(q, r)) * np.exp(-0.5 * np.outer(q**2, spread))
        total = total + fraction[a] * f[a] * f[b] * (waves @ seen)
    density = len(kind) / structure.volume if dense else 0.0
    even = (2 * np.pi) ** 1.5 * correlation**3 * np.exp(-0.5 * (q * correlation) ** 2)
    free = sum(
        share * compton(element, q, energy=energy)
        for element, share in zip(structure.species, fraction, strict=True)
    )
    return np.asarray(total - density * mean**2 * even + free)


def _sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sinc(x / np.pi)
