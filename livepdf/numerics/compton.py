"""Compton scattering of free atoms, averaged over a composition."""

from collections.abc import Mapping

import numpy as np
import xraylib
from numpy.typing import NDArray
from periodictable import elements

_REST_ENERGY = 510.998950
"""keV, of the electron."""
HC = 12.398419843
"""keV Å: energy × wavelength of a photon."""
_TABLE_BEGINS = 0.01
"""Å⁻¹, of sin θ/λ."""


def mean_compton(
    *, q: NDArray[np.float64], composition: Mapping[str, float], energy: float | None
) -> NDArray[np.float64]:
    r"""Return the incoherent intensity per atom as a photon counter sees it, (n_q,) electrons².

    .. math:: \sum_a c_a S_a(Q) \, (E'/E)^2, \quad E'/E = 1/(1 + (2E/mc^2) \sin^2\theta)

    S is the table of Hubbell et al. (J. Phys. Chem. Ref. Data 4, 471, 1975) as xraylib keeps it
    (Schoonjans et al., Spectrochim. Acta B66, 776, 2011); the second factor is the recoil
    (Breit-Dirac).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    composition : atoms per formula unit by element symbol
    energy : float or None, keV
        Of the incident photons; None leaves the recoil out. ValueError when the energy does not
        reach the last Q.
    """
    total = sum(composition.values())
    free = np.zeros(q.shape)
    for element, count in composition.items():
        free += count / total * _incoherent(elements.symbol(element).number, q)
    return free if energy is None else free * recoil(q=q, energy=energy) ** 2


def recoil(*, q: NDArray[np.float64], energy: float) -> NDArray[np.float64]:
    """Return E'/E of a photon scattered by a free electron at rest, (n_q,)."""
    sin_theta = np.sin(scattering_angle(q=q, energy=energy) / 2)
    return np.asarray(1 / (1 + 2 * energy / _REST_ENERGY * sin_theta**2), dtype=np.float64)


def scattering_angle(*, q: NDArray[np.float64], energy: float) -> NDArray[np.float64]:
    """Return 2θ of elastic scattering, (n_q,) rad; ValueError where ``energy`` keV reach no Q."""
    sin_theta = q * HC / energy / (4 * np.pi)
    if not energy > 0 or sin_theta.max() > 1:
        raise ValueError(f"{energy} keV reach no further than {4 * np.pi * energy / HC:.3f} 1/A")
    return np.asarray(2 * np.arcsin(sin_theta), dtype=np.float64)


def _incoherent(number: int, q: NDArray[np.float64]) -> NDArray[np.float64]:
    s = q / (4 * np.pi)
    table = np.array([xraylib.SF_Compt(number, one) for one in np.maximum(s, _TABLE_BEGINS)])
    # It rises with the square of Q there.
    return np.asarray(table * np.minimum(s / _TABLE_BEGINS, 1.0) ** 2, dtype=np.float64)
