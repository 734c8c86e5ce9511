import numpy as np
import pytest

from livepdf.model.curve import Curve
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.reduction.advice import quality, rpoly_advice, wiener_plan
from livepdf.reduction.curves import gr_covariance, reduce_intensity
from livepdf.reduction.plan import Plan, build_plan
from tests.reduction.patterns import SETTINGS, Q, pattern


def _plan(**changes: object) -> Plan:
    return build_plan(q=Q, **(SETTINGS | {"scale": "mean", "rstep": 0.01} | changes))  # type: ignore[arg-type]


def _quality(intensity: np.ndarray, plan: Plan) -> dict[str, tuple[float, float]]:
    _, _, fq, gr = reduce_intensity(plan, intensity=intensity, sigma=np.sqrt(pattern()))
    return {t.name: (t.value, t.sigma) for t in quality(fq=fq, gr=gr, bond=1.95)}


def test_a_good_pattern_is_normalised_and_quiet_at_low_r() -> None:
    found = _quality(pattern(), _plan())

    assert abs(found["S(Q) tail"][0]) < 0.01
    assert found["low-r residual"][0] < 0.35
    assert 15 < found["advised qmax"][0] <= 20


def test_noise_shows_in_the_sigma_of_the_tail_and_a_wrong_background_in_low_r() -> None:
    rng = np.random.default_rng(0)
    plan = _plan(rpoly=0.0, scale="fixed", scale_value=1 / 200)
    tails = np.array(
        [_quality(rng.poisson(pattern()).astype(float), plan)["S(Q) tail"] for _ in range(60)]
    )
    assert np.std(tails[:, 0], ddof=1) == pytest.approx(tails[0, 1], rel=0.3)

    clean = _quality(pattern(), _plan())
    ripple = _quality(pattern() * (1 + 0.05 * np.sin(1.2 * Q)), _plan())
    assert ripple["low-r residual"][0] > 1.2 * clean["low-r residual"][0]


def test_a_tail_that_does_not_reach_one_is_seen_without_the_polynomial() -> None:
    _, mean_f2 = mean_form_factors(q=Q, composition={"Ti": 1, "O": 2})
    compton = mean_compton(q=Q, composition={"Ti": 1, "O": 2}, energy=60.0)
    plan = _plan(rpoly=0.0, scale="fixed", scale_value=1 / 200)

    found = _quality(200 * (mean_f2 + compton), plan)

    assert found["S(Q) tail"][0] > 0.5


def test_a_number_that_cannot_be_had_says_why() -> None:
    nothing = np.full(Q.size, np.nan)
    _, _, fq, gr = reduce_intensity(_plan(), intensity=pattern(), sigma=nothing)
    short = Curve(kind="gr", x=gr.x[:50], y=gr.y[:50], sigma=gr.sigma[:50])

    unknown = {trend.name: trend for trend in quality(fq=fq, gr=gr, bond=None)}
    assert "shortest distance" in unknown["low-r residual"].reason
    assert "errors" in unknown["advised qmax"].reason
    assert "does not cover" in quality(fq=fq, gr=short, bond=1.95)[1].reason


def test_rpoly_is_judged_by_the_first_bond() -> None:
    assert rpoly_advice(rpoly=0.9, bond=2.8) == ""
    assert "choose 0.88" in rpoly_advice(rpoly=2.0, bond=1.95)
    assert "0.88 or less" in rpoly_advice(rpoly=0.9, bond=1.95)


def test_a_wiener_window_is_applied_with_its_errors_and_has_no_name_to_repeat_it_by() -> None:
    rng = np.random.default_rng(2)
    truth = pattern(0.5)
    counts = rng.poisson(truth).astype(float)
    sigma = np.sqrt(truth)
    plan = _plan(rstep=0.05, rmax=8.0)
    fq = reduce_intensity(plan, intensity=counts, sigma=sigma)[2]

    own = wiener_plan(plan, fq, revision=9)

    exact = reduce_intensity(plan, intensity=truth, sigma=sigma)[3].y
    plain = reduce_intensity(plan, intensity=counts, sigma=sigma)[3]
    calm = reduce_intensity(own, intensity=counts, sigma=sigma)[3]
    seen = plan.r > 1.5
    assert np.std((calm.y - exact)[seen]) < 0.8 * np.std((plain.y - exact)[seen])
    covariance = gr_covariance(own, intensity=counts, sigma=sigma)
    np.testing.assert_allclose(calm.sigma[5:], np.sqrt(np.diag(covariance))[5:], rtol=1e-3)
    assert own.revision == 9
    assert own.parameters.own_taper
