"""Follows shots with and without a laser and says now and then what the laser does."""

import math
import threading
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.censored import Censored, without_bins
from livepdf.analysis.pump_probe.counting import CountingNoise
from livepdf.analysis.pump_probe.delay import DelayPart
from livepdf.analysis.pump_probe.delay_map import components, of_differences
from livepdf.analysis.pump_probe.difference import Difference, Grouped, grouped, of_groups, sides
from livepdf.analysis.pump_probe.recent import RecentShots, tool_warning
from livepdf.analysis.pump_probe.regression import regressed
from livepdf.analysis.pump_probe.significance import convergence, interleaving, significance
from livepdf.analysis.pump_probe.table import ShotTable
from livepdf.config import pump_probe as config
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.shot_labels import (
    ShotAxis,
    ShotBook,
    band_mean,
    gr_limits,
    shot_rules,
    static_pixels,
)
from livepdf.model.frame import Frame
from livepdf.model.laser import LaserReport, LaserTest
from livepdf.model.shot import Shot
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.difference import linear_gr, reference_plan
from livepdf.reduction.plan import Plan

SIGMA_IS = "block jackknife over the shots"
_FIRST = 32
"""Lit shots that tell the reference curve before sums begin."""
_SHOWN_COMPONENTS = 4
_MOST_SUMS = 4096
"""Of a class, a bin and a slot of time that are kept, 16 bytes × n_q each."""
_STANDS_OUT = 1.1
"""Strength from which on a component is more than noise."""
_GROWN = 1.5
"""Times the shots at which the edge over the delay is looked at again."""
_OF_GR = ("dgr", "dgr_sigma", "off_gr", "off_gr_sigma", "on_gr_sigma")


