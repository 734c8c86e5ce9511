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
    shifts: dict[str, complex] | None = None,
) -> NDArray[np.float64]:
    """Return the intensity per atom, (n_q,) electron units; quadratic in atoms and slow.

    ``shifts`` are f′ + if″ of each element.
    """
    shifts = shifts or dict.fromkeys(elements, 0.0)
    f = {element: fxrayatq(element, q) + shifts[element] for element in set(elements)}
    total = sum(np.abs(f[element]) ** 2 for element in elements)
    for i, one in enumerate(elements):
        distance = np.linalg.norm(cartesian - cartesian[i], axis=1)
        for j in range(i + 1, len(elements)):
            x = q * distance[j]
            damping = np.exp(-0.5 * (uiso[i] + uiso[j]) * q**2)
            product = (f[one] * np.conj(f[elements[j]])).real
            total = total + 2 * product * damping * np.sin(x) / x
    return total / len(elements)
