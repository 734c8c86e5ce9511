"""Patterns and records of shots brought together by their number, in whatever order they come."""

from collections import Counter, OrderedDict
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.classify import Record, ShotError, ShotRules, classify
from livepdf.model.shot import Shot, ShotId, ShotLabel

T = TypeVar("T")


class ShotJoin:
    """Pairs each pattern with its record; every pattern ends in exactly one counted place.

    At any time ``received == sum(classes) + sum(rejected) + waiting``.
    """

    def __init__(self, rules: ShotRules, *, patience: int = 1000) -> None:
        """``patience``: how many later patterns may come before a record is given up."""
        if patience < 1:
            raise ValueError(f"patience is {patience}, wanted at least 1")
        self._rules = rules
        self._patterns: _Waiting[NDArray[np.float64]] = _Waiting(patience)
        self._records: _Waiting[Record] = _Waiting(4 * patience)
        self._done: _Waiting[None] = _Waiting(16 * patience)
        self._first_lit: ShotId | None = None
        self.received = 0
        """Patterns."""
        self.classes: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        """By reason; ``duplicate`` and ``no record`` are among them."""

    @property
    def waiting(self) -> int:
        """Patterns whose record has not come."""
        return len(self._patterns)

    def pattern(self, shot: ShotId, iq: NDArray[np.float64]) -> Shot | None:
        """Take a pattern; return the shot when its record is there."""
        self.received += 1
        if shot in self._done or shot in self._patterns:
            self.rejected["duplicate"] += 1
            return None
        record = self._records.take(shot)
        if record is not None:
            return self._shot(shot, iq, record)
        lost = self._patterns.put(shot, iq)
        self.rejected["no record"] += len(lost)
        self._remember(lost)
        return None

    def record(self, shot: ShotId, values: Record) -> Shot | None:
        """Take a record; return the shot when its pattern is there."""
        if shot in self._done:
            return None
        iq = self._patterns.take(shot)
        if iq is not None:
            return self._shot(shot, iq, values)
        self._records.put(shot, values)
        return None

    def finish(self) -> None:
        """Give up the patterns that still wait: no record will come."""
        lost = self._patterns.clear()
        self.rejected["no record"] += len(lost)
        self._remember(lost)

    def _shot(self, shot: ShotId, iq: NDArray[np.float64], values: Record) -> Shot | None:
        self._remember([shot])
        try:
            label = classify(values, train=shot[0], rules=self._rules)
        except ShotError as error:
            self.rejected[error.reason] += 1
            return None
        if self._rules.darks_first and self._late(shot, label):
            self.rejected["dark after the first lit shot"] += 1
            return None
        self.classes[label.kind] += 1
        return Shot(id=shot, label=label, iq=iq)

    def _late(self, shot: ShotId, label: ShotLabel) -> bool:
        if label.kind in ("on", "off"):
            self._first_lit = min(shot, self._first_lit or shot)
            return False
        return self._first_lit is not None and shot > self._first_lit

    def _remember(self, shots: list[ShotId]) -> None:
        for shot in shots:
            self._done.put(shot, None)


class _Waiting(Generic[T]):
    """Things by shot, in order of arrival; the oldest go when there are too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[ShotId, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, shot: ShotId) -> bool:
        return shot in self._held

    def take(self, shot: ShotId) -> T | None:
        return self._held.pop(shot, None)

    def put(self, shot: ShotId, thing: T) -> list[ShotId]:
        """Hold it; return the shots that had to go."""
        self._held[shot] = thing
        gone = []
        while len(self._held) > self._limit:
            gone.append(self._held.popitem(last=False)[0])
        return gone

    def clear(self) -> list[ShotId]:
        gone = list(self._held)
        self._held.clear()
        return gone
