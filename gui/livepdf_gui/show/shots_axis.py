"""Axes of plots about shots: plain numbers, logarithms, and delays over many decades."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.timescale import round_step

Floats = NDArray[np.float64]
Tick = tuple[float, str]
Kind = Literal["even", "linear", "log"]
KINDS: tuple[Kind, ...] = ("even", "linear", "log")
"""Bins side by side, true distances, decades."""
_UNITS = (("fs", 1e-15), ("ps", 1e-12), ("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0))


class Axis(Protocol):
    """Where values lie along an axis, and what its ticks tell."""

    @property
    def label(self) -> str:
        """What the axis is, with its unit."""
        ...

    def place(self, values: Floats) -> Floats:
        """Return the places of values, NaN where there is none."""
        ...

    def value(self, place: float) -> float:
        """Return the value at a place."""
        ...

    def ticks(self, low: float, high: float, wanted: int) -> list[Tick]:
        """Return (place, text) between two places."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Places are the values themselves."""

    label: str

    def place(self, values: Floats) -> Floats:
        """Return the values."""
        return values

    def value(self, place: float) -> float:
        """Return the place."""
        return place

    def ticks(self, low: float, high: float, wanted: int) -> list[Tick]:
        """Return round numbers."""
        return _round(low, high, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Places are decimal logarithms."""

    label: str

    def place(self, values: Floats) -> Floats:
        """Return log10, NaN where a value is not above 0."""
        placed = np.full(values.shape, np.nan)
        return np.log10(values, out=placed, where=values > 0)

    def value(self, place: float) -> float:
        """Return the power of ten."""
        return float(10.0 ** min(place, 300.0))

    def ticks(self, low: float, high: float, wanted: int) -> list[Tick]:
        """Return powers of ten, and 2 and 5 times them where there is room."""
        decades = range(int(np.floor(low)) - 1, int(np.ceil(high)) + 1)
        for steps in (tuple(range(1, 10)), (1.0, 2.0, 5.0), (1.0,)):
            found = [(k + float(np.log10(f)), f * 10.0**k) for k in decades for f in steps]
            inside = [(place, _short(value)) for place, value in found if low <= place <= high]
            if len(inside) <= wanted + 1:
                return inside
        return inside[:: -(-len(inside) // max(wanted, 1))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delays:
    """Delays between laser and X-rays, in bins."""

    kind: Kind
    edges: Floats
    """(n_bins + 1,) s, increasing."""

    @property
    def label(self) -> str:
        """Say what the ticks tell."""
        how = {"even": f"{self.unit}, one column a bin", "linear": self.unit, "log": "logarithmic"}
        return f"delay of the X-rays after the laser ({how[self.kind]})"

    @property
    def unit(self) -> str:
        """Return the unit in which the delays are short numbers."""
        return self._scale[0]

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the places of the first and the last edge."""
        placed = self.place(self.edges)
        return float(placed[0]), float(placed[-1])

    def place(self, values: Floats) -> Floats:
        """Return the places of delays in s."""
        if self.kind == "even":
            return np.interp(values, self.edges, np.arange(self.edges.size, dtype=np.float64))
        if self.kind == "linear":
            return values / self._scale[1]
        return np.asarray(np.sign(values) * np.log10(1 + np.abs(values) / self._knee))

    def value(self, place: float) -> float:
        """Return the delay at a place, s."""
        if self.kind == "even":
            return float(np.interp(place, np.arange(self.edges.size), self.edges))
        if self.kind == "linear":
            return place * self._scale[1]
        return float(np.sign(place) * self._knee * (10.0 ** abs(place) - 1))

    def ticks(self, low: float, high: float, wanted: int) -> list[Tick]:
        """Return edges of the bins, round delays, or decades on both sides of time zero."""
        if self.kind == "linear":
            return _round(low, high, wanted)
        if self.kind == "even":
            inside = [k for k in range(self.edges.size) if low <= k <= high]
            each = -(-len(inside) // max(wanted, 1))
            return [(float(k), self._text(self.edges[k])) for k in inside[::each]]
        return self._decades(low, high, wanted)

    def words(self, delay: float) -> str:
        """Write a delay with the unit of this axis."""
        return f"{self._text(delay)} {self.unit}"

    def bin(self, place: float) -> int:
        """Return the bin that covers a place; the nearest one beyond the ends."""
        placed = self.place(self.edges)
        found = int(np.searchsorted(placed, place, side="right")) - 1
        return min(max(found, 0), self.edges.size - 2)

    @property
    def _scale(self) -> tuple[str, float]:
        largest = float(np.abs(self.edges).max())
        return next((u for u in reversed(_UNITS) if largest >= 0.9995 * u[1]), _UNITS[0])

    @property
    def _knee(self) -> float:
        """Delay below which the logarithmic axis is linear: the one nearest to time zero."""
        sizes = np.abs(self.edges[np.abs(self.edges) > 0])
        return float(sizes.min()) if sizes.size else 1e-15

    def _text(self, delay: float) -> str:
        return f"{delay / self._scale[1] + 0.0:.4g}"

    def _decades(self, low: float, high: float, wanted: int) -> list[Tick]:
        first = int(np.floor(np.log10(self._knee)))
        powers = 10.0 ** np.arange(first, first + 20)
        delays = np.concatenate([-powers[::-1], [0.0], powers])
        placed = self.place(delays)
        inside = (placed >= low) & (placed <= high)
        found = [
            (float(p), time_words(d)) for p, d in zip(placed[inside], delays[inside], strict=True)
        ]
        apart = (high - low) / max(wanted, 1) * 0.6
        kept: list[Tick] = []
        # time zero first, then outwards: it is never the one to give way
        for tick in sorted(found, key=lambda t: abs(t[0])):
            if all(abs(tick[0] - other[0]) >= apart for other in kept):
                kept.append(tick)
        return sorted(kept)


def time_words(delay: float) -> str:
    """Write a delay in the unit that suits it."""
    if delay == 0:
        return "0"
    name, size = next((u for u in reversed(_UNITS) if abs(delay) >= 0.9995 * u[1]), _UNITS[0])
    return f"{delay / size + 0.0:.4g} {name}"


def _round(low: float, high: float, wanted: int) -> list[Tick]:
    if not high > low:
        return []
    step = round_step_of(high - low, wanted)
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    rounds = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    if step >= 1e5 or step < 1e-4:
        return [(float(v), f"{v + 0.0:.3g}") for v in rounds]
    return [(float(v), f"{v + 0.0:.{digits}f}") for v in rounds]


def round_step_of(span: float, wanted: int) -> float:
    """Return a round step that divides a span in about so many parts, however small it is."""
    rough = span / max(wanted, 1)
    lift = 10.0 ** np.floor(np.log10(rough))
    return float(round_step(rough / lift) * lift)


def _short(value: float) -> str:
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
