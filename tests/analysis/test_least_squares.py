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
