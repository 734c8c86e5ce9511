"""The time between laser and X-rays from stage, trigger and arrival-time tool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

_LIGHT = 299_792_458.0
"""m/s"""
_TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}
_LENGTH = {"m": 1.0, "mm": 1e-3, "um": 1e-6}
DelayUnit = Literal["s", "ms", "us", "ns", "ps", "fs", "m", "mm", "um"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayPart:
    """One of the values that the delay is the sum of: sign × (value − reference) × scale."""

    name: str
    """Of the value in the records of a shot."""
    unit: str
    """A time, or the position of a stage that light passes there and back (1 mm is 6.6713 ps)."""
    sign: Literal[-1, 1]
    """+1 where a larger value brings the X-rays later after the laser."""
    reference: float
    """The value at time zero, in the same unit."""

    @property
    def scale(self) -> float:
        """Seconds per unit; ValueError for a unit that is none."""
        if self.unit in _TIME:
            return _TIME[self.unit]
        if self.unit in _LENGTH:
            return 2.0 * _LENGTH[self.unit] / _LIGHT
        known = ", ".join([*_TIME, *_LENGTH])
        raise ValueError(
            f"delay part {self.name!r}: found unit {self.unit!r}, wanted one of {known}"
        )


def delay(parts: Sequence[DelayPart], values: Mapping[str, float]) -> float:
    """Return the delay in s: positive when the X-rays come after the laser.

    Raises
    ------
    ValueError
        A unit is unknown, or there is no part at all.
    KeyError
        A value is missing from the records of the shot.
    """
    if not parts:
        raise ValueError("a delay needs at least one part: stage, trigger or arrival")
    return sum(p.sign * (values[p.name] - p.reference) * p.scale for p in parts)
