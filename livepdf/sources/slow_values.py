"""Slow values that a beamline sends along with an image: temperature, monitor, motors."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

MONITOR = "monitor"
"""The name that carries I0."""
_MOST = 32
_LONGEST = 40
_LARGEST = 1e300


class SlowValues(NamedTuple):
    """The numbers in an image's user data."""

    monitor: float | None
    """I0 counts of the exposure, where one is named so."""
    environment: dict[str, float]
    """All others by name; a temperature is taken to be in K."""


NO_VALUES = SlowValues(monitor=None, environment={})


def slow_values(user_data: object) -> SlowValues:
    """Return the numbers of a map, or of a text that holds one as JSON; anything else has none."""
    fields = _fields(user_data)
    numbers = {
        key: number
        for key, value in list(fields.items())[:_MOST]
        if isinstance(key, str) and len(key) <= _LONGEST and (number := _number(value)) is not None
    }
    monitor = numbers.pop(MONITOR, None)
    return SlowValues(monitor=monitor, environment=numbers)


def _fields(user_data: object) -> Mapping[object, object]:
    if isinstance(user_data, str) and user_data.lstrip().startswith("{"):
        try:
            user_data = json.loads(user_data)
        except (ValueError, RecursionError):
            return {}
    return user_data if isinstance(user_data, Mapping) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _LARGEST and isfinite(value) else None
