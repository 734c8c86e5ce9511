"""Clusters of the precursor, taken for the first crystals."""

import numpy as np

from livepdf.analysis.clusters import Clusters
from livepdf.analysis.course import Course, Moment, WantedCourse
from livepdf.analysis.estimator.verdict import CLUSTERS
from livepdf.model.curve import Trend
from tests.analysis.synthesis import heated, series, synthesis

GROWTH = heated(frames=30, cold=20, speed=7.0, avrami=2.2)


def test_they_have_no_scale_and_are_told_of_once() -> None:
    run = synthesis(
        "SnO2", qmax=8, seed=971, frames=30, growth=GROWTH, precursor_change=0.6, atoms=2e4
    )
    estimates = run.estimates(run.estimator(), first=run.cold)
    truth = np.array([truth.conversion for truth in run.truths[run.cold :]])
    watch = Clusters()

    told = [words for estimate in estimates for words in watch.add(estimate.trends)]

    off = np.abs(series(estimates, "crystalline scale")[0] - truth)
    assert len(told) == 1
    assert "more precursor" in told[0]
    assert np.nanmax(off) < 0.2


def test_small_crystals_of_a_precursor_that_stays_are_shown() -> None:
    run = synthesis("SnO2", qmax=8, seed=971, frames=30, growth=GROWTH, atoms=2e4)
    estimates = run.estimates(run.estimator(), first=run.cold)
    watch = Clusters()

    told = [words for estimate in estimates for words in watch.add(estimate.trends)]

    assert not told
    assert np.isfinite(series(estimates, "crystalline scale")[0]).all()


def test_the_course_of_a_run_tells_of_them_but_not_of_flawed_windows() -> None:
    reason = f"domains of 13 Å fit best: so little of them {CLUSTERS}"
    small = Trend(name="conversion", unit="", value=np.nan, sigma=np.nan, reason=reason)
    course = Course(WantedCourse())

    news = [
        course.add(
            Moment(number=k, time=float(k), amplitude=0.0, photons=1e7, flaw=flaw, trends=(small,))
        ).news
        for k, flaw in enumerate(["beam lost", "", "beam lost", "", ""])
    ]

    assert [len(items) for items in news] == [0, 0, 0, 1, 0]
    assert news[3][0].kind == "finding"
