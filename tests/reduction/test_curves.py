"""Oracles: the slow twin, and what must hold whatever the numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livepdf.model.sums import Sums
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.transform import pair_distribution
from livepdf.reduction.background import Background
from livepdf.reduction.curves import (
    bridged_bins,
    intensity_scale,
    reduce_intensity,
    reduce_sums,
    window_model,
)
from livepdf.reduction.plan import Plan, build_plan
from tests.reduction.patterns import SETTINGS, Q, pattern
from tests.reference import adhoc


def _plan(**changes: Any) -> Plan:
    return build_plan(q=Q, **(SETTINGS | changes))


def _curve(curves: tuple[Any, ...], kind: str) -> Any:
    return next(curve for curve in curves if curve.kind == kind)


FORMULAS = {
    "H1.4 Zr0.5 P1.2 O4.75 C0.3 N0.01": {
        "H": 1.4, "Zr": 0.5, "P": 1.2, "O": 4.75, "C": 0.3, "N": 0.01
    },
    "Pb(Zr0.52Ti0.48)O3": {"Pb": 1, "Zr": 0.52, "Ti": 0.48, "O": 3},
    "Ni": {"Ni": 1},
}  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    formula=st.sampled_from(sorted(FORMULAS)),
    qmin=st.floats(0.0, 3.0),
    width=st.floats(4.0, 20.0),
    beyond=st.floats(0.0, 1.9),
    rpoly=st.one_of(st.just(0.0), st.floats(0.1, 2.5)),
    rstep=st.floats(0.011, 0.4),
    lsq=st.booleans(),
)
@example(
    formula="H1.4 Zr0.5 P1.2 O4.75 C0.3 N0.01",
    qmin=0.0,
    width=17.0,
    beyond=1.0,
    rpoly=2.5,
    rstep=0.25,
    lsq=False,
)
def test_any_settings_give_what_the_slow_twin_gives(
    formula: str,
    qmin: float,
    width: float,
    beyond: float,
    rpoly: float,
    rstep: float,
    lsq: bool,
) -> None:
    q, intensity = Q[::4], pattern()[::4]
    limits = {"qmin": qmin, "qmax": qmin + width, "qmaxinst": qmin + width + beyond}
    plan = build_plan(
        q=q,
        composition=formula,
        **limits,
        rpoly=rpoly,
        rmin=0.0,
        rmax=6.0,
        rstep=rstep,
        scale="lsq" if lsq else "mean",
    )
    f, g = adhoc.reduce(
        q, intensity, plan.r, composition=FORMULAS[formula], **limits, rpoly=rpoly, lsq=lsq
    )

    curves = reduce_intensity(plan, intensity=intensity, sigma=np.sqrt(intensity))

    np.testing.assert_allclose(_curve(curves, "fq").y, f, atol=1e-7 * np.max(np.abs(f)))
    np.testing.assert_allclose(_curve(curves, "gr").y, g, atol=1e-7 * np.max(np.abs(g)))
    assert np.all(np.isfinite(_curve(curves, "gr").sigma))


@pytest.mark.parametrize("scale", ["lsq", "mean"])
def test_f_and_g_are_those_of_the_slow_twin(scale: str) -> None:
    intensity = np.random.default_rng(0).poisson(pattern()).astype(float)
    plan = _plan(scale=scale)
    f, g = adhoc.reduce(
        Q,
        intensity,
        plan.r,
        composition={"Ti": 1, "O": 2},
        qmin=0.8,
        qmax=20.0,
        qmaxinst=24.0,
        rpoly=0.9,
        lsq=scale == "lsq",
    )

    curves = reduce_intensity(plan, intensity=intensity, sigma=np.sqrt(intensity))

    np.testing.assert_allclose(_curve(curves, "fq").y, f, atol=1e-8)
    np.testing.assert_allclose(_curve(curves, "gr").y, g, atol=1e-8)
    sq = _curve(curves, "sq")
    np.testing.assert_allclose(sq.y, 1 + f / sq.x, atol=1e-8)


def test_two_frames_added_give_the_curves_of_their_mean_intensity() -> None:
    def sums(signal: np.ndarray, weight: float) -> Sums:
        return Sums(
            signal=signal,
            variance=signal,
            weight=np.full(Q.size, weight),
            pixels=np.ones(Q.size),
            frames=1,
            monitor=1.0,
            exposure=1.0,
        )

    plan = _plan()
    rng = np.random.default_rng(5)
    one, two = rng.poisson(pattern(), size=(2, Q.size)).astype(float)

    added = reduce_sums(plan, sums(one, 1.0) + sums(two, 1.0))
    mean = reduce_intensity(plan, intensity=(one + two) / 2, sigma=np.sqrt(one + two) / 2)

    for a, b in zip(added, mean, strict=True):
        np.testing.assert_allclose(a.y, b.y, rtol=1e-12)
        np.testing.assert_allclose(a.sigma, b.sigma, rtol=1e-12)


def test_empty_bins_are_bridged_and_counted_and_do_not_poison_g() -> None:
    plan = _plan()
    intensity, sigma = pattern(), np.sqrt(pattern())
    holed = intensity.copy()
    holed[[100, 101, 400]] = np.nan

    whole = reduce_intensity(plan, intensity=intensity, sigma=sigma)
    bridged = reduce_intensity(
        plan, intensity=holed, sigma=np.where(np.isnan(holed), np.nan, sigma)
    )

    assert bridged_bins(plan, holed) == 3
    assert np.all(np.isfinite(bridged[3].y) & np.isfinite(bridged[3].sigma))
    np.testing.assert_allclose(bridged[3].y, whole[3].y, atol=3 * np.median(whole[3].sigma))
    assert np.array_equal(np.flatnonzero(np.isnan(bridged[0].y)), [100, 101, 400])


def test_empty_bins_outside_the_range_do_not_matter() -> None:
    intensity = pattern()
    intensity[:10] = np.nan

    assert bridged_bins(_plan(), intensity) == 0
    assert np.all(
        np.isfinite(reduce_intensity(_plan(), intensity=intensity, sigma=np.ones(Q.size))[3].y)
    )


def test_an_empty_edge_or_too_many_empty_bins_are_refused() -> None:
    plan, sigma = _plan(), np.ones(Q.size)
    beamstop, sparse = pattern(), pattern()
    beamstop[:40] = np.nan
    sparse[50:700:5] = np.nan

    with pytest.raises(ValueError, match=r"edge of the range.*move qmin"):
        reduce_intensity(plan, intensity=beamstop, sigma=sigma)
    with pytest.raises(ValueError, match=r"130 of \d+ bins"):
        reduce_intensity(plan, intensity=sparse, sigma=sigma)


def test_a_dead_frame_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no positive scale"):
        reduce_intensity(_plan(), intensity=np.zeros(Q.size), sigma=np.zeros(Q.size))


def test_unknown_errors_stay_unknown() -> None:
    curves = reduce_intensity(_plan(), intensity=pattern(), sigma=np.full(Q.size, np.nan))

    assert all(np.all(np.isnan(curve.sigma)) for curve in curves)
    assert np.all(np.isfinite(curves[3].y))


def test_the_inputs_are_not_written_to() -> None:
    intensity, sigma = pattern(), np.sqrt(pattern())
    before = intensity.copy(), sigma.copy()
    background = Background(name="b", intensity=np.ones(Q.size), sigma=np.ones(Q.size))

    reduce_intensity(_plan(backgrounds=[background]), intensity=intensity, sigma=sigma)

    np.testing.assert_array_equal((intensity, sigma), before)
    np.testing.assert_array_equal(background.intensity, 1.0)


def test_a_model_pushed_through_the_window_is_what_the_data_of_that_model_give() -> None:
    plan = _plan(scale="fixed", scale_value=1.0, taper="lorch")
    mean_f, mean_f2 = mean_form_factors(q=Q, composition={"Ti": 1, "O": 2})
    fq = 3 * np.sin(2 * Q) * np.exp(-0.005 * Q**2)
    intensity = mean_f2 + mean_f**2 * fq / Q

    gr = reduce_intensity(plan, intensity=intensity, sigma=np.ones(Q.size))[3]

    np.testing.assert_allclose(window_model(plan, fq, project=True), gr.y, atol=1e-9)
    inside = (Q >= 0.8 - 1e-8) & (Q <= 20 + 1e-8)
    plain = pair_distribution(q=Q[inside], fq=(fq * np.sinc(Q / 20))[inside], r=plan.r)
    np.testing.assert_allclose(window_model(plan, fq), plain, atol=1e-10)


def test_the_scale_comes_with_its_error() -> None:
    plan, truth, rng = _plan(), pattern(), np.random.default_rng(4)
    found = np.array(
        [
            intensity_scale(plan, intensity=counts, sigma=np.sqrt(counts))
            for counts in rng.poisson(truth, size=(60, Q.size)).astype(float)
        ]
    )

    assert 0.75 < np.mean(found[:, 1]) / np.std(found[:, 0], ddof=1) < 1.3
