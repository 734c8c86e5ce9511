"""What can only be said over many windows: onset, breakdown, kinetics, novelty, forecast."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.breakdown import CHANGES, ChangeSearch, Seen, Watched
from livepdf.analysis.clusters import Clusters
from livepdf.analysis.crosschecks.dissent import Dissent
from livepdf.analysis.declared import Timed, untimed
from livepdf.analysis.estimator.estimate import Left
from livepdf.analysis.growth import LAWS, Law, Laws, Point
from livepdf.analysis.lasting import CHI2, LASTING, LASTING_CHI2, Lasting
from livepdf.analysis.novelty import NEWS, Novelty
from livepdf.analysis.onset import SEARCH, OnsetSearch, Rule, Sighting
from livepdf.model.curve import Trend
from livepdf.model.finding import Finding
from livepdf.model.status import News

Floats = NDArray[np.float64]

AMPLITUDE = "crystalline amplitude"
ONSET = "onset"
NOVELTY = "novelty"
CONVERSION = "conversion"
SIZE = "domain size"
_BREAKDOWN = (
    Watched(trend=CONVERSION, direction="falls", meaning="breakdown"),
    Watched(trend=CHI2, direction="rises", meaning="the structure describes less"),
)
_AGAIN = "not followed in windows that come again"
_NO_STRUCTURE = "no structure is followed: name one under [analysis] in the recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCourse:
    """What to look for over a run."""

    rule: Rule = field(default_factory=Rule)
    heater: str = "heater on"
    """Text of the mark that says that the heater goes on."""
    warming: float = 10.0
    """K above the first windows that say it without a mark."""
    laws: tuple[Law, ...] = ("jmak", "coarsening")
    target: float | None = None
    """Å"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """One window as the course of the run sees it."""

    number: int
    time: float
    """s since the start of the run, middle of the window."""
    amplitude: float
    """Of the crystal's template over its σ; NaN without any."""
    photons: float
    temperature: float = math.nan
    """K"""
    flaw: str = ""
    """Why it must not be used, e.g. ``beam lost``."""
    trends: tuple[Trend, ...] = ()
    """Of the window; those that are withheld may come later, see `Course.fill`."""
    fq: Floats | None = None
    sigma: Floats | None = None
    left: Left | None = None
    """What the fit of the structure leaves; None where nothing was fitted or it was forgotten."""
    last_frame: int = -1
    """Index of its last frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What one more window adds."""

    trends: tuple[Trend, ...]
    news: tuple[News, ...] = ()
    """What happened, for people."""


