"""How many shots hit a particle, and how sure that number is."""

from collections import deque
from math import sqrt

from livepdf.model.serial import HitRate

_Z = 1.959963984540054
"""Of a 95 % interval."""


def hit_rate(hits: int, shots: int) -> HitRate:
    """Return the rate and its interval: it covers the truth also for few or no hits.

    ValueError unless 0 ≤ hits ≤ shots.
    """
    if not 0 <= hits <= shots:
        raise ValueError(f"{hits} hits among {shots} shots")
    if shots == 0:
        nan = float("nan")
        return HitRate(hits=0, shots=0, rate=nan, low=nan, high=nan)
    rate = hits / shots
    scale = 1 + _Z**2 / shots
    centre = (rate + _Z**2 / (2 * shots)) / scale
    half = _Z * sqrt(rate * (1 - rate) / shots + _Z**2 / (4 * shots**2)) / scale
    return HitRate(
        hits=hits,
        shots=shots,
        rate=rate,
        low=max(centre - half, 0.0) if hits else 0.0,
        high=min(centre + half, 1.0) if hits < shots else 1.0,
    )


class HitCounter:
    """Counts hits over the run and over the last shots; shots not seen yet count for nothing."""

    def __init__(self, *, recent: int = 200) -> None:
        """``recent``: how many last shots the quick rate is of."""
        if recent < 1:
            raise ValueError(f"recent is {recent}, wanted at least 1")
        self._last: deque[bool] = deque(maxlen=recent)
        self._hits = 0
        self._shots = 0

    def add(self, hit: bool) -> None:
        """Count a shot."""
        self._last.append(hit)
        self._hits += hit
        self._shots += 1

    @property
    def recent(self) -> HitRate:
        """Of the last shots, as many as there are."""
        return hit_rate(sum(self._last), len(self._last))

    @property
    def whole(self) -> HitRate:
        """Of all shots."""
        return hit_rate(self._hits, self._shots)
