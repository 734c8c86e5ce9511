"""Which neighbour shell a peak of G(r) belongs to, and whether it stands alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.pairs import PairShells

_GAP = 0.13
"""Å; distances of one pair of species closer than this are one shell to the eye."""
_ALLOWED = 0.1
"""Part of a shell's area that others may have inside the resolution before it is unresolved."""
_RESOLUTION = 3.8
"""Times 1/Qmax: full width at half height that a sharp distance gets without a taper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearShell:
    """The strongest shell in reach of a peak."""

    distance: float
    """Å, mean of its distances."""
    species: tuple[int, int]
    first: float
    last: float
    """Å, shortest and longest of them."""
    isolated: bool
    """Whether no other shells of more than a tenth of its area lie within 3.8/Qmax."""


def near_shell(
    shells: PairShells,
    *,
    fractions: NDArray[np.float64],
    amplitudes: NDArray[np.float64],
    near: float,
    reach: float,
    qmax: float,
) -> NearShell | None:
    """Return the shell that a peak near some distance shows, None where the crystal has none.

    Parameters
    ----------
    shells : PairShells
        Out to at least near + reach + 3.8/qmax.
    fractions : (kinds,) float64
    amplitudes : (kinds,) float64
        Typical f of each species.
    near, reach : float, Å
    qmax : float, Å⁻¹
    """
    a, b, r = shells.species_a, shells.species_b, shells.r
    area = fractions[a] * shells.count * amplitudes[a] * amplitudes[b]
    strong = np.where(np.abs(r - near) <= reach, area, 0.0)
    if not strong.any():
        return None
    first = int(np.argmax(strong))
    low, high = sorted((int(a[first]), int(b[first])))
    alike = (np.minimum(a, b) == low) & (np.maximum(a, b) == high)
    own = alike & _linked(r, alike=alike, first=first)
    distance = float(np.average(r[own], weights=area[own]))
    others = ~own & (np.abs(r - distance) < _RESOLUTION / qmax)
    isolated = bool(area[others].sum() <= _ALLOWED * area[own].sum())
    return NearShell(
        distance=distance,
        species=(low, high),
        first=float(r[own].min()),
        last=float(r[own].max()),
        isolated=isolated,
    )


def _linked(r: NDArray[np.float64], *, alike: NDArray[np.bool_], first: int) -> NDArray[np.bool_]:
    # Distances that a chain of steps shorter than the gap joins to the first.
    sorted_r = np.sort(r[alike])
    group = np.concatenate(([0], np.cumsum(np.diff(sorted_r) > _GAP)))
    own = sorted_r[group == group[np.searchsorted(sorted_r, r[first])]]
    return np.asarray((r >= own[0]) & (r <= own[-1]))
