"""How much solute a solution holds: the scale that turns its pattern into electron units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHORTEST_RANGE = 12.0
"""Å⁻¹; over less, free atoms look like short distances (25 % off at Qmax 8)."""
_BEYOND = 1.15
"""As in the filter of references: the waves need not meet at the ends of the range."""


def solute_scale(
    *,
    q: Floats,
    intensity: Floats,
    sigma: Floats,
    solvent: Sequence[Floats],
    free_atoms: Floats,
    mean_f2: Floats,
    shortest: float,
    reach: float,
) -> tuple[float, float]:
    r"""Return the scale s and its σ that make s·(I − solvent) the intensity of one solute atom.

    .. math:: I = \frac{1}{s} \left(\langle f^2\rangle + C\right) + \sum_j b_j B_j
        + \frac{\langle f\rangle^2}{Q} \sum_k \left(u_k \sin Q r_k + v_k \cos Q r_k\right)

    with distances from the shortest bond to the longest that the dissolved solute has. Free atoms
    have no such distances, so the two are told apart; an amorphous or dissolved sample is wanted.

    Parameters
    ----------
    q, intensity, sigma : (n_q,) float64
        Of the sample before the reaction; empty bins (NaN) are left out.
    solvent : (n_q,) float64 each
        Columns of the blanks.
    free_atoms : (n_q,) float64
        ⟨f²⟩ + Compton per atom.
    mean_f2 : (n_q,) float64
        ⟨f⟩².
    shortest, reach : float, Å

    Returns
    -------
    scale, sigma : float
        Electron units per unit of intensity; ValueError where the solution holds none, or the
        range of Q is too short to tell.
    """
    if q[-1] - q[0] < SHORTEST_RANGE:
        raise ValueError(
            f"Q from {q[0]:.1f} to {q[-1]:.1f} 1/A is too short to tell free atoms from short "
            f"distances, wanted {SHORTEST_RANGE:g} 1/A or more"
        )
    used = np.isfinite(intensity) & (sigma > 0)
    length = _BEYOND * (q[-1] - q[0])
    first, last = np.ceil(shortest * length / (2 * np.pi)), reach * length / (2 * np.pi)
    phase = np.outer(q[used], 2 * np.pi / length * np.arange(first, last + 1))
    height = (mean_f2[used] / q[used])[:, None]
    known = np.column_stack([free_atoms, *solvent])[used]
    columns = np.hstack([known, height * np.sin(phase), height * np.cos(phase)])
    weighted = columns / sigma[used, None]
    size = np.linalg.norm(weighted, axis=0)
    inverse = np.linalg.pinv(weighted / size, rcond=1e-10)[0] / size[0]
    amount = float(inverse @ (intensity[used] / sigma[used]))
    spread = float(np.linalg.norm(inverse))
    if not amount > 0:
        raise ValueError(f"the solution scatters {amount:.3g} of its solute, wanted more than 0")
    return 1.0 / amount, spread / amount**2
