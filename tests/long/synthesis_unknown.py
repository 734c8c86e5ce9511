"""What the fit does not know of must speak: a large χ², novelty, a refusal, or a value that holds.

python -m pytest tests/long/synthesis_unknown.py -s

Images of explicit particles, 1e8 photons: a lognormal distribution of sizes, a precursor that
condenses on heating, a share of another crystal, fluorescence.
"""

from typing import Any

import numpy as np
import pytest

from tests.analysis.synthesis import Synthesis, heated, series, synthesis

FRAMES = 44
UNKNOWN: dict[str, dict[str, Any]] = {
    "nothing": {},
    "sizes spread by 0.25": {"spread": 0.25},
    "a precursor that condenses": {"precursor_change": 0.6},
    "a third is rutile": {"polymorph": "tio2-rutile", "polymorph_share": 0.3},
    "fluorescence": {"fluorescence": 60.0},
}


def made(**more: Any) -> Synthesis:
    growth = heated(frames=FRAMES, cold=20, speed=7.0, avrami=2.2)
    return synthesis("TiO2", photons=1e8, seed=951, frames=FRAMES, growth=growth, **more)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_what_is_not_known_is_told_or_does_no_harm(unknown: str) -> None:
    run = made(**UNKNOWN[unknown])
    estimates = run.estimates(run.estimator(), first=run.cold)
    truths = run.truths[run.cold :]
    late = np.array([truth.conversion > 0.3 for truth in truths])
    size = np.array([truth.domain_size for truth in truths])
    reacted = np.array([truth.conversion for truth in truths])
    d, _ = series(estimates, "domain size")
    x, _ = series(estimates, "crystalline scale")
    chi2 = np.array([estimate.chi2 for estimate in estimates])

    silent = late & (chi2 < 1.2)
    off_d, off_x = np.abs(d / size - 1)[silent], np.abs(x - reacted)[silent]
    print(  # noqa: T201  # the figures are what this is run for
        f"\n{unknown}: χ² {np.median(chi2[late]):.2f}, {int(silent.sum())} of {int(late.sum())} "
        f"windows silent, there D off by {100 * np.nanmax(off_d, initial=0):.1f} %, X by "
        f"{np.nanmax(off_x, initial=0):.3f}; sizes shown {int(np.isfinite(d[late]).sum())}"
    )
    assert np.nanmax(off_d, initial=0.0) < 0.05
    assert np.nanmax(off_x, initial=0.0) < 0.05
