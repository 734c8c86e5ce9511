"""Ten thousand stored windows of 2000 points to F and G on 3000 points of r, every σ included.

OMP_NUM_THREADS=1 python -m pytest tests/long/many_windows.py -s
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from livepdf.numerics.transform import TransformKind
from livepdf.reduction.plan import build_plan
from livepdf.reduction.stack import reduce_many

WINDOWS, PART = 10_000, 1000


@pytest.mark.parametrize("transform", ["exact", "fft"])
def test_they_take_five_seconds_on_two_cores(transform: TransformKind) -> None:
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
        scale="mean",
        transform=transform,
    )
    rng = np.random.default_rng(0)
    intensities = 1e4 * np.exp(-0.1 * q) * rng.uniform(0.9, 1.1, (WINDOWS, q.size))
    sigmas = np.sqrt(intensities)

    def part(start: int) -> float:
        rows = slice(start, start + PART)
        return float(np.sum(reduce_many(plan, intensities[rows], sigmas[rows]).gr_sigma))

    part(0)
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        sums = list(pool.map(part, range(0, WINDOWS, PART)))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu

    print(f"\n{transform}: {WINDOWS} windows in {wall:.2f} s, {cpu:.2f} s of processor")  # noqa: T201
    assert np.all(np.isfinite(sums))
    # What two cores of their own would take: others may be at work on this machine.
    assert min(wall, cpu / 2) < 5.0
