"""σ(G) against scatter over 400 noisy detector images: low and high counts, split and not.

python -m pytest tests/long/sigma_of_gr.py -s
"""

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.model.sums import intensity
from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.binning import Splitting
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.geometry import Geometry, geometry_from_pyfai
from livepdf.reduction.integrator import build_integrator
from livepdf.reduction.plan import build_plan
from livepdf.reduction.stack import reduce_many

SEEDS = 400
SIDE = 800


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    """The beam at a corner, so that rings are quarters; Q reaches 25 1/Å in it."""
    pyfai = AzimuthalIntegrator(
        dist=0.2,
        poni1=0.0,
        poni2=0.0,
        detector=Detector(2e-4, 2e-4, max_shape=(SIDE, SIDE)),
        wavelength=1.6e-11,
    )
    return geometry_from_pyfai(pyfai)


def _expected(geometry: Geometry, counts_per_pixel: float) -> np.ndarray:
    q = geometry.pyfai.center_array((SIDE, SIDE), unit="q_A^-1").ravel()
    grid = np.linspace(0.0, q.max(), 6000)
    _, mean_f2 = mean_form_factors(q=grid, composition={"Ti": 1, "O": 2})
    shells = ((1.95, 1), (3.04, 1), (3.79, 2), (9.1, 3))
    waves = sum(n * np.sin(grid * r) / (1 + grid * r) for r, n in shells)
    electrons = mean_f2 * (1 + waves * np.exp(-0.004 * grid**2))
    electrons += mean_compton(q=grid, composition={"Ti": 1, "O": 2}, energy=None)
    pattern = np.interp(q, grid, electrons) * geometry.pyfai.solidAngleArray().ravel()
    return np.asarray(pattern * counts_per_pixel / pattern.mean())


@pytest.mark.parametrize("split", ["no", "bbox", "full"])
@pytest.mark.parametrize("counts", [0.05, 20.0])
@pytest.mark.parametrize("scale", ["lsq", "mean"])
def test_sigma_is_the_scatter(
    geometry: Geometry, split: Splitting, counts: float, scale: ScaleKind
) -> None:
    integrator = build_integrator(geometry, npt=700, split=split)
    expected, rng = _expected(geometry, counts), np.random.default_rng(17)
    patterns, sigmas = np.empty((2, SEEDS, 700))
    for seed in range(SEEDS):
        image = rng.poisson(expected).astype(np.uint16).reshape(SIDE, SIDE)
        patterns[seed], sigmas[seed] = intensity(integrator.integrate(image))
    plan = build_plan(
        q=integrator.q,
        composition="TiO2",
        qmin=0.8,
        qmax=20.0,
        qmaxinst=22.0,
        rpoly=0.9,
        rmin=1.5,
        rmax=20.0,
        rstep=0.02,
        scale=scale,
        correlation=integrator.correlation,
    )

    stack = reduce_many(plan, patterns, sigmas)

    ratio = np.median(stack.gr_sigma, axis=0) / np.std(stack.gr, axis=0, ddof=1)
    noise = (patterns - patterns.mean(axis=0))[:, plan.fit] / patterns.std(axis=0)[plan.fit]
    neighbours = np.mean(noise[:, 1:] * noise[:, :-1])
    low, middle, high = np.percentile(ratio, [5, 50, 95])
    print(  # noqa: T201  # the figures are what this is run for
        f"\n{split} split, {counts} counts a pixel, {scale}: sigma/scatter {middle:.3f} "
        f"({low:.3f} to {high:.3f}), correlation of neighbouring bins {neighbours:.3f}, "
        f"calculated {', '.join(f'{rho:.3f}' for rho in integrator.correlation) or 'none'}"
    )
    assert 0.95 < middle < 1.05
    assert low > 0.85
    assert high < 1.15
    told = integrator.correlation[0] if integrator.correlation else 0.0
    assert abs(neighbours - told) < 0.05
