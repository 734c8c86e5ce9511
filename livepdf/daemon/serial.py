"""Follows a run in which few shots hit a particle: hit rate, powder of the hits, sizes."""

import math
import threading
import time
from collections import Counter, deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.serial.detection import detection
from livepdf.analysis.serial.hit_rate import HitCounter, hit_rate
from livepdf.analysis.serial.powder import ShotMean, powder_from_hits
from livepdf.analysis.serial.size_histogram import size_histogram
from livepdf.analysis.serial.sphere_size import SphereFit, SphereLimits, fit_sphere
from livepdf.config.serial import Serial
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.hit_looks import HitLook
from livepdf.daemon.shot_labels import ShotAxis, ShotBook, shot_rules, static_pixels
from livepdf.model.fraction import Fraction
from livepdf.model.frame import Frame
from livepdf.model.serial import SerialReport
from livepdf.model.sums import Sums, intensity

SIGMA_IS = "scatter from shot to shot"
_LIT_EDGES = np.geomspace(1.0, 1e7, 71)
_STRETCHES = 400
"""Points of the hit rate over the run, at most."""
_MOST_WAITING = 2000
"""Hits that wait for their fit."""
_FIT_TIME = 0.6
"""s of fitting for each report."""
_SHOWN = 2000
"""Particles whose sizes are sent one by one."""
_POINTS_A_FRINGE = 6


