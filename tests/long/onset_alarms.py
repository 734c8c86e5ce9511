"""False alarms of the search for an onset over many frames of noise, and of noise with an offset.

python -m pytest tests/long/onset_alarms.py -s
"""

import sys

import numpy as np
import pytest

from livepdf.analysis.onset import OnsetSearch, Sighting

RUN = 500
"""Frames after the baseline: a run of half an hour at 4 s."""
COLD = 20


@pytest.mark.parametrize(
    ("offset", "frames", "most"), [(0.0, 240_000, 1), (0.2, 120_000, 2), (0.5, 120_000, 12)]
)
def test_false_alarms_over_many_frames(offset: float, frames: int, most: int) -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(frames // RUN):
        search = OnsetSearch()
        z = rng.standard_normal(COLD + RUN)
        z[COLD:] += offset
        for number, value in enumerate(z):
            if number == COLD:
                search.heat()
            search.add(Sighting(number=number, time=number, z=float(value), photons=1e7))
        alarms += search.onset is not None
    sys.stdout.write(
        f"\noffset {offset} σ: {alarms} alarms in {frames // RUN} runs, {frames} frames\n"
    )
    assert alarms <= most
