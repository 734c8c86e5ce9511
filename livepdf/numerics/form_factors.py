"""X-ray form factors of free atoms (Waasmaier-Kirfel), averaged over a composition."""

from collections.abc import Mapping

import numpy as np
import xraylib
from numpy.typing import NDArray
from periodictable import cromermann, elements

_HYDROGEN = {"D": "H", "T": "H"}


def mean_form_factors(
    *, q: NDArray[np.float64], composition: Mapping[str, float], energy: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return the per-atom averages :math:`|\langle f\rangle|` and :math:`\langle|f|^2\rangle`.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        The tables (Waasmaier & Kirfel, Acta Cryst. A51, 416, 1995) hold up to 75 Å⁻¹.
    composition : atoms per formula unit by element symbol
        Only ratios matter. ValueError names an element that has no table.
    energy : float, optional, keV
        Of the photons: adds f′ + if″ at this energy. Near an edge they matter: f′ of Hf is −2.2
        electrons at 60 keV.

    Returns
    -------
    mean_f, mean_f2 : (n_q,) float64, electrons and electrons²
    """
    total = sum(composition.values())
    if not total > 0 or min(composition.values()) < 0:
        raise ValueError(f"composition needs positive amounts, found {dict(composition)}")
    mean_f = np.zeros(q.shape, dtype=np.complex128)
    mean_f2 = np.zeros(q.shape)
    for element, count in composition.items():
        shift = 0.0 if energy is None else dispersion(element=element, energy=energy)
        factor = form_factor(q=q, element=element) + shift
        mean_f += count / total * factor
        mean_f2 += count / total * np.abs(factor) ** 2
    return np.abs(mean_f), mean_f2


def form_factor(*, q: NDArray[np.float64], element: str) -> NDArray[np.float64]:
    """Return f0(Q) of one free neutral atom, (n_q,) electrons; ValueError when it has no table."""
    try:
        values = cromermann.fxrayatq(_HYDROGEN.get(element, element), q)
    except KeyError:
        raise ValueError(f"no X-ray form factor for {element}") from None
    return np.asarray(values, dtype=np.float64)


def dispersion(*, element: str, energy: float) -> complex:
    """Return f′ + if″ of an atom at an energy in keV, in electrons.

    As xraylib keeps them (Schoonjans et al., Spectrochim. Acta B66, 776, 2011), f″ counted
    positive. ValueError for an energy or an element without a table.
    """
    number = elements.symbol(_HYDROGEN.get(element, element)).number
    try:
        return complex(xraylib.Fi(number, energy), -xraylib.Fii(number, energy))
    except ValueError as error:
        raise ValueError(f"no f′ and f″ for {element} at {energy:g} keV: {error}") from None
