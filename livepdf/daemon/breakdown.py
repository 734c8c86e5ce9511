"""Follows a run in which every shot with the laser destroys its sample."""

import math
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.change_point import change_point
from livepdf.analysis.pump_probe.delay import DelayPart
from livepdf.analysis.pump_probe.wear import Templates, Wear, worn
from livepdf.config.breakdown import Breakdown
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.shot_labels import ShotAxis, ShotBook, band_mean, gr_limits, shot_rules
from livepdf.model.breakdown import BreakdownReport, Breaking
from livepdf.model.fraction import Fraction
from livepdf.model.frame import Frame
from livepdf.model.shot import ShotLabel
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.difference import linear_gr, reference_plan

Floats = NDArray[np.float64]
_FEWEST = 8
_SHOWN = 2000
"""Samples that are sent one by one."""
_MOST_PLACES = 150
"""Points that a change is looked for in: neighbouring samples are averaged."""
_COVERAGE = 0.95
_NAMES = (("order", "order left", ""), ("lattice", "lattice expansion", ""), ("size", "size", "Å"))


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    x: float
    curve: NDArray[np.float32]


class BreakdownFollower:
    """One run's shots: `take` by the collector, `report` by one other thread."""

    def __init__(self, settings: Breakdown, pipeline: Pipeline, *, run: str) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._run = run
        self._lock = threading.Lock()
        self._book = ShotBook(
            shot_rules(
                laser=settings.laser,
                i0=settings.i0,
                energy=settings.energy,
                xrays=settings.xrays,
                parts=settings.delay,
                arrival=settings.arrival,
                arrival_gates=settings.arrival_gates,
            )
        )
        self._axis = ShotAxis(pipeline, told=settings.energy is not None)
        self._broken: deque[_Sample] = deque(maxlen=settings.samples)
        self._intact: deque[_Sample] = deque(maxlen=settings.samples)
        self._edges = axis_edges(settings)
        self._shots = 0

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
            if label.kind not in ("on", "off"):
                self._book.put(label.kind)
                return
            x = self._where(frame, label)
            if math.isnan(x):
                self._book.reject(f"no {self._settings.fluence}")
                return
            iq, _ = intensity(self._axis.moved(sums, label))
            by = label.i0 if self._settings.band is None else self._mean(iq)
            if not by > 0:
                self._book.reject("nothing in the band")
                return
            self._book.put(label.kind)
            sample = _Sample(x, (iq / by).astype(np.float32))
            if label.kind == "off":
                self._intact.append(sample)
                return
            self._shots += 1
            self._broken.append(sample)
            if not self._edges[0] <= x <= self._edges[-1]:
                self._book.outside += 1

    def report(self) -> BreakdownReport:
        """Return all that is known now; empty curves before there is a bank."""
        with self._lock:
            counts, time = self._book.counts(), self._book.time
            broken, intact, shots = list(self._broken), list(self._intact), self._shots
        q, bins = self._pipeline.plan.q, len(self._edges) - 1
        curves = _stacked(broken, q.size)
        bank = _stacked(intact, q.size)
        x = np.array([one.x for one in broken])
        place = np.searchsorted(self._edges, x, side="right") - 1
        place[x == self._edges[-1]] = bins - 1
        mean, scatter, reason = _bank(bank)
        warnings: list[str] = []
        diq, sigma, numbers = _differences(curves, place, bins, mean, scatter, len(bank))
        dgr, dgr_sigma = self._gr(mean, bank, diq, numbers, warnings)
        measured = self._measured(curves, bank, mean, scatter, warnings)
        rows = (measured.order, measured.lattice, measured.size)
        errors = (measured.order_sigma, measured.lattice_sigma, measured.size_sigma)
        changes = [
            self._change(name, x, row, error)
            for name, row, error in zip(_NAMES, rows, errors, strict=True)
        ]
        binned = [_binned(row, error, place, bins) for row, error in zip(rows, errors, strict=True)]
        newest = slice(max(len(x) - _SHOWN, 0), None)
        return BreakdownReport(
            run=self._run,
            time=time,
            counts=counts,
            fractions=self._fractions(len(broken), shots),
            sigma_is=f"scatter from sample to sample of {len(bank)} intact ones",
            normalised=self._words(),
            limits=gr_limits(self._pipeline),
            along=self._settings.by,
            unit={"delay": "s", "fluence": "mJ/cm²", "shot": ""}[self._settings.by],
            log=self._settings.along.log,
            q=q,
            bank_shots=len(bank),
            bank_reason=reason,
            bank=mean.astype(np.float32),
            bank_scatter=scatter.astype(np.float32),
            x=self._middles(),
            x_edges=self._edges,
            shots=numbers,
            diq=diq.astype(np.float32),
            diq_sigma=sigma.astype(np.float32),
            r=self._pipeline.plan.r,
            dgr=dgr.astype(np.float32),
            dgr_sigma=dgr_sigma.astype(np.float32),
            measures=tuple(changes),
            values=np.array([value for value, _ in binned]),
            sigmas=np.array([error for _, error in binned]),
            sample_x=x[newest],
            sample_values=np.array([row[newest] for row in rows]),
            sample_sigmas=np.array([error[newest] for error in errors]),
            warnings=tuple(warnings),
        )

    def _where(self, frame: Frame, label: ShotLabel) -> float:
        """Return where on the axis a shot is; 0 for one without the laser."""
        if label.kind == "off":
            return 0.0
        if self._settings.by == "delay":
            return label.delay
        if self._settings.by == "shot":
            return float(frame.index)
        return frame.environment.get(self._settings.fluence or "", math.nan)

    def _mean(self, iq: Floats) -> float:
        return band_mean(self._pipeline.plan.q, iq, self._settings.band or (0.0, math.inf))

    def _words(self) -> str:
        band = self._settings.band
        if band is None:
            return f"I0 ({self._settings.i0.name})"
        return f"mean of I between {band[0]:g} and {band[1]:g} Å⁻¹"

    def _middles(self) -> Floats:
        low, high = self._edges[:-1], self._edges[1:]
        return np.sqrt(low * high) if self._settings.along.log else (low + high) / 2

    def _fractions(self, kept: int, shots: int) -> tuple[Fraction, ...]:
        why = "" if kept == shots else f"the newest {kept} are kept (breakdown.samples)"
        shown = min(kept, _SHOWN)
        return (
            Fraction(what="samples compared", done=kept, of=shots, why=why),
            Fraction(
                what="samples drawn one by one",
                done=shown,
                of=shots,
                why="" if shown == shots else "the newest",
            ),
        )

    def _gr(
        self,
        mean: Floats,
        bank: Floats,
        diq: Floats,
        numbers: NDArray[np.int64],
        warnings: list[str],
    ) -> tuple[Floats, Floats]:
        """Push the differences through the transform; σ from that of each intact sample."""
        plan = self._pipeline.plan
        value = np.full((len(diq), plan.r.size), np.nan)
        sigma = value.copy()
        filled = np.flatnonzero(numbers)
        if len(bank) < _FEWEST or not filled.size:
            return value, sigma
        try:
            unknown = np.full(mean.shape, np.nan)
            frozen = reference_plan(plan, intensity=mean, sigma=unknown, revision=plan.revision)
            value[filled] = linear_gr(frozen, diq[filled])
            scatter = linear_gr(frozen, bank[-500:] - mean).std(axis=0, ddof=1)
        except ValueError as error:
            warnings.append(f"no ΔG(r): {error}")
            return value, sigma
        sigma[filled] = scatter * np.sqrt(1 / numbers[filled] + 1 / len(bank))[:, None]
        return value, sigma

    def _measured(
        self, curves: Floats, bank: Floats, mean: Floats, scatter: Floats, warnings: list[str]
    ) -> Wear:
        plan, settings = self._pipeline.plan, self._settings
        low = plan.parameters.qmin if settings.qmin is None else settings.qmin
        high = plan.parameters.qmax if settings.qmax is None else settings.qmax
        inside = (plan.q >= low) & (plan.q <= high) & np.isfinite(mean) & (scatter > 0)
        inside &= np.isfinite(curves).all(axis=0) & np.isfinite(bank).all(axis=0)
        nothing = Wear(**dict.fromkeys(_WEAR, np.full(len(curves), np.nan)))
        if len(bank) < _FEWEST or not len(curves):
            return nothing
        inside = _longest(inside)
        q = plan.q[inside]
        if q.size < 50 or q[-1] - q[0] < 1.0:
            warnings.append(
                f"no order: patterns share only {q.size} filled bins between {low:g} and "
                f"{high:g} Å⁻¹"
            )
            return nothing
        spread = scatter[inside]
        f2 = np.interp(q, plan.fit_q, 1 / plan.mean_f2_inverse)
        templates = Templates(
            q=q,
            intact=mean[inside],
            weight=1 / np.maximum(spread, 0.2 * np.median(spread)),
            self_scattering=f2 / f2.mean(),
            diameter=math.nan if settings.size is None else settings.size,
            near=settings.near,
        )
        return worn(templates, curves[:, inside], intact=bank[:, inside])

    def _change(self, name: tuple[str, str, str], x: Floats, y: Floats, sigma: Floats) -> Breaking:
        known = np.isfinite(y) & (sigma > 0)
        at = x[known]
        if self._settings.along.log:
            known[known] = at > 0
            at = np.log10(x[known])
        at, value, error = _thinned(at, y[known], sigma[known])
        reason = ""
        if name[0] == "size" and self._settings.size is None:
            reason = "tell breakdown.size, the diameter of intact crystals"
        growth = math.log(10) if self._settings.along.log else 0.0
        found = change_point(at, value, sigma=error, growth=growth)
        back = (lambda v: float(10**v)) if self._settings.along.log else float
        return Breaking(
            name=name[0],
            label=name[1],
            unit=name[2],
            start=back(found.start),
            low=back(found.low),
            high=back(found.high),
            coverage=_COVERAGE,
            before=found.before,
            after=found.after,
            odds=found.odds,
            reason=reason or found.reason,
        )


