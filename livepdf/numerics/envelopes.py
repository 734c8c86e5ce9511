"""How the neighbours of an atom thin out with distance in a domain of finite size."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NODES = 24


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
