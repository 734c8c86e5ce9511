"""Which reading belongs to a frame; where none does, why."""

from bisect import bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Literal, NamedTuple

How = Literal["last", "nearest", "linear"]
MOST = 50_000
"""Readings kept of one value."""


class Joined(NamedTuple):
    """The value of a frame."""

    value: float
    """NaN where there is none."""
    reason: str
    """Why there is none; empty where there is one."""
    settled: bool
    """Whether no later reading can change it."""


@dataclass(slots=True)
class Readings:
    """All readings of one value, by time and by frame."""

    _times: list[tuple[float, float]] = field(default_factory=list)
    _frames: OrderedDict[int, float] = field(default_factory=OrderedDict)

    def add(self, value: float, *, time: float, frame: int | None) -> None:
        """Keep a reading: at a time by our clock, or of a frame."""
        if frame is not None:
            self._frames[frame] = value
            if len(self._frames) > MOST:
                self._frames.popitem(last=False)
            return
        if not self._times or time >= self._times[-1][0]:
            self._times.append((time, value))
        else:
            insort(self._times, (time, value))
        if len(self._times) > MOST:
            del self._times[: MOST // 10]

    @property
    def newest(self) -> tuple[float, float]:
        """Time and value of the newest reading; NaN where there is none."""
        return self._times[-1] if self._times else (nan, nan)

    def shift(self, step: float) -> None:
        """Move all times: the clock of the feed is understood better now."""
        self._times = [(time + step, value) for time, value in self._times]

    def of_frame(self, frame: int) -> Joined:
        """Return the reading of a frame by its number."""
        value = self._frames.get(frame)
        if value is None:
            return Joined(nan, f"no reading for frame {frame}", settled=False)
        return _told(value)

    def at(self, time: float, *, how: How, tolerance: float) -> Joined:
        """Return the value at a time by our clock.

        Parameters
        ----------
        how
            ``last``: the last reading up to then; ``nearest``: on either side; ``linear``: on the
            line between the two readings around it, or the last where there is none after it.
        tolerance : float, s
            How far a reading may be away.
        """
        place = bisect_right(self._times, (time, float("inf")))
        before = self._times[place - 1] if place else None
        after = self._times[place] if place < len(self._times) else None
        if before is not None and time - before[0] > tolerance:
            before = None
        settled = after is not None
        if after is not None and (after[0] - time > tolerance or how == "last"):
            after = None
        if before is None and after is None:
            return Joined(nan, self._why(time), settled=settled)
        if before is None or after is None or how == "last":
            chosen = before if after is None else after
            assert chosen is not None
            return _told(chosen[1], settled=settled or how == "last")
        if how == "nearest":
            nearer = before if time - before[0] <= after[0] - time else after
            return _told(nearer[1])
        share = (time - before[0]) / (after[0] - before[0])
        return _told(before[1] + share * (after[1] - before[1]))

    def _why(self, time: float) -> str:
        if not self._times:
            return "no reading yet"
        newest = self._times[-1][0]
        if newest < time:
            return f"silent for {time - newest:.0f} s"
        if time < self._times[0][0]:
            return "before its first reading"
        return "a gap in its readings"


def _told(value: float, *, settled: bool = True) -> Joined:
    if not isfinite(value):
        return Joined(nan, "the reading is no number", settled=settled)
    return Joined(value, "", settled=settled)
