"""How much of the scattering of a cylinder gets out of it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NODES = 64
_LARGEST = 5.0
"""µR up to which the quadrature is good to 2e-5; beyond it a capillary is the wrong sample."""


def cylinder_transmission(*, two_theta: Floats, mu_r: float) -> Floats:
    r"""Return the part of the scattering that leaves a full cylinder, (n,) from 0 to 1.

    .. math:: A = \frac{1}{\pi R^2} \int e^{-\mu (l_1 + l_2)} \, dS

    with the ways in and out, l₁ and l₂, of each point of the cross section (Bond, Acta Cryst.
    12, 375, 1959; International Tables C, 6.3.3). The beam bathes the cylinder at a right angle
    to its axis, the scattered ray lies in the cross section: on a flat detector the rays out of
    that plane are longer by 1/cos of their elevation, which is left out. With a wall around the
    sample see :mod:`livepdf.numerics.capillary`.

    Parameters
    ----------
    two_theta : (n,) float64, rad
    mu_r : float
        Linear absorption coefficient × radius. ValueError unless 0 ≤ µR ≤ 5.
    """
    if not 0.0 <= mu_r <= _LARGEST:
        raise ValueError(f"mu_r is {mu_r}, wanted from 0 to {_LARGEST:g}")
    x, y, area = disc()
    way_in = x + np.sqrt(1.0 - y**2)
    values = np.empty(two_theta.shape)
    for place, angle in enumerate(two_theta):
        along = x * np.cos(angle) + y * np.sin(angle)
        across = y * np.cos(angle) - x * np.sin(angle)
        way_out = np.sqrt(1.0 - across**2) - along
        values[place] = np.exp(-mu_r * (way_in + way_out)) @ area
    return values


def disc() -> tuple[Floats, Floats, Floats]:
    """Return points of the unit disc, and shares of its area that add up to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # Chords along the beam, spaced by the angle at which they meet the rim: the way in is smooth.
    u = np.pi / 2 * nodes
    x, y = np.outer(np.cos(u), nodes), np.outer(np.sin(u), np.ones(_NODES))
    area = np.outer(np.pi / 2 * weights * np.cos(u) ** 2, weights) / np.pi
    return x.ravel(), y.ravel(), area.ravel()
