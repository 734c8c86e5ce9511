"""Reports with numbers in every place, to send and to draw."""

import numpy as np

from livepdf.model.breakdown import BreakdownReport, Breaking
from livepdf.model.fraction import Fraction
from livepdf.model.laser import Limits, ShotCounts
from livepdf.model.serial import HitRate, SerialReport

NAN = float("nan")


def serial_report(*, shots: int = 4000, seed: int = 1) -> SerialReport:
    """Return a run with 5 % hits by spheres of 20 and 30 nm."""
    random = np.random.default_rng(seed)
    hits = shots // 20
    stretches = np.arange(1, 21) * shots // 20
    rate = random.binomial(shots // 20, 0.05, 20) / (shots / 20)
    edges = np.arange(100.0, 420.0, 20.0)
    middle = (edges[1:] + edges[:-1]) / 2
    efficiency = 1 - np.exp(-((middle / 180.0) ** 6))
    sizes = np.where(random.random(hits) < 0.5, 200.0, 300.0) + 10 * random.standard_normal(hits)
    seen = np.histogram(sizes, edges)[0]
    q = np.linspace(0.01, 0.3, 60)
    powder = 1 / (1 + (q / 0.03) ** 4)
    return SerialReport(
        run="spheres",
        time=1.7e9,
        counts=ShotCounts(
            received=shots,
            classes=(("blank", shots - hits - 3), ("hit", hits)),
            rejected=(("no monitor", 3),),
        ),
        fractions=(
            Fraction(what="searched for peaks", done=shots // 10, of=shots, why="one shot in 10"),
        ),
        hit_is="40 pixels or more with 2 photons or more",
        recent=HitRate(hits=9, shots=200, rate=0.045, low=0.024, high=0.083),
        whole=HitRate(hits=hits, shots=shots - 3, rate=hits / (shots - 3), low=0.04, high=0.06),
        by_class=(),
        course_shots=stretches,
        course_rate=rate,
        course_low=np.maximum(rate - 0.02, 0),
        course_high=rate + 0.03,
        lit_edges=np.geomspace(1, 1e4, 41),
        lit_shots=random.poisson(40, 40),
        lit_threshold=40.0,
        normalised="I0 (monitor)",
        sigma_is="scatter from shot to shot",
        q=q,
        powder=powder.astype(np.float32),
        powder_sigma=(0.05 * powder).astype(np.float32),
        hits_iq=(powder + 0.1).astype(np.float32),
        blanks_iq=np.full(60, 0.1, dtype=np.float32),
        peaks=np.full(60, NAN, dtype=np.float32),
        peaks_per_hit=NAN,
        size_edges=edges,
        sizes_seen=seen,
        efficiency=efficiency,
        sizes_corrected=np.where(efficiency > 0.05, seen / efficiency, NAN),
        sizes_sigma=np.where(efficiency > 0.05, np.sqrt(seen + 1) / efficiency, NAN),
        sized=(("not a sphere", 4), ("sized", int(seen.sum()))),
        sizes_reason="",
        particle_shots=np.arange(hits, dtype=np.int64) * 20,
        particle_sizes=sizes,
        particle_sigmas=np.full(hits, 8.0),
        warnings=("a warning",),
    )


def breakdown_report(*, seed: int = 1) -> BreakdownReport:
    """Return a run whose samples lose their order from 1 ps on."""
    random = np.random.default_rng(seed)
    edges = np.geomspace(1e-13, 1e-9, 13)
    x = np.sqrt(edges[1:] * edges[:-1])
    q, r = np.linspace(0.5, 8, 80), np.arange(0.5, 20, 0.1)
    broken = 1 - np.exp(-np.clip(np.log10(x / 1e-12), 0, None))
    diq = -np.outer(broken, np.exp(-((q - 3) ** 2)))
    dgr = -np.outer(broken, np.sin(3 * r) * np.exp(-r / 10))
    measures = (
        Breaking(
            name="order",
            label="order left",
            unit="",
            start=1e-12,
            low=0.7e-12,
            high=1.5e-12,
            coverage=0.95,
            before=1.0,
            after=0.2,
            odds=1e9,
        ),
        Breaking(
            name="lattice",
            label="lattice expansion",
            unit="",
            start=NAN,
            low=NAN,
            high=NAN,
            coverage=0.95,
            before=NAN,
            after=NAN,
            odds=0.3,
            reason="no change stands above the scatter (odds 0.3)",
        ),
    )
    sample_x = np.sort(10 ** random.uniform(-13, -9, 150))
    return BreakdownReport(
        run="broken",
        time=1.7e9,
        counts=ShotCounts(received=200, classes=(("off", 50), ("on", 150))),
        fractions=(Fraction(what="samples sent", done=150, of=150),),
        sigma_is="scatter from sample to sample, 50 intact ones",
        normalised="I0 (monitor)",
        limits=Limits(qmin=0.5, qmax=8.0, taper="lorch"),
        along="delay",
        unit="s",
        log=True,
        q=q,
        bank_shots=50,
        bank_reason="",
        bank=np.exp(-q / 4).astype(np.float32),
        bank_scatter=(0.05 * np.exp(-q / 4)).astype(np.float32),
        x=x,
        x_edges=edges,
        shots=np.full(12, 12, dtype=np.int64),
        diq=diq.astype(np.float32),
        diq_sigma=np.full_like(diq, 0.02, dtype=np.float32),
        r=r,
        dgr=dgr.astype(np.float32),
        dgr_sigma=np.full_like(dgr, 0.1, dtype=np.float32),
        measures=measures,
        values=np.array([1 - 0.8 * broken, 0.01 * broken]),
        sigmas=np.full((2, 12), 0.03),
        sample_x=sample_x,
        sample_values=random.standard_normal((2, 150)),
        sample_sigmas=np.full((2, 150), 0.1),
    )