class LaserFollower:
    """One run's shots: `take` by the collector, `report` by any thread."""

    def __init__(self, settings: config.PumpProbe, pipeline: Pipeline, *, run: str) -> None:
        self._book = ShotBook(
            shot_rules(
                laser=settings.laser,
                i0=settings.i0,
                energy=settings.energy,
                xrays=settings.xrays,
                parts=settings.delay,
                arrival=settings.arrival,
                arrival_gates=settings.arrival_gates,
                darks_first=settings.darks_first,
            )
        )
        self._axis = ShotAxis(pipeline, told=settings.energy is not None)
        whole = static_pixels(pipeline)
        self._censored = None if whole is None else Censored(whole)
        self._settings = settings
        self._pipeline = pipeline
        self._run = run
        self._lock = threading.Lock()
        self._early: list[Shot] = []
        self._table: ShotTable | None = None
        edges, n_q = bin_edges(settings), pipeline.plan.q.size
        self._counting = CountingNoise(edges=edges, n_q=n_q)
        self._recent = None if settings.arrival is None else RecentShots(n_q)
        self._looked_at = 0
        self._tool = ""
        """Why the arrival-time tool is in doubt."""

    @property
    def received(self) -> int:
        """Shots so far."""
        return self._book.received

    @property
    def busy(self) -> bool:
        """Whether more is to be reported without a new shot."""
        return False

    def take(self, frame: Frame, sums: Sums) -> None:
        """Book a shot; every one ends in one class or is rejected under one reason."""
        with self._lock:
            label = self._book.label(frame)
            if label is None:
                return
            self._book.put(label.kind)
            if label.kind in ("on", "off"):
                if self._censored is not None:
                    self._censored.add(label.kind, sums.pixels)
                iq, sigma = intensity(self._axis.moved(sums, label))
                shot = self._normalised(Shot(id=(frame.index, 0), label=label, iq=iq))
                self._counting.add(shot.label, sigma=sigma)
                self._add(shot)
                if self._recent is not None and label.kind == "on":
                    self._recent.add(shot)

    def report(self) -> LaserReport:
        """Return all that is known now; empty curves before the first shots."""
        with self._lock:
            self._book.outside = 0 if self._table is None else self._table.outside
            counts, time = self._book.counts(), self._book.time
            left_out, saturated = self._left_out()
            table = self._table or self._begun()
            groups = [self._gathered(table, number) for number in range(table.bins)]
            turns = _turns(table)
            counting = [self._counting.sigma(number) for number in range(table.bins)]
        groups = [without_bins(group, left_out) for group in groups]
        found = [of_groups(group) for group in groups]
        best = int(np.argmax([one.on for one in found]))
        growth = convergence(groups[best])
        said = (interleaving(*turns), growth.warning, saturated)
        warnings = [words for words in said if words]
        tests = []
        for group, one in zip(groups, found, strict=True):
            test, grown = significance(group), convergence(group)
            tests.append(
                LaserTest(
                    shots=one.on,
                    p=test.p,
                    z=test.z,
                    shots_to_five_sigma=test.shots_to_five_sigma,
                    slope=grown.slope,
                    split_half=grown.split_half,
                    reason=test.reason,
                )
            )
        delays = (table.edges[1:] + table.edges[:-1]) / 2
        both = [sides(group) for group in groups]
        gr = self._gr(table.reference, both, warnings)
        strength, curves, over = _components(found, delays)
        if strength.size and strength[0] > _STANDS_OUT:
            self._look_at_tool(curves[0], found[best].sigma)
        warnings += [self._tool] if self._tool else []
        return LaserReport(
            run=self._run,
            time=time,
            counts=counts,
            sigma_is=SIGMA_IS,
            normalised=_words(self._settings),
            limits=gr_limits(self._pipeline),
            delays=delays,
            edges=table.edges,
            q=self._pipeline.plan.q,
            diq=np.array([one.value for one in found], dtype=np.float32),
            diq_sigma=np.array([one.sigma for one in found], dtype=np.float32),
            off_iq=np.array([off.value for _, off in both], dtype=np.float32),
            off_iq_sigma=np.array([off.sigma for _, off in both], dtype=np.float32),
            on_iq_sigma=np.array([on.sigma for on, _ in both], dtype=np.float32),
            r=self._pipeline.plan.r,
            **gr,
            tests=tuple(tests),
            growth_shots=growth.shots,
            growth_sigma=growth.sigma,
            # A slope scatters more than photons alone tell.
            counting_sigma=math.nan if table.moments else _rms(counting[best]),
            strength=strength,
            components=curves,
            component_delays=over,
            warnings=tuple(warnings),
        )

    def _left_out(self) -> tuple[NDArray[np.bool_], str]:
        """Return the bins with too many saturated pixels, (n_q,), and what people must know."""
        q = self._pipeline.plan.q
        if self._censored is None:
            return np.zeros(q.shape, dtype=np.bool_), ""
        return self._censored.flagged(), self._censored.warning(q)

    def _look_at_tool(self, curve: NDArray[np.float32], sigma: NDArray[np.float64]) -> None:
        """See whether the arrival-time tool makes the edge sharper, each time there is more."""
        if self._recent is None:
            return
        with self._lock:
            if self._recent.added < _GROWN * self._looked_at:
                return
            self._looked_at, kept = self._recent.added, self._recent.kept()
        self._tool = tool_warning(kept, curve=curve.astype(np.float64), sigma=sigma)

    def _add(self, shot: Shot) -> None:
        if self._table is None:
            self._early.append(shot)
            if len(self._early) >= _FIRST:
                self._table = self._begun()
                self._early = []
            return
        self._table.add(shot)

    def _begun(self) -> ShotTable:
        """Begin a table with the shots so far, about their own mean."""
        n_q = self._pipeline.plan.q.size
        total, beam = np.zeros(n_q), np.zeros(n_q)
        for shot in self._early:
            known = np.isfinite(shot.iq)
            total += np.where(known, shot.iq, 0.0)
            beam += np.where(known, shot.label.i0, 0.0)
        reference = np.divide(total, beam, out=np.zeros(n_q), where=beam > 0)
        moments = self._settings.normalise == "regression"
        limit = _MOST_SUMS * 2 // 5 if moments else _MOST_SUMS
        table = ShotTable(
            reference=reference, edges=bin_edges(self._settings), limit=limit, moments=moments
        )
        for shot in self._early:
            table.add(shot)
        return table

    def _gathered(self, table: ShotTable, number: int) -> Grouped:
        """Return a bin of the delay in blocks of time, normalised as the recipe wants."""
        return regressed(table, number) if table.moments else grouped(table, number)

    def _normalised(self, shot: Shot) -> Shot:
        """Replace I0 by the mean over the band, where the recipe wants that."""
        if self._settings.band is None:
            return shot
        mean = band_mean(self._pipeline.plan.q, shot.iq, self._settings.band)
        return replace(shot, label=replace(shot.label, i0=mean))

    def _gr(
        self,
        reference: NDArray[np.float64],
        both: list[tuple[Difference, Difference]],
        warnings: list[str],
    ) -> dict[str, NDArray[np.float32]]:
        """Return ΔG and G without the laser by the names of the report, NaN where there is none."""
        plan = self._pipeline.plan
        rows = {
            name: np.full((len(both), plan.r.size), np.nan, dtype=np.float32) for name in _OF_GR
        }
        try:
            frozen = reference_plan(
                plan,
                intensity=reference,
                sigma=np.full(reference.shape, np.nan),
                revision=plan.revision,
            )
            for number, (on, off) in enumerate(both):
                if on.on and on.off:
                    for name, row in _transformed(frozen, on, off).items():
                        rows[name][number] = row
        except ValueError as error:
            warnings.append(f"no ΔG(r): {error}")
        return rows


