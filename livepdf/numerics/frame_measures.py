"""One frame against what is usual, in one pass over its bins: broad bands, and spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner, kernel

Floats = NDArray[np.float64]

SPIKE = 8.0
"""σ by which a bin must stand above the usual pattern."""
SIGNIFICANT = 5.0
"""σ that a change of shape must have."""
_ALONE = 4.0
"""Times that it must stand higher than its neighbours: a peak of the sample has flanks."""
_FLOOR = 2.0
"""σ that neighbours are taken to have at least."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measures:
    """What one frame gave, summed over broad bands of Q."""

    signal: Floats
    """(m,) Σ counts."""
    weight: Floats
    """(m,) Σ weight of the bins that the usual pattern has too."""
    usual: Floats
    """(m,) Σ usual intensity × weight."""
    counts: float
    """Σ signal over all bins."""
    pixels: float
    """Σ pixels over all bins."""
    spikes: int
    """Bins that stand alone above the usual pattern, scaled to this frame."""


def measure(
    *,
    signal: Floats,
    variance: Floats,
    weight: Floats,
    pixels: Floats,
    usual: Floats,
    smooth: NDArray[np.bool_],
    edges: NDArray[np.int64],
) -> Measures:
    """Compare a frame with the usual intensity.

    Parameters
    ----------
    signal, variance, weight, pixels : (n,)
        Sums of the frame, as `livepdf.model.sums.Sums` has them.
    usual : (n,)
        Intensity that frames usually have; NaN where it is not known.
    smooth : (n,) bool
        Bins that make up the bands: those without a sharp peak.
    edges : (m + 1,)
        First bin of each band, and the end of the last; rising.
    """
    if usual.shape != signal.shape:
        raise ValueError(f"usual is {usual.shape}, the frame {signal.shape}")
    bands = np.zeros((3, edges.size - 1))
    totals = np.zeros(3)
    _measure(signal, variance, weight, pixels, usual, smooth, edges, bands, totals)
    return Measures(
        signal=bands[0],
        weight=bands[1],
        usual=bands[2],
        counts=float(totals[0]),
        pixels=float(totals[1]),
        spikes=int(totals[2]),
    )


def learnt(usual: Floats, *, signal: Floats, weight: Floats, share: float) -> Floats:
    """Return the usual intensity with a frame mixed in; bins not known before are the frame's."""
    mixed = np.empty_like(usual)
    _learn(usual, signal, weight, share, mixed)
    return mixed


def band_edges(bins: int, bands: int) -> NDArray[np.int64]:
    """Return (m + 1,) the first bin of each of ``bands`` equal bands at most, and the end."""
    width = max(1, bins // bands)
    return np.arange(0, bins + 1, width, dtype=np.int64)[: bands + 1]


def lower(values: Floats, edges: NDArray[np.int64], *, share: float) -> Floats:
    """Return (m,) the value in each band that ``share`` of its bins are below: under its peaks.

    NaN ranks above all numbers.
    """
    width = int(edges[1] - edges[0])
    bands = values[: edges[-1]].reshape(-1, width)
    place = min(int(share * width), width - 1)
    return np.asarray(np.partition(bands, place, axis=1)[:, place])


def smooth_bins(usual: Floats, edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which bins of each band are not above its median: those without sharp peaks."""
    middle = np.repeat(lower(usual, edges, share=0.5), edges[1] - edges[0])
    smooth = np.zeros(usual.shape, dtype=np.bool_)
    smooth[: middle.size] = usual[: middle.size] <= middle
    return smooth


def parts(signal: Floats, usual: Floats, cell: Floats) -> tuple[float, float, float]:
    """Split the counts of bands, by least squares with Poisson's weights.

    Parameters
    ----------
    signal, usual : (m,)
        As in `Measures`.
    cell : (m,)
        Counts that something else makes of the pattern, e.g. the empty cell; 0 where unknown.

    Returns
    -------
    sample : float
        Times the usual pattern; NaN where fewer than four bands have counts.
    more : float
        Counts by the cell beside that, over the usual counts.
    shape : float
        What neither explains, over the counts, free of what counting noise makes; 0 where it does
        not stand out of that.
    """
    found = np.zeros(3)
    _parts(signal, usual, cell, found)
    return float(found[0]), float(found[1]), float(found[2])


@kernel
def _parts(signal, usual, cell, found):  # type: ignore[no-untyped-def]
    aa = ay = ab = bb = by = total = counts = 0.0
    number = 0
    for i in range(signal.size):
        if usual[i] > 0.0 and signal[i] > 0.0:
            number += 1
            aa += usual[i] * usual[i] / signal[i]
            ab += usual[i] * cell[i] / signal[i]
            bb += cell[i] * cell[i] / signal[i]
            ay += usual[i]
            by += cell[i]
            counts += signal[i]
            total += signal[i] * signal[i]
    if number < 4:
        found[0] = np.nan
        return
    determinant = aa * bb - ab * ab
    both = determinant > 1e-9 * aa * bb and bb > 0.0
    sample, more = ay / aa, 0.0
    if both:
        sample = (ay * bb - by * ab) / determinant
        more = (by * aa - ay * ab) / determinant
    square = spread = 0.0
    for i in range(signal.size):
        if usual[i] > 0.0 and signal[i] > 0.0:
            rest = signal[i] - sample * usual[i] - more * cell[i]
            square += rest * rest
            spread += rest * rest / signal[i]
    found[0] = sample
    found[1] = more * by / ay
    # Of the noise in the bands, those parts that are fitted are gone.
    excess = square - counts * (1.0 - (2.0 if both else 1.0) / number)
    if excess > 0.0 and spread > number + SIGNIFICANT * np.sqrt(2.0 * number):
        found[2] = np.sqrt(excess / total)


@kernel
def _learn(usual, signal, weight, share, mixed):  # type: ignore[no-untyped-def]
    for i in range(usual.size):
        mixed[i] = usual[i]
        if weight[i] > 0.0:
            here = signal[i] / weight[i]
            known = usual[i] == usual[i]
            mixed[i] = usual[i] + share * (here - usual[i]) if known else here


@kernel
def _measure(signal, variance, weight, pixels, usual, smooth, edges, bands, totals):  # type: ignore[no-untyped-def]
    n = signal.size
    above = below = 0.0
    for band in range(edges.size - 1):
        for i in range(edges[band], edges[band + 1]):
            expected = usual[i] * weight[i]
            if weight[i] > 0.0 and expected == expected:
                above += signal[i]
                below += expected
                if smooth[i]:
                    bands[0, band] += signal[i]
                    bands[1, band] += weight[i]
                    bands[2, band] += expected
    for i in range(n):
        totals[0] += signal[i]
        totals[1] += pixels[i]
    if not below > 0.0:
        return
    scale = above / below
    older = old = _FLOOR
    for i in range(n):
        here = _excess(signal, variance, weight, usual, scale, i)
        if here > SPIKE:
            beside = max(older, old, _FLOOR)
            for j in range(i + 1, min(i + 3, n)):
                beside = max(beside, _excess(signal, variance, weight, usual, scale, j))
            if here > _ALONE * beside:
                totals[2] += 1.0
        older, old = old, here


@inner
def _excess(signal, variance, weight, usual, scale, i):  # type: ignore[no-untyped-def]
    expected = scale * usual[i] * weight[i]
    if not (weight[i] > 0.0 and expected == expected):
        return 0.0
    return (signal[i] - expected) / np.sqrt(max(variance[i], 1.0))
