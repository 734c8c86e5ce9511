"""Window numbers as times: the time axes count windows, their ticks tell the time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOOKED_AT = 4000
"""Windows of a long run that the scale is made from."""
_UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeScale:
    """Where each window lies in time; window n covers n to n + 1 on the axis."""

    places: NDArray[np.float64]
    """(n,) positions on the axis, increasing."""
    times: NDArray[np.float64]
    """(n,) Unix seconds, increasing."""
    origin: float
    """Unix seconds that count as zero."""
    unit: str
    per_unit: float
    """s"""

    def time(self, place: float) -> float:
        """Return the moment at a place on the axis; beyond the ends by the mean pace."""
        if self.places.size < 2:
            return self.origin
        inside = np.interp(place, self.places, self.times)
        beyond = place - np.clip(place, self.places[0], self.places[-1])
        return float(inside + beyond * self._pace())

    def place(self, moments: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places on the axis of moments."""
        if self.places.size < 2:
            return np.zeros(moments.shape)
        inside = np.interp(moments, self.times, self.places)
        beyond = moments - np.clip(moments, self.times[0], self.times[-1])
        placed: NDArray[np.float64] = inside + beyond / self._pace()
        return placed

    @property
    def label(self) -> str:
        """Say what the ticks tell."""
        return f"time since the run began ({self.unit})"

    def elapsed(self, moment: float) -> float:
        """Return a moment in the unit of the axis."""
        return (moment - self.origin) / self.per_unit

    def ticks(self, low: float, high: float, wanted: int) -> list[tuple[float, str]]:
        """Return (place, text) of round times between two places."""
        if self.places.size < 2:
            return []
        first, last = self.elapsed(self.time(low)), self.elapsed(self.time(high))
        if not last > first:
            return []
        step = round_step((last - first) / max(wanted, 1))
        digits = max(0, -int(np.floor(np.log10(step))))
        rounds = np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step
        places = self.place(self.origin + rounds * self.per_unit)
        return [(float(p), f"{t + 0.0:.{digits}f}") for p, t in zip(places, rounds, strict=True)]

    def _pace(self) -> float:
        """Return s per window."""
        pace = (self.times[-1] - self.times[0]) / (self.places[-1] - self.places[0])
        return float(max(pace, 1e-6))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueScale:
    """Ticks that tell a number of each window: its own, that of its first frame, a slow value."""

    label: str
    values: NDArray[np.float64]
    """(windows,) NaN where absent."""
    rising: bool
    """Whether it never falls, so that ticks can be at round values."""

    def ticks(self, low: float, high: float, wanted: int) -> list[tuple[float, str]]:
        """Return (place, text) between two places."""
        known = np.flatnonzero(np.isfinite(self.values))
        if known.size < 2 or not high > low:
            return []
        if self.rising:
            first, last = np.interp([low, high], known, self.values[known])
            if last > first:
                step = max(round_step((last - first) / max(wanted, 1)), 1.0)
                rounds = np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step
                places = np.interp(rounds, self.values[known], known)
                return [(float(p), f"{v:.0f}") for p, v in zip(places, rounds, strict=True)]
        step = max(round_step((high - low) / max(wanted, 1)), 1.0)
        places = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        inside = places[(places >= known[0]) & (places <= known[-1])]
        values = np.interp(inside, known, self.values[known])
        return [(float(p), f"{v:.4g}") for p, v in zip(inside, values, strict=True)]


Scale = TimeScale | ValueScale


def round_step(rough: float) -> float:
    """Return the next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not smaller."""
    power = 10.0 ** np.floor(np.log10(max(rough, 1e-9)))
    return float(next(f * power for f in (1.0, 2.0, 5.0, 10.0) if f * power >= rough * 0.999))


def time_scale(start: NDArray[np.float64], end: NDArray[np.float64]) -> TimeScale:
    """Make the scale from the first and last moment of every window; absent ones are NaN."""
    # between those looked at, time is as good as even
    some = np.arange(0, start.size, 1 + start.size // _LOOKED_AT)
    if some.size and some[-1] != start.size - 1:
        some = np.append(some, start.size - 1)
    start, end = start[some], end[some]
    here = np.isfinite(start) & np.isfinite(end)
    middle = (start[here] + end[here]) / 2
    places = some[here].astype(np.float64) + 0.5
    # clocks that are set back must not fold the axis
    times = np.maximum.accumulate(middle) + 1e-7 * np.arange(middle.size)
    origin = float(start[here][0]) if middle.size else 0.0
    span = float(times[-1] - origin) if middle.size else 0.0
    unit, per_unit = next((u for u in _UNITS if span >= 2 * u[1]), _UNITS[-1])
    return TimeScale(places=places, times=times, origin=origin, unit=unit, per_unit=per_unit)