class Course:
    """Takes the windows of one run in order; the same windows give the same answers.

    Every number is what was known with that window and those before it.
    """

    def __init__(self, wanted: WantedCourse, *, slow: Floats | None = None) -> None:
        """Begin a run.

        Parameters
        ----------
        slow : (n_q, k) float64, optional
            What may change in F(Q) without being new; without it, and without a structure, there
            is nothing to follow.
        """
        self._wanted = wanted
        self._search = OnsetSearch(wanted.rule)
        self._watches = [ChangeSearch(watched, wanted.rule) for watched in _BREAKDOWN]
        self._more: dict[str, ChangeSearch] = {}
        self._dissent = Dissent()
        self._novelty = None if slow is None else Novelty(slow, baseline=wanted.rule.baseline)
        self._clusters = Clusters()
        self._lasting = Lasting()
        self._laws = Laws(wanted.laws, target=wanted.target)
        self._cold: list[float] = []
        self._heated = math.nan
        self._marked = False

    def mark(self, text: str) -> None:
        """Take a mark that was set between the last window and the next."""
        self._marked = self._marked or text.strip().lower() == self._wanted.heater.lower()

    def add(self, moment: Moment, *, timed: Timed = untimed) -> Passed:
        """Take the next window; ``timed`` measures each analysis."""
        self._heat(moment)
        news: list[News] = []
        with timed(SEARCH.name):
            self._look_for_onset(moment, news)
        with timed(NEWS.name):
            novelty = self._look_for_news(moment, news)
        with timed(LASTING.name):
            lasting = self._look_for_what_lasts(moment, news)
        with timed(CHANGES.name):
            news += map(_finding, self._changes(moment))
            if not moment.flaw:
                news += map(_finding, self._dissent.add(moment.trends))
                news += map(_finding, self._clusters.add(moment.trends))
        with timed(LAWS.name):
            self._laws.add(_point(moment))
            told = self._laws.trends()
        trends = (
            _shown(AMPLITUDE, "σ", moment.amplitude, 1.0, moment.flaw or _NO_STRUCTURE),
            self._onset_trend(),
            novelty,
            lasting,
            *told,
        )
        return Passed(trends=trends, news=(*news, *map(_finding, self._laws.news())))

    def fill(self, number: int, trends: Sequence[Trend]) -> None:
        """Take the trends of a window that was added without them."""
        self._laws.fill(number, trends)

    def summary(self) -> tuple[Finding, ...]:
        """Return what the whole run says, with 95 % intervals (some tenths of a second)."""
        return self._laws.summary(onset=self._search.onset, reason=self._search.reason)

    def _look_for_onset(self, moment: Moment, news: list[News]) -> None:
        onset = self._search.add(
            Sighting(
                number=moment.number,
                time=moment.time,
                z=moment.amplitude,
                photons=moment.photons,
                flaw=moment.flaw,
            )
        )
        if onset is not None:
            self._laws.begin(self._heated if math.isfinite(self._heated) else onset.earliest)
            told = (
                f"onset of nucleation between {onset.earliest:.4g} s (window {onset.first}, none) "
                f"and {onset.latest:.4g} s (window {onset.last}, above 3 σ)"
            )
            news.append(News("onset", told))

    def _heat(self, moment: Moment) -> None:
        if math.isfinite(self._heated):
            return
        warm = False
        if math.isfinite(moment.temperature):
            if len(self._cold) < 5:
                self._cold.append(moment.temperature)
            base = float(np.median(self._cold))
            warm = moment.temperature > base + self._wanted.warming
        if self._marked or warm:
            self._heated = moment.time
            self._search.heat()

    def _look_for_news(self, moment: Moment, news: list[News]) -> Trend:
        nan = float("nan")
        if self._novelty is None or moment.fq is None or moment.sigma is None:
            return _shown(NOVELTY, "σ", nan, nan, _AGAIN)
        if moment.flaw:
            return _shown(NOVELTY, "σ", nan, nan, moment.flaw)
        score = self._novelty.add(fq=moment.fq, sigma=moment.sigma)
        if score.new:
            far = f"{score.value:.0f} σ outside all that was before"
            news.append(_finding(f"something new is here: {far}"))
        return _shown(NOVELTY, "σ", score.value, 1.0, score.reason)

    def _look_for_what_lasts(self, moment: Moment, news: list[News]) -> Trend:
        nan = float("nan")
        if moment.flaw:
            return _shown(LASTING_CHI2, "", nan, nan, moment.flaw)
        if moment.left is None:
            fitted = next((t for t in moment.trends if t.name == CHI2), None)
            why = _AGAIN if fitted is None else fitted.reason or _AGAIN
            return _shown(LASTING_CHI2, "", nan, nan, why)
        found = self._lasting.add(moment.left)
        news += [_finding(found.words)] if found.words else []
        return _shown(LASTING_CHI2, "", found.value, found.sigma, found.reason)

    def _changes(self, moment: Moment) -> list[str]:
        self._watch_more(moment.trends)
        by_name = {trend.name: trend for trend in moment.trends}
        words = []
        for watch in (*self._watches, *self._more.values()):
            trend = by_name.get(watch.watched.trend)
            if trend is None:
                continue
            change = watch.add(
                Seen(
                    number=moment.number,
                    time=moment.time,
                    value=trend.value,
                    sigma=trend.sigma,
                    temperature=moment.temperature,
                    flaw=moment.flaw,
                )
            )
            words += [] if change is None else [change.words]
        return words

    def _watch_more(self, trends: Iterable[Trend]) -> None:
        # Displacements and lattice are named by the structure.
        for trend in trends:
            name = trend.name
            if name in self._more or not name.startswith(("U(", "lattice ")):
                continue
            disorder = name.startswith("U(")
            self._more[name] = ChangeSearch(
                Watched(
                    trend=name,
                    direction="rises" if disorder else "moves",
                    meaning="disorder grows" if disorder else "strain",
                    thermal=True,
                ),
                self._wanted.rule,
            )

    def _onset_trend(self) -> Trend:
        onset = self._search.onset
        if onset is None:
            nan = float("nan")
            return _shown(ONSET, "s", nan, nan, self._search.reason)
        return _shown(ONSET, "s", onset.middle, onset.sigma, "")


def _finding(text: str) -> News:
    return News("finding", text)


def _point(moment: Moment) -> Point:
    found = {t.name: t for t in moment.trends}
    return Point(
        number=moment.number,
        time=moment.time,
        temperature=moment.temperature,
        flaw=moment.flaw,
        conversion=found.get(CONVERSION),
        size=found.get(SIZE),
    )


def _shown(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    nan = float("nan")
    if math.isfinite(value) and math.isfinite(sigma):
        return Trend(name=name, unit=unit, value=float(value), sigma=float(sigma))
    return Trend(name=name, unit=unit, value=nan, sigma=nan, reason=reason or "no number")
