"""The order of frames inside one series: each number once, a gap waited for, then counted."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Content = TypeVar("Content")
FARTHEST = 1_000_000
"""Frames that a number may lie ahead; beyond it the number itself is taken for damaged."""
OVERHEAD = 1024
"""Bytes reckoned for a held frame beside its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesId:
    """What tells one series from every other of the same source."""

    number: int | None
    """None for files, whose series have only names."""
    unique: str = ""
    """Empty where the detector sends none."""

    def __str__(self) -> str:
        if self.number is None:
            return self.unique
        return f"{self.number}-{self.unique}" if self.unique else str(self.number)

    def older_than(self, other: "SeriesId") -> bool:
        """Whether its number is lower, which only the frames of a former series have."""
        return self.number is not None and other.number is not None and self.number < other.number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival(Generic[Content]):
    """A frame as it came."""

    series: SeriesId
    index: int
    """Its number in the series, from 0."""
    content: Content = field(repr=False)
    size: int
    """Bytes that it holds while it waits."""


class Ordering(Generic[Content]):
    """Puts the frames of one series in the order of their numbers."""

    def __init__(self, first: int) -> None:
        self._due = first
        self._first = first
        self._held: dict[int, tuple[Arrival[Content], float]] = {}
        self._missing: list[range] = []
        self._progress = float("-inf")
        self.held_bytes = 0
        self.lost = 0
        self.disordered = False
        """Whether any frame ever came before its turn."""

    def __len__(self) -> int:
        return len(self._held)

    @property
    def fresh(self) -> bool:
        """Whether no frame has come yet."""
        return self._due == self._first and not self._held

    def complete(self, expected: int | None) -> bool:
        """Whether nothing is held and all announced frames have come."""
        return not self._held and expected is not None and self._due >= expected

    def refusal(self, index: int) -> str | None:
        """Say why a frame of this number cannot be taken, None when it can."""
        if index in self._held:
            return "duplicate"
        if index < self._due:
            return "late" if self._is_missing(index) else "duplicate"
        if index - self._due > FARTHEST:
            return "implausible index"
        return None

    def strike(self, index: int) -> None:
        """Take a late frame off the lost ones: it arrived after all."""
        for place, gap in enumerate(self._missing):
            if index in gap:
                parts = (range(gap.start, index), range(index + 1, gap.stop))
                self._missing[place : place + 1] = [part for part in parts if part]
                self.lost -= 1
                return

    def reopen(self, index: int) -> None:
        """Make room for a frame that was refused and can be used after all."""
        if index < self._due and not self._is_missing(index):
            self._missing.append(range(index, index + 1))
            self.lost += 1

    def add(self, arrival: Arrival[Content], *, now: float) -> list[Arrival[Content]]:
        """Take a frame that ``refusal`` lets pass; return those whose turn it is now."""
        self._held[arrival.index] = (arrival, now)
        self.held_bytes += arrival.size + OVERHEAD
        if arrival.index != self._due:
            self.disordered = True
            return []
        self._progress = now
        return self._release()

    def give_up(self, *, now: float, patience: float) -> list[Arrival[Content]]:
        """Pass over gaps that were waited for ``patience`` s since anything came in order."""
        released: list[Arrival[Content]] = []
        while self._held:
            since = max(self._progress, self._held[min(self._held)][1])
            if now - since < patience:
                break
            released += self.skip()
        return released

    def skip(self) -> list[Arrival[Content]]:
        """Count the gap before the next held frame as lost and return what follows it."""
        if not self._held:
            return []
        following = min(self._held)
        if following > self._due:
            self._missing.append(range(self._due, following))
            self.lost += following - self._due
        self._due = following
        return self._release()

    def _release(self) -> list[Arrival[Content]]:
        released = []
        while self._due in self._held:
            arrival, _ = self._held.pop(self._due)
            self.held_bytes -= arrival.size + OVERHEAD
            released.append(arrival)
            self._due += 1
        return released

    def _is_missing(self, index: int) -> bool:
        return any(index in gap for gap in self._missing)
