"""The structural fit of a window, from where the window before ended."""

from collections.abc import Iterator

import numpy as np

from livepdf.analysis.estimator.build import build_estimator
from livepdf.analysis.estimator.candidate import Candidate, NamedShell
from livepdf.numerics.transform import exact_transform
from tests.analysis.estimator.pdffit2_peer import refined
from tests.analysis.particles import Particle, particle
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Time, race

_LIMITS = {
    "pt": (30.0, 2.77, 10.0),
    "sno2-rutile": (40.0, 2.05, 30.0),
    "tio2-anatase": (40.0, 1.95, 30.0),
    "hfo2-monoclinic": (50.0, 2.15, 100.0),
}
"""Diameter (Å), first bond (Å), and ms that we want to stay under."""
_R = np.round(np.arange(1.5, 30.0, 0.05), 10)


def estimator() -> Iterator[Row]:
    """Time 2000 points up to Qmax 20, scale to bond shift all free; pdffit2 on r < 30 Å."""
    for name, (diameter, bond, limit) in _LIMITS.items():
        sample = particle(name, diameter=diameter, centres=2, step=0.0096)
        times = race(_contenders(sample, diameter, bond), rounds=11)
        amplitude = times.pop("amplitude")
        times |= _peer(sample, diameter)
        yield Row(work=f"warm fit, {name} {diameter:g} Å", times=times, limit=limit)
        yield Row(work=f"amplitude, {name}", times={"livepdf": amplitude}, limit=1.0)


def _contenders(sample: Particle, diameter: float, bond: float):  # type: ignore[no-untyped-def]
    made = build_estimator(
        q=sample.q,
        candidates=[
            Candidate(structure=sample.structure, shells=(NamedShell(name="bond", near=bond),))
        ],
        composition=sample.composition,
        qdamp=0.0,
        nuisances=np.array([np.exp(-((sample.q - c) ** 2) / 4.0) for c in (2.0, 3.0, 5.0)]),
        diameter_limits=(10.0, 70.0),
    )
    sigma = sample.sigma(1e7)
    random = np.random.default_rng(1)
    windows = [sample.fq + sigma * random.standard_normal(sigma.size) for _ in range(12)]
    warm = made.evaluate(fq=windows[-1], sigma=sigma).warm
    return {
        "livepdf": lambda k: made.evaluate(fq=windows[k], sigma=sigma, start=warm),
        "amplitude": lambda k: made.amplitude(fq=windows[k], sigma=sigma, diameter=diameter),
    }


def _peer(sample: Particle, diameter: float) -> dict[str, Time]:
    gr = exact_transform(q=sample.q, r=_R).apply(sample.fq)
    start = 0.9 * diameter

    def fit(_: int) -> object:
        return refined(sample.structure, r=_R, gr=gr, qmax=20.0, diameter=start)

    try:
        return {"pdffit2": race({"pdffit2": fit}, rounds=1)["pdffit2"]}
    except ImportError:
        return {}
