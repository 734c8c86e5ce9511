"""One window of 2000 Q bins to 3000 points of G(r) with every σ; the target is 2.5 ms."""

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan


def test_one_window_is_reduced(benchmark: BenchmarkFixture) -> None:
    q = 0.0125 * np.arange(1, 2001)
    plan = build_plan(
        q=q,
        composition="HfO2",
        qmin=0.0125,
        qmax=25.0,
        qmaxinst=25.0,
        rpoly=0.9,
        rmin=0.01,
        rmax=30.0,
        rstep=0.01,
    )
    intensity = 1e4 * np.exp(-0.1 * q) * (1 + 0.5 * np.sin(3 * q))

    curves = benchmark(
        lambda: reduce_intensity(plan, intensity=intensity, sigma=np.sqrt(intensity))
    )

    assert curves[3].x.size == 3000
    assert np.all(np.isfinite(curves[3].sigma))
