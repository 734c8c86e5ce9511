"""The ad hoc reduction, written step by step as it is published, with nothing precomputed."""

import numpy as np
from numpy.typing import NDArray
from periodictable import cromermann

Floats = NDArray[np.float64]


def form_factors(q: Floats, composition: dict[str, float]) -> tuple[Floats, Floats]:
    total = sum(composition.values())
    mean, square = np.zeros(q.size), np.zeros(q.size)
    for i, one in enumerate(q):
        for element, count in composition.items():
            f = float(cromermann.fxrayatq(element, one))
            mean[i] += count * f / total
            square[i] += count * f * f / total
    return mean, square


def reduce(
    q: Floats,
    intensity: Floats,
    r: Floats,
    *,
    composition: dict[str, float],
    qmin: float,
    qmax: float,
    qmaxinst: float,
    rpoly: float,
    lsq: bool,
) -> tuple[Floats, Floats]:
    """Return F on [qmin, qmax] and G by the trapezoidal rule."""
    inside = (q >= qmin) & (q <= qmaxinst)
    q, intensity = q[inside], intensity[inside]
    mean, square = form_factors(q, composition)
    x, y = intensity / mean**2, square / mean**2
    s = np.sum(x * y) / np.sum(x * x) if lsq else np.sum(y) / np.sum(x)
    f = q * (s * x - y)
    degree = rpoly * (q[-1] - q[0]) / np.pi - 1
    low = int(degree)
    share = degree - low
    if degree >= 0:
        f = f - (1 - share) * _fitted(q, f, low) - share * _fitted(q, f, low + 1)
    window = q <= qmax
    q, f = q[window], f[window]
    g = np.array([2 / np.pi * np.trapezoid(f * np.sin(q * one), q) for one in r])
    return f, g


def _fitted(q: Floats, f: Floats, degree: int) -> Floats:
    # Chebyshev's polynomials span what powers span; powers lose six digits at degree 14
    x = 2 * q / q[-1] - 1
    columns = q[:, None] * np.polynomial.chebyshev.chebvander(x, degree)
    return columns @ np.linalg.lstsq(columns, f, rcond=None)[0]
