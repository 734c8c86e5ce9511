from dataclasses import replace

import numpy as np
import pytest

from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.reduction.background import Background
from livepdf.reduction.curves import background_scales, reduce_intensity
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.ramps import matched, ramp_backgrounds

Q = 0.02 * np.arange(10, 1201)
TIO2 = {"Ti": 1, "O": 2}
WAVE = 0.15 * np.sin(1.95 * Q) * np.exp(-0.01 * Q**2)
SAMPLE = 20 * (
    mean_form_factors(q=Q, composition=TIO2)[1] * (1 + WAVE)
    + mean_compton(q=Q, composition=TIO2, energy=None)
)
TEMPERATURES = [300.0, 350.0, 400.0, 450.0, 500.0]


def solvent(temperature: float) -> np.ndarray:
    t = (temperature - 400) / 100
    halo = np.exp(-(((Q - 2.0 + 0.1 * t) / 0.4) ** 2)) + 0.3 * np.exp(-(((Q - 3.2) / 0.8) ** 2))
    return np.asarray(2e4 * halo + 4e3 * np.exp(-0.15 * Q) + 300)


def blanks(rng: np.random.Generator | None = None) -> list[Background]:
    made = []
    for temperature in TEMPERATURES:
        counts = solvent(temperature)
        if rng is not None:
            counts = rng.poisson(100 * counts) / 100
        made.append(Background(name="w", intensity=counts, sigma=np.sqrt(counts / 100)))
    return made


def plan_with(backgrounds: list[Background]) -> Plan:
    return build_plan(
        q=Q,
        composition="TiO2",
        qmin=0.8,
        qmax=22.0,
        qmaxinst=22.0,
        rpoly=0.0,
        rmin=0.02,
        rmax=20.0,
        rstep=0.02,
        scale="mean",
        backgrounds=backgrounds,
    )


def gr(plan: Plan, counts: np.ndarray) -> np.ndarray:
    curves = reduce_intensity(plan, intensity=counts, sigma=np.sqrt(counts))
    return next(curve.y for curve in curves if curve.kind == "gr")


def followed(scale: object, match: str = "temperature") -> Plan:
    return plan_with(
        ramp_backgrounds(
            blanks(),
            name="water",
            temperatures=TEMPERATURES,
            match=match,
            scale=scale,  # type: ignore[arg-type]
        )
    )


@pytest.mark.parametrize("scale", [0.9, "fit"])
@pytest.mark.parametrize("temperature", [300.0, 470.0, 500.0])
def test_a_blank_at_the_frames_temperature_leaves_the_sample(
    scale: object, temperature: float
) -> None:
    counts = SAMPLE + 0.9 * solvent(temperature)
    alone = gr(plan_with([]), SAMPLE)
    one_hot = plan_with([blanks()[2]])

    found = gr(matched(followed(scale), {"temperature": temperature}), counts)

    wrong = np.sqrt(np.mean((gr(one_hot, counts) - alone) ** 2))
    assert np.sqrt(np.mean((found - alone) ** 2)) < 0.25 * wrong


def test_a_fit_of_mean_and_changes_needs_no_temperature() -> None:
    plan = followed("fit", match="fit")
    counts = SAMPLE + 0.9 * solvent(470.0)
    scales = background_scales(plan, intensity=counts, sigma=np.sqrt(counts))

    assert [scale.name for scale in scales][:2] == ["water", "water 1"]
    assert matched(plan, {}) is plan
    assert scales[0].value == pytest.approx(0.9, abs=0.03)
    wrong = gr(plan_with([blanks()[2]]), counts) - gr(plan_with([]), SAMPLE)
    found = gr(plan, counts) - gr(plan_with([]), SAMPLE)
    assert np.sqrt(np.mean(found**2)) < 0.5 * np.sqrt(np.mean(wrong**2))


def test_the_scale_of_a_change_may_be_negative_with_its_own_error() -> None:
    plan = followed("fit", match="fit")
    cold, hot = (
        background_scales(plan, intensity=counts, sigma=np.sqrt(counts))[1]
        for counts in (SAMPLE + solvent(320.0), SAMPLE + solvent(480.0))
    )

    assert cold.value * hot.value < 0
    assert cold.sigma > 0


def test_sigma_of_a_fitted_ramp_is_the_scatter() -> None:
    plan, rng = followed("fit", match="fit"), np.random.default_rng(9)
    expected = SAMPLE + 0.9 * solvent(430.0)
    curves = []
    for _ in range(150):
        counts = rng.poisson(expected).astype(np.float64)
        curves.append(reduce_intensity(plan, intensity=counts, sigma=np.sqrt(counts))[3])
    # The blanks' own noise is the same in all of these patterns.
    bare = plan_with([_exact(b) for b in plan.backgrounds])
    sigma = reduce_intensity(bare, intensity=expected, sigma=np.sqrt(expected))[3].sigma
    scatter = np.std([curve.y for curve in curves], axis=0, ddof=1)

    shown = plan.r > 1.5
    ratio = sigma[shown] / scatter[shown]
    assert 0.93 < np.median(ratio) < 1.07


@pytest.mark.parametrize(
    ("surroundings", "said"),
    [({}, "needs the frames' temperature"), ({"temperature": 700.0}, "outside the ramp")],
)
def test_a_temperature_that_is_missing_or_was_not_recorded_is_refused(
    surroundings: dict[str, float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        matched(followed(1.0), surroundings)


def test_changes_are_fitted_only_with_their_mean() -> None:
    with pytest.raises(ValueError, match="matched by a fit"):
        followed(0.9, match="fit")


def _exact(background: Background) -> Background:
    return replace(background, sigma=np.zeros(Q.size))
