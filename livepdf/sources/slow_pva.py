"""Slow values from PVs by EPICS PVA."""

import threading
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from livepdf.config.slow import SlowPva, SlowValue
from livepdf.sources.pva_client import PvaClient
from livepdf.sources.slow_reading import Reading, taken

AGAIN = 1.0
"""s after which a PV that is connected and has not changed is said to be as it was."""


class PvaFeed:
    """Follows PVs; a value holds as long as its PV is connected."""

    def __init__(self, settings: SlowPva, *, clock: Callable[[], float] = time.time) -> None:
        names = ", ".join(value.of for value in settings.value)
        self.description = f"EPICS PVA {names}"
        self._settings = settings
        self._clock = clock
        self._client: PvaClient | None = None
        self._changed = threading.Condition()
        self._new: list[Reading] = []
        self._held: dict[str, Reading] = {}
        self._seen: set[str] = set()

    def open(self) -> None:
        """Ask for the PVs; they may appear later. SourceError where p4p is not installed."""
        self._client = PvaClient(
            addresses=self._settings.addresses, broadcast=self._settings.broadcast
        )
        for value in self._settings.value:
            self._client.follow(value.of, self._hearer(value))

    def poll(self, timeout: float) -> list[Reading]:
        """Return what has changed, and what still holds."""
        with self._changed:
            if not self._new:
                self._changed.wait(timeout)
            readings, self._new = self._new, []
            now = self._clock()
            for name, held in self._held.items():
                if now - held.received >= AGAIN:
                    same = Reading(name=name, value=held.value, received=now, live=False)
                    self._held[name] = same
                    readings.append(same)
        return readings

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        with self._changed:
            missing = [v for v in self._settings.value if v.name not in self._held]
            gone = [v.of for v in missing if v.name in self._seen]
            lacking = [v.of for v in missing]
        if gone:
            return f"lost: {', '.join(gone)} disappeared; waiting"
        return f"waiting: no server has {', '.join(lacking)} yet" if lacking else "connected"

    def close(self) -> None:
        """Let the PVs go."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _hearer(self, value: SlowValue) -> Callable[[Any], None]:
        def hear(update: Any) -> None:
            self._hear(value, None if update is None else update.todict())

        return hear

    def _hear(self, value: SlowValue, fields: Mapping[str, Any] | None) -> None:
        number = None if fields is None else number_of(fields)
        with self._changed:
            if fields is None or number is None:
                self._held.pop(value.name, None)
                return
            reading = Reading(
                name=value.name,
                value=taken(value, number),
                received=self._clock(),
                time=stamp_of(fields),
                # The first update is the value of before, however old.
                live=value.name in self._held,
            )
            self._held[value.name] = reading
            self._seen.add(value.name)
            self._new.append(reading)
            self._changed.notify_all()


def number_of(fields: Mapping[str, Any]) -> float | None:
    """Return the number in an NTScalar or NTEnum; None where there is none, or it is invalid."""
    alarm = fields.get("alarm")
    if isinstance(alarm, Mapping) and alarm.get("severity") == 3:
        return None
    value = fields.get("value")
    if isinstance(value, Mapping):
        value = value.get("index")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def stamp_of(fields: Mapping[str, Any]) -> float | None:
    """Return the time of an update, Unix seconds; None where it was never set."""
    stamp = fields.get("timeStamp")
    if not isinstance(stamp, Mapping) or not stamp.get("secondsPastEpoch"):
        return None
    return float(stamp["secondsPastEpoch"]) + float(stamp.get("nanoseconds", 0)) * 1e-9
