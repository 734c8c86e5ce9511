"""What the records of a frame say of its shot, by the rules of a recipe; every shot is counted."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe import classify
from livepdf.analysis.pump_probe.classify import ShotError, ShotRules
from livepdf.analysis.pump_probe.delay import DelayPart
from livepdf.config import pump_probe as config
from livepdf.config.shots import Parity
from livepdf.daemon.assemble import Pipeline
from livepdf.model.frame import Frame
from livepdf.model.laser import Limits, ShotCounts
from livepdf.model.shot import ShotLabel
from livepdf.model.sums import Sums
from livepdf.numerics.compton import HC
from livepdf.numerics.regroup import bin_limits, regrouped
from livepdf.numerics.rewindow import Window, peak_width

MONITOR = "monitor"
"""Name of the frame's own I0 among the values of a shot."""


def shot_rules(
    *,
    laser: config.Flag | Parity | None,
    i0: config.Gate,
    energy: config.Gate | None = None,
    xrays: Sequence[config.Flag] = (),
    parts: Sequence[config.DelayPart] = (),
    arrival: config.DelayPart | None = None,
    arrival_gates: Sequence[config.Gate] = (),
    darks_first: bool = False,
) -> ShotRules:
    """Return the rules that a recipe tells."""
    return ShotRules(
        laser=_flag(laser) if isinstance(laser, config.Flag) else laser,
        i0=_gate(i0),
        energy=None if energy is None else _gate(energy),
        parts=[_part(part) for part in parts],
        arrival=None if arrival is None else _part(arrival),
        arrival_gates=[_gate(gate) for gate in arrival_gates],
        xrays=[_flag(flag) for flag in xrays],
        darks_first=darks_first,
    )


class ShotBook:
    """Labels shots and counts where each ended: classes + rejected = received."""

    def __init__(self, rules: ShotRules) -> None:
        self._rules = rules
        self._first_lit: int | None = None
        self._classes: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self.received = 0
        self.outside = 0
        """In a class, but in no bin of what they are put in order by."""
        self.time = math.nan
        """Unix seconds of the newest shot."""

    def label(self, frame: Frame) -> ShotLabel | None:
        """Return what a shot is; None where it is rejected, which is counted."""
        self.received += 1
        self.time = frame.time
        try:
            return self._label(frame)
        except ShotError as error:
            self._rejected[error.reason] += 1
            return None

    def put(self, name: str) -> None:
        """Count a labelled shot to a class."""
        self._classes[name] += 1

    def reject(self, reason: str) -> None:
        """Count a labelled shot as rejected after all."""
        self._rejected[reason] += 1

    def counts(self) -> ShotCounts:
        """Return where all shots so far ended."""
        return ShotCounts(
            received=self.received,
            classes=tuple(sorted(self._classes.items())),
            rejected=tuple(sorted(self._rejected.items())),
            outside=self.outside,
        )

    def _label(self, frame: Frame) -> ShotLabel:
        record: dict[str, float | None] = dict(frame.environment)
        record[MONITOR] = frame.monitor
        label = classify.classify(record, train=frame.index, rules=self._rules)
        if label.kind in ("on", "off"):
            lowest = frame.index if self._first_lit is None else self._first_lit
            self._first_lit = min(frame.index, lowest)
        elif label.kind == "dark" and self._rules.darks_first and self._first_lit is not None:
            raise ShotError("dark after the first lit shot", f"frame {frame.index}")
        return label


class ShotAxis:
    """Brings the sums of each shot to the Q axis of the calibration, by its photon energy."""

    def __init__(self, pipeline: Pipeline, *, told: bool) -> None:
        """``told``: whether shots tell their energy; the bins must be equidistant then."""
        self._nominal = HC / pipeline.geometry.wavelength
        self._limits = bin_limits(pipeline.plan.q) if told else np.zeros(0)

    def moved(self, sums: Sums, label: ShotLabel) -> Sums:
        """Return the sums at their own Q; as they are where the energy is not told."""
        if not math.isfinite(label.energy) or not self._limits.size:
            return sums
        rows = np.stack([sums.signal, sums.variance, sums.weight, sums.pixels])
        factor = label.energy / self._nominal
        signal, variance, weight, pixels = regrouped(rows, limits=self._limits, factor=factor)
        return replace(sums, signal=signal, variance=variance, weight=weight, pixels=pixels)


def gr_limits(pipeline: Pipeline) -> Limits:
    """Return what of Q goes into G(r), and how wide one sharp distance is in it."""
    chosen = pipeline.plan.parameters
    window = Window(qmin=chosen.qmin, qmax=chosen.qmax, taper=chosen.taper)
    return Limits(
        qmin=chosen.qmin,
        qmax=chosen.qmax,
        taper=chosen.taper,
        width=peak_width(window),
        width_untapered=peak_width(Window(qmin=chosen.qmin, qmax=chosen.qmax)),
    )


def static_pixels(pipeline: Pipeline) -> NDArray[np.float64] | None:
    """Return the pixels of each bin when none is lost in a shot, (n_q,); None where unknown."""
    totals = getattr(pipeline.integrator.projection, "totals", None)
    if totals is None:
        return None
    whole: NDArray[np.float64] = totals.pixels.reshape(pipeline.integrator.sectors, -1).sum(axis=0)
    return whole


def band_mean(q: NDArray[np.float64], iq: NDArray[np.float64], band: Sequence[float]) -> float:
    """Return the mean of a pattern over a band of Q in Å⁻¹, NaN where it has nothing there."""
    inside = iq[(q >= band[0]) & (q <= band[1])]
    known = inside[np.isfinite(inside)]
    return float(known.mean()) if known.size else math.nan


def _flag(flag: config.Flag) -> classify.Flag:
    return classify.Flag(name=flag.name, yes=tuple(flag.yes), no=tuple(flag.no))


def _gate(gate: config.Gate) -> classify.Gate:
    low = -math.inf if gate.low is None else gate.low
    return classify.Gate(name=gate.name, low=low, high=math.inf if gate.high is None else gate.high)


def _part(part: config.DelayPart) -> DelayPart:
    return DelayPart(name=part.name, unit=part.unit, sign=part.sign, reference=part.reference)
