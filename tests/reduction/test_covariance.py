"""Oracles: finite differences, and the scatter over many noisy patterns."""

from typing import Any

import numpy as np
import pytest

from livepdf.reduction.curves import (
    gr_covariance,
    reduce_intensity,
)
from livepdf.reduction.plan import Plan, build_plan
from tests.reduction.patterns import SETTINGS, Q, pattern


def _plan(**changes: Any) -> Plan:
    return build_plan(q=Q, **(SETTINGS | changes))


def _curve(curves: tuple[Any, ...], kind: str) -> Any:
    return next(curve for curve in curves if curve.kind == kind)


def test_the_error_of_a_scale_that_is_told_is_common_to_all_points() -> None:
    known = {"intensity": pattern(), "sigma": np.zeros(Q.size)}
    plan = _plan(scale="reference", scale_value=0.005, scale_sigma=1e-4, rpoly=0.0)
    up = reduce_intensity(_plan(scale="reference", scale_value=0.0051, rpoly=0.0), **known)
    curves = reduce_intensity(plan, **known)

    for changed, curve in zip(up[2:], curves[2:], strict=True):
        np.testing.assert_allclose(
            curve.sigma, np.abs(changed.y - curve.y), atol=1e-6 * np.max(curve.sigma)
        )
    covariance = gr_covariance(plan, **known)
    np.testing.assert_allclose(
        np.abs(covariance), np.outer(curves[3].sigma, curves[3].sigma), atol=1e-9
    )


@pytest.mark.parametrize("scale", ["lsq", "mean", "high-q", "fixed", "absolute"])
@pytest.mark.parametrize("transform", ["exact", "fft"])
def test_the_covariance_is_that_of_a_jacobian_by_finite_differences(
    scale: str, transform: str
) -> None:
    value = 0.005 if scale == "fixed" else None
    changes = {"scale": scale, "scale_value": value, "transform": transform}
    changes |= {"density": 0.09, "energy": 60.0}
    plan = build_plan(q=Q[::6], **(SETTINGS | changes | {"rmax": 5.0, "rstep": 0.05}))
    intensity = pattern()[::6]
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

    np.testing.assert_allclose(covariance, expected, atol=2e-5 * expected.max())


@pytest.mark.parametrize("scale", ["lsq", "mean", "fixed"])
@pytest.mark.parametrize("taper", ["none", "lorch"])
def test_sigma_is_the_diagonal_of_the_covariance(scale: str, taper: str) -> None:
    value = 0.005 if scale == "fixed" else None
    plan = _plan(scale=scale, scale_value=value, taper=taper)
    intensity, sigma = pattern(), np.sqrt(pattern())

    gr = reduce_intensity(plan, intensity=intensity, sigma=sigma)[3]
    covariance = gr_covariance(plan, intensity=intensity, sigma=sigma)

    np.testing.assert_allclose(gr.sigma, np.sqrt(np.diag(covariance)), rtol=2e-3)
    np.testing.assert_allclose(gr.sigma[50:], np.sqrt(np.diag(covariance))[50:], rtol=1e-4)


@pytest.mark.parametrize("transform", ["exact", "fft"])
def test_on_a_fine_grid_of_r_sigma_is_interpolated_and_still_the_diagonal(transform: str) -> None:
    plan = _plan(transform=transform, rstep=0.005, rmin=0.0, rmax=12.0)
    intensity, sigma = pattern(), np.sqrt(pattern())

    gr = reduce_intensity(plan, intensity=intensity, sigma=sigma)[3]
    covariance = gr_covariance(plan, intensity=intensity, sigma=sigma)

    assert plan.variance.onto_r is not None
    exact = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(gr.sigma, exact, rtol=2e-5, atol=2e-3 * exact.max())
    np.testing.assert_allclose(gr.sigma[200:], exact[200:], rtol=2e-5)


def test_intensities_in_any_unit_have_their_sigma() -> None:
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}
    tiny = {name: 1e-25 * values for name, values in known.items()}

    for a, b in zip(
        reduce_intensity(_plan(), **known)[1:], reduce_intensity(_plan(), **tiny)[1:], strict=True
    ):
        np.testing.assert_allclose(b.y, a.y, atol=1e-9 * np.nanmax(np.abs(a.y)))
        np.testing.assert_allclose(b.sigma, a.sigma, rtol=1e-5)


def test_a_part_of_the_covariance_is_that_part() -> None:
    plan = _plan()
    at = np.array([5, 700, 90])
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}

    part = gr_covariance(plan, **known, at=at)

    np.testing.assert_allclose(part, gr_covariance(plan, **known)[np.ix_(at, at)], rtol=1e-10)


@pytest.mark.parametrize("scale", ["lsq", "mean"])
def test_sigma_is_the_scatter_over_many_noisy_patterns(scale: str) -> None:
    plan = _plan(scale=scale)
    truth = pattern(counts=5.0)
    rng = np.random.default_rng(11)
    values: dict[str, list[np.ndarray]] = {"fq": [], "gr": []}
    sigmas: dict[str, list[np.ndarray]] = {"fq": [], "gr": []}
    for _ in range(240):
        counts = rng.poisson(truth).astype(float)
        for curve in reduce_intensity(plan, intensity=counts, sigma=np.sqrt(counts))[2:]:
            values[curve.kind].append(curve.y)
            sigmas[curve.kind].append(curve.sigma)

    seen = (plan.r > 1.5) & (plan.r < 20)
    ratio = np.median(sigmas["gr"], axis=0)[seen] / np.std(values["gr"], axis=0, ddof=1)[seen]
    assert 0.95 < np.median(ratio) < 1.05
    ratio = np.median(sigmas["fq"], axis=0) / np.std(values["fq"], axis=0, ddof=1)
    assert 0.95 < np.median(ratio) < 1.05
