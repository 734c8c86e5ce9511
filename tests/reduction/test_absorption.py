"""Absorption and dispersion as a plan applies them."""

import numpy as np
import pytest

from livepdf.config.recipe import Recipe
from livepdf.numerics.capillary import Capillary, attenuation, transmissions
from livepdf.numerics.compton import scattering_angle
from livepdf.numerics.form_factors import dispersion, form_factor
from livepdf.reduction.background import Background
from livepdf.reduction.curves import gr_covariance, reduce_intensity
from livepdf.reduction.plan import Plan, build_plan, with_scale
from livepdf.reduction.recipes import plan_extras, plan_from_recipe
from livepdf.reduction.stack import reduce_many

Q = 0.02 * np.arange(10, 1151)
ENERGY = 60.0
GLASS = Capillary(radius=0.35, mu=1.2, wall=0.01, wall_mu=0.6)
SELF = form_factor(q=Q, element="Hf") ** 2
SAMPLE = SELF * (1 + 0.2 * np.sin(3.1 * Q) * np.exp(-0.01 * Q**2))
CELL = 2e3 * np.exp(-((Q - 1.5) ** 2)) + 300 * np.exp(-0.1 * Q)


def plan_with(**more: object) -> Plan:
    settings: dict[str, object] = {
        "q": Q,
        "composition": "Hf",
        "qmin": 0.8,
        "qmax": 22.0,
        "qmaxinst": 22.0,
        "rpoly": 0.9,
        "rmin": 0.05,
        "rmax": 15.0,
        "rstep": 0.05,
        "scale": "mean",
        "energy": ENERGY,
    }
    return build_plan(**(settings | more))  # type: ignore[arg-type]


def measured() -> np.ndarray:
    """What a detector sees of sample and wall, each after its own way out."""
    angle = scattering_angle(q=Q, energy=ENERGY)
    sample, wall = transmissions(GLASS, two_theta=angle)
    return np.asarray(sample * SAMPLE + wall * CELL)


def test_absorption_undone_leaves_the_sample_without_wall() -> None:
    cell = Background(name="cell", intensity=CELL, sigma=np.zeros(Q.size), cell=True)
    plan = plan_with(capillary=GLASS, backgrounds=[cell])

    found = reduce_intensity(plan, intensity=measured(), sigma=np.ones(Q.size))
    alone = reduce_intensity(plan_with(), intensity=SAMPLE, sigma=np.ones(Q.size))

    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one.y, other.y, rtol=1e-9, atol=1e-9)
    # Left out, it would be seen.
    plain = Background(name="cell", intensity=CELL, sigma=np.zeros(Q.size))
    without = reduce_intensity(
        plan_with(backgrounds=[plain]), intensity=measured(), sigma=np.ones(Q.size)
    )
    assert np.std(without[3].y - alone[3].y) > 0.01 * np.std(alone[3].y)


@pytest.mark.parametrize("scale", [0.8, "fit"])
def test_sigma_follows_through_absorption(scale: object) -> None:
    noise = np.sqrt(np.linspace(4.0, 9.0, Q.size))
    cell = Background(
        name="cell",
        intensity=CELL,
        sigma=0.5 * noise,
        cell=True,
        scale=scale,  # type: ignore[arg-type]
    )
    plan, rng = plan_with(capillary=GLASS, backgrounds=[cell]), np.random.default_rng(2)
    at = np.arange(40, plan.r.size, 20, dtype=np.intp)
    covariance = gr_covariance(plan, intensity=measured(), sigma=noise, at=at)
    curve = reduce_intensity(plan, intensity=measured(), sigma=noise)[3]

    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), curve.sigma[at], rtol=1e-4)
    quiet = plan_with(
        capillary=GLASS,
        backgrounds=[
            Background(
                name="cell",
                intensity=CELL,
                sigma=np.zeros(Q.size),
                cell=True,
                scale=scale,  # type: ignore[arg-type]
            )
        ],
    )
    drawn = measured() + noise * rng.normal(size=(400, Q.size))
    scatter = reduce_many(quiet, drawn, np.tile(noise, (400, 1))).gr[:, at]
    alone = reduce_intensity(quiet, intensity=measured(), sigma=noise)[3].sigma[at]
    assert np.median(alone / np.std(scatter, axis=0)) == pytest.approx(1.0, abs=0.04)


def test_another_scale_keeps_absorption_as_it_is() -> None:
    cell = Background(name="cell", intensity=CELL, sigma=np.zeros(Q.size), cell=True)
    plan = plan_with(capillary=GLASS, backgrounds=[cell])
    there = with_scale(
        with_scale(plan, kind="fixed", value=2.0, sigma=0.0, revision=2),
        kind="mean",
        value=None,
        sigma=0.0,
        revision=3,
    )

    one, other = (
        reduce_intensity(p, intensity=measured(), sigma=np.ones(Q.size))[3].y for p in (plan, there)
    )
    np.testing.assert_array_equal(one, other)


def test_dispersion_changes_the_self_scattering_by_its_squares() -> None:
    shift = dispersion(element="Hf", energy=ENERGY)
    plan = plan_with(dispersion=True)
    f2 = np.abs(form_factor(q=plan.fit_q, element="Hf") + shift) ** 2

    assert -2.5 < shift.real < -1.9
    assert shift.imag > 0
    np.testing.assert_allclose(1 / plan.mean_f2_inverse, f2, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dispersion": True, "energy": None}, "dispersion needs"),
        ({"dispersion": True, "mode": "neutron"}, "dispersion needs"),
        ({"capillary": GLASS, "energy": None}, "absorption needs"),
        ({"capillary": Capillary(radius=1.0, mu=9.0)}, "µ × radius"),
        ({"capillary": GLASS, "energy": 10.0}, "reach no further"),
    ],
)
def test_what_needs_an_energy_says_so(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan_with(**change)


def test_a_recipe_takes_the_energy_of_the_calibration_and_the_absorption_of_the_tables() -> None:
    recipe = Recipe.model_validate(
        {
            "sample": {"composition": "HfO2", "density": 9.68},
            "reduction": {"qmax": 22.0, "dispersion": True},
            "absorption": {"radius": 0.2, "packing": 0.5},
        }
    )

    plan = plan_from_recipe(recipe, q=Q, energy=ENERGY)

    whole = attenuation(composition={"Hf": 1, "O": 2}, density=9.68, energy=ENERGY)
    capillary = plan.parameters.capillary
    assert capillary is not None
    assert capillary.mu == pytest.approx(0.5 * whole)
    assert plan_extras(plan)["energy"] == ENERGY
    with pytest.raises(ValueError, match="energy"):
        plan_from_recipe(recipe, q=Q)
