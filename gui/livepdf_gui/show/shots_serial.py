"""Hits among single shots: how many, how bright, what powder they make."""

from dataclasses import dataclass, replace

import numpy as np

from livepdf.model.serial import HitRate, SerialReport
from livepdf_gui.show.headline import Item
from livepdf_gui.show.shots_axis import Log, Plain
from livepdf_gui.show.shots_chart import Board, Chart, Rule, Series, band, steps, y_range_of
from livepdf_gui.show.shots_sizes import particles, sizes
from livepdf_gui.show.words import count

NO_SERIAL = (
    "This run is not known to be one of single shots on particles.\nPut a table [serial] into the "
    "recipe; the guide “Lasers and single shots” has one to copy."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SerialView:
    """What the page of hits draws."""

    notice: str
    """Said in place of all panels; empty where there is something to show."""
    run: str
    counts: tuple[Item, ...] = ()
    lamps: tuple[Item, ...] = ()
    rate: Board | None = None
    lit: Board | None = None
    powder: Board | None = None
    sizes: Board | None = None
    particles: Board | None = None


def serial_view(report: SerialReport | None, *, before: SerialView | None) -> SerialView:
    """Return all panels of one moment; ranges lean on the view before."""
    if report is None:
        return SerialView(notice=NO_SERIAL, run="")
    base = SerialView(
        notice="" if report.counts.received else "Waiting for the first shot of this run.",
        run=report.run,
        counts=_counts(report),
        lamps=_lamps(report),
    )
    if base.notice:
        return base
    old = before if before is not None and before.run == report.run else base
    return replace(
        base,
        rate=hit_rate(report, before=old.rate),
        lit=lit_pixels(report),
        powder=powder(report, before=old.powder),
        sizes=sizes(report, before=old.sizes),
        particles=particles(report, before=old.particles),
    )


def rate_words(rate: HitRate) -> str:
    """Write a hit rate with its 95 % interval and what it is of."""
    if not rate.shots:
        return "no shots yet"
    return (
        f"{100 * rate.rate:.3g} % ({100 * rate.low:.3g} to {100 * rate.high:.3g} %), "
        f"{count(rate.hits)} of {count(rate.shots)} shots"
    )


def hit_rate(report: SerialReport, *, before: Board | None) -> Board:
    """Return the hit rate along the run, in per cent, with its Wilson interval."""
    title = "Hit rate"
    lesson = (
        "The share of shots that hit a particle, with the interval that holds the truth in 95 of "
        "100 cases (Wilson), which is honest for few hits and for none: a rate that falls means a "
        "clogged or drifting jet, or particles that settle."
    )
    x, rate = report.course_shots.astype(np.float64), 100 * report.course_rate
    if not np.isfinite(rate).any():
        empty = "The first stretch of shots is not over yet."
        return Board(title=title, lesson=lesson, empty=empty)
    one = Series(
        name="hits among the shots of a stretch (%)",
        x=x,
        y=rate,
        low=100 * report.course_low,
        high=100 * report.course_high,
        style="joined",
    )
    mean = Series(
        name="whole run",
        x=np.array([0.0, x[-1]]),
        y=np.full(2, 100 * report.whole.rate),
        colour=1,
        dashed=True,
    )
    series = (one, mean)
    chart = Chart(
        x_axis=Plain(label="shots of this run"),
        y_axis=Plain(label="hit rate (%)"),
        series=series,
        x_range=(0.0, float(x[-1]) * 1.03),
        y_range=y_range_of(series, before=_old_range(before), zero=True),
        note="   ·   ".join(f"{name}: {rate_words(found)}" for name, found in report.by_class),
    )
    said = f"the last: {rate_words(report.recent)}   ·   whole run: {rate_words(report.whole)}"
    return Board(title=title, lesson=lesson, over=said, aside=report.hit_is, charts=(chart,))


def lit_pixels(report: SerialReport) -> Board:
    """Return how many shots light how many pixels, and from where on they count as hits."""
    title = "What is a hit?"
    lesson = (
        "Shots by the number of lit pixels: blanks make the hump on the left, particles the tail "
        "on the right. The threshold belongs into the valley between them; inside the hump, noise "
        "is counted as hits, far in the tail, small particles are lost."
    )
    shots = report.lit_shots.astype(np.float64)
    if not shots.sum() or report.lit_edges.size < 2:
        return Board(title=title, lesson=lesson, empty="No shot has been looked at yet.")
    # one half stands for none: a logarithm has no zero
    x, y = steps(np.log10(report.lit_edges), np.log10(np.maximum(shots, 0.5)))
    one = Series(name="shots", x=x, y=y)
    rules: tuple[Rule, ...] = ()
    if report.lit_threshold > 0:
        rules = (Rule(at=float(np.log10(report.lit_threshold)), words="hits from here on"),)
    last = int(np.flatnonzero(shots)[-1]) + 1
    chart = Chart(
        x_axis=Log(label="lit pixels of a shot"),
        y_axis=Log(label="shots"),
        series=(one,),
        x_range=(float(x[0]), float(np.log10(report.lit_edges[last])) + 0.15),
        y_range=(-0.35, float(y.max()) + 0.15),
        rules=rules,
    )
    return Board(title=title, lesson=lesson, over=report.hit_is, charts=(chart,))


def powder(report: SerialReport, *, before: Board | None) -> Board:
    """Return hits and blanks above, their difference with σ below, peaks at the foot."""
    title = "Powder of the hits"
    lesson = (
        "Mean of the shots that hit less mean of those that did not, each per I0: jet, air and "
        "detector are in both and drop out, so what is left is the particles alone. The band is "
        "±1σ."
    )
    if not np.isfinite(report.powder).any():
        known = dict(report.counts.classes)
        missing = "hit" if not sum(n for k, n in known.items() if k.startswith("hit")) else "blank"
        empty = f"No {missing} yet: the powder is the mean of hits less the mean of blanks."
        return Board(title=title, lesson=lesson, empty=empty)
    axis = Plain(label="Q (Å⁻¹)")
    low, high = band(report.powder, report.powder_sigma)
    rows: list[tuple[str, tuple[Series, ...], bool]] = [
        (
            "I / I0 (arb. u.)",
            (
                Series(name="hits", x=report.q, y=report.hits_iq, colour=0),
                Series(name="blanks", x=report.q, y=report.blanks_iq, colour=1, dashed=True),
            ),
            False,
        ),
        (
            "hits − blanks (arb. u.)",
            (Series(name="powder", x=report.q, y=report.powder, low=low, high=high, colour=2),),
            True,
        ),
    ]
    if np.isfinite(report.peaks).any():
        peaks = Series(name="peaks alone", x=report.q, y=report.peaks, colour=3)
        rows.append(("peaks (arb. u.)", (peaks,), True))
    known_q = report.q[np.isfinite(report.powder)]
    old = before.charts if before is not None else ()
    charts = tuple(
        Chart(
            x_axis=axis,
            y_axis=Plain(label=label),
            series=series,
            x_range=(float(known_q[0]), float(known_q[-1])),
            y_range=y_range_of(
                series, before=old[k].y_range if k < len(old) else None, zero=zero, above=99.8
            ),
            zero=zero,
        )
        for k, (label, series, zero) in enumerate(rows)
    )
    return Board(
        title=title,
        lesson=lesson,
        over=_powder_words(report),
        aside=f"band: ±1σ, {report.sigma_is}; divided by {report.normalised}",
        charts=charts,
    )


def _powder_words(report: SerialReport) -> str:
    hits, blanks = report.whole.hits, report.whole.shots - report.whole.hits
    words = f"{count(hits)} hits, {count(blanks)} blanks"
    if np.isfinite(report.peaks_per_hit):
        words += f"   ·   {report.peaks_per_hit:.1f} peaks in a hit that was searched"
    return words


def _old_range(before: Board | None) -> tuple[float, float] | None:
    return before.charts[0].y_range if before is not None and before.charts else None


def _counts(report: SerialReport) -> tuple[Item, ...]:
    items = [
        Item(label=name, text=count(number), hint=report.hit_is)
        for name, number in report.counts.classes
    ]
    recent, whole = report.recent, report.whole
    for label, rate in ((f"hit rate, last {count(recent.shots)}", recent), ("whole run", whole)):
        text = f"{100 * rate.rate:.3g} %" if rate.shots else "–"
        items.append(Item(label=label, text=text, hint=rate_words(rate)))
    rejected = sum(number for _, number in report.counts.rejected)
    why = "\n".join(f"{reason}: {count(number)}" for reason, number in report.counts.rejected)
    items.append(
        Item(
            label="rejected",
            text=count(rejected),
            level="warn" if rejected else "quiet",
            hint=why or "Shots in no class.",
        )
    )
    return tuple(items)


def _lamps(report: SerialReport) -> tuple[Item, ...]:
    """Return what was done with only a part of the shots, and what is wrong."""
    items = [
        Item(
            label=part.what,
            text=f"{'✓' if part.done >= part.of else '–'} {part.words}",
            level="quiet" if part.done < part.of else "good",
            hint="What the machine has no time for is left out by a declared share, evenly.",
        )
        for part in report.fractions
    ]
    items += [Item(label="warning", text=f"✗ {w}", level="bad", hint=w) for w in report.warnings]
    return tuple(items)
