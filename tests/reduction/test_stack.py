"""Many patterns at once give what each gives alone."""

from typing import Any

import numpy as np
import pytest

from livepdf.reduction.background import Background
from livepdf.reduction.curves import background_scales, intensity_scale, reduce_intensity
from livepdf.reduction.plan import build_plan
from livepdf.reduction.stack import reduce_many
from tests.reduction.patterns import SETTINGS, Q, incoherent, pattern

CELL = 300 * np.exp(-Q / 12) * (1 + 0.2 * np.sin(1.6 * Q))


def _background(scale: Any) -> Background:
    return Background(name="cell", intensity=CELL, sigma=0.01 * CELL, scale=scale)


@pytest.mark.parametrize("transform", ["exact", "fft"])
@pytest.mark.parametrize("scale", ["lsq", "mean", "high-q", "fixed"])
@pytest.mark.parametrize("bgscale", [0.9, "fit"])
def test_every_row_is_what_it_gives_alone(transform: str, scale: str, bgscale: Any) -> None:
    plan = build_plan(
        q=Q,
        **SETTINGS,
        scale=scale,
        scale_value=0.005 if scale == "fixed" else None,
        scale_sigma=2e-5 if scale == "fixed" else 0.0,
        transform=transform,
        backgrounds=[_background(bgscale)],
    )
    rng = np.random.default_rng(1)
    counts = rng.poisson(pattern() + incoherent() + 0.9 * CELL, size=(70, Q.size)).astype(float)
    counts[3, 200] = np.nan

    stack = reduce_many(plan, counts, np.sqrt(counts))

    for row in (0, 3, 69):
        known = {"intensity": counts[row], "sigma": np.sqrt(counts[row])}
        iq, _, fq, gr = reduce_intensity(plan, **known)
        for curve in (iq, fq, gr):
            values = getattr(stack, curve.kind)[row]
            sigmas = getattr(stack, f"{curve.kind}_sigma")[row]
            np.testing.assert_allclose(values, curve.y, atol=1e-9 * np.nanmax(np.abs(curve.y)))
            np.testing.assert_allclose(sigmas, curve.sigma, rtol=2e-3, atol=1e-5)
        assert (stack.scale[row], stack.scale_sigma[row]) == pytest.approx(
            intensity_scale(plan, **known)
        )
        for found, value in zip(
            background_scales(plan, **known), stack.blank_scale[row], strict=True
        ):
            assert found.value == pytest.approx(value)


def test_what_cannot_be_reduced_is_nan_with_its_reason_and_spoils_no_other() -> None:
    plan = build_plan(q=Q, **SETTINGS)
    rows = np.array([pattern(), 0 * Q, pattern(), pattern()])
    rows[2, :60] = np.nan

    stack = reduce_many(plan, rows, np.sqrt(rows))

    assert [bool(reason) for reason in stack.reasons] == [False, True, True, False]
    assert "no positive scale" in stack.reasons[1]
    assert "edge of the range" in stack.reasons[2]
    for values in (stack.gr, stack.gr_sigma, stack.fq, stack.scale):
        assert np.all(np.isnan(values[[1, 2]]))
        np.testing.assert_array_equal(values[0], values[3])
        assert np.all(np.isfinite(values[0]))


def test_no_pattern_gives_no_curves() -> None:
    plan = build_plan(q=Q, **SETTINGS)

    assert reduce_many(plan, np.empty((0, Q.size)), np.empty((0, Q.size))).gr.shape == (
        0,
        plan.r.size,
    )
