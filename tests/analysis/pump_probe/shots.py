"""Shots with a known effect of the laser, drawn from first principles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.table import ShotTable
from livepdf.model.shot import Shot, ShotClass, ShotLabel

Q = np.linspace(0.5, 8.0, 200)
PATTERN = 1.0 + 0.5 * np.sin(3 * Q)
PEAK = np.exp(-0.5 * ((Q - 2.1) / 0.2) ** 2)


@dataclass(frozen=True, kw_only=True)
class Truth:
    shots: int = 2000
    photons: float = 1e4
    """Per bin and shot."""
    meter: float = 0.01
    """Relative error of the I0 meter."""
    effect: float = 0.0
    """Part of I that the laser changes at the peak."""
    dimmer: float = 1.0
    """I0 with the laser over that without."""
    drift: float = 0.0
    """Part by which the meter's gain changes over the run."""
    blocked: bool = False
    """First all without, then all with the laser."""


def shots(truth: Truth, *, seed: int) -> list[Shot]:
    random = np.random.default_rng(seed)
    n = truth.shots
    on = np.arange(n) >= n // 2 if truth.blocked else np.arange(n) % 2 == 0
    beam = np.clip(1 + 0.15 * random.standard_normal(n), 0.2, None)
    beam = np.where(on, truth.dimmer * beam, beam)
    mean = truth.photons * PATTERN * (1 + np.outer(on, truth.effect * PEAK)) * beam[:, None]
    counts = mean + np.sqrt(mean) * random.standard_normal(mean.shape)
    gain = 1 + truth.drift * np.arange(n) / n
    meter = gain * beam * (1 + truth.meter * random.standard_normal(n))
    return [
        shot(train, "on" if on[train] else "off", i0=meter[train], iq=counts[train])
        for train in range(n)
    ]


def shot(
    train: int, kind: ShotClass, *, i0: float, iq: NDArray[np.float64], delay: float = 0.0
) -> Shot:
    return Shot(id=(train, 0), label=ShotLabel(kind=kind, delay=delay, i0=i0), iq=iq)


def table(
    found: list[Shot], *, photons: float = 1e4, level: int = 4, limit: int = 4096
) -> ShotTable:
    made = ShotTable(
        reference=photons * PATTERN, edges=np.array([-1.0, 1.0]), level=level, limit=limit
    )
    for one in found:
        made.add(one)
    return made
