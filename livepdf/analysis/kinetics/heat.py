"""The true temperature history in a rate: how much faster each moment was than the reference."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GAS = 8.314462618e-3
"""kJ/(mol K)"""
_FINE = 8
"""Steps between two points: heaters bend the curve between windows."""


def equivalent_time(
    time: Floats, temperature: Floats, *, activation: float, reference: float
) -> Floats:
    r"""Return the time at the reference temperature that does as much as the real history.

    .. math:: \theta(t) = \int_{t_1}^{t}
        \exp\left[-\frac{E_a}{R}\left(\frac{1}{T} - \frac{1}{T_r}\right)\right] dt'

    Parameters
    ----------
    time : (n,) float64, s, rising
    temperature : (n,) float64, K
    activation : float, kJ/mol
    reference : float, K

    Returns
    -------
    theta : (n,) float64, s; 0 at the first point
    """
    if len(time) < 2:
        return np.zeros(len(time))
    places = np.linspace(0.0, len(time) - 1.0, _FINE * (len(time) - 1) + 1)
    moments = np.interp(places, np.arange(len(time)), time)
    heat = np.interp(places, np.arange(len(time)), temperature)
    rate = np.exp(-activation / GAS * (1.0 / heat - 1.0 / reference))
    parts = 0.5 * (rate[1:] + rate[:-1]) * np.diff(moments)
    return np.concatenate([[0.0], np.cumsum(parts)])[::_FINE]
