"""Pixels of one image beside what their rings lead to expect, summed by ring and by tile."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import kernel

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RingSums:
    """Sums over the pixels of each ring that are usable and expect counts."""

    number: Floats
    """(rings,) how many these are."""
    square: Floats
    """(rings,) Σ (counts − expected)² / variance."""
    expected: Floats
    """(rings,) Σ expected."""
    difference: Floats
    """(rings,) Σ counts − expected."""
    waves: tuple[Floats, Floats]
    """(3, rings) each, for cos 2χ and sin 2χ: Σ expected · wave, Σ expected · wave² and
    Σ (counts − expected) · wave."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileSums:
    """Sums over the pixels of each tile."""

    counts: Floats
    expected: Floats


def ring_sums(
    values: NDArray[Any],
    usable: NDArray[np.bool_],
    *,
    curve: Floats,
    left: Numbers,
    part: Floats,
    weight: Floats,
    gain: float,
    ring: Numbers,
    rings: int,
    cosine: Floats,
    sine: Floats,
    tile: Numbers,
    tiles: int,
) -> tuple[RingSums, TileSums]:
    """Sum up.

    Parameters
    ----------
    values, usable : (k,)
        Counts, and whether they are data.
    curve : (n,)
        Expected counts of a pixel of weight 1 on a grid.
    left, part : (k,)
        Which two points of the grid each pixel lies between, and how far along.
    weight, ring, cosine, sine, tile : (k,)
        Of each pixel; rings and tiles are numbered from 0.
    gain : float
        Variance of a count.
    """
    size = values.size
    if any(a.shape != (size,) for a in (usable, left, part, weight, ring, cosine, sine, tile)):
        raise ValueError(f"found arrays of other lengths than that of the values, {size}")
    sums, squares = np.zeros((rings, 10)), np.zeros((tiles, 2))
    counts = np.where(usable, values, 0).astype(np.float64)
    _add(counts, usable, curve, left, part, weight, gain, ring, cosine, sine, tile, sums, squares)
    found = np.ascontiguousarray(sums.T)
    return (
        RingSums(
            number=found[0],
            square=found[1],
            expected=found[2],
            difference=found[3],
            waves=(found[4:7], found[7:10]),
        ),
        TileSums(counts=squares[:, 0].copy(), expected=squares[:, 1].copy()),
    )


@kernel
def _add(  # type: ignore[no-untyped-def]
    counts, usable, curve, left, part, weight, gain, ring, cosine, sine, tile, rings, tiles
):
    for k in range(counts.size):
        low, high = curve[left[k]], curve[left[k] + 1]
        expected = (low + part[k] * (high - low)) * weight[k]
        tiles[tile[k], 0] += counts[k]
        # Also false where nothing is expected because the ring is empty: NaN.
        if not (usable[k] and expected > 0.0):
            continue
        difference = counts[k] - expected
        tiles[tile[k], 1] += expected
        sums = rings[ring[k]]
        sums[0] += 1.0
        sums[1] += difference * difference / (gain * expected)
        sums[2] += expected
        sums[3] += difference
        sums[4] += expected * cosine[k]
        sums[5] += expected * cosine[k] * cosine[k]
        sums[6] += difference * cosine[k]
        sums[7] += expected * sine[k]
        sums[8] += expected * sine[k] * sine[k]
        sums[9] += difference * sine[k]
