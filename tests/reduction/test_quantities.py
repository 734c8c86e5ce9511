import numpy as np
import pytest

from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.quantities import Quantity, intensity_of

Q = 0.02 * np.arange(1251)
FQ = 0.8 * np.sin(2.1 * Q) * np.exp(-0.01 * Q**2)
SIGMA = 0.01 + 0.001 * Q


def plan_with(mode: str) -> Plan:
    return build_plan(
        q=Q,
        composition="TiO2",
        qmin=0.0,
        qmax=24.0,
        qmaxinst=24.0,
        rpoly=0.0,
        rmin=0.1,
        rmax=20.0,
        rstep=0.1,
        scale="fixed",
        scale_value=1.0,
        mode=mode,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("mode", ["xray", "neutron"])
@pytest.mark.parametrize("quantity", ["sq", "fq"])
def test_what_goes_in_comes_out_with_its_errors(mode: str, quantity: Quantity) -> None:
    plan = plan_with(mode)
    inverse = np.divide(1.0, Q, out=np.zeros(Q.size), where=Q > 0)
    values = FQ if quantity == "fq" else 1 + FQ * inverse
    sigma = SIGMA if quantity == "fq" else SIGMA * inverse

    intensity, spread = intensity_of(plan, values=values, sigma=sigma, quantity=quantity)
    _, sq, fq, _ = reduce_intensity(plan, intensity=intensity, sigma=spread)

    inside = slice(1, plan.window_size)
    np.testing.assert_allclose(fq.y[inside], FQ[inside], atol=1e-11)
    np.testing.assert_allclose(fq.sigma[inside], SIGMA[inside], rtol=1e-9)
    np.testing.assert_allclose(sq.y[inside], 1 + (FQ * inverse)[inside], atol=1e-11)


def test_an_intensity_stays_as_it_is() -> None:
    values, sigma = intensity_of(plan_with("xray"), values=FQ, sigma=SIGMA, quantity="iq")

    assert values is FQ
    assert sigma is SIGMA
