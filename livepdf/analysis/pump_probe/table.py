"""Sums of shots by class, delay bin and time slot: added in any order, merged over workers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from livepdf.model.shot import Shot

Key = tuple[bool, int, int]
"""Laser on, delay bin, time slot. Shots without the laser are all in bin 0: they have no delay."""


@dataclass(slots=True, kw_only=True, eq=False)
class SlotSums:
    """What the shots of one class, bin and slot add up to."""

    shots: int = 0
    incident: NDArray[np.float64]
    """(n_q,) Σ I0 over the shots that have a value there."""
    excess: NDArray[np.float64]
    """(n_q,) Σ (I − reference × I0): small numbers, so that nothing cancels."""
    moments: NDArray[np.float64] | None = None
    """(3, n_q) number of shots with a value, Σ I0², Σ I0 × excess; where a table keeps them."""

    def take(self, other: "SlotSums") -> None:
        """Add another one to this."""
        self.shots += other.shots
        self.incident += other.incident
        self.excess += other.excess
        if self.moments is not None and other.moments is not None:
            self.moments += other.moments


@dataclass(slots=True, kw_only=True, eq=False)
class ShotTable:
    """All that is kept of a pump-probe run; `add` and `merge` change it in place.

    Slots are runs of 2^level consecutive trains, so that each difference compares shots of the
    same time. When there are too many sums, slots are joined in pairs: memory stays bounded.
    """

    reference: NDArray[np.float64]
    """(n_q,) I / I0 as first seen; any finite curve near it serves."""
    edges: NDArray[np.float64]
    """(n_bins + 1,) s, increasing: limits of the delay bins."""
    level: int = 4
    limit: int = 4096
    """Of sums kept: each takes 16 bytes × n_q."""
    moments: bool = False
    """Whether to keep what a straight line of I over I0 needs: 2.5 times the memory."""
    outside: int = 0
    """Shots whose delay is in no bin."""
    sums: dict[Key, SlotSums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.edges.ndim != 1 or len(self.edges) < 2 or not np.all(np.diff(self.edges) > 0):
            raise ValueError(f"delay edges must increase; found {self.edges}")
        if not np.all(np.isfinite(self.reference)):
            raise ValueError("the reference must be finite everywhere")

    @property
    def bins(self) -> int:
        """Number of delay bins."""
        return len(self.edges) - 1

    def add(self, shot: Shot) -> None:
        """Add a lit shot; ValueError for one of another class."""
        if shot.label.kind not in ("on", "off"):
            raise ValueError(f"a {shot.label.kind!r} shot has no place in a difference")
        on = shot.label.kind == "on"
        number = int(np.searchsorted(self.edges, shot.label.delay, side="right")) - 1 if on else 0
        if not 0 <= number < self.bins:
            self.outside += 1
            return
        known = np.isfinite(shot.iq)
        incident = np.where(known, shot.label.i0, 0.0)
        excess = np.where(known, shot.iq - self.reference * shot.label.i0, 0.0)
        key = (on, number, shot.id[0] >> self.level)
        moments = None
        if self.moments:
            moments = np.stack([known.astype(np.float64), incident**2, incident * excess])
        self._take(key, SlotSums(shots=1, incident=incident, excess=excess, moments=moments))

    def merge(self, other: "ShotTable") -> None:
        """Add what another worker has; ValueError when the two do not fit."""
        same = np.array_equal(self.reference, other.reference)
        if not same or not np.array_equal(self.edges, other.edges):
            raise ValueError("tables of different reference or delay bins do not merge")
        if self.moments != other.moments:
            raise ValueError("a table that keeps moments does not merge with one that does not")
        while self.level < other.level:
            self._coarsen()
        for (on, number, slot), sums in other.sums.items():
            copied = SlotSums(
                shots=sums.shots,
                incident=sums.incident.copy(),
                excess=sums.excess.copy(),
                moments=None if sums.moments is None else sums.moments.copy(),
            )
            self._take((on, number, slot >> (self.level - other.level)), copied)
        self.outside += other.outside

    def of(self, *, on: bool, number: int = 0) -> Iterator[tuple[int, SlotSums]]:
        """Yield slot and sums of one class and bin, in order of time."""
        found = (key for key in self.sums if key[0] == on and key[1] == number)
        for key in sorted(found, key=lambda key: key[2]):
            yield key[2], self.sums[key]

    def shots(self, *, on: bool, number: int = 0) -> int:
        """Return how many shots a class has in a bin."""
        return sum(sums.shots for _, sums in self.of(on=on, number=number))

    def _take(self, key: Key, sums: SlotSums) -> None:
        if key in self.sums:
            self.sums[key].take(sums)
            return
        self.sums[key] = sums
        while len(self.sums) > max(self.limit, 2 * self.bins):
            self._coarsen()

    def _coarsen(self) -> None:
        """Join the slots in pairs."""
        old, self.sums = self.sums, {}
        self.level += 1
        for (on, number, slot), sums in sorted(old.items(), key=lambda item: item[0]):
            key = (on, number, slot >> 1)
            if key in self.sums:
                self.sums[key].take(sums)
            else:
                self.sums[key] = sums
