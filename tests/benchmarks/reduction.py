"""I(Q) to S, F, G and σ(G)."""

from collections.abc import Iterator

import numpy as np

from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan
from tests.benchmarks.table import Row
from tests.benchmarks.timing import race


def reduction() -> Iterator[Row]:
    """Time one pattern of 2000 points to curves on 3000 points of r."""
    q = 0.0125 * np.arange(1, 2001)
    intensity = 1e4 * np.exp(-q / 6) * (1 + 0.5 * np.sin(3.1 * q) ** 8)
    sigma = np.sqrt(intensity) / 50
    for transform in ("exact", "fft"):
        plan = build_plan(
            q=q,
            composition="HfO2",
            qmin=0.8,
            qmax=24.0,
            qmaxinst=24.5,
            rpoly=0.9,
            rmin=0.0,
            rmax=30.0,
            rstep=0.01,
            transform=transform,
        )
        times = race(
            {
                "livepdf": lambda _, plan=plan: reduce_intensity(
                    plan, intensity=intensity, sigma=sigma
                )
            },
            rounds=51,
        )
        yield Row(work=f"I → S, F, G, σ: 2000 × 3000, {transform}", times=times, limit=2.5)
