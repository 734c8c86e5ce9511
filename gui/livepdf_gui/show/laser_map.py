"""What the laser changes over the delay: the map, and the courses of its components."""

from dataclasses import replace

import numpy as np

from livepdf.model.laser import LaserReport
from livepdf_gui.show.laser_choice import LaserChoice
from livepdf_gui.show.shots_axis import Delays, Plain
from livepdf_gui.show.shots_chart import Board, Chart, Series, y_range_of
from livepdf_gui.show.shots_map import Measured, ShotsMap, blank_words, image_of, reading

_NOISE = 1.1
"""Strength that noise alone does not reach."""
_MOST_COMPONENTS = 3
_PHYSICAL_R = 1.2
_LESSONS = {
    "iq": "Each column is one delay: what stays zero left of time zero and begins at it is the "
    "laser's doing. Stripes that shift in Q are an expanding lattice, stripes that fade are "
    "disorder.",
    "gr": "Each column is one delay: a distance that is lost is of one colour, one that is gained "
    "of the other; pairs of both beside each other are a bond that became longer or shorter.",
}
_ONE = "Courses of the components"
_COMPONENTS = (
    "The map taken apart into as few curves as possible, each with its course over the delay "
    "(singular value decomposition): how many stand above noise is how many things change "
    "independently. They are mathematical components, not physical states."
)


def delays_of(report: LaserReport, choice: LaserChoice) -> Delays:
    """Return the axis of the delay as it is wanted."""
    return Delays(kind=choice.axis, edges=report.edges)


def delay_map(
    report: LaserReport, choice: LaserChoice, number: int, *, before: ShotsMap | None
) -> ShotsMap:
    """Return the map of ΔI or ΔG over the delay; bins without σ are blank, with the reason."""
    of_q = choice.space == "iq"
    found = Measured(
        x=report.q if of_q else report.r,
        value=report.diq if of_q else report.dgr,
        sigma=report.diq_sigma if of_q else report.dgr_sigma,
        edges=report.edges,
        reasons=_reasons(report, of_q=of_q),
        lowest=report.limits.qmin if of_q else _PHYSICAL_R,
    )
    axis = delays_of(report, choice)
    symbol = "ΔI" if of_q else "ΔG"
    same = before if before is not None and before.symbol == symbol else None
    image, bounds, heights, levels = image_of(found, axis, in_sigma=choice.sure, before=same)
    all_blank = all(found.reasons)
    middle = axis.place(report.edges[number : number + 2])
    return ShotsMap(
        title=f"{symbol}({'Q' if of_q else 'r'}) over the delay" + (", in σ" * choice.sure),
        lesson=_LESSONS[choice.space],
        over="click: show that delay   ·   I: ΔI or ΔG   X: axis   D: in σ",
        aside=blank_words(found.reasons),
        empty=f"No delay can be shown yet: {found.reasons[number]}." if all_blank else "",
        axis=axis,
        y_label="Q (Å⁻¹)" if of_q else "r (Å)",
        symbol=symbol,
        unit="arb. u." if of_q else "Å⁻²",
        in_sigma=choice.sure,
        image=image,
        bounds=bounds,
        heights=heights,
        levels=levels,
        measured=found,
        chosen=float(middle.mean()),
    )


def map_reading(view: ShotsMap, place: float, height: float) -> str:
    """Tell delay, Q or r, and the value under the cursor."""
    at = view.at(place, height)
    if at is None or view.measured is None or not isinstance(view.axis, Delays):
        return ""
    number, point = at
    low, high = view.measured.edges[number : number + 2]
    where = f"delay {view.axis.words(low)} to {view.axis.words(high)}"
    x = view.measured.x[point]
    named = f"Q = {x:.3f} Å⁻¹" if view.symbol == "ΔI" else f"r = {x:.2f} Å"
    return reading(view, where, named, number, point)


def courses(report: LaserReport, choice: LaserChoice, *, before: Board | None) -> Board:
    """Return how much of each component is in each bin, those above noise only."""
    axis = delays_of(report, choice)
    strong = np.flatnonzero(report.strength > _NOISE)[:_MOST_COMPONENTS]
    if not strong.size:
        best = f", the strongest has {report.strength[0]:.2f}" if report.strength.size else ""
        why = f"No component stands above noise, which has about 1{best}."
        return Board(title=_ONE, lesson=_COMPONENTS, empty=why)
    places = axis.place(report.delays)
    series = tuple(
        Series(
            name=f"{k + 1}: {report.strength[k]:.1f} × noise",
            x=places,
            y=_unit(report.component_delays[k]),
            colour=int(k) + 3,
            style="joined",
        )
        for k in strong
    )
    old = before.charts[0].y_range if before is not None and before.charts else None
    chart = Chart(
        x_axis=replace(axis),
        y_axis=Plain(label="share"),
        series=series,
        x_range=axis.bounds,
        y_range=y_range_of(series, before=old, zero=True),
        zero=True,
    )
    said = f"{strong.size} above noise   ·   mathematical components, not physical states"
    return Board(title=_ONE, lesson=_COMPONENTS, over=said, charts=(chart,))


def _unit(course: np.ndarray) -> np.ndarray:
    """Scale a course to 1 at its largest; it has the sign of its mean, so that it does not flip."""
    known = course[np.isfinite(course)]
    largest = float(np.abs(known).max()) if known.size else 0.0
    if largest == 0.0:
        return course
    return course / largest * (1.0 if known.sum() >= 0 else -1.0)


def _reasons(report: LaserReport, *, of_q: bool) -> tuple[str, ...]:
    sigma = report.diq_sigma if of_q else report.dgr_sigma
    said = []
    for test, row in zip(report.tests, sigma, strict=True):
        if not test.shots:
            said.append("no shot with the laser has this delay")
        elif np.isfinite(row).any():
            said.append("")
        else:
            said.append(test.reason or "no σ: too few points of the pattern")
    return tuple(said)
