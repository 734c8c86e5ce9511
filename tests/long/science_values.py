"""What a synthesis is told while it runs, against the truth: growth from 20 to 59 Å, bonds with it.

python -m pytest tests/long/science_values.py -s

Images of explicit particles (1e5 atoms of each size), 1e7 photons a frame, three draws of all noise
that are used nowhere else. Bonds to oxygen take more photons than one frame has: ten frames of
the end are added up for them.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from tests.analysis.synthesis import Synthesis, heated, series, synthesis
from tests.long.synthesis_table import PLACE, SHELLS, mean_distance, rms

FRAMES = 56
SEEDS = (7301, 7302, 7303)
LATTICE = {"SnO2": 0.004, "HfO2": 0.006}
"""Å, rms."""
SIZE = {"SnO2": 0.010, "HfO2": 0.015}
"""Relative, rms."""
ADDED = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """Of all frames of one run."""

    reacted: np.ndarray
    scale: np.ndarray
    z: np.ndarray
    size: np.ndarray
    """Relative, found over true minus one; NaN where it is withheld."""
    true_size: np.ndarray
    lattice: np.ndarray
    """(axes, n) Å, found minus true."""
    bonds: np.ndarray
    """Å, found minus true, of all bonds that are shown."""
    bond_pulls: np.ndarray
    added: np.ndarray
    """Å, the same of each bond where ten frames are added up; NaN where it is withheld."""
    added_pulls: np.ndarray


def told(run: Synthesis, name: str) -> Told:
    shells = tuple(NamedShell(name=n, near=near) for n, near in SHELLS[name])
    estimator = run.estimator(candidates=[Candidate(structure=run.sample.structure, shells=shells)])
    estimates = run.estimates(estimator, first=run.cold)
    truths = run.truths[run.cold :]
    true_size = np.array([truth.domain_size for truth in truths])
    scale, sigma = series(estimates, "crystalline scale")
    found, _ = series(estimates, "domain size")
    names = [t.name for t in estimates[-1].trends if t.name in {f"lattice {x}" for x in "abc"}]
    cells = [
        series(estimates, n)[0] - [truth.lattice[PLACE[n.split()[1]]] for truth in truths]
        for n in names
    ]
    off, pulls = [], []
    for label, near in SHELLS[name]:
        bond, spread = series(estimates, f"{label} distance")
        away = bond - mean_distance(run, near) * np.array([1 + t.strain for t in truths])
        off.append(away[np.isfinite(away)])
        pulls.append((away / spread)[np.isfinite(away)])
    added, added_pulls = summed(run, name)
    return Told(
        reacted=np.array([truth.conversion for truth in truths]),
        scale=scale,
        z=scale / sigma,
        size=found / true_size - 1,
        true_size=true_size,
        lattice=np.array(cells),
        bonds=np.concatenate(off),
        bond_pulls=np.concatenate(pulls),
        added=added,
        added_pulls=added_pulls,
    )


def summed(run: Synthesis, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return how far bonds are off, in Å and in σ, in ten frames of the end in one window."""
    truth = run.truths[-1]
    pattern = run.sample.intensity(truth)
    window = run.recorded(pattern, number=5000, temperature=truth.temperature, frames=ADDED)
    shells = tuple(NamedShell(name=n, near=near) for n, near in SHELLS[name])
    estimator = run.estimator(candidates=[Candidate(structure=run.sample.structure, shells=shells)])
    fq, sigma = run.fq(window)
    estimate = estimator.evaluate(fq=fq, sigma=sigma)
    rows = [(series([estimate], f"{n} distance"), near) for n, near in SHELLS[name]]
    true = np.array([mean_distance(run, near) * (1 + truth.strain) for _, near in rows])
    value = np.array([row[0][0] for row, _ in rows])
    return value - true, (value - true) / np.array([row[1][0] for row, _ in rows])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("qmax", [20, 8])
@pytest.mark.parametrize("name", LATTICE)
def test_a_growth_is_told_as_well_as_is_promised(name: str, qmax: int) -> None:
    growth = heated(frames=FRAMES, cold=20, speed=6.0, avrami=2.0, last_diameter=59.0)
    made = {"frames": FRAMES, "growth": growth, "atoms": 1e5}
    first = synthesis(name, qmax=qmax, seed=SEEDS[0], **made)
    runs = [told(replace(first, seed=seed), name) for seed in SEEDS]
    late = np.concatenate([run.reacted > 0.3 for run in runs])
    sure = np.concatenate([run.z > 10.0 for run in runs])
    size = np.concatenate([run.size for run in runs])
    scale = np.concatenate([run.scale - run.reacted for run in runs])
    lattice = np.concatenate([run.lattice for run in runs], axis=1)
    shown = np.isfinite(size)
    close = np.abs(size[shown]) < 0.05
    bonds = np.concatenate([run.bonds for run in runs])
    pulls = np.concatenate([run.bond_pulls for run in runs])
    added = np.array([run.added for run in runs])
    added_pulls = np.array([run.added_pulls for run in runs])
    worst = np.abs(scale[sure])
    print(  # noqa: T201  # the figures are what this is run for
        f"\n{name} Qmax {qmax}: X > 0.3 D rms {100 * rms(size[late]):.2f} %, X rms "
        f"{rms(scale[late]):.4f}, lattice rms {1e3 * rms(lattice[:, late]):.1f} mÅ; all shown D "
        f"rms {100 * rms(size[shown]):.2f} %, within 5 % {100 * close.mean():.1f} % of "
        f"{shown.sum()}; z > 10: X within 0.05 {100 * np.mean(worst < 0.05):.1f} %, at most "
        f"{worst.max():.3f}, lattice within 5 mÅ "
        f"{100 * np.mean(np.abs(lattice[:, sure]) < 0.005):.1f} %; {bonds.size} bonds shown at "
        f"most {1e3 * np.abs(bonds).max(initial=0):.1f} mÅ off"
    )
    print(  # noqa: T201
        f"pulls of them {np.sum(pulls) / max(pulls.size, 1):+.2f} "
        f"({rms(pulls) if pulls.size else 0:.2f}); in {ADDED} frames, mÅ: "
        f"{np.round(1e3 * added, 1).tolist()}, in σ {np.round(added_pulls, 1).tolist()}"
    )
    assert np.isfinite(size[late]).all()
    assert rms(size[late]) < SIZE[name]
    assert rms(scale[late]) < 0.02
    assert rms(lattice[:, late]) < LATTICE[name]
    assert rms(size[shown]) < 0.08
    assert np.percentile(worst, 95) < 0.05
    assert rms(lattice[:, sure & np.isfinite(lattice[0])]) < 0.005
    assert np.percentile(np.abs(size[shown]), 95) < 0.05
    assert np.sum(np.abs(bonds) < 0.01) >= 0.95 * bonds.size
    assert np.isfinite(added).all()
    assert np.abs(added).max() < 0.01
