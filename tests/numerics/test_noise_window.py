import numpy as np
import pytest

from livepdf.numerics.noise_window import advised_qmax, wiener_window
from livepdf.numerics.transform import pair_distribution

Q = 0.0125 * np.arange(60, 2000)
R = np.linspace(1.5, 20.0, 400)
TRUTH = sum(
    n * np.sin(Q * r) / r * np.exp(-0.5 * u * Q**2)
    for r, n, u in (
        (2.1, 7, 0.006),
        (3.4, 8, 0.01),
        (4.0, 5, 0.01),
        (6.2, 20, 0.01),
        (11, 60, 0.01),
    )
)


def _noise(dose: float) -> np.ndarray:
    # σ of F grows as Q/f²: by two orders between 2 and 25 1/Å.
    return np.asarray(0.02 * Q * (1 + (Q / 6) ** 2) / np.sqrt(dose))


@pytest.mark.parametrize("dose", [0.3, 3.0, 100.0])
def test_the_advised_qmax_is_nearly_as_good_as_the_best(dose: float) -> None:
    rng, sigma = np.random.default_rng(3), _noise(dose)
    exact = pair_distribution(q=Q, fq=TRUTH, r=R)
    limits = np.arange(6.0, 24.9, 1.0)
    errors, advice = np.zeros(limits.size), []
    for _ in range(4):
        noisy = TRUTH + rng.normal(0, sigma)
        advice.append(advised_qmax(q=Q, fq=noisy, sigma=sigma))
        for place, limit in enumerate(limits):
            gr = pair_distribution(q=Q, fq=np.where(limit >= Q, noisy, 0.0), r=R)
            errors[place] += np.mean((gr - exact) ** 2) / 4

    reached = np.sqrt(np.interp(advice, limits, errors))
    assert np.all(reached < 1.15 * np.sqrt(np.min(errors)))


def test_less_light_asks_for_a_shorter_range() -> None:
    rng = np.random.default_rng(0)
    found = [
        advised_qmax(q=Q, fq=TRUTH + rng.normal(0, _noise(dose)), sigma=_noise(dose))
        for dose in (0.03, 1.0, 30.0)
    ]

    assert found[0] < found[1] < found[2]


def test_without_noise_everything_is_kept() -> None:
    nothing = np.zeros(Q.size)

    assert advised_qmax(q=Q, fq=TRUTH, sigma=nothing) == Q[-1]
    np.testing.assert_array_equal(wiener_window(q=Q, fq=TRUTH, sigma=nothing), 1.0)


def test_the_wiener_window_leaves_less_error_than_none() -> None:
    sigma = _noise(0.3)
    noisy = TRUTH + np.random.default_rng(1).normal(0, sigma)
    window = wiener_window(q=Q, fq=noisy, sigma=sigma)

    assert np.all((window >= 0) & (window <= 1))
    assert window[:200].min() > 0.9
    assert np.mean((window * noisy - TRUTH) ** 2) < 0.3 * np.mean((noisy - TRUTH) ** 2)


def test_unknown_errors_give_no_window() -> None:
    with pytest.raises(ValueError, match="not known"):
        advised_qmax(q=Q, fq=TRUTH, sigma=np.full(Q.size, np.nan))
