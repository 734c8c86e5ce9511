"""What the estimator is told: crystals that may be there, shells to follow, what is expected."""

from dataclasses import dataclass
from typing import Literal

from livepdf.model.structure import Structure

Shape = Literal["sphere", "ellipsoid", "rod", "plate", "cube"]
"""Outer form of the domains. All but the sphere are tried only where χ² asks for them. Their axis
is c in hexagonal and tetragonal crystals; in others they lie in all directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedShell:
    """A shell of neighbours whose distance is followed."""

    name: str
    """As it is shown, e.g. ``Hf-O 2.14``."""
    near: float
    """Å, where the reference structure has it."""
    reach: float = 0.15
    """Å, to each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A crystal that the sample may hold."""

    structure: Structure
    shells: tuple[NamedShell, ...] = ()
    """Each gets a shift of its own: a bond may differ from that of the bulk."""
    anisotropic: bool = False
    """Whether atoms may move differently along c than across (hexagonal and tetragonal cells):
    stacking faults of wurtzite look so."""
    shapes: tuple[Shape, ...] = ("sphere",)
    """Spheres are fitted first, the others only where spheres do not describe the data."""
    size_distribution: bool = False
    """Whether the width of a lognormal distribution may be fitted where χ² asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What is expected before any data: Gaussian, one standard deviation each; 0 holds the value.

    They steady the fit while little has formed and do not matter once a tenth has.
    """

    lattice: float = 0.004
    """Relative, about the reference structure."""
    uiso: tuple[float, float] = (1.4, 0.6)
    """Over that of the reference structure, mean and σ. The reference is a cold crystal: at 600 K
    atoms move twice as much. Expecting 1 ± 0.3 made the scale 0.2 to 0.3 σ too small there."""
    delta2: tuple[float, float] = (1.5, 1.5)
    """Å², mean and σ: correlated motion of near neighbours."""
    shift: float = 0.05
    """Å, of every named shell, about zero."""
    diameter: tuple[float, float] = (22.0, 8.0)
    """Å, mean and σ: what nucleates is small."""
    diameter_until: float = 30.0
    """The prior of the diameter is dropped where the scale exceeds so many times its σ."""
