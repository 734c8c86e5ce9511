"""Reports about shots in closed form, for tests of what is decided without a display."""

import math
from dataclasses import replace

import numpy as np

from livepdf.model.breakdown import BreakdownReport, Breaking
from livepdf.model.fraction import Fraction
from livepdf.model.laser import LaserReport, LaserTest, Limits, ShotCounts
from livepdf.model.serial import HitRate, SerialReport

Q = np.linspace(0.5, 8.0, 300)
R = np.arange(0.0, 20.0, 0.05)
NAN = float("nan")


def laser_report(
    *, edges_ps=(-2.0, -1.0, 0.0, 1.0, 2.0, 5.0), run: str = "run7", effect: float = 0.02
) -> LaserReport:
    """Return a report whose effect begins at time zero; the last bin has no shots yet."""
    edges = np.array(edges_ps) * 1e-12
    delays = (edges[1:] + edges[:-1]) / 2
    bins = len(delays)
    there = np.where(delays > 0, effect, 0.0)[:, None]
    pattern, change = 1.0 + 0.5 * np.sin(3 * Q), np.exp(-0.5 * ((Q - 2.1) / 0.2) ** 2)
    diq = (there * change).astype(np.float32)
    dgr = (there * np.sin(2.1 * R) * np.exp(-R / 10)).astype(np.float32)
    iq_sigma, gr_sigma = np.full_like(diq, 0.002), np.full_like(dgr, 0.004)
    diq[:, 40:43] = iq_sigma[:, 40:43] = np.nan
    diq[-1] = iq_sigma[-1] = dgr[-1] = gr_sigma[-1] = np.nan
    blank = "0 blocks of time so far; the test needs 8"
    tests = [
        LaserTest(
            shots=400, p=0.001 if d > 0 else 0.4, z=30.0 + k if d > 0 else 0.3,
            shots_to_five_sigma=60.0 if d > 0 else 6000.0, slope=-0.49, split_half=0.9,
        )
        for k, d in enumerate(delays[:-1])
    ]  # fmt: skip
    none = LaserTest(shots=0, p=NAN, z=NAN, shots_to_five_sigma=NAN, slope=NAN, split_half=NAN,
                     reason=blank)  # fmt: skip
    shots = np.arange(100, 401, 20)
    return LaserReport(
        run=run,
        time=1_700_000_000.0,
        counts=ShotCounts(
            received=3250, classes=(("off", 1600), ("on", 1600)), rejected=(("no stage", 50),)
        ),
        sigma_is="block jackknife over the shots",
        normalised="I0 (monitor)",
        limits=Limits(qmin=0.6, qmax=8.0, taper="lorch"),
        delays=delays,
        edges=edges,
        q=Q,
        diq=diq,
        diq_sigma=iq_sigma,
        off_iq=np.tile(pattern.astype(np.float32), (bins, 1)),
        off_iq_sigma=np.full_like(diq, 0.0015),
        on_iq_sigma=np.full_like(diq, 0.0025),
        r=R,
        dgr=dgr,
        dgr_sigma=gr_sigma,
        off_gr=np.tile((np.sin(2 * R) * np.exp(-R / 8)).astype(np.float32), (bins, 1)),
        off_gr_sigma=np.full_like(dgr, 0.003),
        on_gr_sigma=np.full_like(dgr, 0.005),
        tests=(*tests, none),
        growth_shots=shots.astype(np.int64),
        growth_sigma=0.04 / np.sqrt(shots),
        counting_sigma=0.0016,
        strength=np.array([6.0, 1.05]),
        components=np.vstack([change, np.ones_like(Q)]).astype(np.float32),
        component_delays=np.vstack([there[:, 0] * -3.0, np.ones(bins)]),
    )


def few_shots(report: LaserReport, number: int) -> LaserReport:
    """Return the report as if a bin had too few shots for an error."""
    diq_sigma, dgr_sigma = report.diq_sigma.copy(), report.dgr_sigma.copy()
    diq_sigma[number] = dgr_sigma[number] = np.nan
    reason = "3 blocks of time so far; the test needs 8"
    few = replace(report.tests[number], shots=5, p=NAN, z=NAN, reason=reason)
    tests = (*report.tests[:number], few, *report.tests[number + 1 :])
    return replace(report, diq_sigma=diq_sigma, dgr_sigma=dgr_sigma, tests=tests)


