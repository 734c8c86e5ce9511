"""Axis ranges that follow the data without twitching."""

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]


def sticky(old: Range | None, wanted: Range, *, fill: float = 0.6) -> Range:
    """Keep the old range while the data stay inside it and fill enough of it.

    A range that changes with every window makes curves look as if they moved, and repaints axes.
    """
    low, high = wanted
    inside = old is not None and old[0] <= low and high <= old[1]
    if old is not None and inside and high - low >= fill * (old[1] - old[0]):
        return old
    margin = 0.08 * (high - low) or max(abs(high), 1.0) * 0.1
    return low - margin, high + margin


def spread(
    values: NDArray[np.floating], *, below: float = 0.0, above: float = 100.0
) -> Range | None:
    """Return two percentiles of the finite values, None where there are none.

    Of many values every n-th is looked at: a range needs no more.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return None
    if below <= 0.0 and above >= 100.0:
        return float(finite.min()), float(finite.max())
    sample = finite[:: 1 + finite.size // 4000]
    # order statistics: np.percentile interpolates and takes five times as long
    places = [int((sample.size - 1) * share / 100.0 + 0.5) for share in (below, above)]
    ordered = np.partition(sample, places)
    return float(ordered[places[0]]), float(ordered[places[1]])


def growing(old: float | None, needed: float, *, least: float = 20.0) -> float:
    """Return the length of an axis that grows in leaps of a quarter, never shrinks."""
    length = max(least, 0.0 if old is None else old)
    while length < needed:
        length *= 1.25
    return length
