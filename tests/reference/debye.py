"""The Debye equation as a plain double sum over atoms, one pair at a time."""

import numpy as np
from numpy.typing import NDArray
from periodictable.cromermann import fxrayatq


def debye_double_sum(
    *,
    q: NDArray[np.float64],
    cartesian: NDArray[np.float64],
    elements: list[str],
    uiso: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the intensity per atom, (n_q,) electron units; quadratic in atoms and slow."""
    f = {element: fxrayatq(element, q) for element in set(elements)}
    total = sum(f[element] ** 2 for element in elements)
    for i, one in enumerate(elements):
        distance = np.linalg.norm(cartesian - cartesian[i], axis=1)
        for j in range(i + 1, len(elements)):
            x = q * distance[j]
            damping = np.exp(-0.5 * (uiso[i] + uiso[j]) * q**2)
            total = total + 2 * f[one] * f[elements[j]] * damping * np.sin(x) / x
    return total / len(elements)
