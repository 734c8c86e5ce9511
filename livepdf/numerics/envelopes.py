"""How the neighbours of an atom thin out with distance in a domain of finite size."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Form = Literal["sphere", "spheres", "ellipsoid", "rod", "plate", "cube"]
"""Spheres of one size, of a lognormal distribution, and domains that lie in all directions."""
EXTRA: dict[Form, tuple[str, ...]] = {
    "sphere": (),
    "spheres": ("spread",),
    "ellipsoid": ("aspect",),
    "rod": ("aspect",),
    "plate": ("aspect",),
    "cube": (),
}
"""What a form is described by beside the diameter of a sphere of its volume."""

_NODES = 24
_DIRECTIONS = 32


def sphere(r: Floats, *, diameter: float) -> tuple[Floats, Floats]:
    r"""Return the share of neighbours at r that a sphere keeps, and its change with the diameter.

    .. math:: \gamma(t) = 1 - \tfrac32 t + \tfrac12 t^3, \quad t = r/D < 1

    Returns
    -------
    gamma, by_diameter : like r
    """
    t = np.minimum(r / diameter, 1.0)
    return 1.0 - 1.5 * t + 0.5 * t**3, 1.5 * (t - t**3) / diameter


def spheres(r: Floats, *, diameter: float, spread: float) -> tuple[Floats, Floats, Floats]:
    """Return the mean over spheres of a lognormal distribution, weighted with their volume.

    Parameters
    ----------
    r : (n,) float64, Å
    diameter : float, Å
        Volume-weighted mean, D43.
    spread : float
        Standard deviation of ln D (the same by number and by volume).

    Returns
    -------
    gamma, by_diameter, by_spread : like r
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    factor = np.exp(spread * nodes - 0.5 * spread**2)
    gamma, by_diameter, by_spread = np.zeros((3, *r.shape))
    for node, weight, times in zip(nodes, weights, factor, strict=True):
        if weight < 1e-9:
            continue
        own, change = sphere(r, diameter=diameter * times)
        gamma += weight * own
        by_diameter += weight * times * change
        by_spread += weight * times * diameter * (node - spread) * change
    return gamma, by_diameter, by_spread


def envelope(
    form: Form, r: Floats, *, diameter: float, extra: float, cosine: float | None = None
) -> Floats:
    """Return the share of neighbours that a form keeps, and its changes, (2 or 3, n).

    Forms other than spheres are averaged over all directions to the crystal, unless the angle to
    their axis is given.

    Parameters
    ----------
    r : (n,) float64, Å
    diameter : float, Å
        Of the sphere of the same volume; of ``spheres`` the volume-weighted mean.
    extra : float
        Spread of ln D of ``spheres``; aspect (length over width) of ellipsoids, rods and plates.
    cosine : float, optional
        Of the angle between the distances and the form's axis; a cube is averaged all the same.

    Returns
    -------
    shares : γ, ∂γ/∂diameter and, where there is one, ∂γ/∂extra
    """
    if form == "sphere":
        return np.array(sphere(r, diameter=diameter))
    if form == "spheres":
        return np.array(spheres(r, diameter=diameter, spread=extra))
    way = _cosines() if cosine is None else (np.array([cosine]), np.ones(1))
    kept = partial(_KEPT[form], way if form != "cube" else _cosines())
    wide, long = 1e-4 * diameter, 1e-4 * extra
    rows = [
        kept(r, diameter, extra),
        (kept(r, diameter + wide, extra) - kept(r, diameter - wide, extra)) / (2.0 * wide),
    ]
    if EXTRA[form]:
        rows.append(
            (kept(r, diameter, extra + long) - kept(r, diameter, extra - long)) / (2 * long)
        )
    return np.array(rows)


def longest(form: Form, *, diameter: float, extra: float) -> float:
    """Return the longest distance inside a form, Å."""
    if form == "spheres":
        return diameter * float(np.exp(6.0 * extra))
    if form == "ellipsoid":
        return float(diameter * max(extra ** (2 / 3), extra ** (-1 / 3)))
    if form in ("rod", "plate"):
        width = diameter * (2.0 / (3.0 * extra)) ** (1 / 3)
        return float(np.hypot(width, extra * width))
    return diameter * (float(np.sqrt(3.0)) * (np.pi / 6) ** (1 / 3) if form == "cube" else 1.0)


def _ellipsoid(way: tuple[Floats, Floats], r: Floats, diameter: float, aspect: float) -> Floats:
    along, weight = way
    times = np.sqrt((1 - along**2) * aspect ** (2 / 3) + along**2 * aspect ** (-4 / 3))
    t = np.minimum(np.outer(r, times) / diameter, 1.0)
    return np.asarray((1.0 - 1.5 * t + 0.5 * t**3) @ weight)


def _cylinder(way: tuple[Floats, Floats], r: Floats, diameter: float, aspect: float) -> Floats:
    along, weight = way
    width = diameter * (2.0 / (3.0 * aspect)) ** (1 / 3)
    across = np.minimum(np.outer(r, np.sqrt(1 - along**2)) / width, 1.0)
    ends = np.maximum(1.0 - np.outer(r, along) / (aspect * width), 0.0)
    overlap = (np.arccos(across) - across * np.sqrt(1.0 - across**2)) * 2.0 / np.pi
    return np.asarray((ends * overlap) @ weight)


def _cube(way: tuple[Floats, Floats], r: Floats, diameter: float, _: float) -> Floats:
    along, weight = way
    turn = 0.5 * np.pi * along
    edge = diameter * (np.pi / 6) ** (1 / 3)
    z = np.maximum(1.0 - np.outer(r, along) / edge, 0.0)
    flat = np.outer(r, np.sqrt(1 - along**2)) / edge
    around = np.zeros(flat.shape)
    for angle, share in zip(turn, weight, strict=True):
        x = np.maximum(1.0 - flat * np.cos(angle), 0.0)
        around += share * x * np.maximum(1.0 - flat * np.sin(angle), 0.0)
    return np.asarray((z * around) @ weight)


def _cosines() -> tuple[Floats, Floats]:
    # Of the angle to the axis, over a half space; the weights add up to 1.
    nodes, weights = np.polynomial.legendre.leggauss(_DIRECTIONS)
    return 0.5 * (nodes + 1.0), 0.5 * weights


_KEPT: dict[Form, Callable[[tuple[Floats, Floats], Floats, float, float], Floats]] = {
    "ellipsoid": _ellipsoid,
    "rod": _cylinder,
    "plate": _cylinder,
    "cube": _cube,
}
