"""Samples that a laser destroys: when their order, lattice and size begin to change."""

from dataclasses import dataclass, replace

import numpy as np

from livepdf.model.breakdown import BreakdownReport, Breaking
from livepdf_gui.show.headline import Item
from livepdf_gui.show.laser_choice import Space
from livepdf_gui.show.laser_words import class_items, resolution
from livepdf_gui.show.shots_axis import Axis, Delays, Log, Plain, time_words
from livepdf_gui.show.shots_chart import Board, Chart, Rule, Series, Zone, band, y_range_of
from livepdf_gui.show.shots_map import Measured, ShotsMap, blank_words, image_of, reading
from livepdf_gui.show.words import count, plural

NO_BREAKDOWN = (
    "This run is not known to be one of shots that destroy their sample.\nPut a table [breakdown] "
    "into the recipe; the guide “Lasers and single shots” has one to copy."
)
_ALONG = {"delay": "delay", "fluence": "fluence", "shot": "number of the shot"}
_PHYSICAL_R = 1.2
_COURSE = (
    "Each sample is seen once with the laser and is gone, so it is compared with a bank of intact "
    "samples; the bars are what one intact sample differs from the next. The shaded stretch holds "
    "the beginning of the change."
)
_MAP = (
    "Each column is the mean of the samples of one bin less the bank of intact ones: where colour "
    "begins, the structure begins to go."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownChoice:
    """The wishes of the user."""

    bin: int | None = None
    space: Space = "iq"
    sure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreakdownView:
    """What the page of destroyed samples draws."""

    notice: str
    run: str
    counts: tuple[Item, ...] = ()
    lamps: tuple[Item, ...] = ()
    bins: int = 0
    bin: int = 0
    where: str = ""
    """The bin that is shown, in words."""
    courses: Board | None = None
    map: ShotsMap | None = None
    sample: Board | None = None


def breakdown_view(
    report: BreakdownReport | None, choice: BreakdownChoice, *, before: BreakdownView | None
) -> BreakdownView:
    """Return all panels of one moment; ranges lean on the view before."""
    if report is None:
        return BreakdownView(notice=NO_BREAKDOWN, run="")
    number = _shown_bin(report, choice)
    base = BreakdownView(
        notice=_why_nothing(report),
        run=report.run,
        counts=_counts(report),
        lamps=_lamps(report),
        bins=report.x.size,
        bin=number,
        where=bin_words(report, number),
    )
    if base.notice:
        return base
    old = before if before is not None and before.run == report.run else base
    return replace(
        base,
        courses=courses(report, before=old.courses),
        map=change_map(report, choice, number, before=old.map),
        sample=sample(report, choice.space, number, before=old.sample),
    )


def axis_of(report: BreakdownReport) -> Axis:
    """Return the axis that samples are put in order by."""
    if report.along == "delay":
        return Delays(kind="log" if report.log else "linear", edges=report.x_edges)
    unit = f" ({report.unit})" if report.unit else ""
    label = f"{_ALONG[report.along]}{unit}"
    return Log(label=label) if report.log else Plain(label=label)


def value_words(report: BreakdownReport, value: float) -> str:
    """Write a place on the axis with its unit."""
    if report.along == "delay":
        return time_words(value)
    return f"{value:.4g} {report.unit}".rstrip()


def bin_words(report: BreakdownReport, number: int) -> str:
    """Write the limits of a bin."""
    low, high = report.x_edges[number : number + 2]
    return f"{_ALONG[report.along]} {value_words(report, low)} to {value_words(report, high)}"


def onset_words(report: BreakdownReport, one: Breaking) -> str:
    """Say where a measure begins to change, or why that is not known."""
    if one.reason or not np.isfinite(one.start):
        return f"{one.label}: {one.reason or 'no change seen'}"
    return (
        f"{one.label}: begins to change at {value_words(report, one.start)} "
        f"({value_words(report, one.low)} to {value_words(report, one.high)}, "
        f"{100 * one.coverage:.0f} %), from {one.before:.4g} to {one.after:.4g} {one.unit}"
    ).rstrip()


def courses(report: BreakdownReport, *, before: Board | None) -> Board:
    """Return each measure over delay, fluence or shot, with the stretch in which it begins."""
    axis, title = axis_of(report), "When does it break?"
    charts, withheld = [], ""
    old = before.charts if before is not None else ()
    for row, one in enumerate(report.measures):
        both = np.concatenate([report.values[row], report.sample_values[row]])
        if np.isfinite(both).any():
            charts.append(_course(report, row, one, axis, old))
        else:
            withheld += f"   ·   {onset_words(report, one)}"
    if not charts:
        why = "; ".join(one.reason for one in report.measures if one.reason)
        return Board(title=title, lesson=_COURSE, empty=why or "No sample with the laser yet.")
    return Board(
        title=title,
        lesson=_COURSE,
        over=f"{plural(int(report.shots.sum()), 'destroyed sample')} in {report.x.size} bins, "
        f"against {plural(report.bank_shots, 'intact sample')}{withheld}",
        aside=f"bars: ±1σ, {report.sigma_is}",
        charts=tuple(charts),
    )


def change_map(
    report: BreakdownReport, choice: BreakdownChoice, number: int, *, before: ShotsMap | None
) -> ShotsMap:
    """Return the map of ΔI or ΔG to the bank of intact samples."""
    of_q = choice.space == "iq"
    sigma = report.diq_sigma if of_q else report.dgr_sigma
    reasons = tuple(
        "no sample here" if not shots else "" if np.isfinite(row).any() else "no σ: no bank yet"
        for shots, row in zip(report.shots, sigma, strict=True)
    )
    found = Measured(
        x=report.q if of_q else report.r,
        value=report.diq if of_q else report.dgr,
        sigma=sigma,
        edges=report.x_edges,
        reasons=reasons,
        lowest=report.limits.qmin if of_q else _PHYSICAL_R,
    )
    axis = axis_of(report)
    symbol = "ΔI" if of_q else "ΔG"
    same = before if before is not None and before.symbol == symbol else None
    image, bounds, heights, levels = image_of(found, axis, in_sigma=choice.sure, before=same)
    return ShotsMap(
        title=f"{symbol}({'Q' if of_q else 'r'}) to intact samples" + (", in σ" * choice.sure),
        lesson=_MAP,
        over="click: show those samples   ·   I: ΔI or ΔG   D: in σ",
        aside=blank_words(reasons),
        empty=f"Nothing can be shown yet: {reasons[number]}." if all(reasons) else "",
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
        chosen=float(axis.place(report.x_edges[number : number + 2]).mean()),
    )


def map_words(report: BreakdownReport, view: ShotsMap, place: float, height: float) -> str:
    """Tell what is under the cursor."""
    at = view.at(place, height)
    if at is None or view.measured is None or at[0] >= report.x.size:
        return ""
    number, point = at
    x = view.measured.x[point]
    named = f"Q = {x:.3f} Å⁻¹" if view.symbol == "ΔI" else f"r = {x:.2f} Å"
    where = f"{bin_words(report, number)}, {plural(int(report.shots[number]), 'sample')}"
    return reading(view, where, named, number, point)


def sample(report: BreakdownReport, space: Space, number: int, *, before: Board | None) -> Board:
    """Return the samples of one bin: above with the bank for I, below the difference with σ."""
    of_q = space == "iq"
    x = report.q if of_q else report.r
    change = np.asarray((report.diq if of_q else report.dgr)[number])
    sigma = np.asarray((report.diq_sigma if of_q else report.dgr_sigma)[number])
    title = "Destroyed against intact"
    lesson = (
        "The mean of the destroyed samples of one bin and the bank of intact ones; the band of the "
        "bank is how much one intact sample differs from the next, that of the difference ±1σ."
    )
    if not np.isfinite(change).any():
        empty = f"No sample at {bin_words(report, number)}.\n← → show another bin."
        return Board(title=title, lesson=lesson, empty=empty)
    low, high = band(change, sigma)
    less = Series(name="destroyed less intact", x=x, y=change, low=low, high=high, colour=2)
    rows: list[tuple[str, tuple[Series, ...], bool]] = [
        ("ΔI / I0 (arb. u.)" if of_q else "ΔG (Å⁻²)", (less,), True)
    ]
    if of_q:
        down, up = band(report.bank, report.bank_scatter)
        bank = Series(name="intact", x=x, y=report.bank, low=down, high=up, colour=1, dashed=True)
        gone = Series(name="destroyed", x=x, y=report.bank + change, colour=0)
        rows.insert(0, ("I / I0 (arb. u.)", (bank, gone), False))
    known = x[np.isfinite(change)]
    old = before.charts if before is not None and len(before.charts) == len(rows) else ()
    charts = tuple(
        Chart(
            x_axis=Plain(label="Q (Å⁻¹)" if of_q else "r (Å)"),
            y_axis=Plain(label=label),
            series=series,
            x_range=(float(known[0]), float(known[-1])),
            y_range=y_range_of(
                series,
                before=old[k].y_range if old else None,
                within=None if of_q else (_PHYSICAL_R, np.inf),
                zero=zero,
            ),
            zero=zero,
            note="" if of_q else resolution(report.limits),
        )
        for k, (label, series, zero) in enumerate(rows)
    )
    said = f"{bin_words(report, number)}   ·   {plural(int(report.shots[number]), 'sample')}"
    return Board(
        title=title,
        lesson=lesson,
        over=said,
        aside=f"divided by {report.normalised}",
        charts=charts,
    )


def _course(
    report: BreakdownReport, row: int, one: Breaking, axis: Axis, old: tuple[Chart, ...]
) -> Chart:
    value, sigma = report.values[row], report.sigmas[row]
    means = Series(
        name="mean of the bin",
        x=axis.place(report.x),
        y=value,
        low=value - sigma,
        high=value + sigma,
        style="points",
    )
    each = Series(
        name="one sample",
        x=axis.place(report.sample_x),
        y=report.sample_values[row],
        colour=3,
        style="points",
    )
    series = (each, means)
    zones: tuple[Zone, ...] = ()
    rules: tuple[Rule, ...] = ()
    if np.isfinite(one.start) and not one.reason:
        low, start, high = axis.place(np.array([one.low, one.start, one.high]))
        zones = (Zone(low=float(low), high=float(high), level="bad"),)
        rules = (Rule(at=float(start)),)
    unit = f" ({one.unit})" if one.unit else ""
    bounds = axis.place(report.x_edges)
    label = f"{one.label}{unit}"
    kept = [chart.y_range for chart in old if chart.y_axis.label == label]
    return Chart(
        x_axis=axis,
        y_axis=Plain(label=label),
        series=series,
        x_range=(float(bounds[0]), float(bounds[-1])),
        y_range=y_range_of(series, before=kept[0] if kept else None, below=0.5, above=99.5),
        zones=zones,
        rules=rules,
        note=onset_words(report, one),
        level="quiet" if one.reason else "warn",
    )


def _shown_bin(report: BreakdownReport, choice: BreakdownChoice) -> int:
    if choice.bin is not None:
        return min(max(choice.bin, 0), report.x.size - 1)
    full = np.flatnonzero(report.shots)
    return int(full[-1]) if full.size else 0


def _why_nothing(report: BreakdownReport) -> str:
    if not report.counts.received:
        return "Waiting for the first shot of this run."
    if report.bank_reason and not report.shots.sum():
        return f"No bank of intact samples yet: {report.bank_reason}."
    return ""


def _counts(report: BreakdownReport) -> tuple[Item, ...]:
    bank = Item(
        label="intact, in the bank",
        text=count(report.bank_shots),
        level="quiet" if not report.bank_reason else "warn",
        hint=report.bank_reason or "Samples without the laser that all others are compared with.",
    )
    return (*class_items(report.counts), bank)


def _lamps(report: BreakdownReport) -> tuple[Item, ...]:
    words = [part.words for part in report.fractions]
    items = [Item(label="part", text=f"– {said}", hint=said) for said in words]
    items += [Item(label="warning", text=f"✗ {w}", level="bad", hint=w) for w in report.warnings]
    if report.bank_reason:
        items.append(Item(label="bank", text=f"✗ bank: {report.bank_reason}", level="warn",
                          hint=report.bank_reason))  # fmt: skip
    return tuple(items)
