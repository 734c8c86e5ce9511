"""The daemon in a terminal: its state, its counters and what grows."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from livepdf.clients.words import disk_line, duration, feed_line, status_line, with_sigma
from livepdf.model.curve import Trend
from livepdf.model.status import Status
from livepdf.wire.mirror import Mirror

_BARS = "▁▂▃▄▅▆▇█"
_SPARK = 32
_EVENTS = 5
_STALE = 10.0
"""s after which data count as old."""


def one_line(mirror: Mirror, *, now: float) -> str:
    """Return state and trends as one line of plain text; ``now`` is Unix seconds."""
    if mirror.status is None or not mirror.connected:
        return mirror.connection
    parts = [status_line(mirror.status, now=now)]
    if mirror.latest is not None:
        parts += [f"{t.name}: {with_sigma(t)}" for t in mirror.latest.trends]
    return " | ".join(parts)


def picture(mirror: Mirror, *, now: float) -> RenderableType:
    """Return the whole view; ``now`` is Unix seconds."""
    status = mirror.status
    if status is None:
        return Panel(Text(mirror.connection, style="yellow"), title="livepdf")
    parts: list[RenderableType] = []
    if not mirror.connected:
        parts.append(Text(mirror.connection, style="bold red"))
    parts += [_facts(status, now=now), _counters(status)]
    if status.preparing:
        parts.append(Text(status.preparing, style="yellow"))
    parts += [Text(feed_line(feed), "dim") for feed in status.feeds]
    parts += [Text(f"! {problem}", style="bold red") for problem in status.problems]
    parts.append(_trends(mirror))
    for event in mirror.events[-_EVENTS:]:
        parts.append(Text(f"{duration(now - event.time)} ago  {event.kind}: {event.text}", "dim"))
    snapshot = mirror.snapshot
    title = "livepdf" if snapshot is None else f"{snapshot.profile} · {snapshot.sample}"
    return Panel(Group(*parts), title=title, subtitle=status.output or None)


def sparkline(values: Sequence[float], *, width: int = _SPARK) -> str:
    """Return the last values as a row of bars; a blank where there is no value."""
    shown = list(values)[-width:]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return " " * len(shown)
    low, high = min(finite), max(finite)
    step = (high - low) / (len(_BARS) - 1)

    def bar(value: float) -> str:
        if not math.isfinite(value):
            return " "
        return _BARS[round((value - low) / step)] if step > 0 else _BARS[len(_BARS) // 2]

    return "".join(bar(value) for value in shown)


def _facts(status: Status, *, now: float) -> RenderableType:
    age = now - status.newest
    style = "red" if age > _STALE and status.state == "running" else ""
    grid = Table.grid(padding=(0, 3))
    for _ in range(6):
        grid.add_column()
    grid.add_row(
        Text(status.state, style="bold green" if status.state == "running" else "bold yellow"),
        status.run or "no run yet",
        f"{status.windows} windows",
        f"{status.rate:.1f} Hz",
        f"lag {duration(status.lag)}",
        Text(f"newest frame {duration(age)} ago" if math.isfinite(age) else "no frame yet", style),
    )
    lines: list[RenderableType] = [
        grid,
        Text(f"source {status.source}: {status.source_state}", "dim"),
    ]
    if status.disk is not None:
        lines.append(Text(disk_line(status.disk), "red" if status.disk.short else "dim"))
    return Group(*lines)


def _counters(status: Status) -> RenderableType:
    counters = status.counters
    line = Text(
        f"{counters.received} received = {counters.used} used "
        f"+ {sum(counters.refused.values())} refused + {counters.waiting} waiting"
    )
    if counters.left_out:
        line.append(f" + {counters.left_out} left out", style="red")
    for lamp in status.quality:
        if lamp.raised:
            line.append(f"   {lamp.name} {lamp.value:.3g}", style="red")
    line.append(f"   {counters.lost} lost", style="red" if counters.lost else "")
    for reason, count in sorted(counters.refused.items(), key=lambda item: -item[1])[:4]:
        line.append(f"   {reason}: {count}", style="red")
    return line


def _trends(mirror: Mirror) -> RenderableType:
    table = Table(box=None, padding=(0, 2), show_header=False)
    windows = mirror.windows
    if windows is None:
        return Text("no window yet", "dim")
    for name in windows.trend_names():
        trends = windows.trend(name)
        newest = trends[-1]
        table.add_row(name, _value(newest), sparkline([_number(t) for t in trends[-_SPARK:]]))
    for name in windows.environment_names():
        values = [float(value) for value in windows.environment(name)[-_SPARK:]]
        table.add_row(name, f"{values[-1]:.4g}", sparkline(values))
    return table


def _value(trend: Trend | None) -> Text:
    if trend is None:
        return Text("not here yet", "dim")
    return Text(with_sigma(trend), "yellow" if trend.reason else "")


def _number(trend: Trend | None) -> float:
    return math.nan if trend is None else trend.value
