"""What each analysis of a window costs: ``python -m tests.benchmarks.analyses``.

CPU time, medians; the orders of magnitude that `Declared.cost` tells come from here.
"""

import sys
from dataclasses import replace

import numpy as np

from livepdf.analysis.course import Course, WantedCourse
from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from livepdf.analysis.followed_peaks import WantedPeak
from livepdf.analysis.structure_fit import AMPLITUDE, WantedCrystals
from livepdf.analysis.trends import Analysis, WantedModels, build_analysis
from livepdf.daemon.costs import Costs
from tests.analysis.particles import Particle, particle
from tests.analysis.test_course import moments

_SAMPLES = {
    "pt": (30.0, (2.77, 3.92)),
    "sno2-rutile": (40.0, (2.05, 3.19)),
    "hfo2-monoclinic": (40.0, (2.14, 3.44)),
}
"""Diameter and the two peaks that are followed, Å."""


def _analysis(sample: Particle, peaks: tuple[float, ...]) -> Analysis:
    shells = (NamedShell(name="bond", near=peaks[0]),)
    return build_analysis(
        fit_q=sample.q,
        qmax=20.0,
        rpoly=0.9,
        composition=sample.composition,
        peaks=[WantedPeak(name=f"{near:g}", near=near, reach=0.3) for near in peaks],
        crystals=WantedCrystals(candidates=(Candidate(structure=sample.structure, shells=shells),)),
        models=WantedModels(names=("melt",), curves=np.sin(2.5 * sample.q)[None] / sample.q),
        qdamp=0.02,
    )


def _windows(sample: Particle, analysis: Analysis, costs: Costs) -> None:
    sigma, random = sample.sigma(1e7), np.random.default_rng(1)
    for number in range(13):
        noisy = sample.fq + sigma * random.standard_normal(sigma.size)
        fq = sample.corrected(noisy, rpoly=0.9)
        # The first one compiles.
        timer = Costs() if number == 0 else costs
        analysis.evaluate(fq=fq, sigma=sigma, timed=timer.measure)
        with timer.measure(AMPLITUDE.name):
            analysis.amplitude(fq=fq, sigma=sigma)


def _course(sample: Particle, analysis: Analysis, costs: Costs) -> float:
    """Follow a whole run; return ms for a window that the laws take in the mean."""
    assert analysis.estimator is not None
    sigma, random = sample.sigma(1e7), np.random.default_rng(2)
    course = Course(WantedCourse(), slow=analysis.estimator.nuisances)
    told = moments()
    left = analysis.evaluate(fq=sample.fq, sigma=sigma).left
    spent = 0.0
    for moment in told:
        fq = sample.fq + sigma * random.standard_normal(sigma.size)
        own = Costs()
        course.add(replace(moment, fq=fq, sigma=sigma, left=left), timed=own.measure)
        for name, seconds in own.medians():
            costs.add(name, seconds)
            spent += seconds if name == "kinetics" else 0.0
    return 1000.0 * spent / len(told)


def main() -> None:
    """Print a table: analysis, ms for a window of each sample."""
    for name, (diameter, peaks) in _SAMPLES.items():
        sample = particle(name, diameter=diameter, centres=2, step=0.0096)
        analysis, costs = _analysis(sample, peaks), Costs()
        _windows(sample, analysis, costs)
        mean = _course(sample, analysis, costs)
        sys.stdout.write(f"{name}, {diameter:g} Å, {sample.q.size} points\n")
        for analysis_name, seconds in costs.medians():
            sys.stdout.write(f"  {analysis_name:24} {1000 * seconds:8.2f} ms\n")
        sys.stdout.write(f"  {'kinetics, mean':24} {mean:8.2f} ms\n")


if __name__ == "__main__":
    main()
