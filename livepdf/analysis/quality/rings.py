"""What only the image tells: saturated pixels, dead modules, spots on rings, texture."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.ring_sums import RingSums, ring_sums

Floats = NDArray[np.float64]

MOST_PIXELS = 1 << 18
"""Pixels of an image that are looked at: enough for all rings, and a few milliseconds."""
RINGS = 120
_TILE = 32
"""Pixels along the sides of the squares that a dead module is made of."""
_FEWEST = 60
"""Pixels that a ring must have here to be judged."""
_EXPECTED = 25.0
"""Counts that a square must be expected to have before its silence means anything."""
_WORST = 20
"""Rings that the number of spots is averaged over."""
_AMPLITUDE = 0.01
"""Of cos 2χ: below, a perfect sample with a slightly wrong centre looks the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RingMap:
    """Some pixels of a detector, spread over all of it, with where they are on the rings."""

    places: NDArray[np.int64]
    """(k,) in the flat image as read; none of them masked."""
    left: NDArray[np.int64]
    """(k,) bin of Q whose middle is at or below the pixel's Q."""
    part: Floats
    """(k,) how far it is on the way to the middle of the next bin; beyond the ends 0 or 1."""
    weight: Floats
    """(k,) solid angle × polarization × flat, as in the sums."""
    ring: NDArray[np.int64]
    """(k,) 0 … RINGS − 1, of equal numbers of pixels."""
    cosine: Floats
    """(k,) cos 2χ"""
    sine: Floats
    """(k,) sin 2χ"""
    tile: NDArray[np.int64]
    """(k,) which square of the detector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one image says; NaN where it says nothing."""

    saturated: float
    """Share of the pixels at or above the limit."""
    dead: float
    """Share of the pixels in squares that are silent."""
    spots: float
    """χ²/dof about the mean of the ring, mean over the worst rings."""
    texture: float
    """Amplitude of cos 2χ over its σ, the largest of all rings where it exceeds 1 %."""
    rings: tuple[float, ...] = field(default=(), repr=False)
    """χ²/dof of each ring, NaN where it has too few pixels."""


def chosen_places(unused: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Choose pixels, spread over all that are in use; None where these are fewer than a thousand.

    Parameters
    ----------
    unused : (ny, nx) bool
        True = ignore.

    Returns
    -------
    places : (k,) in the flat image, rising
    """
    used = np.flatnonzero(~unused.ravel())
    if used.size < 1000:
        return None
    step = max(1, -(-used.size // MOST_PIXELS))
    # An even step would keep to some columns of the detector.
    step += step > 1 and step % 2 == 0
    return used[::step]


def ring_map(
    places: NDArray[np.int64],
    *,
    shape: tuple[int, int],
    grid: Floats,
    q: Floats,
    azimuth: Floats,
    weight: Floats,
) -> RingMap | None:
    """Sort pixels into rings; None where fewer than a thousand see anything.

    Parameters
    ----------
    places : (k,)
        As `chosen_places` gives them.
    shape : (ny, nx)
        Of the image as read.
    grid : (n,) Å⁻¹, rising
        Middles of the bins that intensities are given in.
    q, azimuth, weight : (k,) float64, Å⁻¹, rad
        Of these pixels. Those without a weight are left out.
    """
    seeing = weight > 0
    if np.count_nonzero(seeing) < 1000:
        return None
    places, there = places[seeing], q[seeing]
    edges = np.quantile(there, np.linspace(0, 1, RINGS + 1)[1:-1])
    angle = 2 * azimuth[seeing]
    left = np.clip(np.searchsorted(grid, there, side="right") - 1, 0, grid.size - 2)
    part = (there - grid[left]) / (grid[left + 1] - grid[left])
    rows, columns = np.divmod(places, shape[1])
    tile = (rows // _TILE) * (-(-shape[1] // _TILE)) + columns // _TILE
    return RingMap(
        places=places,
        left=left.astype(np.int64),
        part=np.clip(part, 0.0, 1.0),
        weight=weight[seeing],
        ring=np.searchsorted(edges, there).astype(np.int64),
        cosine=np.cos(angle),
        sine=np.sin(angle),
        tile=tile,
    )


def look_at(
    image: NDArray[Any],
    where: RingMap,
    *,
    intensity: Floats,
    factor: float,
    gain: float,
    low: Any,
    high: Any,
    textured: bool,
) -> Look:
    """Judge one image.

    Parameters
    ----------
    image : (ny, nx) as read
    intensity : (n,)
        Of this very frame in the bins of the map, NaN in empty ones: the expectation of a pixel
        is interpolated between bins, as a steep flank inside a bin would look like spots.
    factor : float
        By which the weights of the sums exceed those of the map: monitor and exposure.
    low, high
        Smallest and largest usable value of a pixel.
    textured : bool
        Whether the correction for polarization leaves texture alone with cos 2χ.
    """
    values = image.ravel()[where.places]
    rings, tiles = ring_sums(
        values,
        (values >= low) & (values <= high),
        curve=_filled(intensity) * factor,
        left=where.left,
        part=where.part,
        weight=where.weight,
        gain=gain,
        ring=where.ring,
        rings=RINGS,
        cosine=where.cosine,
        sine=where.sine,
        tile=where.tile,
        tiles=int(where.tile.max()) + 1,
    )
    chi = np.full(RINGS, np.nan)
    np.divide(rings.square, rings.number, out=chi, where=rings.number >= _FEWEST)
    silent = (tiles.counts <= 0.02 * tiles.expected) & (tiles.expected >= _EXPECTED)
    return Look(
        saturated=float(np.count_nonzero(values > high) / values.size),
        dead=float(np.count_nonzero(silent[where.tile]) / values.size),
        spots=_worst(chi),
        texture=_texture(rings, gain) if textured else float("nan"),
        rings=tuple(chi.tolist()),
    )


def _filled(intensity: Floats) -> Floats:
    """Put straight lines across empty bins."""
    known = np.isfinite(intensity)
    if known.all() or not known.any():
        return intensity
    bins = np.arange(intensity.size)
    return np.interp(bins, bins[known], intensity[known])


def _worst(chi: Floats) -> float:
    found = np.sort(chi[np.isfinite(chi)])
    return float(found[-_WORST:].mean()) if found.size >= _WORST else float("nan")


def _texture(rings: RingSums, gain: float) -> float:
    """Return the largest significance of a cos 2χ or sin 2χ part; NaN where no ring tells."""
    significance = np.zeros(RINGS)
    amplitude = np.zeros(RINGS)
    total = rings.expected
    for first, second, difference in rings.waves:
        # The mean of the wave over a cut ring is no texture: it is taken off.
        mean = np.zeros(RINGS)
        np.divide(first, total, out=mean, where=total > 0)
        norm = second - mean * first
        part = np.zeros(RINGS)
        np.divide(difference - mean * rings.difference, norm, out=part, where=norm > 0)
        significance += part**2 * norm / gain
        amplitude += part**2
    counted = rings.number >= _FEWEST
    telling = counted & (np.sqrt(amplitude) >= _AMPLITUDE)
    if not counted.any():
        return float("nan")
    return float(np.sqrt(significance[telling].max())) if telling.any() else 0.0
