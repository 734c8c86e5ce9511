"""What lasts in what simulated fits leave, against closed forms and chance."""

from dataclasses import replace

import numpy as np
import pytest

from livepdf.analysis.course import Course, Moment, WantedCourse
from livepdf.analysis.estimator.build import build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.estimator.estimate import Left
from livepdf.analysis.lasting import CHI2, LASTING_CHI2, Lasting, lasts
from livepdf.files.structures import read_structure
from livepdf.model.curve import Trend

WAVES, TAKEN = 290, 18
FREEDOM = WAVES - TAKEN
_RNG = np.random.default_rng(77)
SPANNED = np.linalg.qr(_RNG.standard_normal((WAVES, TAKEN)))[0]
"""What nuisances and fitted parameters take out of every window."""


def free(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows - (rows @ SPANNED) @ SPANNED.T)


PATTERN = free(_RNG.standard_normal(WAVES))
PATTERN /= np.linalg.norm(PATTERN)


def windows(
    rng: np.random.Generator, excess: np.ndarray, *, noise: float = 1.0, neighbours: float = 0.0
) -> list[Left]:
    """Return windows whose own reduced χ² is 1 + excess: a misfit that grows with the crystals."""
    white = rng.standard_normal((len(excess), WAVES + 1))
    made = (white[:, 1:] + neighbours * white[:, :-1]) / np.hypot(1.0, neighbours)
    rows = free(noise * made) + np.sqrt(excess * FREEDOM)[:, None] * PATTERN
    described = np.where(excess > 0.0, 100.0 * np.sqrt(excess), 100.0)
    return [
        Left(waves=row, freedom=FREEDOM, common=np.zeros(2), described=float(size))
        for row, size in zip(rows, described, strict=True)
    ]


def alarms(told: list[Left]) -> list[int]:
    lasting = Lasting()
    return [n for n, left in enumerate(told) if lasting.add(left).words]


@pytest.mark.parametrize("count", [4, 16])
@pytest.mark.parametrize(("noise", "neighbours"), [(1.0, 0.0), (1.6, 0.0), (0.8, 0.3)])
def test_noise_alone_is_1_within_its_sigma_even_where_sigma_is_wrong_or_points_are_correlated(
    count: int, noise: float, neighbours: float
) -> None:
    rng = np.random.default_rng(1)
    found = [
        lasts(windows(rng, np.zeros(count), noise=noise, neighbours=neighbours)) for _ in range(300)
    ]

    values = np.array([each.value for each in found])
    sigma = found[0].sigma
    # F has the mean b/(b − 2) of its denominator's freedom b, 1.002 at most here.
    assert abs(values.mean() - 1.0) < 4.0 * sigma / np.sqrt(300) + 0.003
    assert 0.85 < values.std() / sigma < 1.2


@pytest.mark.parametrize(("noise", "neighbours"), [(1.0, 0.0), (1.6, 0.0), (0.8, 0.3)])
def test_a_long_run_of_noise_alone_raises_no_alarm(noise: float, neighbours: float) -> None:
    rng = np.random.default_rng(2)

    for _ in range(10):
        told = windows(rng, np.zeros(1000), noise=noise, neighbours=neighbours)
        assert alarms(told) == []


@pytest.mark.parametrize("count", [4, 9, 16])
def test_what_every_window_misses_adds_up_over_their_number(count: int) -> None:
    rng = np.random.default_rng(3)
    growing = 0.07 * np.linspace(0.2, 1.8, count)

    same = [lasts(windows(rng, np.full(count, 0.07))).value for _ in range(200)]
    grown = [lasts(windows(rng, growing)).value for _ in range(200)]

    # Of F the mean is (1 + N·e)·b/(b − 2); the σ of 200 draws is below 0.01.
    assert np.mean(same) == pytest.approx(1.0 + 0.07 * count, abs=0.03)
    assert np.mean(grown) == pytest.approx(1.0 + growing.sum(), abs=0.03)


def test_an_alarm_comes_once_and_again_only_after_it_was_well() -> None:
    rng = np.random.default_rng(4)
    bad, good = np.full(40, 0.1), np.full(40, 0.0)

    first, *others = alarms(windows(rng, np.concatenate([bad, good, bad])))

    # The mean of N is at 5 σ with N·0.1 > 0.44.
    assert 3 <= first <= 9
    assert len(others) == 1
    assert others[0] > 80


def test_a_misfit_of_a_part_in_a_hundred_is_not_told_however_sure_it_is() -> None:
    rng = np.random.default_rng(5)
    told = windows(rng, np.full(30, 0.1))
    missed = np.sqrt(0.1 * FREEDOM)

    assert alarms([replace(left, described=missed / 0.04) for left in told]) != []
    assert alarms([replace(left, described=missed / 0.01) for left in told]) == []


