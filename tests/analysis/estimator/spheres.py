"""Windows of explicit spheres, and estimators for them."""

from collections.abc import Sequence

import numpy as np

from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate, NamedShell, Priors
from livepdf.analysis.estimator.estimate import Estimate
from livepdf.model.curve import Trend
from tests.analysis.particles import Particle


def estimator_for(
    sample: Particle,
    *,
    shells: Sequence[NamedShell] = (),
    qdamp: float | None = 0.0,
    nuisances: np.ndarray | None = None,
    diameter_limits: tuple[float, float] = (10.0, 70.0),
    priors: Priors | None = None,
    **more: object,
) -> Estimator:
    return build_estimator(
        q=sample.q,
        candidates=[Candidate(structure=sample.structure, shells=tuple(shells))],
        composition=sample.composition,
        qdamp=qdamp,
        nuisances=nuisances,
        diameter_limits=diameter_limits,
        priors=priors,
        **more,  # type: ignore[arg-type]
    )


def named(estimate: Estimate, name: str) -> Trend:
    return next(trend for trend in estimate.trends if trend.name == name)


def lattice_error(estimator: Estimator, estimate: Estimate) -> np.ndarray:
    """Return the relative errors of the free lengths and angles."""
    phase = estimator.phases[0]
    free = slice(1, 1 + len(phase.box.kind.names))
    return estimate.values[1:][free] / phase.reference[free] - 1.0


def noisy(fq: np.ndarray, sigma: np.ndarray, seed: int) -> np.ndarray:
    return fq + sigma * np.random.default_rng(seed).standard_normal(len(sigma))
