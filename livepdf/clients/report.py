"""A run on one page: what was measured, how sure, and what happened."""

import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from livepdf.clients.words import with_sigma
from livepdf.model.curve import Trend
from livepdf.model.finding import Finding
from livepdf.model.status import FOUND, Event

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_FIRST = ("domain size", "conversion", "lattice a")
"""Trends that are drawn before all others."""
_DRAWN = 4
_WIDE = 125
"""Letters of a line of the page."""
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Told apart by people who see few colours (Okabe and Ito)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """One trend over the windows of a run."""

    name: str
    unit: str
    value: Floats
    """(windows,), NaN where withheld."""
    sigma: Floats
    reason: str
    """Why the last is withheld; empty where it is not."""

    def last(self) -> Trend:
        """Return the newest value that was shown, or the newest reason."""
        known = np.flatnonzero(np.isfinite(self.value))
        place = int(known[-1]) if len(known) else len(self.value) - 1
        shown = len(known) > 0
        return Trend(
            name=self.name,
            unit=self.unit,
            value=float(self.value[place]) if shown else math.nan,
            sigma=float(self.sigma[place]) if shown else math.nan,
            reason="" if shown else self.reason or "never shown",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFacts:
    """All that a report shows."""

    run: str
    sample: str
    start: float
    """Unix seconds."""
    time: Floats
    """(windows,) s since the start, middle of each window."""
    counters: Sequence[tuple[str, int]]
    r: Floats
    """(n_r,) Å"""
    gr: NDArray[np.float32]
    """(windows, n_r) Å⁻²"""
    last_gr: NDArray[np.float32]
    """(n_r,) of the last window."""
    last_gr_sigma: NDArray[np.float32]
    trends: Sequence[Followed]
    findings: Sequence[Finding]
    events: Sequence[Event]
    made_with: Sequence[tuple[str, str]]
    """Program and version, revision, recipe: name and text."""


def draw(facts: RunFacts) -> "Figure":
    """Return the figures of a report, A4 upright."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.27, 8.6), layout="constrained")
    shown = _chosen(facts.trends)
    rows = figure.add_gridspec(2 + len(shown), 1, height_ratios=[2.2, 2.4, *([1.1] * len(shown))])
    _draw_gr(figure.add_subplot(rows[0]), facts)
    first = figure.add_subplot(rows[1])
    _draw_map(figure, first, facts)
    scale, unit = _time_unit(facts.time)
    for place, trend in enumerate(shown):
        axes = figure.add_subplot(rows[2 + place], sharex=first)
        _draw_trend(axes, trend, facts.time / scale, _COLOURS[place % len(_COLOURS)])
        _draw_events(axes, facts, scale)
        axes.tick_params(labelbottom=place == len(shown) - 1)
    last = figure.axes[-1] if shown else first
    last.set_xlabel(f"time since the start ({unit})")
    return figure


def as_html(facts: RunFacts) -> str:
    """Return the report as one file of HTML with its figures inside."""
    picture = io.StringIO()
    draw(facts).savefig(picture, format="svg")
    svg = picture.getvalue()
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(text)}</td></tr>"
        for name, text in table(facts)
    )
    happened = "".join(f"<li>{html.escape(line)}</li>" for line in happenings(facts))
    title = html.escape(f"{facts.run} · {facts.sample}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:14px/1.4 sans-serif;max-width:52em;margin:2em auto;padding:0 1em}"
        "td{padding:.1em 1.2em .1em 0;vertical-align:top}svg{width:100%;height:auto}</style>"
        f"</head><body><h1>{title}</h1><table>{rows}</table>{svg[svg.index('<svg') :]}"
        f"<h2>What happened</h2><ul>{happened}</ul></body></html>"
    )


def as_pdf(facts: RunFacts) -> bytes:
    """Return the report as PDF: a page of figures and numbers, and one of events where many."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with PdfPages(out) as pages:
        figure = draw(facts)
        figure.set_size_inches(8.27, 11.69)
        lines = [
            line
            for name, text in table(facts)
            for line in wrap(f"{name}:  {text}", _WIDE, subsequent_indent="        ")
        ]
        figure.suptitle(
            f"{facts.run} · {facts.sample}\n\n" + "\n".join(lines),
            x=0.02,
            ha="left",
            fontsize=8,
            linespacing=1.35,
        )
        pages.savefig(figure)
        happened = happenings(facts)
        for first in range(0, len(happened), 70):
            page = Figure(figsize=(8.27, 11.69))
            text = "What happened\n\n" + "\n".join(happened[first : first + 70])
            page.text(0.05, 0.96, text, va="top", fontsize=8, linespacing=1.4)
            pages.savefig(page)
    return out.getvalue()


def table(facts: RunFacts) -> list[tuple[str, str]]:
    """Return the facts as pairs of name and text: numbers with σ, or the reason."""
    duration = facts.time[-1] - facts.time[0] if len(facts.time) > 1 else 0.0
    rows = [
        ("started", datetime.fromtimestamp(facts.start).astimezone().isoformat(" ", "seconds")),
        ("length", f"{duration / 60:.1f} min, {len(facts.time)} windows"),
        ("frames", ", ".join(f"{count} {name}" for name, count in facts.counters)),
    ]
    rows += [(trend.name, with_sigma(trend.last())) for trend in facts.trends]
    for finding in facts.findings:
        rows.append((finding.law, finding.reason or _found(finding)))
    return [*rows, *facts.made_with]


def happenings(facts: RunFacts) -> list[str]:
    """Return the events, one a line, with their time since the start."""
    return [
        f"{(event.time - facts.start) / 60:+8.1f} min  {event.kind}: {event.text}"
        for event in facts.events
    ]


def _found(finding: Finding) -> str:
    parts = [
        f"{one.name} = {one.value:.4g} ± {one.sigma:.2g} {one.unit} "
        f"(95 %: {one.low:.4g} to {one.high:.4g})"
        for one in finding.found
    ]
    return "; ".join(parts)


def _chosen(trends: Sequence[Followed]) -> list[Followed]:
    known = [trend for trend in trends if np.isfinite(trend.value).any()]
    order = {name: place for place, name in enumerate(_FIRST)}
    return sorted(known, key=lambda trend: order.get(trend.name, len(order)))[:_DRAWN]


def _time_unit(time: Floats) -> tuple[float, str]:
    longest = float(np.nanmax(time)) if len(time) else 0.0
    if longest < 300:
        return 1.0, "s"
    return (60.0, "min") if longest < 18_000 else (3600.0, "h")


def _draw_gr(axes: Any, facts: RunFacts) -> None:
    axes.axhline(0, color="0.8", lw=0.8)
    low, high = facts.last_gr - facts.last_gr_sigma, facts.last_gr + facts.last_gr_sigma
    axes.fill_between(facts.r, low, high, color=_COLOURS[0], alpha=0.35, lw=0, label="±σ")
    axes.plot(facts.r, facts.last_gr, color=_COLOURS[0], lw=0.9, label="last window")
    axes.set(xlabel="r (Å)", ylabel="G(r) (Å⁻²)", xlim=(facts.r[0], min(facts.r[-1], 30.0)))
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def _draw_map(figure: Any, axes: Any, facts: RunFacts) -> None:
    scale, _ = _time_unit(facts.time)
    inside = facts.r <= 15.0
    shown = facts.gr[:, inside]
    known = np.abs(shown[np.isfinite(shown)])
    limit = float(np.percentile(known, 99)) if len(known) else 1.0
    step = max(1, len(facts.time) // 1000)
    image = axes.pcolormesh(
        facts.time[::step] / scale,
        facts.r[inside],
        shown[::step].T,
        cmap="PuOr_r",
        vmin=-limit,
        vmax=limit,
        shading="nearest",
        rasterized=True,
    )
    axes.set_ylabel("r (Å)")
    figure.colorbar(image, ax=axes, label="G(r) (Å⁻²)", pad=0.01)
    _draw_events(axes, facts, scale)


def _draw_trend(axes: Any, trend: Followed, time: Floats, colour: str) -> None:
    low, high = trend.value - trend.sigma, trend.value + trend.sigma
    axes.fill_between(time, low, high, color=colour, alpha=0.3, lw=0)
    axes.plot(time, trend.value, color=colour, lw=1, marker=".", ms=3)
    unit = f" ({trend.unit})" if trend.unit else ""
    axes.set_ylabel(f"{trend.name}{unit}", fontsize=8)
    axes.margins(y=0.15)


def _draw_events(axes: Any, facts: RunFacts, scale: float) -> None:
    for event in facts.events:
        if event.kind in ("mark", *FOUND):
            axes.axvline((event.time - facts.start) / scale, color="0.3", lw=0.8, ls="--")
