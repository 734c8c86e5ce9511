"""X-ray form factors of free atoms (Waasmaier-Kirfel), averaged over a composition."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from periodictable import cromermann

_HYDROGEN = {"D": "H", "T": "H"}


def mean_form_factors(
    *, q: NDArray[np.float64], composition: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return the per-atom averages :math:`\langle f\rangle` and :math:`\langle f^2\rangle`.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        The tables (Waasmaier & Kirfel, Acta Cryst. A51, 416, 1995) hold up to 75 Å⁻¹.
    composition : atoms per formula unit by element symbol
        Only ratios matter. ValueError names an element that has no table.

    Returns
    -------
    mean_f, mean_f2 : (n_q,) float64, electrons and electrons²
    """
    total = sum(composition.values())
    if not total > 0 or min(composition.values()) < 0:
        raise ValueError(f"composition needs positive amounts, found {dict(composition)}")
    mean_f = np.zeros(q.shape)
    mean_f2 = np.zeros(q.shape)
    for element, count in composition.items():
        factor = form_factor(q=q, element=element)
        mean_f += count / total * factor
        mean_f2 += count / total * factor**2
    return mean_f, mean_f2


def form_factor(*, q: NDArray[np.float64], element: str) -> NDArray[np.float64]:
    """Return f0(Q) of one free neutral atom, (n_q,) electrons; ValueError when it has no table."""
    try:
        values = cromermann.fxrayatq(_HYDROGEN.get(element, element), q)
    except KeyError:
        raise ValueError(f"no X-ray form factor for {element}") from None
    return np.asarray(values, dtype=np.float64)
