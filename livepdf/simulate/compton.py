"""Compton scattering of one atom, in electron units."""

import numpy as np
from numpy.typing import NDArray
from periodictable import elements

from livepdf.numerics.form_factors import form_factor

_REST_ENERGY = 510.998950
"""keV, of the electron."""
_HC = 12.398419843
"""keV Å"""


def compton(element: str, q: NDArray[np.float64], *, energy: float) -> NDArray[np.float64]:
    r"""Return the Compton intensity of one atom as a photon counter sees it, (n_q,).

    .. math:: (Z - f_0^2/Z) \, (E'/E)^2

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    energy : float, keV
        Of the incident photons.
    """
    z = float(elements.symbol(element).number)
    sin_theta = np.clip(q * _HC / energy / (4 * np.pi), 0.0, 1.0)
    ratio = 1.0 / (1.0 + 2.0 * energy / _REST_ENERGY * sin_theta**2)
    free = np.clip(z - form_factor(q=q, element=element) ** 2 / z, 0.0, None)
    return np.asarray(free * ratio**2)
