"""The sums of the newest windows, kept in memory so that they can be reduced again at once."""

import threading
from collections import deque
from collections.abc import Sequence

from livepdf.daemon.results import Summed

_BOOKKEEPING = 2048
"""Bytes reckoned for a window beside its sums."""


class Shelf:
    """Keeps windows of the present run up to a number of bytes; the oldest go first."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._windows: deque[tuple[Summed, int]] = deque()
        self._bytes = 0

    def begin(self) -> None:
        """Forget the run before."""
        with self._lock:
            self._windows.clear()
            self._bytes = 0

    def add(self, window: Summed) -> None:
        """Keep the next window."""
        sums = window.sums
        arrays = (sums.signal, sums.variance, sums.weight, sums.pixels)
        size = _BOOKKEEPING + sum(array.nbytes for array in arrays)
        with self._lock:
            self._windows.append((window, size))
            self._bytes += size
            while self._bytes > self.limit and len(self._windows) > 1:
                self._bytes -= self._windows.popleft()[1]

    def newest(self) -> Summed | None:
        """Return the newest window, None before the first."""
        with self._lock:
            return self._windows[-1][0] if self._windows else None

    def windows(self, numbers: Sequence[int]) -> dict[int, Summed]:
        """Return those of the windows that are here, by number."""
        with self._lock:
            if not self._windows:
                return {}
            first = self._windows[0][0].span.number
            places = [n - first for n in numbers if 0 <= n - first < len(self._windows)]
            found = [self._windows[place][0] for place in places]
        return {window.span.number: window for window in found}
