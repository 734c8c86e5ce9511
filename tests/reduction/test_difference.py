import numpy as np
import pytest

from livepdf.reduction.background import Background
from livepdf.reduction.curves import intensity_scale, reduce_intensity
from livepdf.reduction.difference import difference, pattern_difference, reference_plan
from livepdf.reduction.plan import build_plan, with_scale
from livepdf.reduction.recipes import plan_extras
from tests.reduction.patterns import SETTINGS, Q, pattern


def test_a_difference_has_the_noise_of_both_curves() -> None:
    truth, rng = pattern(5.0), np.random.default_rng(4)
    plan = build_plan(q=Q, **(SETTINGS | {"rmax": 10.0}), scale="fixed", scale_value=0.2)
    drawn = rng.poisson(truth, size=(120, 2, Q.size)).astype(float)
    found = [
        difference(*(reduce_intensity(plan, intensity=i, sigma=np.sqrt(i))[3] for i in pair))
        for pair in drawn
    ]

    spread = np.std([curve.y for curve in found], axis=0, ddof=1)
    ratio = (np.median([curve.sigma for curve in found], axis=0) / spread)[plan.r > 1.5]
    assert 0.95 < np.median(ratio) < 1.05


def test_a_curve_less_itself_is_nothing_and_other_settings_are_refused() -> None:
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}
    curves = reduce_intensity(build_plan(q=Q, **SETTINGS), **known)
    other = reduce_intensity(build_plan(q=Q, **(SETTINGS | {"rmin": 0.03})), **known)

    assert np.all(difference(curves[3], curves[3]).y == 0.0)
    with pytest.raises(ValueError, match="another grid"):
        difference(curves[3], other[3])
    with pytest.raises(ValueError, match="no reference"):
        difference(curves[2], curves[3])


def test_a_frozen_scale_is_that_of_its_pattern_for_every_other() -> None:
    plan = build_plan(q=Q, **SETTINGS, scale="lsq")
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}

    frozen = reference_plan(plan, **known, kind="mean", revision=4)

    mean = build_plan(q=Q, **SETTINGS, scale="mean")
    assert intensity_scale(frozen, intensity=3 * pattern(), sigma=pattern()) == pytest.approx(
        intensity_scale(mean, **known)
    )
    assert frozen.revision == 4
    extras = plan_extras(frozen)
    assert extras["scale"] == "reference"
    assert isinstance(extras["scale_sigma"], float)
    once = reduce_intensity(frozen, **known)[3].y + frozen.offset_gr
    thrice = reduce_intensity(frozen, intensity=3 * pattern(), sigma=pattern())[3]
    np.testing.assert_allclose(thrice.y + frozen.offset_gr, 3 * once, atol=1e-9)


def test_an_absolute_scale_brings_its_compton_and_takes_it_away_again() -> None:
    more = {"density": 0.09, "energy": 60.0}
    known = {"intensity": pattern(), "sigma": np.sqrt(pattern())}
    absolute = build_plan(q=Q, **SETTINGS, scale="absolute", **more)

    frozen = reference_plan(absolute, **known, kind="mean", revision=2)

    plain = build_plan(q=Q, **SETTINGS, scale="mean")
    np.testing.assert_allclose(
        reduce_intensity(frozen, **known)[3].y, reduce_intensity(plain, **known)[3].y, atol=1e-9
    )


def test_a_difference_of_patterns_is_that_of_their_curves_without_the_noise_of_backgrounds() -> (
    None
):
    rng = np.random.default_rng(4)
    one, other = rng.uniform(0.95, 1.05, (2, Q.size)) * pattern()
    cell = Background(
        name="cell", intensity=0.2 * pattern(), sigma=0.05 * pattern(), cell=False, scale=0.8
    )
    plan = reference_plan(
        build_plan(q=Q, **SETTINGS, backgrounds=[cell]),
        intensity=other,
        sigma=np.sqrt(other),
        revision=2,
    )
    both = ((one, np.sqrt(one)), (other, np.sqrt(other)))

    found = pattern_difference(plan, pattern=both[0], reference=both[1])
    curves = [reduce_intensity(plan, intensity=i, sigma=s) for i, s in both]

    for delta, a, b in zip(found, *curves, strict=True):
        np.testing.assert_allclose(delta.y, a.y - b.y, rtol=1e-9, atol=1e-9)
    assert np.median(found[3].sigma / difference(curves[0][3], curves[1][3]).sigma) < 0.6
    with pytest.raises(ValueError, match="freeze"):
        pattern_difference(build_plan(q=Q, **SETTINGS), pattern=both[0], reference=both[1])


def test_the_sigma_of_a_difference_is_its_scatter() -> None:
    rng, expected = np.random.default_rng(5), 100 * pattern()
    plan = with_scale(
        build_plan(q=Q, **SETTINGS), kind="reference", value=1e-3, sigma=0.0, revision=2
    )
    found = []
    for _ in range(300):
        one, other = (rng.poisson(expected).astype(np.float64) for _ in range(2))
        found.append(
            pattern_difference(
                plan, pattern=(one, np.sqrt(expected)), reference=(other, np.sqrt(expected))
            )[3]
        )
    ratio = found[0].sigma / np.std([gr.y for gr in found], axis=0, ddof=1)

    assert np.median(ratio[plan.r > 1.5]) == pytest.approx(1.0, abs=0.04)
