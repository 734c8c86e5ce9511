"""Sizes of single particles: how many of which, corrected for those that nobody sees."""

import numpy as np

from livepdf.model.serial import SerialReport
from livepdf_gui.show.shots_axis import Plain
from livepdf_gui.show.shots_chart import Board, Chart, Series, steps, y_range_of
from livepdf_gui.show.words import count

_NM = 0.1
"""nm in an Å."""
_TITLE = "Sizes of the particles"
_LESSON = (
    "Particles by diameter, from a sphere fitted to each hit: small ones scatter as D⁶ and are "
    "often missed, so what was seen is divided by the share that is found at that size; where "
    "fewer than one in twenty is found nothing is said. Bars are ±1σ of counting."
)


def sizes(report: SerialReport, *, before: Board | None) -> Board:
    """Return the histogram as seen and corrected, and the share that is found below it."""
    if not report.size_edges.size or not report.sizes_seen.sum():
        why = report.sizes_reason or "No hit has a size yet: a sphere must fit it well."
        return Board(title=_TITLE, lesson=_LESSON, empty=why, aside=_outcomes(report))
    edges = report.size_edges * _NM
    seen = report.sizes_seen.astype(np.float64)
    middle = (edges[1:] + edges[:-1]) / 2
    x, outline = steps(edges, seen)
    as_seen = Series(name="seen", x=x, y=outline, colour=1, dashed=True)
    known = np.isfinite(report.sizes_corrected).any()
    best, sigma = report.sizes_corrected, report.sizes_sigma
    if not known:
        best, sigma = seen, np.sqrt(np.maximum(seen, 1.0))
    name = "corrected" if known else "seen, ±√n"
    points = Series(name=name, x=middle, y=best, low=best - sigma, high=best + sigma,
                    style="points")  # fmt: skip
    both = (as_seen, points) if known else (points,)
    shown = (float(edges[0]), float(edges[-1]))
    old = before.charts[0].y_range if before is not None and before.charts else None
    note = "" if known else "not corrected: the share that is found is not known"
    charts = [
        Chart(
            x_axis=Plain(label="diameter (nm)"),
            y_axis=Plain(label="particles"),
            series=both,
            x_range=shown,
            y_range=y_range_of(both, before=old, zero=True, above=99.5),
            note=note,
        )
    ]
    if known:
        charts.append(_found(report, edges, shown))
    return Board(
        title=_TITLE,
        lesson=_LESSON,
        over=_sized_words(report),
        aside=_outcomes(report),
        charts=tuple(charts),
    )


def particles(report: SerialReport, *, before: Board | None) -> Board:
    """Return the diameters of the last particles, in the order of their shots."""
    title = "Size, particle by particle"
    lesson = (
        "Each point is one particle with the ±1σ of its fit: a band that moves is a sample that "
        "changes, two bands are two kinds of particles, a cloud without a band is a bad fit."
    )
    x, y = report.particle_shots.astype(np.float64), report.particle_sizes * _NM
    if not np.isfinite(y).any():
        why = report.sizes_reason or "No particle has a size yet."
        return Board(title=title, lesson=lesson, empty=why)
    sigma = report.particle_sigmas * _NM
    one = Series(name="diameter (nm)", x=x, y=y, low=y - sigma, high=y + sigma, style="points")
    span = float(np.ptp(x)) or 1.0
    old = before.charts[0].y_range if before is not None and before.charts else None
    chart = Chart(
        x_axis=Plain(label="number of the shot"),
        y_axis=Plain(label="diameter (nm)"),
        series=(one,),
        x_range=(float(x.min()) - 0.02 * span, float(x.max()) + 0.02 * span),
        y_range=y_range_of((one,), before=old),
    )
    said = f"the last {count(x.size)} particles, median {np.nanmedian(y):.3g} nm"
    return Board(title=title, lesson=lesson, over=said, charts=(chart,))


def _found(report: SerialReport, edges: np.ndarray, shown: tuple[float, float]) -> Chart:
    x, share = steps(edges, 100 * report.efficiency)
    one = Series(name="found (%)", x=x, y=share, colour=2)
    return Chart(
        x_axis=Plain(label="diameter (nm)"),
        y_axis=Plain(label="found (%)"),
        series=(one,),
        x_range=shown,
        y_range=(0.0, 105.0),
    )


def _sized_words(report: SerialReport) -> str:
    good = dict(report.sized).get("sized", 0)
    looked = sum(number for _, number in report.sized)
    words = f"{count(good)} of {count(looked)} hits looked at have a size"
    low, high = report.size_edges[0] * _NM, report.size_edges[-1] * _NM
    inside = int(report.sizes_seen.sum())
    if inside < good:
        words += f"; {count(good - inside)} are not between {low:g} and {high:g} nm"
    return words


def _outcomes(report: SerialReport) -> str:
    others = [(name, number) for name, number in report.sized if name != "sized" and number]
    return "   ".join(f"{name}: {count(n)}" for name, n in sorted(others, key=lambda p: -p[1]))
