"""How the error of a difference falls while shots come, and how many are still needed."""

import numpy as np

from livepdf.model.laser import LaserReport
from livepdf_gui.show.laser_words import shots_missing
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.shots_axis import Log
from livepdf_gui.show.shots_chart import Board, Chart, Series, y_range_of
from livepdf_gui.show.words import count

_TITLE = "Do more shots help?"
_LESSON = (
    "σ of the difference against the number of shots, both axes logarithmic: as long as the points "
    "follow the line 1/√shots, four times as many shots halve σ; where they turn flat something "
    "drifts and more shots do not help. Points well above the dotted line, what photons alone "
    "scatter, say that the beam or the sample scatters more than counting does."
)


def growth(report: LaserReport, number: int, *, per_second: float, before: Board | None) -> Board:
    """Return σ over shots beside 1/√shots, and what is missing to five σ in the shown bin.

    Parameters
    ----------
    per_second
        Shots with the laser in that bin, at the present rate; 0 where nothing comes.
    """
    shots, sigma = report.growth_shots.astype(np.float64), report.growth_sigma
    known = np.isfinite(sigma) & (sigma > 0) & (shots > 0)
    missing = shots_missing(report.tests[number], per_second=per_second)
    if np.count_nonzero(known) < 2:
        return Board(title=_TITLE, lesson=_LESSON, empty=_why_none(report), aside=missing)
    shots, sigma = shots[known], sigma[known]
    reach = np.array([shots[0], _reach(report, number, float(shots[-1]))])
    x_axis = Log(label="shots with the laser")
    y_axis = Log(label="rms σ(ΔI / I0) (arb. u.)")
    series = [
        _line("1/√shots", reach, sigma[-1] * np.sqrt(shots[-1] / reach), dashed=True, colour=1),
        _line("σ, measured", shots, sigma, colour=0, points=True),
    ]
    if np.isfinite(report.counting_sigma) and report.counting_sigma > 0:
        alone = report.counting_sigma * np.sqrt(shots[-1] / reach)
        series.append(_line("photons alone", reach, alone, dashed=True, colour=2))
    placed = tuple(series)
    old = before.charts[0].y_range if before is not None and before.charts else None
    span: Range = (float(np.log10(reach[0])) - 0.03, float(np.log10(reach[1])) + 0.03)
    return Board(
        title=_TITLE,
        lesson=_LESSON,
        over=f"the bin with most shots: {_slope_words(report)}",
        aside=missing,
        charts=(
            Chart(
                x_axis=x_axis,
                y_axis=y_axis,
                series=placed,
                x_range=span,
                y_range=y_range_of(placed, before=old),
                note=_note(report, float(sigma[-1])),
            ),
        ),
    )


def fullest(report: LaserReport) -> int:
    """Return the bin with most shots: what is told of growth is told of it."""
    return int(np.argmax([test.shots for test in report.tests]))


def _line(
    name: str,
    shots: np.ndarray,
    sigma: np.ndarray,
    *,
    colour: int,
    dashed: bool = False,
    points: bool = False,
) -> Series:
    return Series(
        name=name,
        x=np.log10(shots),
        y=np.log10(sigma),
        colour=colour,
        dashed=dashed,
        style="joined" if points else "line",
    )


def _reach(report: LaserReport, number: int, last: float) -> float:
    """Draw the lines as far as five σ, but not beyond thirty times what is here."""
    needed = report.tests[number].shots_to_five_sigma
    return min(max(needed, 1.5 * last), 30 * last) if np.isfinite(needed) else 1.5 * last


def _slope_words(report: LaserReport) -> str:
    test = report.tests[fullest(report)]
    if not np.isfinite(test.slope):
        return f"{count(test.shots)} shots, slope not yet known"
    halves = ""
    if np.isfinite(test.split_half):
        halves = f"   ·   even and odd blocks agree: r = {test.split_half:.2f}"
    return f"σ falls as shots^{test.slope:.2f} (−0.50 is ideal){halves}"


def _note(report: LaserReport, last: float) -> str:
    if not (np.isfinite(report.counting_sigma) and report.counting_sigma > 0):
        return ""
    ratio = last / report.counting_sigma
    if ratio < 1.3:
        return f"σ is {ratio:.2f} × what photons alone scatter: counting limits it"
    return f"σ is {ratio:.1f} × what photons alone scatter: beam or sample limit it"


def _why_none(report: LaserReport) -> str:
    return (
        f"{count(report.tests[fullest(report)].shots)} shots with the laser in the fullest bin so "
        "far.\nHow σ falls is told from 16 blocks of time on: keep measuring."
    )