def serial_report(*, run: str = "run9", efficiency: bool = True) -> SerialReport:
    """Return 2 % hits in 20 000 shots, particles of 20 and 30 nm."""
    edges = np.linspace(100.0, 400.0, 16)
    middle = (edges[1:] + edges[:-1]) / 2
    seen = np.rint(
        40 * np.exp(-0.5 * ((middle - 200) / 15) ** 2)
        + 80 * np.exp(-0.5 * ((middle - 300) / 15) ** 2)
    ).astype(np.int64)
    share = np.clip((middle / 320.0) ** 6, 0.0, 1.0)
    known = share >= 0.05
    corrected = np.where(known, seen / share, np.nan)
    sigma = np.where(known, np.sqrt(np.maximum(seen, 1)) / share, np.nan)
    if not efficiency:
        share, corrected, sigma = (np.full(len(seen), np.nan) for _ in range(3))
    course = np.arange(1, 21) * 1000
    hits = (15 + 10 * np.sin(np.arange(20))).astype(int)
    found = [_wilson(int(n), 1000) for n in hits]
    lit_edges = np.logspace(0, 4, 41)
    lit = np.rint(4000 * np.exp(-0.5 * ((np.log10(lit_edges[1:]) - 1.5) / 0.2) ** 2)
                  + 30 * np.exp(-0.5 * ((np.log10(lit_edges[1:]) - 2.9) / 0.3) ** 2))  # fmt: skip
    random = np.random.default_rng(1)
    sizes = np.concatenate([random.normal(200, 8, 30), random.normal(300, 9, 60)])
    random.shuffle(sizes)
    powder = np.exp(-((Q - 2.0) ** 2) / 0.05).astype(np.float32)
    return SerialReport(
        run=run,
        time=1_700_000_000.0,
        counts=ShotCounts(received=20_000, classes=(("blank", 19_600), ("hit", 400))),
        fractions=(
            Fraction(what="searched for peaks", done=312, of=3520, why="one shot in 11, recipe"),
        ),
        hit_is="at least 200 lit pixels",
        recent=_wilson(3, 200),
        whole=_wilson(400, 20_000),
        by_class=(),
        course_shots=course.astype(np.int64),
        course_rate=np.array([one.rate for one in found]),
        course_low=np.array([one.low for one in found]),
        course_high=np.array([one.high for one in found]),
        lit_edges=lit_edges,
        lit_shots=lit.astype(np.int64),
        lit_threshold=200.0,
        normalised="I0 (monitor)",
        sigma_is="scatter over the shots",
        q=Q,
        powder=powder,
        powder_sigma=np.full_like(powder, 0.05),
        hits_iq=powder + 3.0,
        blanks_iq=np.full_like(powder, 3.0),
        peaks=(0.4 * powder).astype(np.float32),
        peaks_per_hit=14.2,
        size_edges=edges,
        sizes_seen=seen,
        efficiency=share,
        sizes_corrected=corrected,
        sizes_sigma=sigma,
        sized=(("sized", int(seen.sum())), ("the sphere does not fit", 37), ("too few photons", 9)),
        sizes_reason="",
        particle_shots=np.sort(random.choice(20_000, 90, replace=False)).astype(np.int64),
        particle_sizes=sizes,
        particle_sigmas=np.full(90, 6.0),
    )


def breakdown_report(*, run: str = "run11") -> BreakdownReport:
    """Return order that is lost from 3 ps on, along a logarithmic delay."""
    edges = np.logspace(-13, -8.5, 19)
    x = np.sqrt(edges[1:] * edges[:-1])
    random = np.random.default_rng(2)
    gone = 1 - np.exp(-np.clip(np.log10(x / 3e-12) / 0.5, 0, None))
    sample_x = 10 ** random.uniform(-13, -8.5, 120)
    each = 1 - np.exp(-np.clip(np.log10(sample_x / 3e-12) / 0.5, 0, None))
    value = np.vstack([1 - 0.8 * gone, 5.1 * (1 + 0.008 * gone), np.full(gone.size, np.nan)])
    samples = np.vstack([1 - 0.8 * each, 5.1 * (1 + 0.008 * each), np.full(each.size, np.nan)])
    scatter = np.array([[0.05], [0.003], [NAN]])
    samples = samples + scatter * random.standard_normal(samples.shape)
    pattern = 1.0 + 0.5 * np.sin(3 * Q)
    diq = (-0.5 * gone[:, None] * np.sin(3 * Q)).astype(np.float32)
    dgr = (-gone[:, None] * np.sin(2 * R) * np.exp(-R / 8)).astype(np.float32)
    diq[4] = dgr[4] = np.nan
    shots = np.full(18, 7)
    shots[4] = 0
    value[:, 4] = np.nan
    measures = (
        Breaking(name="order", label="order left", unit="", start=3.1e-12, low=2.3e-12,
                 high=4.2e-12, coverage=0.95, before=1.0, after=0.2, odds=1e6),
        Breaking(name="lattice", label="lattice a", unit="Å", start=3.4e-12, low=2.0e-12,
                 high=6.0e-12, coverage=0.95, before=5.1, after=5.141, odds=1e4),
        Breaking(name="size", label="domain size", unit="Å", start=NAN, low=NAN, high=NAN,
                 coverage=NAN, before=NAN, after=NAN, odds=NAN,
                 reason="the Q resolution is not known: set [resolution] qdamp"),
    )  # fmt: skip
    return BreakdownReport(
        run=run,
        time=1_700_000_000.0,
        counts=ShotCounts(received=162, classes=(("off", 42), ("on", 120))),
        fractions=(),
        sigma_is="scatter of intact samples",
        normalised="I0 (monitor)",
        limits=Limits(qmin=0.6, qmax=8.0, taper="lorch"),
        along="delay",
        unit="s",
        log=True,
        q=Q,
        bank_shots=42,
        bank_reason="",
        bank=pattern.astype(np.float32),
        bank_scatter=np.full(Q.size, 0.04, dtype=np.float32),
        x=x,
        x_edges=edges,
        shots=shots.astype(np.int64),
        diq=diq,
        diq_sigma=np.where(np.isnan(diq), np.nan, 0.015).astype(np.float32),
        r=R,
        dgr=dgr,
        dgr_sigma=np.where(np.isnan(dgr), np.nan, 0.03).astype(np.float32),
        measures=measures,
        values=value,
        sigmas=np.where(np.isfinite(value), scatter / np.sqrt(7), np.nan),
        sample_x=sample_x,
        sample_values=samples,
        sample_sigmas=np.broadcast_to(scatter, samples.shape).copy(),
    )


def _wilson(hits: int, shots: int) -> HitRate:
    """Return the interval as Wilson (1927) has it."""
    z, rate = 1.959963984540054, hits / shots
    scale = 1 + z**2 / shots
    centre = (rate + z**2 / (2 * shots)) / scale
    half = z * math.sqrt(rate * (1 - rate) / shots + z**2 / (4 * shots**2)) / scale
    return HitRate(hits=hits, shots=shots, rate=rate, low=centre - half, high=centre + half)
