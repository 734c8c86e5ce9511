"""Rings of substances that detectors are calibrated with."""

from itertools import combinations_with_replacement

import numpy as np

_FURTHEST = 12.0
"""Å⁻¹"""
_CUBIC = {
    # NIST SRM 674b, 660c, 640f; nickel: Davey, Phys. Rev. 25, 753 (1925)
    "CeO2": (5.411651, "F"),
    "LaB6": (4.156826, "P"),
    "Si": (5.431144, "D"),
    "Ni": (3.523800, "F"),
}
"""Lattice constant in Å and lattice: P primitive, F face-centred, D diamond."""
CALIBRANTS = tuple(_CUBIC)


def rings(name: str) -> tuple[float, ...]:
    """Return where its rings are, Å⁻¹, the innermost first; KeyError for an unknown one."""
    length, lattice = _CUBIC[name]
    largest = int(_FURTHEST * length / (2 * np.pi)) + 1
    squares = {
        h * h + k * k + m * m
        for h, k, m in combinations_with_replacement(range(largest + 1), 3)
        if _seen(lattice, h, k, m)
    }
    places = sorted(2 * np.pi * np.sqrt(square) / length for square in squares)
    return tuple(q for q in places if q <= _FURTHEST)


def _seen(lattice: str, h: int, k: int, m: int) -> bool:
    if not h + k + m:
        return False
    if lattice == "P":
        return True
    if len({h % 2, k % 2, m % 2}) > 1:
        return False
    return not (lattice == "D" and h % 2 == 0 and (h + k + m) % 4)