_WEAR = ("order", "order_sigma", "lattice", "lattice_sigma", "size", "size_sigma")


def axis_edges(settings: Breakdown) -> Floats:
    """Return the limits of the bins, in s where samples are put in order by the delay."""
    along = settings.along
    scale = 1.0
    if along.unit is not None:
        scale = DelayPart(name="along", unit=along.unit, sign=1, reference=0.0).scale
    space = np.geomspace if along.log else np.linspace
    return np.asarray(space(along.low * scale, along.high * scale, along.bins + 1))


def _stacked(samples: list[_Sample], n_q: int) -> Floats:
    return np.array([one.curve for one in samples], dtype=np.float64).reshape(-1, n_q)


def _bank(bank: Floats) -> tuple[Floats, Floats, str]:
    nothing = np.full(bank.shape[1], np.nan)
    if len(bank) < _FEWEST:
        return nothing, nothing, f"{len(bank)} shots without the laser; a bank needs {_FEWEST}"
    return bank.mean(axis=0), bank.std(axis=0, ddof=1), ""


def _differences(
    curves: Floats,
    place: NDArray[np.intp],
    bins: int,
    mean: Floats,
    scatter: Floats,
    intact: int,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    value = np.full((bins, len(mean)), np.nan)
    sigma = value.copy()
    numbers = np.bincount(place[(place >= 0) & (place < bins)], minlength=bins)
    for number in np.flatnonzero(numbers):
        value[number] = curves[place == number].mean(axis=0) - mean
        sigma[number] = scatter * np.sqrt(1 / numbers[number] + 1 / max(intact, 1))
    return value, sigma, numbers.astype(np.int64)


def _binned(
    row: Floats, error: Floats, place: NDArray[np.intp], bins: int
) -> tuple[Floats, Floats]:
    """Return weighted means over the samples of each bin, and σ of each: what they scatter."""
    value, sigma = np.full(bins, np.nan), np.full(bins, np.nan)
    for number in range(bins):
        inside = (place == number) & np.isfinite(row) & (error > 0)
        if inside.any():
            weight = 1 / error[inside] ** 2
            value[number] = float(weight @ row[inside] / weight.sum())
            told = 1 / weight.sum()
            many = np.count_nonzero(inside)
            if many > 3:
                told = max(told, float(np.var(row[inside], ddof=1)) / many)
            sigma[number] = math.sqrt(told)
    return value, sigma


def _thinned(x: Floats, y: Floats, sigma: Floats) -> tuple[Floats, Floats, Floats]:
    """Average neighbouring samples until a change can be looked for in a moment."""
    order = np.argsort(x, kind="stable")
    x, y, sigma = x[order], y[order], sigma[order]
    each = -(-len(x) // _MOST_PLACES) if len(x) else 1
    if each == 1:
        return x, y, sigma
    starts = np.arange(0, len(x), each)
    weight = 1 / sigma**2
    total = np.add.reduceat(weight, starts)
    return (
        np.add.reduceat(x * weight, starts) / total,
        np.add.reduceat(y * weight, starts) / total,
        1 / np.sqrt(total),
    )


def _longest(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return only the longest stretch of neighbouring bins: templates are moved along Q."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    found = np.zeros(inside.shape, dtype=np.bool_)
    if steps.size:
        starts, ends = steps[::2], steps[1::2]
        best = int(np.argmax(ends - starts))
        found[starts[best] : ends[best]] = True
    return found
