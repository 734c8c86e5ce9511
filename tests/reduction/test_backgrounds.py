"""Backgrounds of every kind in curves and their errors."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from livepdf.reduction.background import Background
from livepdf.reduction.curves import (
    background_scales,
    gr_covariance,
    reduce_intensity,
)
from livepdf.reduction.plan import Plan, build_plan
from tests.reduction.patterns import SETTINGS, Q, incoherent, pattern


def _plan(**changes: Any) -> Plan:
    return build_plan(q=Q, **(SETTINGS | changes))


def _curve(curves: tuple[Any, ...], kind: str) -> Any:
    return next(curve for curve in curves if curve.kind == kind)


CELL = 300 * np.exp(-Q / 12) * (1 + 0.2 * np.sin(1.6 * Q))


def _blank(scale: Any) -> Background:
    return Background(name="cell", intensity=CELL, sigma=0.02 * CELL, scale=scale)


@pytest.mark.parametrize("scale", ["lsq", "mean", "fixed"])
@pytest.mark.parametrize("transform", ["exact", "fft"])
def test_a_fitted_background_goes_into_the_covariance_as_finite_differences_say(
    scale: str, transform: str
) -> None:
    changes = {"scale_value": 0.005 if scale == "fixed" else None, "transform": transform}
    blank = _blank("fit")
    blank = replace(blank, intensity=blank.intensity[::6], sigma=0 * blank.sigma[::6])
    plan = build_plan(
        q=Q[::6],
        **(SETTINGS | changes | {"scale": scale, "rmax": 5.0, "rstep": 0.05}),
        backgrounds=[blank],
    )
    intensity = (pattern() + 0.9 * CELL)[::6]
    sigma = np.sqrt(intensity)
    jacobian = np.empty((plan.r.size, plan.q.size))
    for i in range(plan.q.size):
        step = np.zeros(plan.q.size)
        step[i] = 1e-3 * intensity[i]
        up = reduce_intensity(plan, intensity=intensity + step, sigma=sigma)[3].y
        down = reduce_intensity(plan, intensity=intensity - step, sigma=sigma)[3].y
        jacobian[:, i] = (up - down) / (2 * step[i])

    expected = (jacobian * sigma**2) @ jacobian.T
    covariance = gr_covariance(plan, intensity=intensity, sigma=sigma)
    curve = reduce_intensity(plan, intensity=intensity, sigma=sigma)[3]

    np.testing.assert_allclose(covariance, expected, atol=2e-5 * expected.max())
    np.testing.assert_allclose(curve.sigma, np.sqrt(np.diag(covariance)), rtol=1e-3)


def test_the_fitted_scale_of_a_background_has_the_error_of_its_scatter_in_every_curve() -> None:
    truth = pattern(5.0) + incoherent(5.0) + 0.9 * CELL
    rng = np.random.default_rng(21)
    found, ys, sigmas = [], [], []
    for _ in range(200):
        # The blank is measured anew each time: its noise counts too.
        noisy = rng.normal(CELL, 0.02 * CELL)
        blank = Background(name="cell", intensity=noisy, sigma=0.02 * CELL, scale="fit")
        plan = _plan(scale="mean", rmax=8.0, backgrounds=[blank])
        counts = rng.poisson(truth).astype(float)
        found.append(background_scales(plan, intensity=counts, sigma=np.sqrt(counts))[0])
        curves = reduce_intensity(plan, intensity=counts, sigma=np.sqrt(counts))
        ys.append(curves[3].y)
        sigmas.append(curves[3].sigma)

    values = np.array([scale.value for scale in found])
    assert np.median([scale.sigma for scale in found]) == pytest.approx(
        np.std(values, ddof=1), rel=0.15
    )
    assert np.mean(values) == pytest.approx(0.9, abs=0.03)
    ratio = (np.median(sigmas, axis=0) / np.std(ys, axis=0, ddof=1))[plan.r > 1.5]
    assert 0.95 < np.median(ratio) < 1.05


def test_a_scale_that_is_held_at_its_limit_has_no_error() -> None:
    plan = _plan(backgrounds=[_blank("fit")])
    less = pattern() + incoherent() - 0.9 * CELL

    (found,) = background_scales(plan, intensity=less, sigma=np.sqrt(pattern()))

    assert found.value == 0
    assert np.isnan(found.sigma)


def test_a_background_tied_to_the_monitor_is_divided_by_its_own() -> None:
    tied = replace(_blank("monitor"), monitor=4000.0)
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}

    a = reduce_intensity(_plan(backgrounds=[tied]), **known)
    b = reduce_intensity(_plan(backgrounds=[_blank(1 / 4000.0)]), **known)

    np.testing.assert_array_equal(a[3].y, b[3].y)
    with pytest.raises(ValueError, match="monitor"):
        _plan(backgrounds=[_blank("monitor")])


def test_a_background_and_its_noise_are_subtracted_and_added() -> None:
    cell = 300 * np.exp(-((Q - 1.6) ** 2)) + 50
    background = Background(name="cell", intensity=cell, sigma=np.sqrt(cell), scale=0.9)
    bare, covered = _plan(), _plan(backgrounds=[background])
    intensity = pattern() + 0.9 * cell
    sigma = np.sqrt(pattern())

    clean = reduce_intensity(bare, intensity=pattern(), sigma=np.hypot(sigma, 0.9 * np.sqrt(cell)))
    subtracted = reduce_intensity(covered, intensity=intensity, sigma=sigma)

    for a, b in zip(clean, subtracted, strict=True):
        np.testing.assert_allclose(a.y, b.y, atol=1e-9 * np.nanmax(np.abs(a.y)))
        np.testing.assert_allclose(a.sigma, b.sigma, rtol=1e-5)
