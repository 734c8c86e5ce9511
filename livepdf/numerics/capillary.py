"""What a filled capillary and its wall absorb of their own and of each other's scattering."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xraylib
from numpy.typing import NDArray
from periodictable import elements
from scipy.interpolate import CubicSpline

from livepdf.numerics.absorption import disc

Floats = NDArray[np.float64]

_ROUND, _DEEP = 720, 6
"""Points round the wall and through it."""
_ANGLES = 61
"""At which it is calculated; the coefficients are smooth in between."""
LARGEST = 5.0
"""Radius × µ up to which the quadrature is good; beyond it a capillary is the wrong sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capillary:
    """A cylinder of sample in a wall, bathed by the beam at a right angle to its axis."""

    radius: float
    """mm, of the sample."""
    mu: float
    """1/mm, linear absorption coefficient of the sample as filled."""
    wall: float = 0.0
    """mm, thickness."""
    wall_mu: float = 0.0
    """1/mm"""


def check_capillary(capillary: Capillary) -> None:
    """Raise ValueError where a number has no meaning or absorbs too much."""
    c = capillary
    if not (c.radius > 0 and c.mu >= 0 and c.wall >= 0 and c.wall_mu >= 0):
        raise ValueError(f"a capillary wants a radius above 0 and nothing below, found {c}")
    if c.radius * c.mu + c.wall * c.wall_mu > LARGEST:
        raise ValueError(
            f"µ × radius is {c.radius * c.mu + c.wall * c.wall_mu:.2f}, wanted {LARGEST:g} or less"
        )


def transmissions(capillary: Capillary, *, two_theta: Floats) -> tuple[Floats, Floats]:
    r"""Return what gets out: of the sample's scattering, and of the wall's beside an empty wall's.

    .. math:: I_S = \frac{1}{A_{S,SC}} \left(I_{SC} - \frac{A_{C,SC}}{A_{C,C}} I_C\right)

    (Paalman & Pings, J. Appl. Phys. 33, 2635, 1962): the first value is A of the sample in the
    wall, the second the ratio of the two A of the wall, with and without sample in it. The
    scattered ray is taken to lie in the cross section; on a flat detector rays out of that plane
    are longer by 1/cos of their elevation. Multiple scattering is left out.

    Parameters
    ----------
    two_theta : (n,) float64, rad

    Returns
    -------
    sample, wall : (n,) float64, from 0 to 1
    """
    check_capillary(capillary)
    angles = np.linspace(0.0, max(float(two_theta.max()), 1e-3), _ANGLES)
    c = capillary
    empty = Capillary(radius=c.radius, mu=0.0, wall=c.wall, wall_mu=c.wall_mu)
    x, y, share = disc()
    sample = _mean_over((c.radius * x, c.radius * y, share), c, angles)
    ratio = np.ones(angles.shape)
    if c.wall > 0:
        ring = _ring(c.radius, c.radius + c.wall)
        ratio = _mean_over(ring, c, angles) / _mean_over(ring, empty, angles)
    return (
        np.asarray(CubicSpline(angles, sample)(two_theta), dtype=np.float64),
        np.asarray(CubicSpline(angles, ratio)(two_theta), dtype=np.float64),
    )


def attenuation(*, composition: Mapping[str, float], density: float, energy: float) -> float:
    """Return the linear absorption coefficient, 1/mm, of a substance of ``density`` g/cm³.

    Total cross sections of xraylib at ``energy`` keV; ValueError where it has none.
    """
    masses = {name: elements.symbol(name).mass * n for name, n in composition.items()}
    total = 0.0
    for name, mass in masses.items():
        number = elements.symbol(name).number
        try:
            total += mass / sum(masses.values()) * float(xraylib.CS_Total(number, energy))
        except ValueError as error:
            raise ValueError(f"no absorption of {name} at {energy:g} keV: {error}") from None
    return total * density / 10.0


def _mean_over(points: tuple[Floats, Floats, Floats], c: Capillary, angles: Floats) -> Floats:
    x, y, share = points
    into = _absorbed(c, x, y, angle=np.pi)
    return np.array(
        [np.exp(-into - _absorbed(c, x, y, angle=float(angle))) @ share for angle in angles]
    )


def _absorbed(c: Capillary, x: Floats, y: Floats, *, angle: float) -> Floats:
    """Return µ × way from each point to the outside, in the direction of ``angle``."""
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    # The ray leaves each circle at +√(R² − across²), and has entered it at −√(R² − across²).
    half = np.sqrt(np.maximum(c.radius**2 - across**2, 0.0))
    inside = np.maximum(half - np.maximum(along, -half), 0.0)
    whole = np.sqrt(np.maximum((c.radius + c.wall) ** 2 - across**2, 0.0)) - along
    return np.asarray(c.mu * inside + c.wall_mu * (whole - inside), dtype=np.float64)


def _ring(inner: float, outer: float) -> tuple[Floats, Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_DEEP)
    r = (outer + inner) / 2 + (outer - inner) / 2 * nodes
    turn = 2 * np.pi * (np.arange(_ROUND) + 0.5) / _ROUND
    share = np.outer(weights * r, np.ones(_ROUND))
    x, y = np.outer(r, np.cos(turn)), np.outer(r, np.sin(turn))
    return x.ravel(), y.ravel(), (share / share.sum()).ravel()
