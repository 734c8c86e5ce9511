"""How long each stage takes, as counts in fixed ranges: next to nothing per frame."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

BOUNDS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""s, upper ends of the ranges; one more holds what is longer."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What one stage took so far."""

    counts: tuple[int, ...]
    """One for each range of `BOUNDS`, and one for what is longer."""
    total: float
    """s"""


class Timings:
    """Any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}
        self._totals: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str, pieces: int = 1) -> Iterator[None]:
        """Measure what is done inside; several pieces share the time."""
        began = time.perf_counter()
        yield
        self.add(stage, time.perf_counter() - began, pieces)

    def add(self, stage: str, seconds: float, pieces: int = 1) -> None:
        """Add that so many pieces took so long together."""
        if pieces < 1:
            return
        place = bisect_left(BOUNDS, seconds / pieces)
        with self._lock:
            counts = self._counts.setdefault(stage, [0] * (len(BOUNDS) + 1))
            counts[place] += pieces
            self._totals[stage] = self._totals.get(stage, 0.0) + seconds

    def spreads(self) -> Mapping[str, Spread]:
        """Return what each stage took so far."""
        with self._lock:
            return {
                stage: Spread(tuple(counts), self._totals[stage])
                for stage, counts in self._counts.items()
            }
