"""Faults of known size in simulated patterns raise their flag and no other; growth raises none."""

import numpy as np
import pytest

from livepdf.analysis.quality.judge import Judge
from livepdf.analysis.quality.limits import Limits
from livepdf.model.sums import Sums

Q = np.linspace(0.5, 24.0, 2000)
CELL = 900 * np.exp(-(((Q - 1.5) / 0.5) ** 2)) + 200 * np.exp(-Q / 8)
SOLVENT = 600 * np.exp(-(((Q - 2.1) / 0.8) ** 2)) + 150 * np.exp(-Q / 7)
PEAKS = sum(np.exp(-(((Q - p) / 0.08) ** 2)) for p in (2.1, 2.5, 3.5, 4.1, 5.0, 6.0))
WEIGHT = np.interp(Q, [0, 12, 24], [5, 150, 75])
EVERY = [(cells, monitor) for cells in (0, 1) for monitor in (None, 1e5)]


def frame(
    index: int,
    *,
    beam: float = 1.0,
    filled: float = 1.0,
    cell: float = 1.0,
    lacking: float = 0.0,
    spikes: tuple[int, ...] = (),
    monitor: float | None = None,
) -> Sums:
    """A capillary whose solution grows Bragg peaks over 200 frames."""
    sample = 300 * np.exp(-Q / 6) * (1 + 8 * min(1.0, index / 200) * PEAKS)
    expected = beam * (cell * CELL + filled * (SOLVENT + sample)) * WEIGHT * (1 - lacking)
    counts = np.random.default_rng(index).poisson(expected).astype(float)
    counts[list(spikes)] += 20_000
    return Sums(
        signal=counts,
        variance=counts,
        weight=WEIGHT * (1 - lacking),
        pixels=WEIGHT * (1 - lacking),
        frames=1,
        monitor=np.nan if monitor is None else monitor * beam,
        exposure=0.1,
    )


def judge_after(frames: int, *, cells: int, monitor: float | None) -> Judge:
    judge = Judge(Limits(), bins=Q.size, cells=[CELL] * cells)
    for index in range(frames):
        assert judge.judge(frame(index, monitor=monitor)).flags == (), index
    return judge


@pytest.mark.parametrize(("cells", "monitor"), EVERY)
def test_growth_alone_raises_no_flag(cells: int, monitor: float | None) -> None:
    judge_after(200, cells=cells, monitor=monitor)


@pytest.mark.parametrize(("cells", "monitor"), EVERY)
@pytest.mark.parametrize(
    ("fault", "flag", "number"),
    [
        ({"beam": 0.02}, "beam lost", 0.02),
        ({"beam": 0.5}, "beam low", 0.5),
        ({"lacking": 0.03}, "dead modules", 0.03),
        ({"lacking": 0.0005}, "saturation", 0.0005),
        ({"spikes": (300, 700, 1100)}, "zingers", 3),
    ],
)
def test_a_fault_raises_its_flag_with_its_size(
    fault: dict[str, float], flag: str, number: float, cells: int, monitor: float | None
) -> None:
    judge = judge_after(30, cells=cells, monitor=monitor)

    verdict = judge.judge(frame(30, monitor=monitor, **fault))  # type: ignore[arg-type]

    expected = {flag, "monitor jump"} if monitor and flag == "beam low" else {flag}
    assert set(verdict.flags) == expected
    assert verdict.numbers[flag] == pytest.approx(number, rel=0.05)
    assert judge.judge(frame(31, monitor=monitor)).flags == ()


@pytest.mark.parametrize(("cells", "monitor"), [(1, None), (1, 1e5), (0, 1e5)])
def test_a_bubble_is_told_from_a_weaker_beam(cells: int, monitor: float | None) -> None:
    judge = judge_after(30, cells=cells, monitor=monitor)

    verdict = judge.judge(frame(30, filled=0.7, monitor=monitor))

    assert verdict.flags == ("bubble",)
    # With the cell's pattern it is the sample that counts, without it all that is missing.
    expected = 0.3 if cells else 0.3 * (1 - 0.42)
    assert verdict.numbers["bubble"] == pytest.approx(expected, abs=0.05)


def test_a_capillary_that_moved_shows_in_the_share_of_the_cell() -> None:
    judge = judge_after(30, cells=1, monitor=1e5)

    assert judge.judge(frame(30, cell=1.4, monitor=1e5)).flags == ("capillary shift",)


def test_a_beam_that_stays_low_becomes_the_usual_and_a_lost_one_never_does() -> None:
    judge = judge_after(20, cells=0, monitor=None)
    low = [judge.judge(frame(20 + n, beam=0.5)).flags for n in range(80)]
    lost = [judge.judge(frame(100 + n, beam=0.01)).flags for n in range(80)]

    assert low[0] == ("beam low",)
    assert low[-1] == ()
    assert set(lost) == {("beam lost",)}


def test_a_run_that_begins_in_the_dark_begins_anew_with_the_beam() -> None:
    judge = Judge(Limits(), bins=Q.size)
    for index in range(10):
        judge.judge(frame(index, beam=0.001))

    assert [judge.judge(frame(10 + n)).flags for n in range(5)] == [()] * 5


def test_a_background_that_grows_is_drift() -> None:
    judge = Judge(Limits(), bins=Q.size, cells=[CELL])
    flags = [judge.judge(frame(0, cell=1 + n / 60)).flags for n in range(120)]

    assert "background drift" not in flags[15]
    assert "background drift" in flags[-1]
