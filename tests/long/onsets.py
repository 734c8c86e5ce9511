"""How often the interval of a change holds the truth, over ways of changing: run with ``-s``.

``python -m pytest tests/long/onsets.py -s`` takes some ten minutes.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.change_point import change_point

Floats = NDArray[np.float64]
SEEDS = 60
WAYS: dict[str, Callable[[Floats, float], Floats]] = {
    "steady in time": lambda x, s: 1 - np.exp(-np.clip(10**x - 10**s, 0, None) / 10 ** (s + 0.4)),
    "steady in log time": lambda x, s: 1 - np.exp(-np.clip(x - s, 0, None) / 0.233),
    "at once": lambda x, s: (x > s) * 1.0,
    "a ramp": lambda x, s: np.clip((x - s) / 0.8, 0, 1),
    "slowly at first": lambda x, s: 1 - np.exp(-((np.clip(x - s, 0, None) / 0.6) ** 1.5)),
}


@pytest.mark.parametrize(("count", "scatter"), [(60, 0.05), (110, 0.03)])
@pytest.mark.parametrize("name", list(WAYS))
def test_the_interval_covers_nearly_as_often_as_it_says(
    name: str, count: int, scatter: float
) -> None:
    held, widths = [], []
    for seed in range(9000, 9000 + SEEDS):
        random = np.random.default_rng(seed)
        start = random.uniform(-11.5, -8.5)
        x = np.sort(random.uniform(-14, -6, count))
        y = 1 - 0.8 * WAYS[name](x, start) + scatter * random.standard_normal(count)
        sigma = np.full(count, scatter)
        found = change_point(x, y, sigma=sigma, growth=float(np.log(10)))
        assert not found.reason
        held.append(found.low <= start <= found.high)
        widths.append(found.high - found.low)
    words = f"covers {np.mean(held):.3f}, {np.median(widths):.3f} decades wide"
    print(f"{name:20s} {count:4d} σ {scatter}: {words}", flush=True)  # noqa: T201
    assert np.mean(held) > 0.8
