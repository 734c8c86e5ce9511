"""Where every frame went: the books of the daemon, under one lock."""

import threading
from collections import Counter

from livepdf.model.status import Counters


class _Page:
    def __init__(self) -> None:
        self.received = 0
        self.used = 0
        self.left_out = 0
        self.waiting = 0
        self.refused: Counter[str] = Counter()
        self.lost = 0

    def carry(self, before: Counters) -> None:
        """Add what another process had settled."""
        self.received += before.used + before.left_out + sum(before.refused.values())
        self.used += before.used
        self.left_out += before.left_out
        self.refused.update(before.refused)
        self.lost += before.lost

    def counters(self, lost: int) -> Counters:
        return Counters(
            received=self.received,
            used=self.used,
            left_out=self.left_out,
            refused=dict(self.refused),
            waiting=self.waiting,
            lost=self.lost + lost,
        )


class Ledger:
    """Counts each frame once in, and once out under what became of it; any thread may write.

    Every entry is made for the daemon as a whole, and for the frame's own series while that is
    open.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = _Page()
        self._pages: dict[str, _Page] = {}

    def open(self, series: str, *, before: Counters | None = None) -> None:
        """Begin a page for a series, with what another process had settled of it."""
        with self._lock:
            self._pages[series] = page = _Page()
            if before is not None:
                page.carry(before)

    def receive(self, series: str, frames: int = 1) -> None:
        """Book frames that came in and wait."""
        with self._lock:
            for page in self._both(series):
                page.received += frames
                page.waiting += frames

    def lose(self, series: str, frames: int) -> None:
        """Book frames that never came in, beside those that the source knows of."""
        with self._lock:
            for page in self._both(series):
                page.lost += frames

    def use(self, series: str) -> None:
        """Book a waiting frame that is in the sums now."""
        with self._lock:
            for page in self._both(series):
                page.waiting -= 1
                page.used += 1

    def leave_out(self, series: str) -> None:
        """Book a waiting frame that is flagged and goes into no window."""
        with self._lock:
            for page in self._both(series):
                page.waiting -= 1
                page.left_out += 1

    def refuse(self, series: str, reason: str) -> None:
        """Book a waiting frame that is dropped."""
        with self._lock:
            for page in self._both(series):
                page.waiting -= 1
                page.refused[reason] += 1

    def turn_away(self, series: str, reason: str, times: int = 1) -> None:
        """Book something that came in and never was a usable frame."""
        with self._lock:
            for page in self._both(series):
                page.received += times
                page.refused[reason] += times

    def total(self, lost: int = 0) -> Counters:
        """Return the books of the daemon since it started."""
        with self._lock:
            return self._total.counters(lost)

    def of(self, series: str, lost: int = 0) -> Counters:
        """Return the books of one series."""
        with self._lock:
            return self._pages.get(series, _Page()).counters(lost)

    def close(self, series: str) -> None:
        """Drop the page of a series that is over; the total keeps its frames."""
        with self._lock:
            self._pages.pop(series, None)

    def _both(self, series: str) -> list[_Page]:
        page = self._pages.get(series)
        return [self._total] if page is None else [self._total, page]
