"""What each analysis of a window really costs, beside what it says of itself."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

_KEPT = 101
"""Windows that a median is taken over: it follows when a sample grows and its fit takes longer."""


class Costs:
    """CPU times by the name of the analysis; any thread may measure."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[str, deque[float]] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measure what this thread does inside; what fails is not counted."""
        began = time.thread_time()
        yield
        self.add(name, time.thread_time() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add what one window took."""
        with self._lock:
            self._taken.setdefault(name, deque(maxlen=_KEPT)).append(seconds)

    def medians(self) -> tuple[tuple[str, float], ...]:
        """Return each analysis with its median over the last windows, s, in the order they ran."""
        with self._lock:
            taken = {name: list(times) for name, times in self._taken.items()}
        return tuple((name, median(times)) for name, times in taken.items())
