"""Whether a value that had settled begins to move: crystals dissolve, disorder or misfit grows."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from livepdf.analysis.declared import (
    ALL_WINDOWS,
    STRUCTURE,
    STRUCTURE_FOUND,
    TEMPERATURE,
    Declared,
    More,
)
from livepdf.analysis.onset import Rule

CHANGES = Declared(
    name="breakdown and change",
    gives=("events",),
    takes=(STRUCTURE_FOUND, "sizes without the fit", ALL_WINDOWS),
    needs=(STRUCTURE,),
    more=(More(gives="strain and disorder apart from heat", need=TEMPERATURE),),
    cost=0.1,
)
Direction = Literal["falls", "rises", "moves"]

_WARMER = 5.0
"""K by which the temperature may differ from that of the reference, for what heat itself moves."""
_DOUBT = 2.0
"""As for the onset: times the σ of the reference's mean that the allowance is widened by."""
_CLIP = 0.5
_CONSECUTIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A trend whose change means something."""

    trend: str
    direction: Direction
    meaning: str
    """What it means when it happens, e.g. ``breakdown``."""
    thermal: bool = False
    """Whether heat alone moves it: then it is compared at one temperature only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The value of one window."""

    number: int
    time: float
    """s, middle of the window."""
    value: float
    sigma: float
    """NaN where withheld."""
    temperature: float = math.nan
    """K"""
    flaw: str = ""
    """Why the window must not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value has left its reference."""

    watched: Watched
    earliest: float
    """s, last window that agrees with the reference."""
    noticed: float
    """s"""
    first: int
    last: int
    before: float
    """Mean of the reference."""
    after: float
    """Value of the window that proves it."""
    sigma: float
    """Of that window."""

    @property
    def words(self) -> str:
        """What happened, for people."""
        trend, how = self.watched.trend, self.watched.direction
        return (
            f"{self.watched.meaning}: {trend} {how} from {self.before:.4g} to {self.after:.4g} "
            f"(± {self.sigma:.2g}) between {self.earliest:.4g} and {self.noticed:.4g} s"
        )


class ChangeSearch:
    """Compares each window with the mean of those before it, by a cumulative sum.

    While nothing moves the reference goes along, so that slow growth is no change; from the first
    evidence on it stays. After a change the search begins anew.
    """

    def __init__(self, watched: Watched, rule: Rule | None = None) -> None:
        self.watched = watched
        self._rule = Rule() if rule is None else rule
        self._reference: deque[Seen] = deque(maxlen=self._rule.baseline)
        self._pending: list[Seen] = []
        self._sums = dict.fromkeys(_SIGNS[watched.direction], 0.0)
        self._above = 0

    def add(self, seen: Seen) -> Change | None:
        """Take the next window; return the change that it proves."""
        usable = math.isfinite(seen.value) and seen.sigma > 0.0 and not seen.flaw
        if not usable:
            return None
        if self.watched.thermal and self._warmer(seen):
            self._restart()
        if len(self._reference) < self._rule.baseline:
            self._reference.append(seen)
            return None
        mean, sigma = self._expected(seen)
        away = (seen.value - mean) / sigma
        gains = {
            sign: min(sign * away - self._allowance, _CLIP * self._rule.threshold)
            for sign in self._sums
        }
        self._sums = {sign: max(0.0, old + gains[sign]) for sign, old in self._sums.items()}
        largest = max(self._sums, key=lambda sign: self._sums[sign])
        # What came to nothing joins the reference whole: chosen values would shift its mean.
        self._pending.append(seen)
        if self._sums[largest] == 0.0:
            self._reference.extend(self._pending)
            self._pending.clear()
        over = self._sums[largest] > self._rule.threshold and gains[largest] > 0.0
        self._above = self._above + 1 if over else 0
        return self._found(seen, mean) if self._above >= _CONSECUTIVE else None

    @property
    def _allowance(self) -> float:
        return self._rule.allowance + _DOUBT / math.sqrt(self._rule.baseline)

    def _found(self, seen: Seen, mean: float) -> Change:
        before = self._reference[-1]
        change = Change(
            watched=self.watched,
            earliest=before.time,
            noticed=seen.time,
            first=before.number,
            last=seen.number,
            before=mean,
            after=seen.value,
            sigma=seen.sigma,
        )
        self._restart()
        return change

    def _expected(self, seen: Seen) -> tuple[float, float]:
        weights = [1.0 / s.sigma**2 for s in self._reference]
        total = math.fsum(weights)
        mean = math.fsum(w * s.value for w, s in zip(weights, self._reference, strict=True)) / total
        # σ may be too small where something beside noise scatters: neighbours tell.
        steps = [
            (b.value - a.value) ** 2 / (a.sigma**2 + b.sigma**2)
            for a, b in zip(list(self._reference)[:-1], list(self._reference)[1:], strict=True)
        ]
        wider = max(1.0, math.fsum(steps) / len(steps))
        return mean, math.sqrt(wider * (seen.sigma**2 + 1.0 / total))

    def _warmer(self, seen: Seen) -> bool:
        known = [s.temperature for s in self._reference if math.isfinite(s.temperature)]
        if not known or not math.isfinite(seen.temperature):
            return False
        return abs(seen.temperature - math.fsum(known) / len(known)) > _WARMER

    def _restart(self) -> None:
        self._reference.clear()
        self._pending.clear()
        self._sums = dict.fromkeys(self._sums, 0.0)
        self._above = 0


_SIGNS: dict[Direction, tuple[int, ...]] = {"falls": (-1,), "rises": (1,), "moves": (-1, 1)}
