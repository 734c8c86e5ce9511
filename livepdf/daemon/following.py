"""The course of a run, fed with its windows in order: what only many of them can tell."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from livepdf.analysis.course import Course, Moment, Passed, WantedCourse
from livepdf.analysis.declared import Timed, untimed
from livepdf.analysis.onset import Rule
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.results import Evaluated, trend_names
from livepdf.model.curve import Result, Trend
from livepdf.model.finding import Finding
from livepdf.model.quality import FLAWS
from livepdf.model.status import Event, News


class Follower:
    """Follows one run; one thread adds windows, others may set marks."""

    def __init__(self, pipeline: Pipeline, *, start: float, timed: Timed = untimed) -> None:
        """Begin; ``start`` is Unix seconds, the zero of all times, ``timed`` measures analyses."""
        self._start = start
        self._timed = timed
        self._pipeline = pipeline
        self._course = _course(pipeline)
        self._lock = threading.Lock()
        self._marks: list[Event] = []
        self._past_marks: list[Event] = []
        self._moments: dict[int, Moment] = {}

    def mark(self, event: Event) -> None:
        """Take a mark; it counts from the first window with later frames on."""
        with self._lock:
            self._marks.append(event)

    def add(self, evaluated: Evaluated) -> tuple[Result, tuple[News, ...]]:
        """Take the next window; return its result with the trends of the course, and the news."""
        result = evaluated.result
        if self._course is None:
            return result, ()
        moment = self._moment(evaluated)
        self._moments[moment.number] = replace(moment, fq=None, sigma=None, left=None)
        self._apply_marks(self._course, result.span.last)
        passed = self._course.add(moment, timed=self._timed)
        return replace(result, trends=(*result.trends, *passed.trends)), passed.news

    def fill(self, result: Result, kept: Sequence[Trend]) -> Result:
        """Take a window that was added without its own trends; return it with all of them.

        Parameters
        ----------
        kept
            The trends that it had: those of the course stay as they were.
        """
        if self._course is None:
            return result
        number = result.span.number
        self._course.fill(number, result.trends)
        if number in self._moments:
            self._moments[number] = replace(self._moments[number], trends=result.trends)
        own = {name for name, _ in course_names(self._pipeline)}
        return replace(
            result, trends=(*result.trends, *(trend for trend in kept if trend.name in own))
        )

    def again(
        self, pipeline: Pipeline, new: Mapping[int, tuple[Sequence[Trend], float]]
    ) -> dict[int, tuple[Trend, ...]]:
        """Go through all windows once more, some of which were measured by another revision.

        Parameters
        ----------
        new : by the number of the window
            Its trends and the amplitude of the template.

        Returns
        -------
        trends : of the course, by the number of the window
        """
        self._pipeline, self._course = pipeline, _course(pipeline)
        if self._course is None:
            return {}
        with self._lock:
            self._marks, self._past_marks = [*self._past_marks, *self._marks], []
        passed: dict[int, Passed] = {}
        for number, moment in sorted(self._moments.items()):
            if number in new:
                trends, amplitude = new[number]
                moment = replace(moment, trends=tuple(trends), amplitude=amplitude)
                self._moments[number] = moment
            self._apply_marks(self._course, moment.last_frame)
            passed[number] = self._course.add(moment)
        return {number: told.trends for number, told in passed.items()}

    def findings(self) -> tuple[Finding, ...]:
        """Return what the whole run says so far."""
        return () if self._course is None else self._course.summary()

    def _apply_marks(self, course: Course, last_frame: int) -> None:
        with self._lock:
            due = [mark for mark in self._marks if last_frame > mark.frame]
            self._marks = [mark for mark in self._marks if last_frame <= mark.frame]
            self._past_marks += due
        for mark in due:
            course.mark(mark.text)

    def _moment(self, evaluated: Evaluated) -> Moment:
        result, wanted = evaluated.result, self._pipeline.recipe.analysis
        span = result.span
        fq = next(curve for curve in result.curves if curve.kind == "fq")
        flags = [flag for flag in result.flags if flag in FLAWS]
        slow = dict(result.environment)
        return Moment(
            number=span.number,
            time=(span.start + span.end) / 2 - self._start,
            amplitude=evaluated.amplitude,
            photons=evaluated.photons,
            temperature=math.nan if wanted is None else slow.get(wanted.temperature, math.nan),
            flaw=", ".join(flags) or evaluated.trouble,
            trends=result.trends,
            fq=fq.y,
            sigma=fq.sigma,
            left=evaluated.left,
            last_frame=span.last,
        )


@lru_cache(maxsize=4)
def course_names(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Return name and unit of every trend that the course of a run adds."""
    course = _course(pipeline)
    if course is None:
        return ()
    passed = course.add(Moment(number=0, time=0.0, amplitude=math.nan, photons=0.0))
    return tuple((trend.name, trend.unit) for trend in passed.trends)


def all_names(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Return name and unit of every trend of a run: of each window, then of its course."""
    return (*trend_names(pipeline), *course_names(pipeline))


def _course(pipeline: Pipeline) -> Course | None:
    wanted, estimator = pipeline.recipe.analysis, pipeline.analysis.estimator
    if wanted is None or estimator is None:
        return None
    return Course(
        WantedCourse(
            rule=Rule(baseline=wanted.baseline),
            heater=wanted.heater,
            warming=wanted.warming,
            laws=tuple(wanted.kinetics),
            target=wanted.target_size,
        ),
        slow=estimator.nuisances,
    )
