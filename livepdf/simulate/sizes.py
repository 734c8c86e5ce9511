"""Scattering of particles of any size, interpolated in a table of explicit ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from livepdf.model.structure import Structure
from livepdf.simulate.debye import amplitudes, particle_sums, species_uiso, summed_intensity
from livepdf.simulate.particles import Shape, cuts, sphere


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeTable:
    """Interference sums of particles of a crystal over a grid of diameters."""

    structure: Structure
    diameter: NDArray[np.float64]
    """(n_d,) Å, rising; of the sphere of the same volume."""
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    fraction: NDArray[np.float64]
    """(n_d, kinds) share of the atoms of each species."""
    pairs: NDArray[np.float64]
    """(n_d, kinds, kinds, n_q), as in `PairSums`."""


def size_table(
    structure: Structure,
    *,
    smallest: float,
    largest: float,
    q_max: float,
    seed: int = 0,
    ratio: float = 1.06,
    atoms: float = 8_000.0,
    shape: Shape | None = None,
) -> SizeTable:
    """Build a table from explicit particles, each the mean over random centres.

    Parameters
    ----------
    smallest, largest : float, Å
        Range of diameters.
    q_max : float, Å⁻¹
        The table reaches 2 % further so that an expanded lattice stays inside.
    ratio : float
        Of neighbouring diameters.
    atoms : float
        How many atoms to average over at each diameter: small particles need more random
        centres than large ones. At least two are taken.
    shape : Shape, optional
        A sphere without; of any size, as only its proportions count.
    """
    if not 0.0 < smallest < largest:
        raise ValueError(f"diameters run from {smallest} to {largest} Å, wanted 0 < first < last")
    n = int(np.ceil(np.log(largest / smallest) / np.log(ratio))) + 1
    diameter = np.geomspace(smallest, largest, n)
    random = np.random.default_rng(seed)
    density = len(structure.elements) / structure.volume
    shape = sphere(1.0) if shape is None else shape
    rows = []
    for d in diameter:
        origins = max(2, round(atoms / (density * np.pi / 6 * d**3)))
        particles = cuts(structure, shape.of_diameter(d), centres=random.random((origins, 3)))
        rows.append(particle_sums(structure, particles, q_max=1.02 * q_max))
    return SizeTable(
        structure=structure,
        diameter=diameter,
        q=rows[0].q,
        fraction=np.array([row.fraction for row in rows]),
        pairs=np.array([row.pairs for row in rows]),
    )


def sphere_intensity(
    table: SizeTable,
    *,
    q: NDArray[np.float64],
    diameter: float,
    stretch: float = 1.0,
    extra_uiso: float = 0.0,
    energy: float | None = None,
) -> NDArray[np.float64]:
    """Return the elastic intensity per atom of particles of one size, (n_q,) electron units.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    diameter : float, Å
        Inside the table; linear in between.
    stretch : float
        Lattice over that of the table (thermal expansion). The sphere keeps its diameter.
    extra_uiso : float, Å²
        Added to the Uiso of every atom (heating).
    energy : float, optional, keV
        Adds f′ and f″.
    """
    unstretched = diameter / stretch
    if not table.diameter[0] <= unstretched <= table.diameter[-1]:
        first, last = table.diameter[0], table.diameter[-1]
        raise ValueError(f"diameter {unstretched:.2f} Å is outside the table, {first} to {last} Å")
    upper = int(np.clip(np.searchsorted(table.diameter, unstretched), 1, len(table.diameter) - 1))
    lower_d, upper_d = table.diameter[upper - 1], table.diameter[upper]
    share = (unstretched - lower_d) / (upper_d - lower_d)
    fraction = (1 - share) * table.fraction[upper - 1] + share * table.fraction[upper]
    pairs = (1 - share) * table.pairs[upper - 1] + share * table.pairs[upper]
    # A lattice larger by s shows at Q what the original shows at sQ; the grid is fine enough
    # for a cubic, not for a straight line (which would damp the far distances).
    shifted = CubicSpline(table.q, pairs, axis=-1)(q * stretch)
    # The damping inside the table was stretched with it: put back to that at the true Q.
    uiso = species_uiso(table.structure)
    excess = extra_uiso + 0.5 * (uiso[:, None] + uiso[None, :]) * (1.0 - stretch**2)
    damped = shifted * np.exp(-excess[:, :, None] * q**2)
    return summed_intensity(amplitudes(table.structure, q, energy=energy), fraction, damped)


def lognormal_intensity(
    table: SizeTable,
    *,
    q: NDArray[np.float64],
    diameter: float,
    spread: float,
    stretch: float = 1.0,
    extra_uiso: float = 0.0,
    energy: float | None = None,
    points: int = 9,
) -> NDArray[np.float64]:
    r"""Return the same of a lognormal distribution of sizes.

    Parameters
    ----------
    diameter : float, Å
        Volume-weighted mean, :math:`D_{43} = \mu e^{7 s^2/2}`.
    spread : float
        s, standard deviation of ln D by number; 0 for one size. Sizes beyond the table count as
        its ends.
    points : int
        Of the Gauss-Hermite sum over ln D.
    """
    if spread == 0.0:
        sizes, shares = np.array([diameter]), np.ones(1)
    else:
        node, weight = np.polynomial.hermite_e.hermegauss(points)
        # Weighted by volume a lognormal stays one, with its median at μ exp(3 s²).
        sizes = diameter * np.exp(-0.5 * spread**2 + spread * node)
        shares = weight / weight.sum()
    low, high = table.diameter[0] * stretch, table.diameter[-1] * stretch
    total = np.zeros(len(q))
    for size, share in zip(np.clip(sizes, low, high), shares, strict=True):
        total += share * sphere_intensity(
            table, q=q, diameter=size, stretch=stretch, extra_uiso=extra_uiso, energy=energy
        )
    return total