class SerialFollower:
    """One run's shots: `take` by the collector, `report` by one other thread."""

    def __init__(self, settings: Serial, pipeline: Pipeline, *, run: str) -> None:
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
            )
        )
        self._axis = ShotAxis(pipeline, told=settings.energy is not None)
        self._n = pipeline.plan.q.size
        self._rate = HitCounter(recent=settings.recent)
        self._by_class: dict[str, HitCounter] = {}
        self._lit = np.zeros(len(_LIT_EDGES) - 1, dtype=np.int64)
        self._stretches: list[tuple[int, int]] = []
        self._stretch = 20
        """Shots of each stretch of the course of the hit rate."""
        self._means: dict[bool, ShotMean] = {}
        self._background = [0.0, 0.0]
        """Photons of blanks and their number."""
        self._searched = self._searched_hits = self._peaks = 0
        self._peak_sums = np.zeros(self._n)
        self._weight: NDArray[np.float64] | None = None
        self._waiting: deque[tuple[int, NDArray[np.float64]]] = deque()
        self._unfitted = self._hits = 0
        self._outcomes: Counter[str] = Counter()
        self._fits: list[tuple[int, SphereFit]] = []

    @property
    def received(self) -> int:
        """Shots so far."""
        return self._book.received

    @property
    def busy(self) -> bool:
        """Whether hits still wait for their fit."""
        return bool(self._waiting)

    def take(self, frame: Frame, sums: Sums, look: HitLook | None) -> None:
        """Book a shot; every one ends in one class or is rejected under one reason."""
        with self._lock:
            label = self._book.label(frame)
            if label is None:
                return
            if label.kind not in ("on", "off"):
                self._book.put(label.kind)
                return
            if look is None:
                self._book.reject("pixels not looked at")
                return
            hit = look.lit >= self._settings.hit_from
            name = "hit" if hit else "blank"
            self._book.put(name if self._settings.laser is None else f"{name} {label.kind}")
            self._count(label.kind, hit, look)
            if self._weight is None:
                self._weight = sums.weight
            self._add(hit, self._axis.moved(sums, label), label.i0)
            if hit:
                self._queue(frame.index, look)

    def report(self) -> SerialReport:
        """Return all that is known now; hits that wait are fitted first, for a moment."""
        self._fit()
        with self._lock:
            return self._reported()

    def _count(self, kind: str, hit: bool, look: HitLook) -> None:
        self._rate.add(hit)
        if self._settings.laser is not None:
            self._by_class.setdefault(kind, HitCounter()).add(hit)
        place = int(np.searchsorted(_LIT_EDGES, look.lit, side="right")) - 1
        self._lit[min(max(place, 0), len(self._lit) - 1)] += 1
        self._course(hit)
        if look.peaks >= 0:
            self._searched += 1
            if hit:
                self._searched_hits += 1
                self._peaks += look.peaks
                if look.peak_sums is not None:
                    self._peak_sums += look.peak_sums
        if not hit:
            self._background[0] += look.total
            self._background[1] += 1

    def _course(self, hit: bool) -> None:
        if not self._stretches or self._stretches[-1][1] >= self._stretch:
            self._stretches.append((0, 0))
        hits, shots = self._stretches[-1]
        self._stretches[-1] = (hits + hit, shots + 1)
        if len(self._stretches) >= _STRETCHES:
            pairs = zip(self._stretches[::2], self._stretches[1::2], strict=True)
            self._stretches = [(a[0] + b[0], a[1] + b[1]) for a, b in pairs]
            self._stretch *= 2

    def _add(self, hit: bool, sums: Sums, i0: float) -> None:
        iq, _ = intensity(sums)
        if not self._means:
            reference = np.where(np.isfinite(iq), iq, 0.0) / i0
            self._means = {one: ShotMean(reference=reference) for one in (True, False)}
        self._means[hit].add(iq, i0=i0)

    def _queue(self, index: int, look: HitLook) -> None:
        self._hits += 1
        if self._settings.sizes is None or look.photons is None:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._unfitted += 1
            return
        self._waiting.append((index, look.photons))

    def _fit(self) -> None:
        sizes, until = self._settings.sizes, time.monotonic() + _FIT_TIME
        if sizes is None or self._weight is None:
            return
        limits = SphereLimits(
            smallest=sizes.smallest, largest=sizes.largest, goodness=sizes.goodness, blur=sizes.blur
        )
        edges, q, weight = self._fringes(self._weight)
        while self._waiting and time.monotonic() < until:
            index, photons = self._waiting.popleft()
            counts = np.add.reduceat(photons, edges[:-1])[: len(q)]
            fit = fit_sphere(q=q, counts=counts, weight=weight, limits=limits)
            with self._lock:
                self._fits.append((index, fit))
                self._outcomes[_outcome(fit)] += 1

    def _fringes(
        self, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Join bins until the fringes of the largest sphere are seen, not more: fits are quicker.

        Returns first bins (m + 1,), their mean Q (m,) and the weight of each (m,), which is 0
        outside of the limits of Q.
        """
        sizes, q = self._settings.sizes, self._pipeline.plan.q
        assert sizes is not None
        low = q[0] if sizes.qmin is None else sizes.qmin
        high = q[-1] if sizes.qmax is None else sizes.qmax
        used = np.where((q >= low) & (q <= high), weight, 0.0)
        step = 2 * math.pi / sizes.largest / _POINTS_A_FRINGE
        each = max(1, int(step / max(float(q[1] - q[0]), 1e-9)))
        edges = np.append(np.arange(0, len(q), each), len(q))
        joined = np.add.reduceat(used, edges[:-1])
        middle = np.add.reduceat(q, edges[:-1]) / np.diff(edges)
        return edges, middle, joined

    def _reported(self) -> SerialReport:
        q = self._pipeline.plan.q
        nothing = np.full(q.shape, np.nan)
        powder, sigma, hits, blanks = nothing, nothing, nothing, nothing
        if self._means:
            hits, blanks = self._means[True].ratio()[0], self._means[False].ratio()[0]
            powder, sigma = powder_from_hits(self._means[True], self._means[False])
        rates = [hit_rate(*stretch) for stretch in self._stretches]
        searched = self._searched_hits > 0
        return SerialReport(
            run=self._run,
            time=self._book.time,
            counts=self._book.counts(),
            fractions=self._fractions(),
            hit_is=(
                f"{self._settings.hit_from} pixels or more with over {self._settings.lit:g} photons"
            ),
            recent=self._rate.recent,
            whole=self._rate.whole,
            by_class=tuple((kind, one.whole) for kind, one in sorted(self._by_class.items())),
            course_shots=np.cumsum([shots for _, shots in self._stretches], dtype=np.int64),
            course_rate=np.array([one.rate for one in rates]),
            course_low=np.array([one.low for one in rates]),
            course_high=np.array([one.high for one in rates]),
            lit_edges=_LIT_EDGES,
            lit_shots=self._lit.copy(),
            lit_threshold=float(self._settings.hit_from),
            normalised=f"I0 ({self._settings.i0.name})",
            sigma_is=SIGMA_IS,
            q=q,
            powder=powder.astype(np.float32),
            powder_sigma=sigma.astype(np.float32),
            hits_iq=hits.astype(np.float32),
            blanks_iq=blanks.astype(np.float32),
            peaks=((self._peak_sums / self._searched_hits) if searched else nothing).astype(
                np.float32
            ),
            peaks_per_hit=self._peaks / self._searched_hits if searched else math.nan,
            sized=tuple(sorted(self._outcomes.items())),
            warnings=(),
            **self._sizes(),
        )

    def _fractions(self) -> tuple[Fraction, ...]:
        found, peaks = [], self._settings.peaks
        lit = self._rate.whole.shots
        if peaks is not None:
            why = "" if peaks.every == 1 else f"one shot in {peaks.every}, as the recipe says"
            found.append(
                Fraction(what="shots searched for peaks", done=self._searched, of=lit, why=why)
            )
        if self._settings.sizes is not None:
            done = sum(self._outcomes.values())
            why = "the others wait for their fit" if self._waiting else ""
            if self._unfitted:
                why = "more hits than this computer can fit"
            found.append(
                Fraction(what="hits fitted by a sphere", done=done, of=self._hits, why=why)
            )
        return tuple(found)

    def _sizes(self) -> dict[str, Any]:
        """Return the histogram of sizes and the newest of them, by the names of the report."""
        sizes = self._settings.sizes
        known = [(n, fit) for n, fit in self._fits if math.isfinite(fit.diameter)]
        newest = known[-_SHOWN:]
        listed = {
            "particle_shots": np.array([n for n, _ in newest], dtype=np.int64),
            "particle_sizes": np.array([fit.diameter for _, fit in newest]),
            "particle_sigmas": np.array([fit.sigma for _, fit in newest]),
        }
        if sizes is None:
            none = np.zeros(0)
            return listed | {
                "size_edges": none,
                "sizes_seen": np.zeros(0, dtype=np.int64),
                **dict.fromkeys(("efficiency", "sizes_corrected", "sizes_sigma"), none),
                "sizes_reason": "the recipe has no [serial.sizes]",
            }
        edges = np.linspace(sizes.smallest, sizes.largest, sizes.bins + 1)
        diameters = np.array([fit.diameter for _, fit in known])
        share = self._efficiency((edges[1:] + edges[:-1]) / 2, known)
        made = size_histogram(diameters, edges=edges, efficiency=np.nan_to_num(share, nan=0.0))
        return listed | {
            "size_edges": edges,
            "sizes_seen": made.seen.astype(np.int64),
            "efficiency": share,
            "sizes_corrected": made.corrected,
            "sizes_sigma": made.sigma,
            "sizes_reason": "" if known else "no hit has a size yet",
        }

    def _efficiency(
        self, diameters: NDArray[np.float64], known: list[tuple[int, SphereFit]]
    ) -> NDArray[np.float64]:
        pixels = static_pixels(self._pipeline)
        if self._weight is None or pixels is None:
            return np.full(diameters.shape, np.nan)
        blanks = max(self._background[1], 1.0)
        used = self._weight > 0
        return detection(
            diameters,
            sizes=np.array([fit.diameter for _, fit in known]),
            photons=np.array([fit.photons for _, fit in known]),
            background=self._background[0] / blanks,
            hit_from=self._settings.hit_from,
            q=self._pipeline.plan.q[used],
            weight=self._weight[used],
            pixels=pixels[used],
        )


def _outcome(fit: SphereFit) -> str:
    """Return the reason without its numbers."""
    if not fit.reason:
        return "sized"
    for words in ("not a sphere", "the fringes are too weak", "the best diameter is at the limit"):
        if fit.reason.startswith(words):
            return words
    return "too few photons" if "too few" in fit.reason else "no best diameter"
