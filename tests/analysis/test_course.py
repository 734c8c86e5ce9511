"""The course of a simulated run, from the numbers of its windows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.course import Course, Moment, Passed, WantedCourse
from livepdf.analysis.onset import Rule
from livepdf.model.curve import Trend

COLD, COUNT, STEP = 25, 160, 2.0
SIGMA_X, SIGMA_D = 0.01, 0.15


def temperature(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return 570.0 - 270.0 * np.exp(-np.maximum(t - STEP * COLD, 0.0) / 10.0)


def ripening(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What there is ripens: the integral of the conversion, 1 at the end."""
    run = np.cumsum(x)
    return np.asarray(run / max(run[-1], 1e-9))


def moments(*, seed: int = 0, grows: bool = True, known_heat: bool = True) -> list[Moment]:
    rng = np.random.default_rng(seed)
    t = STEP * (np.arange(COUNT) + 0.5)
    since = np.maximum(t - STEP * COLD, 0.0)
    x = -np.expm1(-((since / 60.0) ** 2)) * grows
    d = np.cbrt(20.0**3 + (50.0**3 - 20.0**3) * ripening(x))
    z = 30.0 * x / 0.3 + rng.standard_normal(COUNT)
    nan = float("nan")
    told = []
    for n in range(COUNT):
        seen = x[n] > 0.15
        value = x[n] + SIGMA_X * rng.standard_normal()
        size = d[n] + SIGMA_D * rng.standard_normal()
        told.append(
            Moment(
                number=n,
                time=float(t[n]),
                amplitude=float(z[n]),
                photons=2e7,
                temperature=float(temperature(t)[n]) if known_heat else nan,
                trends=(
                    Trend(name="conversion", unit="", value=value, sigma=SIGMA_X),
                    Trend(
                        name="domain size",
                        unit="Å",
                        value=size if seen else nan,
                        sigma=SIGMA_D if seen else nan,
                        reason="" if seen else "too little",
                    ),
                ),
            )
        )
    return told


def followed(course: Course, told: list[Moment]) -> list[Passed]:
    return [course.add(moment) for moment in told]


def wanted(**more: object) -> WantedCourse:
    return WantedCourse(rule=Rule(), laws=("jmak", "coarsening"), **more)  # type: ignore[arg-type]


def test_every_window_has_the_same_names_and_each_gap_its_reason() -> None:
    passed = followed(Course(wanted(target=45.0)), moments())
    names = [[trend.name for trend in p.trends] for p in passed]
    assert all(each == names[0] for each in names)
    assert {"crystalline amplitude", "onset", "novelty", "JMAK n", "coarsening m"} <= set(names[0])
    for p in passed:
        for trend in p.trends:
            assert np.isnan(trend.value) == bool(trend.reason), trend


def test_a_synthesis_has_its_onset_its_law_and_its_forecast() -> None:
    course = Course(wanted(target=45.0))
    passed = followed(course, moments())
    news = [told.text for p in passed for told in p.news]
    last = {trend.name: trend for trend in passed[-1].trends}

    assert sum("onset of nucleation" in text for text in news) == 1
    kinds = {told.kind: told.text for p in passed for told in p.news if "45 Å" in told.text}
    assert kinds.keys() == {"finding"}
    assert [told.text for p in passed for told in p.news if told.kind == "onset"] == news[:1]
    heater = STEP * COLD
    assert heater - STEP <= last["onset"].value <= heater + 40.0
    assert last["coarsening m"].value == pytest.approx(3.0, abs=0.15)
    t = STEP * (np.arange(COUNT) + 0.5)
    x = -np.expm1(-((np.maximum(t - heater, 0.0) / 60.0) ** 2))
    reached = float(np.interp((45.0**3 - 20.0**3) / (50.0**3 - 20.0**3), ripening(x), t))
    assert last["time of 45 Å"].value == pytest.approx(reached, abs=6.0)
    assert any("45 Å" in text for text in news)
    assert not any("breakdown" in text for text in news)
    findings = {finding.law: finding for finding in course.summary()}
    assert {"onset", "start", "coarsening"} <= set(findings)
    assert findings["coarsening"].correlations
    (start,) = findings["start"].found
    assert start.low <= heater <= start.high


def test_a_heating_ramp_with_no_chemistry_raises_nothing() -> None:
    for seed in range(5):
        course = Course(wanted())
        news = [text for p in followed(course, moments(seed=seed, grows=False)) for text in p.news]
        assert news == []


def test_a_mark_says_that_the_heater_goes_on_where_no_temperature_does() -> None:
    told = moments(known_heat=False)
    course = Course(wanted())
    followed(course, told[:COLD])
    course.mark("Heater on")
    rest = followed(course, told[COLD:])
    assert any(told.kind == "onset" for p in rest for told in p.news)


def test_flagged_windows_are_not_judged() -> None:
    told = moments(grows=False)
    wild = [
        Moment(
            number=m.number,
            time=m.time,
            amplitude=40.0 if n % 5 == 0 else m.amplitude,
            photons=m.photons,
            temperature=m.temperature,
            trends=m.trends,
            flaw="beam lost" if n % 5 == 0 else "",
        )
        for n, m in enumerate(told)
    ]
    assert not [text for p in followed(Course(wanted()), wild) for text in p.news]


def test_trends_that_come_later_count_as_if_they_had_come_in_time() -> None:
    told = moments()
    late, course = Course(wanted()), Course(wanted())
    followed(course, told)
    nothing = tuple(
        Trend(name=t.name, unit=t.unit, value=np.nan, sigma=np.nan, reason="skipped")
        for t in told[0].trends
    )
    for moment in told:
        skipped = moment.number % 3 == 0
        trends = nothing if skipped else moment.trends
        late.add(
            Moment(
                number=moment.number,
                time=moment.time,
                amplitude=moment.amplitude,
                photons=moment.photons,
                temperature=moment.temperature,
                trends=trends,
            )
        )
    for moment in told:
        if moment.number % 3 == 0:
            late.fill(moment.number, moment.trends)
    for one, other in zip(late.summary(), course.summary(), strict=True):
        assert one.found == other.found


def test_the_curve_of_a_law_is_told_with_its_sigma_or_with_the_reason_of_its_law() -> None:
    passed = followed(Course(wanted()), moments(known_heat=False))
    told = [{t.name: t for t in p.trends} for p in passed]
    truth = -np.expm1(-((np.maximum(STEP * (np.arange(COUNT) + 0.5 - COLD), 0.0) / 60.0) ** 2))
    fits = [trends["conversion fit"] for trends in told]
    shown = [n for n, fit in enumerate(fits) if not fit.reason]
    assert len(shown) > COUNT / 4
    assert all(bool(t["JMAK n"].reason) == bool(t["conversion fit"].reason) for t in told)
    pulls = [(fits[n].value - truth[n]) / fits[n].sigma for n in shown if fits[n].value < 0.999]
    assert np.sqrt(np.mean(np.square(pulls))) < 3.0
    assert not told[-1]["domain size fit"].reason
    size = told[-1]["domain size fit"]
    assert abs(size.value - 50.0) < 5.0 * size.sigma + SIGMA_D
