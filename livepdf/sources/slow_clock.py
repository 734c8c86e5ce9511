"""How far another clock is from ours, from the times of receipt alone.

What is received at t by our clock and bears the time s of the other took t - s = offset + delay on
its way. Delays vary, but none is below the shortest: the least t - s of the last minutes is the
offset, plus the shortest delay, which nothing tells apart from it (the filter of minimum delay that
network clocks use; D. L. Mills, RFC 5905, section 10).
"""

from collections import deque
from math import nan

SPAN = 600.0
"""s over which the least is taken, so that a drifting clock is followed."""
FEWEST = 3
"""Messages before the estimate is used."""
PIECES = 20
LARGEST_DELAY = 2.0
"""s that a message may well take on its way: an offset of 0 to this is a delay, not a clock."""


class ClockOffset:
    """The least delay of the last minutes, in pieces, so that it takes little memory."""

    def __init__(self, *, span: float = SPAN) -> None:
        self._piece = span / PIECES
        self._least: deque[tuple[float, float, float]] = deque(maxlen=PIECES)
        self._count = 0

    def add(self, *, stamp: float, received: float) -> None:
        """Take one message: its time by the other clock, and that of its receipt by ours."""
        delay = received - stamp
        self._count += 1
        if self._least and received - self._least[-1][0] < self._piece:
            began, least, second = self._least[-1]
            least, second = sorted((least, second, delay))[:2]
            self._least[-1] = (began, least, second)
        else:
            self._least.append((received, delay, float("inf")))

    @property
    def known(self) -> bool:
        """Whether enough has come for an estimate."""
        return self._count >= FEWEST

    @property
    def offset(self) -> float:
        """S to add to a time by the other clock to have it by ours; NaN while unknown."""
        return min(least for _, least, _ in self._least) if self.known else nan

    @property
    def uncertainty(self) -> float:
        """S between the two shortest delays: how well the shortest is found; NaN while unknown."""
        if not self.known:
            return nan
        shortest = sorted(d for _, *two in self._least for d in two)
        return shortest[1] - shortest[0]

    @property
    def correction(self) -> float:
        """S to add to a time by the other clock: the offset, or 0 where a delay explains it."""
        offset = self.offset
        return offset if self.known and not 0 <= offset <= LARGEST_DELAY else 0.0
