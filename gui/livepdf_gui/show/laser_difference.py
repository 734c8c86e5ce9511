"""Shots with and without the laser in one bin of the delay, and their difference."""

import numpy as np

from livepdf.model.laser import LaserReport
from livepdf_gui.show.laser_choice import Space
from livepdf_gui.show.laser_words import resolution, verdict
from livepdf_gui.show.ranges import Range
from livepdf_gui.show.shots_axis import Plain, time_words
from livepdf_gui.show.shots_chart import Array, Board, Chart, Series, band, y_range_of
from livepdf_gui.show.words import plural

_PHYSICAL_R = 1.2
"""Å; no two atoms are nearer, so what G(r) does below it sets no scale."""
_TITLES: dict[Space, str] = {
    "iq": "I(Q) with and without the laser",
    "gr": "G(r) with and without the laser",
}
_LESSONS: dict[Space, str] = {
    "iq": "What the laser changes in the scattering: heat takes from the sharp peaks and gives to "
    "the valleys between them, a new structure makes peaks where there were none. Above: both "
    "classes; below: with less without, its band is ±1σ of the difference itself.",
    "gr": "What the laser changes in the distances between atoms: up where pairs came, down where "
    "they went; a dip with a shoulder on each side is a peak that became broader, a swing from "
    "down to up is a bond that became longer.",
}


def on_off(
    report: LaserReport, space: Space, number: int, *, chosen: bool, before: Board | None
) -> Board:
    """Return both classes above and their difference below, each with its ±1σ band."""
    x, off, off_sigma, on_sigma, change, change_sigma = _arrays(report, space, number)
    test = report.tests[number]
    if not np.isfinite(change).any():
        empty = _why_none(report, space, number)
        return Board(title=_TITLES[space], lesson=_LESSONS[space], empty=empty)
    within = (_PHYSICAL_R, np.inf) if space == "gr" else (report.limits.qmin, np.inf)
    without = _series("without laser", x, off, off_sigma, 1)
    with_laser = _series("with laser", x, off + change, on_sigma, 0)
    less = _series("with less without", x, change, change_sigma, 2)
    axis = Plain(label="Q (Å⁻¹)" if space == "iq" else "r (Å)")
    shown = _span(x, change)
    old = before.charts if before is not None and len(before.charts) == 2 else (None, None)
    heights = [
        y_range_of(series, before=chart.y_range if chart else None, within=within, zero=zero)
        for series, chart, zero in (
            ((without, with_laser), old[0], space == "gr"),
            ((less,), old[1], True),
        )
    ]
    said, level = verdict(test, bins=len(report.tests))
    divided = f"divided by {report.normalised}"
    above = Chart(
        x_axis=axis,
        y_axis=Plain(label="I / I0 (arb. u.)" if space == "iq" else "G (Å⁻²)"),
        series=(without, with_laser),
        x_range=shown,
        y_range=heights[0],
        zero=space == "gr",
        note=divided if space == "iq" else f"{resolution(report.limits)}   ·   {divided}",
    )
    below = Chart(
        x_axis=axis,
        y_axis=Plain(label="ΔI / I0 (arb. u.)" if space == "iq" else "ΔG (Å⁻²)"),
        series=(less,),
        x_range=shown,
        y_range=heights[1],
        zero=True,
        note=said,
        level=level,
    )
    return Board(
        title=_TITLES[space],
        lesson=_LESSONS[space],
        over=_over(report, number, chosen=chosen),
        aside=_sigma_words(report, change_sigma, space),
        charts=(above, below),
    )


def delay_words(report: LaserReport, number: int) -> str:
    """Write the delay of a bin with its limits."""
    low, high = report.edges[number : number + 2]
    return f"{time_words(report.delays[number])} ({time_words(low)} to {time_words(high)})"


def _arrays(report: LaserReport, space: Space, number: int) -> tuple[Array, ...]:
    if space == "iq":
        rows = (report.off_iq, report.off_iq_sigma, report.on_iq_sigma, report.diq)
        return report.q, *(np.asarray(a[number]) for a in (*rows, report.diq_sigma))
    rows = (report.off_gr, report.off_gr_sigma, report.on_gr_sigma, report.dgr)
    return report.r, *(np.asarray(a[number]) for a in (*rows, report.dgr_sigma))


def _series(name: str, x: Array, y: Array, sigma: Array, colour: int) -> Series:
    low, high = band(y, sigma)
    dashed = colour == 1
    return Series(name=name, x=x, y=y, low=low, high=high, colour=colour, dashed=dashed)


def _span(x: Array, y: Array) -> Range:
    known = x[np.isfinite(y)]
    return float(known[0]), float(known[-1])


def _why_none(report: LaserReport, space: Space, number: int) -> str:
    where = f"delay {delay_words(report, number)}"
    if not report.tests[number].shots:
        return f"No shot with the laser has this {where}.\n← → show another one."
    if space == "gr" and np.isfinite(report.diq[number]).any():
        said = next((w for w in report.warnings if "ΔG" in w), "")
        return said or f"No ΔG(r) at {where} yet: too few points in Q."
    return f"No shots without the laser to compare with at {where}."


def _over(report: LaserReport, number: int, *, chosen: bool) -> str:
    test = report.tests[number]
    off = dict(report.counts.classes).get("off", 0)
    picked = "" if chosen or len(report.tests) == 1 else ", the surest one"
    return (
        f"delay {delay_words(report, number)}, bin {number + 1} of {len(report.tests)}"
        f"{picked}   ·   "
        f"{plural(test.shots, 'shot')} with, {plural(off, 'shot')} without the laser"
    )


def _sigma_words(report: LaserReport, sigma: Array, space: Space) -> str:
    known = sigma[np.isfinite(sigma)]
    if not known.size:
        return "no σ yet: too few blocks of time"
    unit = " Å⁻²" if space == "gr" else ""
    size = f"median {np.median(known):.2g}{unit}"
    return f"band: ±1σ, {size}, {report.sigma_is}"
