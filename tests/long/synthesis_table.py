"""Syntheses from detector images to trends: how far every value is from the truth.

python -m pytest tests/long/synthesis_table.py -s -k "images and SnO2-20"   (one of eight)

Explicit particles (means over 1e5 atoms of each size), 1e7 photons in the fitted range of a frame
of the unreacted solution (TiO2 1e8), 20 cold frames, blanks at 8 temperatures. Eight draws of all
noise, that of the references too. Seeds, centres of particles and kinetics were used nowhere else.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from livepdf.simulate.sample import Sample
from tests.analysis.synthesis import Synthesis, heated, series, synthesis

CASES = [(name, qmax) for name in ("SnO2", "HfO2", "TiO2", "Pt") for qmax in (20, 8)]
SEEDS = tuple(range(801, 809))
SHELLS = {
    "SnO2": [("Sn-O", 2.05)],
    "HfO2": [("Hf-O", 2.15), ("Hf-Hf", 3.44)],
    "TiO2": [("Ti-O", 1.95)],
    "Pt": [("Pt-Pt", 2.77)],
}
PLACE = {"a": 0, "b": 1, "c": 2, "alpha": 3, "beta": 4, "gamma": 5}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Errors:
    """Of one run: value − truth where more than 0.3 has reacted, and before."""

    size: np.ndarray
    """Relative."""
    size_pull: np.ndarray
    lattice: np.ndarray
    """(axes, n) Å"""
    lattice_pull: np.ndarray
    conversion: np.ndarray
    conversion_pull: np.ndarray
    early: np.ndarray
    """Relative, of every size shown before."""
    chi2: float
    first: float
    """Conversion at which the first size is shown."""


@cache
def sampled(name: str, qmax: int) -> Sample:
    growth = heated(frames=64, cold=20, speed=6.5, avrami=2.4, last_diameter=48.0)
    return synthesis(name, qmax=qmax, seed=901, frames=64, growth=growth, atoms=1e5).sample


def made(name: str, qmax: int, seed: int) -> Synthesis:
    sample = sampled(name, qmax)
    photons = 1e8 if name == "TiO2" else 1e7
    run = synthesis(name, qmax=qmax, photons=photons, seed=seed, frames=64, growth=sample.growth)
    return replace(run, sample=sample)


def errors(run: Synthesis) -> Errors:
    estimates = run.estimates(run.estimator(), first=run.cold)
    truths = run.truths[run.cold :]
    reacted = np.array([truth.conversion for truth in truths])
    size = np.array([truth.domain_size for truth in truths])
    lattice = np.array([truth.lattice for truth in truths])
    late = reacted > 0.3
    x, x_sigma = series(estimates, "crystalline scale")
    d, d_sigma = series(estimates, "domain size")
    axes = [t.name.split()[1] for t in estimates[-1].trends if t.name.startswith("lattice")]
    cells = [(*series(estimates, f"lattice {axis}"), lattice[:, PLACE[axis]]) for axis in axes]
    lengths = [cell for axis, cell in zip(axes, cells, strict=True) if axis in "abc"]
    early = np.isfinite(d) & ~late
    return Errors(
        size=(d / size - 1)[late],
        size_pull=((d - size) / d_sigma)[late],
        lattice=np.array([(v - t)[late] for v, _, t in lengths]),
        lattice_pull=np.array([((v - t) / s)[late] for v, s, t in lengths]),
        conversion=(x - reacted)[late],
        conversion_pull=((x - reacted) / x_sigma)[late],
        early=(d / size - 1)[early],
        chi2=float(np.nanmedian([estimate.chi2 for estimate in estimates])),
        first=float(reacted[np.isfinite(d)].min()),
    )


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "qmax"), CASES)
def test_values_and_their_errors_from_images(name: str, qmax: int) -> None:
    runs = [errors(made(name, qmax, seed)) for seed in SEEDS]
    size = np.concatenate([run.size for run in runs])
    lattice = np.concatenate([run.lattice for run in runs], axis=1)
    conversion = np.concatenate([run.conversion for run in runs])
    early = np.concatenate([run.early for run in runs])
    pulls = {
        "D": np.concatenate([run.size_pull for run in runs]),
        "X": np.concatenate([run.conversion_pull for run in runs]),
        "lattice": np.concatenate([run.lattice_pull.ravel() for run in runs]),
    }
    shown = ", ".join(f"{k} {p.mean():+.2f} ({p.std():.2f})" for k, p in pulls.items())
    drawn = [f"{run.conversion_pull.mean():+.2f}" for run in runs]
    print(  # noqa: T201  # the figures are what this is run for
        f"\n{name} Qmax {qmax}: D rms {100 * rms(size):.2f} % (mean {100 * size.mean():+.2f}), "
        f"lattice rms {1e3 * rms(lattice):.1f} mÅ, X rms {rms(conversion):.4f} "
        f"(mean {conversion.mean():+.4f}), pulls {shown}, early {early.size} sizes from X "
        f"{min(run.first for run in runs):.3f}, worst {100 * np.abs(early).max(initial=0):.1f} %, "
        f"χ² {runs[0].chi2:.2f}; X pulls of each draw {' '.join(drawn)}"
    )
    assert np.all(np.isfinite(size))
    assert rms(size) < 0.015
    assert rms(lattice) < 0.006
    assert rms(conversion) < 0.02
    assert np.abs(early).max(initial=0.0) < 0.10
    for pull in pulls.values():
        assert abs(pull.mean()) < 0.3
        assert 0.8 < pull.std() < 1.3


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "qmax"), CASES)
def test_named_bonds_from_images(name: str, qmax: int) -> None:
    run = made(name, qmax, 511)
    structure = run.sample.structure
    shells = tuple(NamedShell(name=n, near=near) for n, near in SHELLS[name])
    estimator = run.estimator(candidates=[Candidate(structure=structure, shells=shells)])
    worst = 0.0
    for number in (40, 50, 63):
        fq, sigma = run.fq(run.patterns[number])
        estimate = estimator.evaluate(fq=fq, sigma=sigma)
        for label, near in SHELLS[name]:
            value, spread = series([estimate], f"{label} distance")
            true = mean_distance(run, near) * (1 + run.truths[number].strain)
            print(  # noqa: T201
                f"\n{name} Qmax {qmax} frame {number} {label} {value[0]:.4f} ± {spread[0]:.4f}, "
                f"true {true:.4f}"
            )
            worst = max(worst, abs(value[0] - true))
    assert worst < 0.01


def mean_distance(run: Synthesis, near: float) -> float:
    from livepdf.numerics.pairs import crystal_pairs

    s = run.sample.structure
    shells = crystal_pairs(
        cell=s.cell, positions=s.positions, species=s.species_index, r_max=near + 1.0
    )
    close = (np.abs(shells.r - near) < 0.15) & (shells.species_a == 0)
    kind = shells.species_b[close][np.argmin(np.abs(shells.r[close] - near))]
    picked = close & (shells.species_b == kind)
    return float(np.average(shells.r[picked], weights=shells.count[picked]))
