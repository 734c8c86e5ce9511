"""A pattern with Debye-like oscillations on a realistic slope."""

from typing import Any

import numpy as np

from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors

Q = 0.025 * np.arange(10, 1000)
SETTINGS: dict[str, Any] = {
    "composition": "TiO2",
    "qmin": 0.8,
    "qmax": 20.0,
    "qmaxinst": 24.0,
    "rpoly": 0.9,
    "rmin": 0.02,
    "rmax": 25.0,
    "rstep": 0.02,
}


def pattern(counts: float = 200.0) -> np.ndarray:
    """Return the expected counts on Q."""
    _, mean_f2 = mean_form_factors(q=Q, composition={"Ti": 1, "O": 2})
    shells = ((1.95, 1), (3.04, 1), (3.79, 2), (9.1, 3))
    waves = sum(n * np.sin(Q * r) / (1 + Q * r) for r, n in shells)
    return np.asarray(counts * mean_f2 * (1 + waves * np.exp(-0.004 * Q**2)))


def incoherent(counts: float = 200.0) -> np.ndarray:
    """Return the Compton scattering that goes with it."""
    return counts * mean_compton(q=Q, composition={"Ti": 1, "O": 2}, energy=None)
