"""Each frame against those before it: whether beam, sample and detector are as they were."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.quality.limits import BELOW, Limits
from livepdf.analysis.quality.rings import Look
from livepdf.model.quality import FLAGS
from livepdf.model.sums import Sums
from livepdf.numerics.frame_measures import (
    Measures,
    band_edges,
    learnt,
    lower,
    measure,
    parts,
    smooth_bins,
)

Floats = NDArray[np.float64]

BANDS = 32
_RESTART = 3.0
"""Times the usual counts: what was usual was no beam, and this frame begins anew."""
_PATIENCE = 5
"""Times the memory that a changed beam or sample may last; then it is what is usual."""
_SLOW = frozenset({"capillary shift", "background drift", "texture", "spotty rings", "zingers"})
"""Flags of frames that become part of what is usual all the same: only a change raises the first,
and the others do not depend on it."""
_LOOKS = 3
"""First looks of a run that say how spotty its rings usually are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with one frame."""

    flags: tuple[str, ...]
    numbers: Mapping[str, float]
    """By flag; those that could be measured."""


class Judge:
    """Judges the frames of one run, in order; numbers are relative to unflagged frames before."""

    def __init__(self, limits: Limits, *, bins: int, cells: Sequence[Floats] = ()) -> None:
        """Make it.

        Parameters
        ----------
        cells : (n,) each
            Patterns of the backgrounds, the cell's first where it is known.
        """
        self.limits = limits
        self._edges = band_edges(bins, BANDS)
        self._usual = np.full(bins, np.nan)
        self._smooth = np.ones(bins, dtype=np.bool_)
        self._learnt = 0
        self._level = self._monitor = self._pixels = math.nan
        self._cells = [np.nan_to_num(cell) for cell in cells]
        self._cell = np.zeros(self._edges.size - 1)
        self._first: Floats | None = None
        self._drift = math.nan
        self._odd = 0
        self._since = 0
        self._spots: deque[float] = deque(maxlen=_LOOKS)

    def judge(self, sums: Sums, look: Look | None = None) -> Verdict:
        """Judge a frame; it becomes part of what is usual where nothing is wrong with it."""
        found = measure(
            signal=sums.signal,
            variance=sums.variance,
            weight=sums.weight,
            pixels=sums.pixels,
            usual=self._usual,
            smooth=self._smooth,
            edges=self._edges,
        )
        numbers = self._numbers(sums, found)
        if look is not None:
            self._add_look(numbers, look)
        flags = self._flags(numbers)
        self._learn(sums, found, flags)
        return Verdict(flags=flags, numbers={flag: float(x) for flag, x in numbers.items()})

    def _numbers(self, sums: Sums, found: Measures) -> dict[str, float]:
        level = found.counts / sums.exposure if sums.exposure > 0 else found.counts
        numbers: dict[str, float] = {}
        known = self._learnt > 0
        if known and level > _RESTART * self._level:
            self._forget()
            known = False
        monitor = self._put_monitor(sums, numbers, known)
        if not known:
            return numbers
        missing = max(0.0, 1.0 - found.pixels / self._pixels) if self._pixels > 0 else math.nan
        numbers["dead modules"] = missing
        numbers["saturation"] = 0.0 if missing >= self.limits.dead_modules else missing
        numbers["zingers"] = float(found.spikes)
        self._put_beam(numbers, found, level / self._level, monitor)
        if math.isfinite(self._drift):
            numbers["background drift"] = self._drift
        return numbers

    def _put_monitor(self, sums: Sums, numbers: dict[str, float], known: bool) -> float:
        ratio = sums.monitor / self._monitor if self._monitor > 0 else math.nan
        if known and math.isfinite(ratio):
            numbers["monitor jump"] = abs(ratio - 1.0)
        return ratio

    def _put_beam(
        self, numbers: dict[str, float], found: Measures, level: float, monitor: float
    ) -> None:
        """Tell a weaker beam, which scales all, from a sample that is gone, which does not."""
        beam = level if math.isnan(monitor) else min(level, monitor)
        sample, more, shape = parts(found.signal, found.usual, self._cell * found.weight)
        cell = abs(more)
        changed = shape > self.limits.capillary_shift or cell > self.limits.capillary_shift
        steady = abs(monitor - 1.0) < self.limits.monitor_jump
        if level > self.limits.beam_lost and (steady or (changed and math.isnan(monitor))):
            beam = monitor if steady else 1.0
        numbers["beam lost"] = numbers["beam low"] = beam
        if beam < self.limits.beam_low:
            return
        gone = max(0.0, 1.0 - (sample if math.isfinite(sample) else level) / beam)
        numbers["bubble"] = gone if changed or steady else 0.0
        numbers["capillary shift"] = max(shape, cell) if gone <= self.limits.bubble else 0.0

    def _add_look(self, numbers: dict[str, float], look: Look) -> None:
        numbers["saturation"] = look.saturated
        numbers["dead modules"] = max(look.dead, numbers.get("dead modules", 0.0))
        if math.isfinite(look.texture):
            numbers["texture"] = look.texture
        if math.isfinite(look.spots):
            if len(self._spots) < _LOOKS:
                self._spots.append(look.spots)
            # Statistics alone gives about 1: a detector cannot do better.
            numbers["spotty rings"] = look.spots / max(1.0, min(self._spots))

    def _flags(self, numbers: Mapping[str, float]) -> tuple[str, ...]:
        raised = []
        for flag, value in numbers.items():
            limit = self.limits.of(flag)
            if (value < limit) if flag in BELOW else (value >= limit):
                raised.append(flag)
        if "beam lost" in raised:
            # Without a beam all else is its consequence.
            return ("beam lost",)
        return tuple(flag for flag in FLAGS if flag in raised)

    def _learn(self, sums: Sums, found: Measures, flags: tuple[str, ...]) -> None:
        """Let the frame become part of what is usual, unless it is odd; that passes in time."""
        odd = not _SLOW.issuperset(flags)
        self._odd = self._odd + 1 if odd else 0
        if odd and ("beam lost" in flags or self._odd < _PATIENCE * self.limits.memory):
            return
        if odd:
            self._forget()
        share = 1.0 / min(self._learnt + 1, self.limits.memory)
        self._usual = learnt(self._usual, signal=sums.signal, weight=sums.weight, share=share)
        level = found.counts / sums.exposure if sums.exposure > 0 else found.counts
        self._level = _mixed(self._level, level, share)
        self._monitor = _mixed(self._monitor, sums.monitor, share)
        self._pixels = _mixed(self._pixels, found.pixels, share)
        self._learnt += 1
        self._since += 1
        if self._since >= self.limits.memory or self._learnt == 1:
            self._smooth = smooth_bins(self._usual, self._edges)
            self._cell = self._cell_bands()
        if self._since >= self.limits.memory:
            self._since = 0
            self._look_back()

    def _cell_bands(self) -> Floats:
        """Return the mean intensity of the cell in the smooth bins of each band."""
        if not self._cells:
            return self._cell
        first, end = self._edges[:-1], self._edges[-1]
        kept = np.where(self._smooth, self._cells[0], 0.0)[:end]
        number = np.add.reduceat(self._smooth[:end].astype(np.float64), first)
        return np.asarray(np.add.reduceat(kept, first) / np.maximum(number, 1.0))

    def _look_back(self) -> None:
        """Compare what is usual now with the first frames of the run."""
        now = lower(self._usual, self._edges, share=0.25)
        if self._first is None:
            self._first = now
            return
        columns = [self._first, *(lower(cell, self._edges, share=0.25) for cell in self._cells)]
        table = np.array([c / c.mean() for c in columns if c.mean() > 0]).T
        usable = np.isfinite(table).all(axis=1) & np.isfinite(now)
        if table.shape[1] < 2 or np.count_nonzero(usable) < 2 * table.shape[1]:
            return
        shares, *_ = np.linalg.lstsq(
            table[usable], now[usable] / self._first[usable].mean(), rcond=None
        )
        self._drift = float(np.abs(shares[1:]).max())

    def _forget(self) -> None:
        self._usual = np.full(self._usual.shape, np.nan)
        self._learnt = self._odd = self._since = 0
        self._level = self._monitor = math.nan


def _mixed(old: float, new: float, share: float) -> float:
    return new if math.isnan(old) else old + share * (new - old) if math.isfinite(new) else old
