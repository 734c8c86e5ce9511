"""Noise that neighbouring bins share, from split pixels or interpolation, in σ of G."""

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.model.sums import intensity
from livepdf.numerics.binning import Splitting
from livepdf.numerics.geometry import geometry_from_pyfai
from livepdf.numerics.resample import resample_uniform
from livepdf.numerics.shared_noise import interpolation_correlation
from livepdf.reduction.curves import gr_covariance, reduce_intensity
from livepdf.reduction.integrator import build_integrator
from livepdf.reduction.plan import build_plan, with_correlation, with_qmax
from livepdf.reduction.stack import reduce_many
from tests.reduction.patterns import SETTINGS, Q, pattern

SHORT = SETTINGS | {"rmin": 1.5, "rmax": 20.0, "rstep": 0.05}


def test_sigma_is_the_diagonal_of_the_covariance_with_shared_noise_too() -> None:
    plan = build_plan(q=Q, **SHORT, scale="lsq", correlation=(0.25, 0.05))
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}

    sigma = reduce_intensity(plan, **known)[3].sigma
    diagonal = np.sqrt(np.diag(gr_covariance(plan, **known)))

    np.testing.assert_allclose(sigma, diagonal, rtol=0.02)
    alone = reduce_intensity(with_correlation(plan, ()), **known)[3].sigma
    assert np.median(sigma / alone) == pytest.approx(np.sqrt(1.6), rel=0.06)
    assert with_qmax(plan, 15.0, revision=2).parameters.correlation == (0.25, 0.05)


def test_sigma_of_a_pattern_in_two_theta_is_its_scatter() -> None:
    rng = np.random.default_rng(6)
    angle = np.linspace(1.0, 37.0, 1400)
    q = 4 * np.pi / 0.16 * np.sin(np.radians(angle) / 2)
    expected = np.interp(q, Q, pattern())
    counts = rng.poisson(expected, size=(300, q.size)).astype(np.float64)
    rows = [resample_uniform(q=q, intensity=c, sigma=np.sqrt(expected)) for c in counts]
    grid = rows[0][0]
    plan = build_plan(
        q=grid, **SHORT, scale="mean", correlation=interpolation_correlation(onto=grid, q=q)
    )

    stack = reduce_many(plan, np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))

    # One correlation stands for all Q; in truth it grows with Q here.
    ratio = stack.gr_sigma[0] / np.std(stack.gr, axis=0, ddof=1)
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert np.percentile(ratio, 5) > 0.85
    assert np.percentile(ratio, 95) < 1.15


@pytest.mark.parametrize("split", ["bbox", "full"])
def test_sigma_of_split_pixels_is_the_scatter(split: Splitting) -> None:
    side = 200
    pyfai = AzimuthalIntegrator(
        dist=0.2,
        poni1=0.0,
        poni2=0.0,
        detector=Detector(8e-4, 8e-4, max_shape=(side, side)),
        wavelength=1.6e-11,
    )
    geometry, rng = geometry_from_pyfai(pyfai), np.random.default_rng(7)
    integrator = build_integrator(geometry, npt=300, split=split)
    q = pyfai.center_array((side, side), unit="q_A^-1")
    expected = np.interp(q, Q, pattern(1.0)) + 3
    images = rng.poisson(expected, size=(400, side, side)).astype(np.uint16)
    rows = [intensity(integrator.integrate(image)) for image in images]
    plan = build_plan(q=integrator.q, **SHORT, scale="mean", correlation=integrator.correlation)

    stack = reduce_many(plan, np.array([r[0] for r in rows]), np.array([r[1] for r in rows]))

    assert integrator.correlation[0] > 0.1
    ratio = np.median(stack.gr_sigma, axis=0) / np.std(stack.gr, axis=0, ddof=1)
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert np.percentile(ratio, 5) > 0.85
    assert np.percentile(ratio, 95) < 1.15