def bin_edges(settings: config.PumpProbe) -> NDArray[np.float64]:
    """Return the edges of the delay bins in s."""
    scale = DelayPart(name="bins", unit=settings.bins.unit, sign=1, reference=0.0).scale
    return np.array(settings.bins.edges) * scale


def _words(settings: config.PumpProbe) -> str:
    if settings.normalise == "regression":
        return f"slope against I0 ({settings.i0.name}), its offset left free"
    if settings.band is None:
        return f"I0 ({settings.i0.name})"
    return f"mean of I between {settings.band[0]:g} and {settings.band[1]:g} Å⁻¹"


def _transformed(plan: Plan, on: Difference, off: Difference) -> dict[str, NDArray[np.float64]]:
    """Push shots with and without the laser through one transform, every block of time with them.

    What is taken off every pattern alike drops out of all but G without the laser itself.
    """
    with_laser, without = (
        linear_gr(plan, np.vstack([one.value, one.replicates])) for one in (on, off)
    )
    change = with_laser - without
    moved = off.moved(change[0], change[1:])
    unknown = np.full(off.value.shape, np.nan)
    whole = reduce_intensity(plan, intensity=off.value, sigma=unknown)[-1]
    return {
        "dgr": moved.value,
        "dgr_sigma": moved.sigma,
        "off_gr": whole.y,
        "off_gr_sigma": off.moved(without[0], without[1:]).sigma,
        "on_gr_sigma": on.moved(with_laser[0], with_laser[1:]).sigma,
    }


def _rms(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else math.nan


def _turns(table: ShotTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shots with and without the laser in each slot of time."""
    slots = sorted({slot for _, _, slot in table.sums})
    place = {slot: k for k, slot in enumerate(slots)}
    counts = np.zeros((2, len(slots)), dtype=np.int64)
    for (on, _, slot), sums in table.sums.items():
        counts[0 if on else 1, place[slot]] += sums.shots
    return counts[0], counts[1]


def _components(
    found: list[Difference], delays: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]:
    try:
        parts = components(of_differences(found, delays=delays))
    except ValueError:
        # Not one bin has an error yet.
        n_q = len(found[0].value)
        return np.zeros(0), np.zeros((0, n_q), dtype=np.float32), np.zeros((0, len(delays)))
    few = slice(0, _SHOWN_COMPONENTS)
    return parts.strength[few], parts.curves[few].astype(np.float32), parts.delays[few]
