"""When crystals appear, or something breaks down: a one-sided cumulative sum with its caution."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from livepdf.analysis.declared import ALL_WINDOWS, HEATER, STRUCTURE, TEMPERATURE, Declared, More

ENOUGH_PHOTONS = 1e7
"""Counts on the detector inside the fitted Q range that one step of the search must hold. With
fewer, what noise the references keep offsets z by about its own σ: a step then spans windows."""
_CLIP = 0.5
"""Part of the threshold that one step may add at most: a stray frame alone cannot raise it."""
_CONSECUTIVE = 2
_PRESENT = 3.0
"""Times σ: then there is something, whatever the sum says."""
_DOUBT = 2.0
"""Times the σ of the baseline's mean that the allowance is widened by: an error of the mean is in
every step that follows."""
_SCATTER = (0.4, 1.8)
"""Of z about its mean in the baseline: outside, the σ of the data are wrong."""

SEARCH = Declared(
    name="onset",
    gives=("onset", "an event"),
    takes=("crystalline amplitude", "quality flags", ALL_WINDOWS),
    needs=(STRUCTURE,),
    more=(
        More(gives="a baseline that goes up to the heater", need=HEATER),
        More(gives="the same without a mark", need=TEMPERATURE),
    ),
    cost=0.01,
)
State = Literal["waiting", "armed", "found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How much evidence raises the alarm (Page 1954)."""

    allowance: float = 1.0
    """In σ: a mean shift below this never adds up. Residual offsets of z are 0.4 to 0.9."""
    threshold: float = 8.0
    """In σ; with an allowance of 1, noise alone reaches it once in about 10⁷ steps."""
    baseline: int = 20
    """Steps before the heater, or from the start, that z is referred to."""

    def __post_init__(self) -> None:
        if not (self.allowance > 0.0 and self.threshold > 0.0 and self.baseline >= 2):
            raise ValueError(f"allowance, threshold and baseline must be positive: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one window says about whether there are crystals."""

    number: int
    """Of the window."""
    time: float
    """s, middle of the window."""
    z: float
    """Signed amplitude of a template over its σ: unit noise, linear in the data; NaN where there
    is none."""
    photons: float
    """Counts in the fitted Q range."""
    flaw: str = ""
    """Why the window must not be used; empty when it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """Between which windows it began."""

    earliest: float
    """s, last step whose amplitude is not above zero, with no evidence left from before it:
    nothing need have been there."""
    latest: float
    """s, first step where the amplitude is more than three times its σ."""
    first: int
    """Number of the window at ``earliest``."""
    last: int
    """Number of the window at ``latest``."""
    noticed: int
    """Number of the window with which the alarm was raised."""

    @property
    def middle(self) -> float:
        """Middle of the interval, s."""
        return 0.5 * (self.earliest + self.latest)

    @property
    def sigma(self) -> float:
        """One standard deviation of a time anywhere in the interval, s."""
        return (self.latest - self.earliest) / math.sqrt(12.0)


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    time: float
    z: float


class OnsetSearch:
    """Takes windows in order and says when the amplitude has begun to rise.

    The sum of z − mean − allowance never falls below 0; the alarm is raised when it has been above
    the threshold for two steps that both add to it. z is referred to the last steps before the
    heater goes on, or to the first steps of the run where nobody tells of a heater.
    """

    def __init__(self, rule: Rule | None = None, *, enough: float = ENOUGH_PHOTONS) -> None:
        self.rule = Rule() if rule is None else rule
        self._enough = enough
        self._cold: deque[_Step] = deque(maxlen=self.rule.baseline)
        self._frozen = False
        self._mean = math.nan
        self._sum = 0.0
        self._above = 0
        self._quiet: _Step | None = None
        self._present: _Step | None = None
        self._gathered: list[Sighting] = []
        self._last: Sighting | None = None
        self.onset: Onset | None = None
        """Set once."""

    @property
    def state(self) -> State:
        """How far the search is."""
        if self.onset is not None:
            return "found"
        return "armed" if math.isfinite(self._mean) else "waiting"

    @property
    def evidence(self) -> float:
        """The sum, in σ; the alarm comes above the threshold."""
        return self._sum

    @property
    def reason(self) -> str:
        """Why there is no onset."""
        if self.onset is not None:
            return ""
        if self._last is not None and self._last.flaw:
            return f"not judged: {self._last.flaw}"
        if self._gathered:
            have = sum(s.photons for s in self._gathered)
            return f"waits for photons: {have:.1e} of {self._enough:.0e} since the last step"
        if math.isfinite(self._mean):
            return "none so far"
        if self._frozen:
            return f"not armed: {self._how_many()} before the heater"
        if len(self._cold) == self.rule.baseline:
            return "not armed: the baseline scatters more or less than its σ says"
        return f"baseline: {self._how_many()} so far"

    def heat(self) -> None:
        """Say that the heater goes on: what came before is the baseline, and nothing after it."""
        if self.onset is None and not self._frozen:
            self._frozen = True
            self._arm()
            self._sum, self._above, self._quiet, self._present = 0.0, 0, self._newest(), None

    def add(self, sighting: Sighting) -> Onset | None:
        """Take the next window; return the onset when this one proves it."""
        self._last = sighting
        if sighting.flaw or not math.isfinite(sighting.z) or self.onset is not None:
            return None
        self._gathered.append(sighting)
        if sum(s.photons for s in self._gathered) < self._enough:
            return None
        step = _together(self._gathered)
        self._gathered = []
        return self._step(step)

    def _step(self, step: _Step) -> Onset | None:
        if not math.isfinite(self._mean):
            if not self._frozen:
                self._cold.append(step)
                self._quiet = step
                self._arm()
            return None
        if not self._frozen:
            # A heater may still go on: then this belongs to what came just before it.
            self._cold.append(step)
        above = step.z - self._mean
        if above <= 0.0 and self._sum == 0.0:
            self._quiet, self._present = step, None
        elif above > _PRESENT and self._present is None:
            self._present = step
        gain = min(above - self._allowance, _CLIP * self.rule.threshold)
        self._sum = max(0.0, self._sum + gain)
        if self._sum == 0.0:
            # A stray window, as nothing was left of what it told.
            self._present = None
        self._above = self._above + 1 if self._sum > self.rule.threshold and gain > 0.0 else 0
        if self._above < _CONSECUTIVE:
            return None
        return self._found(step)

    @property
    def _allowance(self) -> float:
        return self.rule.allowance + _DOUBT / math.sqrt(self.rule.baseline)

    def _found(self, step: _Step) -> Onset:
        quiet, present = self._quiet or step, self._present or step
        self.onset = Onset(
            earliest=quiet.time,
            latest=present.time,
            first=quiet.number,
            last=present.number,
            noticed=step.number,
        )
        return self.onset

    def _arm(self) -> None:
        steps = [step.z for step in self._cold]
        if len(steps) < self.rule.baseline:
            self._mean = math.nan
            return
        mean = math.fsum(steps) / len(steps)
        scatter = math.sqrt(math.fsum((z - mean) ** 2 for z in steps) / (len(steps) - 1))
        self._mean = mean if _SCATTER[0] < scatter < _SCATTER[1] else math.nan

    def _newest(self) -> _Step | None:
        return self._cold[-1] if self._cold else None

    def _how_many(self) -> str:
        return f"{len(self._cold)} of {self.rule.baseline} steps"


def _together(sightings: list[Sighting]) -> _Step:
    # The sum of m numbers with unit noise has √m; their signal grows with m.
    z = math.fsum(s.z for s in sightings) / math.sqrt(len(sightings))
    middle = sightings[len(sightings) // 2]
    return _Step(number=middle.number, time=middle.time, z=z)
