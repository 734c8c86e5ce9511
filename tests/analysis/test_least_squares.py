"""The minimum within limits must be that of another program, and only then be called converged."""

import numpy as np
import pytest
from scipy.optimize import minimize

from livepdf.analysis.least_squares import minimise


@pytest.mark.parametrize("seed", range(20))
def test_valleys_that_run_into_their_limits_end_where_another_program_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=(12, 5)) @ (np.eye(5) + 2 * rng.normal(size=(5, 5)))
    data = 5 * rng.normal(size=12)
    lower, upper = -rng.uniform(0, 0.5, 5), rng.uniform(0, 0.5, 5)

    found = minimise(
        lambda x: (slope @ x - data, slope), start=np.zeros(5), lower=lower, upper=upper
    )

    other = minimize(
        lambda x: float(np.sum((slope @ x - data) ** 2)),
        np.zeros(5),
        jac=lambda x: 2 * slope.T @ (slope @ x - data),
        bounds=list(zip(lower, upper, strict=True)),
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    assert found.converged
    assert found.chi2 == pytest.approx(other.fun, rel=1e-4)
    np.testing.assert_array_equal(
        found.at_limit, (found.parameters == lower) | (found.parameters == upper)
    )
    assert np.isnan(np.diag(found.covariance)[found.at_limit]).all()


@pytest.mark.parametrize("bend", [0.9, 1.0, 1.5])
def test_residuals_that_bend_do_not_make_it_swing_across_the_valley(bend: float) -> None:
    # χ² is (1 + bend)·x² above its least, and the slopes alone tell of x²: a full step ends on the
    # other side, at bend 1 as high as where it began.
    def evaluate(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rest = np.array([x[0], 20.0 + bend * x[0] ** 2 / 40.0])
        return rest, np.array([[1.0], [bend * x[0] / 20.0]])

    found = minimise(
        evaluate, start=np.array([2.0]), lower=np.array([-9.0]), upper=np.array([9.0]), steps=6
    )

    assert found.converged
    assert abs(found.parameters[0]) < 0.05