def test_noise_of_the_references_lasts_and_is_known() -> None:
    # As much of it in each as the amount says: a precursor that is used up.
    rng = np.random.default_rng(6)
    amounts, norm = np.linspace(1.0, 0.3, 16), np.sqrt(0.1 * WAVES)
    values, untold = [], []
    for _ in range(200):
        noise = norm / np.sqrt(WAVES) * rng.standard_normal(WAVES)
        rows = [
            replace(
                left, waves=left.waves + amount * free(noise), common=np.array([amount * norm, 0.0])
            )
            for left, amount in zip(windows(rng, np.zeros(16)), amounts, strict=True)
        ]
        values.append(lasts(rows).value)
        untold.append(lasts([replace(left, common=np.zeros(2)) for left in rows]).value)

    assert np.mean(values) == pytest.approx(1.0, abs=0.03)
    assert np.mean(untold) > 1.6


def test_windows_are_learned_and_those_without_crystals_do_not_count() -> None:
    rng = np.random.default_rng(7)
    lasting = Lasting()
    faint = replace(windows(rng, np.zeros(1))[0], described=9.0)

    found = [lasting.add(left) for left in (faint, *windows(rng, np.zeros(4)))]

    assert [each.reason for each in found] == [
        "too little crystalline signal",
        *(f"learning: {n} of 4 windows" for n in (1, 2, 3)),
        "",
    ]
    assert np.isfinite(found[-1].value)


def moment(number: int, left: Left | None, *, chi2: str = "", flaw: str = "") -> Moment:
    value = float("nan") if chi2 else 1.0
    return Moment(
        number=number,
        time=float(number),
        amplitude=float("nan"),
        photons=1e8,
        flaw=flaw,
        trends=(Trend(name=CHI2, unit="", value=value, sigma=0.05, reason=chi2),),
        left=left,
    )


def lasting_of(course: Course, seen: Moment) -> Trend:
    return next(t for t in course.add(seen).trends if t.name == LASTING_CHI2)


def test_in_a_run_windows_that_were_skipped_or_flawed_change_nothing_and_say_why() -> None:
    told = windows(np.random.default_rng(8), np.full(20, 0.2))
    whole, gaps = Course(WantedCourse()), Course(WantedCourse())

    for number, left in enumerate(told):
        expected = lasting_of(whole, moment(number, left))
        skipped = lasting_of(gaps, moment(3 * number, None, chi2="skipped: analysis was busy"))
        flawed = lasting_of(gaps, moment(3 * number + 1, left, flaw="beam lost"))
        found = lasting_of(gaps, moment(3 * number + 2, left))
        assert skipped.reason == "skipped: analysis was busy"
        assert flawed.reason == "beam lost"
        assert repr(found) == repr(expected)  # NaN is not itself
    assert lasting_of(gaps, moment(99, None)).reason == "not followed in windows that come again"


def test_a_run_tells_what_lasts_as_an_event() -> None:
    course = Course(WantedCourse())
    told = windows(np.random.default_rng(9), np.full(20, 0.2))

    news = [text for n, left in enumerate(told) for text in course.add(moment(n, left)).news]

    assert len(news) == 1
    assert "what the structure misses is the same in" in news[0].text


def test_what_the_fit_leaves_of_its_own_model_is_noise_of_its_freedom() -> None:
    q = np.linspace(1.0, 12.0, 700)
    sigma, rng = 0.03 * q, np.random.default_rng(10)
    column = np.sin(1.7 * q) * np.exp(-0.05 * q**2)
    # Noise of a reference as it is after filtering: only short distances are left.
    angles = np.outer(np.arange(1.0, 60.0) * np.pi / 11.0, q)
    noise = 0.002 * np.vstack([np.sin(angles), np.cos(angles)]) * q
    estimator = build_estimator(
        q=q,
        candidates=[Candidate(structure=read_structure("pt"))],
        composition={"Pt": 1.0},
        qdamp=0.03,
        nuisances=column[None],
        nuisance_names=["precursor"],
        nuisance_noise=[noise],
    )
    clean = 0.5 * estimator.phases[0].expected(30.0) + 2.0 * column

    squares, freedom = [], 0
    for _ in range(12):
        left = estimator.evaluate(fq=clean + sigma * rng.standard_normal(q.size), sigma=sigma).left
        assert left is not None
        squares.append(float(left.waves @ left.waves))
        freedom = left.freedom

    compared = int(estimator.compared.sum())
    slow = np.ceil(50.0 * compared * (q[1] - q[0]) / np.pi)
    # Three slow terms and the column; scale, diameter, lattice, U and δ2.
    assert freedom == slow - 4 - 5
    assert np.mean(squares) / freedom == pytest.approx(1.0, abs=4 * np.sqrt(2 / freedom / 12))
    # L is 0.002·Q of sine and cosine: 0.002²·Q²·59 over σ² in each point, by its amount of 2.
    assert left.common[0] == pytest.approx(2.0 * np.sqrt(compared * 59.0) * 0.002 / 0.03, rel=0.1)
