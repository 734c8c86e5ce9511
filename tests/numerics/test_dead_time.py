import numpy as np
import pytest

from livepdf.numerics.dead_time import DeadTimeKind, tabulated_rate, true_rate

TAU = 120e-9
TRUE = np.geomspace(1e2, 5e6, 200)


def _measured(kind: DeadTimeKind) -> np.ndarray:
    if kind == "paralysable":
        return TRUE * np.exp(-TRUE * TAU)
    return TRUE / (1 + TRUE * TAU)


@pytest.mark.parametrize("kind", ["paralysable", "non-paralysable"])
def test_the_true_rate_comes_back(kind: DeadTimeKind) -> None:
    rate, slope = true_rate(measured=_measured(kind), dead_time=TAU, kind=kind)

    np.testing.assert_allclose(rate, TRUE, rtol=1e-9)
    finite = np.gradient(TRUE, _measured(kind), edge_order=2)
    np.testing.assert_allclose(slope[1:-1], finite[1:-1], rtol=0.02)


def test_a_simulated_detector_that_is_busy_after_each_count_is_corrected() -> None:
    rng = np.random.default_rng(0)
    arrivals = np.cumsum(rng.exponential(1 / 2e6, 400_000))
    counted, free = 0, 0.0
    for arrival in arrivals:
        if arrival >= free:
            counted, free = counted + 1, arrival + TAU
    rate, _ = true_rate(
        measured=np.array([counted / arrivals[-1]]), dead_time=TAU, kind="non-paralysable"
    )

    assert rate[0] == pytest.approx(2e6, rel=0.01)


@pytest.mark.parametrize(("kind", "limit"), [("paralysable", 1 / np.e), ("non-paralysable", 1.0)])
def test_a_rate_that_cannot_be_is_nan(kind: DeadTimeKind, limit: float) -> None:
    rate, slope = true_rate(measured=np.array([0.9, 1.1]) * limit / TAU, dead_time=TAU, kind=kind)

    assert np.isfinite(rate[0])
    assert np.isnan(rate[1])
    assert np.isnan(slope[1])


def test_without_dead_time_nothing_changes() -> None:
    rate, slope = true_rate(measured=TRUE, dead_time=0.0, kind="paralysable")

    np.testing.assert_array_equal(rate, TRUE)
    np.testing.assert_array_equal(slope, 1.0)
    with pytest.raises(ValueError, match="dead_time"):
        true_rate(measured=TRUE, dead_time=-1.0, kind="paralysable")
    with pytest.raises(ValueError, match="lazy"):
        true_rate(measured=TRUE, dead_time=TAU, kind="lazy")  # type: ignore[arg-type]


def test_a_table_is_followed_between_its_rows_and_not_beyond() -> None:
    table = (np.array([0.0, 1e6, 2e6]), np.array([0.0, 1.1e6, 2.5e6]))

    rate, slope = tabulated_rate(measured=np.array([5e5, 1.5e6, 3e6]), table=table)

    np.testing.assert_allclose(rate[:2], [5.5e5, 1.8e6])
    np.testing.assert_allclose(slope[:2], [1.1, 1.4])
    assert np.isnan(rate[2])
    with pytest.raises(ValueError, match="increasing"):
        tabulated_rate(measured=TRUE, table=(table[0][::-1], table[1]))
