from typing import Any

import numpy as np
import pytest

from livepdf.config.recipe import Recipe, Sample
from livepdf.reduction.background import Background, background_on
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.parameters import r_grid
from livepdf.reduction.plan import build_plan
from livepdf.reduction.recipes import plan_extras, plan_from_recipe, plan_header

Q = 0.02 * np.arange(1300)
GOOD: dict[str, Any] = {
    "composition": "Ni",
    "qmin": 0.8,
    "qmax": 20.0,
    "qmaxinst": 24.0,
    "rpoly": 0.9,
    "rmin": 0.0,
    "rmax": 20.0,
    "rstep": 0.02,
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"composition": "Nix"}, "Ni"),
        ({"qmax": 0.5}, "qmin < qmax"),
        ({"qmaxinst": 19.0}, "qmaxinst"),
        ({"qmaxinst": 30.0}, "data end at 25.98"),
        ({"rmax": 0.0}, "rmin < rmax"),
        ({"rstep": 0.0}, "rstep"),
        ({"rpoly": -1.0}, "rpoly"),
        ({"scale": "best"}, "best"),
        ({"taper": "hann"}, "hann"),
        ({"transform": "dft"}, "dft"),
        ({"q": Q**1.2}, "equidistant"),
        ({"backgrounds": [Background(name="b", intensity=Q[1:], sigma=Q[1:])]}, "background b"),
    ],
)
def test_a_parameter_without_meaning_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        build_plan(**({"q": Q} | GOOD | change))


def test_limits_that_meet_a_point_include_it() -> None:
    plan = build_plan(q=Q, **GOOD)

    assert plan.q[plan.window][[0, -1]] == pytest.approx([0.8, 20.0])
    assert plan.fit_q[-1] == pytest.approx(24.0)


def test_the_r_grid_ends_at_rmax_where_the_step_divides_it() -> None:
    assert r_grid(rmin=0.0, rmax=60.0, rstep=0.01).size == 6001
    assert r_grid(rmin=1.0, rmax=2.05, rstep=0.1)[-1] == pytest.approx(2.0)


def test_a_recipe_makes_the_plan_it_says() -> None:
    plan = plan_from_recipe(Recipe(sample=Sample(composition="HfO2")), q=Q, revision=7)

    assert plan.revision == 7
    assert plan.parameters.composition == {"Hf": 1.0, "O": 2.0}
    assert plan.parameters.qmaxinst == plan.parameters.qmax == 20.0


def test_the_header_of_a_plan_makes_the_same_plan() -> None:
    background = Background(
        name="cell.chi", intensity=np.ones(1300), sigma=np.ones(1300), scale=0.9
    )
    plan = build_plan(
        q=Q, **(GOOD | {"composition": "Pb(Zr0.52Ti0.48)O3"}), backgrounds=[background]
    )
    header = plan_header(plan)

    again = build_plan(q=Q, **{key: header[key] for key in GOOD})

    assert again.parameters == plan.parameters
    assert header["backgroundfile"] == "cell.chi"
    assert header["bgscale"] == "0.9"
    assert plan_extras(plan) == {
        "revision": 1,
        "scale": "lsq",
        "taper": "none",
        "transform": "exact",
    }


def test_a_background_on_another_grid_is_interpolated_and_ends_where_it_ends() -> None:
    other = 0.03 * np.arange(600)
    background = background_on(grid=Q, name="b", q=other, intensity=2 * other, sigma=None)

    inside = other[-1] >= Q
    np.testing.assert_allclose(background.intensity[inside], 2 * Q[inside], atol=1e-12)
    assert np.all(np.isnan(background.intensity[~inside]))
    assert np.all(np.isnan(background.sigma))


def test_a_plan_without_errors_gives_the_same_curves_and_no_sigma_of_g() -> None:
    rng = np.random.default_rng(3)
    given = {"q": Q, **GOOD, "scale": "mean"}
    whole = build_plan(**given)
    quick = build_plan(**given, errors=False)
    intensity = rng.uniform(50.0, 60.0, whole.q.size)

    exact = reduce_intensity(whole, intensity=intensity, sigma=np.sqrt(intensity))
    first = reduce_intensity(quick, intensity=intensity, sigma=np.sqrt(intensity))

    for one, other in zip(exact, first, strict=True):
        np.testing.assert_array_equal(one.y, other.y)
    assert np.isnan(first[3].sigma).all()
    np.testing.assert_array_equal(exact[2].sigma, first[2].sigma)
