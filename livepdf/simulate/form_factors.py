"""Strength of scattering of one free atom: elastic f0(Q) and Compton, in electron units.

Anomalous terms f′ and f″ are left out: simulated samples scatter with f0 alone, so what reduces
them must do so too.
"""

import numpy as np
import periodictable
from numpy.typing import NDArray
from periodictable.cromermann import fxrayatq

_REST_ENERGY = 510.998950
"""keV, of the electron."""


def form_factor(element: str, q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return f0(Q) of the neutral atom (Waasmaier & Kirfel 1995), (n_q,) for q in Å⁻¹."""
    return np.asarray(fxrayatq(element, q), dtype=np.float64)


def compton(element: str, q: NDArray[np.float64], *, energy: float) -> NDArray[np.float64]:
    r"""Return the Compton intensity of one atom as a photon counter sees it.

    .. math:: (Z - f_0^2/Z) \, (E'/E)^2

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    energy : float, keV
        Of the incident photons.
    """
    z = float(getattr(periodictable, element).number)
    sin_theta = np.clip(q * 12.398419843 / energy / (4 * np.pi), 0.0, 1.0)
    ratio = 1.0 / (1.0 + 2.0 * energy / _REST_ENERGY * sin_theta**2)
    free = np.clip(z - form_factor(element, q) ** 2 / z, 0.0, None)
    return free * ratio**2
